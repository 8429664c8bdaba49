package api

// IPPort is an address that a WebRTC server listens on (FBS.WebRtcServer.IpPort).
type IPPort struct {
	IP   string
	Port uint16
}

// ICEUserNameFragment says which transport an ICE user name belongs to (FBS.WebRtcServer.IceUserNameFragment).
type ICEUserNameFragment struct {
	LocalICEUsernameFragment string
	WebRtcTransportID        string
}

// WebRtcServerDumpResponse is a WebRTC server's inner state (FBS.WebRtcServer.DumpResponse).
type WebRtcServerDumpResponse struct {
	ID                        string
	UDPSockets                []IPPort
	TCPServers                []IPPort
	WebRtcTransportIDs        []string
	LocalICEUsernameFragments []ICEUserNameFragment
}
