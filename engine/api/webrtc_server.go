package api

// IPPort is FBS.WebRtcServer.IpPort.
type IPPort struct {
	IP   string
	Port uint16
}

// ICEUserNameFragment is FBS.WebRtcServer.IceUserNameFragment.
type ICEUserNameFragment struct {
	LocalICEUsernameFragment string
	WebRtcTransportID        string
}

// WebRtcServerDumpResponse is FBS.WebRtcServer.DumpResponse.
type WebRtcServerDumpResponse struct {
	ID                        string
	UDPSockets                []IPPort
	TCPServers                []IPPort
	WebRtcTransportIDs        []string
	LocalICEUsernameFragments []ICEUserNameFragment
}
