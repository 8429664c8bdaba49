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

// ListenIndividual lets a WebRTC transport listen on addresses of its own (FBS.WebRtcTransport.ListenIndividual).
type ListenIndividual struct {
	ListenInfos []ListenInfo
}

// ListenServer lets a WebRTC transport share the addresses of a WebRTC server (FBS.WebRtcTransport.ListenServer).
type ListenServer struct {
	WebRtcServerID string
}

// WebRtcTransportListen says where a WebRTC transport listens: a pointer to one of the types that
// UnionWebRtcTransportListen lists (FBS.WebRtcTransport.Listen).
type WebRtcTransportListen interface{ isWebRtcTransportListen() }

// WebRtcTransportOptions configures a transport for ICE and DTLS (FBS.WebRtcTransport.WebRtcTransportOptions).
type WebRtcTransportOptions struct {
	Base              *TransportOptions
	Listen            WebRtcTransportListen
	EnableUDP         bool
	EnableTCP         bool
	PreferUDP         bool
	PreferTCP         bool
	ICEConsentTimeout uint8 // seconds without consent (RFC 7675) until disconnected; 0: never
}

// FingerprintAlgorithm is the hash function of a certificate's fingerprint (FBS.WebRtcTransport.FingerprintAlgorithm).
type FingerprintAlgorithm uint8

const (
	FingerprintAlgorithmSha1   FingerprintAlgorithm = 0
	FingerprintAlgorithmSha224 FingerprintAlgorithm = 1
	FingerprintAlgorithmSha256 FingerprintAlgorithm = 2
	FingerprintAlgorithmSha384 FingerprintAlgorithm = 3
	FingerprintAlgorithmSha512 FingerprintAlgorithm = 4
)

var fingerprintAlgorithmNames = []string{"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"}

// EnumNames returns the schema's member names, indexed by value.
func (FingerprintAlgorithm) EnumNames() []string { return fingerprintAlgorithmNames }

// String returns the schema's member name.
func (v FingerprintAlgorithm) String() string { return enumName(fingerprintAlgorithmNames, uint8(v)) }

// Fingerprint is the hash of a certificate (RFC 8122) (FBS.WebRtcTransport.Fingerprint).
type Fingerprint struct {
	Algorithm FingerprintAlgorithm
	Value     string // hexadecimal, bytes separated by colons
}

// DTLSRole is the part that an end plays in the DTLS handshake (FBS.WebRtcTransport.DtlsRole).
type DTLSRole uint8

const (
	DTLSRoleAuto   DTLSRole = 0
	DTLSRoleClient DTLSRole = 1
	DTLSRoleServer DTLSRole = 2
)

var namesDTLSRole = []string{"AUTO", "CLIENT", "SERVER"}

// EnumNames returns the schema's member names, indexed by value.
func (DTLSRole) EnumNames() []string { return namesDTLSRole }

// String returns the schema's member name.
func (v DTLSRole) String() string { return enumName(namesDTLSRole, uint8(v)) }

// DTLSState is the state of a DTLS connection (FBS.WebRtcTransport.DtlsState).
type DTLSState uint8

const (
	DTLSStateNew        DTLSState = 0
	DTLSStateConnecting DTLSState = 1
	DTLSStateConnected  DTLSState = 2
	DTLSStateFailed     DTLSState = 3
	DTLSStateClosed     DTLSState = 4
)

var namesDTLSState = []string{"NEW", "CONNECTING", "CONNECTED", "FAILED", "CLOSED"}

// EnumNames returns the schema's member names, indexed by value.
func (DTLSState) EnumNames() []string { return namesDTLSState }

// String returns the schema's member name.
func (v DTLSState) String() string { return enumName(namesDTLSState, uint8(v)) }

// DTLSParameters is what an end tells the other about its DTLS (FBS.WebRtcTransport.DtlsParameters).
type DTLSParameters struct {
	Fingerprints []Fingerprint
	Role         DTLSRole
}

// ICEParameters is what an end tells the other about its ICE (RFC 8445) (FBS.WebRtcTransport.IceParameters).
type ICEParameters struct {
	UsernameFragment string
	Password         string
	ICELite          bool
}

// ICECandidateType is the kind of an ICE candidate; a server has host candidates only
// (FBS.WebRtcTransport.IceCandidateType).
type ICECandidateType uint8

const (
	ICECandidateTypeHost ICECandidateType = 0
)

var namesICECandidateType = []string{"HOST"}

// EnumNames returns the schema's member names, indexed by value.
func (ICECandidateType) EnumNames() []string { return namesICECandidateType }

// String returns the schema's member name.
func (v ICECandidateType) String() string { return enumName(namesICECandidateType, uint8(v)) }

// ICECandidateTCPType is the kind of a TCP candidate (RFC 6544); a server waits for connections
// (FBS.WebRtcTransport.IceCandidateTcpType).
type ICECandidateTCPType uint8

const (
	ICECandidateTCPTypePassive ICECandidateTCPType = 0
)

var namesICECandidateTCPType = []string{"PASSIVE"}

// EnumNames returns the schema's member names, indexed by value.
func (ICECandidateTCPType) EnumNames() []string { return namesICECandidateTCPType }

// String returns the schema's member name.
func (v ICECandidateTCPType) String() string { return enumName(namesICECandidateTCPType, uint8(v)) }

// ICERole is the part that an end plays in ICE (FBS.WebRtcTransport.IceRole).
type ICERole uint8

const (
	ICERoleControlled  ICERole = 0
	ICERoleControlling ICERole = 1
)

var namesICERole = []string{"CONTROLLED", "CONTROLLING"}

// EnumNames returns the schema's member names, indexed by value.
func (ICERole) EnumNames() []string { return namesICERole }

// String returns the schema's member name.
func (v ICERole) String() string { return enumName(namesICERole, uint8(v)) }

// ICEState is the state of ICE (FBS.WebRtcTransport.IceState).
type ICEState uint8

const (
	ICEStateNew          ICEState = 0
	ICEStateConnected    ICEState = 1
	ICEStateCompleted    ICEState = 2
	ICEStateDisconnected ICEState = 3
)

var namesICEState = []string{"NEW", "CONNECTED", "COMPLETED", "DISCONNECTED"}

// EnumNames returns the schema's member names, indexed by value.
func (ICEState) EnumNames() []string { return namesICEState }

// String returns the schema's member name.
func (v ICEState) String() string { return enumName(namesICEState, uint8(v)) }

// ICECandidate is an address at which a peer can try to reach the transport (FBS.WebRtcTransport.IceCandidate).
type ICECandidate struct {
	Foundation string
	Priority   uint32
	Address    string
	Protocol   Protocol
	Port       uint16
	Type       ICECandidateType
	TCPType    *ICECandidateTCPType // nil for UDP
}

// WebRtcTransportConnectRequest gives a WebRTC transport the DTLS parameters of its peer
// (FBS.WebRtcTransport.ConnectRequest).
type WebRtcTransportConnectRequest struct {
	DTLSParameters *DTLSParameters
}

// WebRtcTransportConnectResponse reports the part that the worker plays in the DTLS handshake
// (FBS.WebRtcTransport.ConnectResponse).
type WebRtcTransportConnectResponse struct {
	DTLSLocalRole DTLSRole
}

// WebRtcTransportDumpResponse is a WebRTC transport's inner state (FBS.WebRtcTransport.DumpResponse).
type WebRtcTransportDumpResponse struct {
	Base             *TransportDump
	ICERole          ICERole
	ICEParameters    *ICEParameters
	ICECandidates    []ICECandidate
	ICEState         ICEState
	ICESelectedTuple *TransportTuple
	DTLSParameters   *DTLSParameters
	DTLSState        DTLSState
}

// WebRtcTransportGetStatsResponse carries a WebRTC transport's statistics (FBS.WebRtcTransport.GetStatsResponse).
type WebRtcTransportGetStatsResponse struct {
	Base             *TransportStats
	ICERole          ICERole
	ICEState         ICEState
	ICESelectedTuple *TransportTuple
	DTLSState        DTLSState
}

// WebRtcTransportICESelectedTupleChangeNotification reports the addresses that ICE chose
// (FBS.WebRtcTransport.IceSelectedTupleChangeNotification).
type WebRtcTransportICESelectedTupleChangeNotification struct {
	Tuple *TransportTuple
}

// WebRtcTransportICEStateChangeNotification reports the new state of ICE
// (FBS.WebRtcTransport.IceStateChangeNotification).
type WebRtcTransportICEStateChangeNotification struct {
	ICEState ICEState
}

// WebRtcTransportDTLSStateChangeNotification reports the new state of DTLS
// (FBS.WebRtcTransport.DtlsStateChangeNotification).
type WebRtcTransportDTLSStateChangeNotification struct {
	DTLSState  DTLSState
	RemoteCert string // PEM, when connected
}
