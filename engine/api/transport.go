package api

// Protocol is UDP or TCP (FBS.Transport.Protocol).
type Protocol uint8

const (
	ProtocolUDP Protocol = 1
	ProtocolTCP Protocol = 2
)

var protocolNames = []string{"", "UDP", "TCP"}

// EnumNames returns the schema's member names, indexed by value.
func (Protocol) EnumNames() []string { return protocolNames }

// String returns the schema's member name.
func (v Protocol) String() string { return enumName(protocolNames, uint8(v)) }

// PortRange is a range of ports, both ends included; 0 to 0 stands for the worker's own range
// (FBS.Transport.PortRange).
type PortRange struct {
	Min uint16
	Max uint16
}

// SocketFlags are options of a socket (FBS.Transport.SocketFlags).
type SocketFlags struct {
	IPv6Only     bool
	UDPReusePort bool
}

// ListenInfo says where to listen (FBS.Transport.ListenInfo).
type ListenInfo struct {
	Protocol         Protocol
	IP               string
	AnnouncedAddress string // the address announced to peers instead of IP, such as the public one
	ExposeInternalIP bool   // announce IP to peers, too
	Port             uint16 // 0: one of PortRange
	PortRange        *PortRange
	Flags            *SocketFlags
	SendBufferSize   uint32 // bytes; 0: the system's default
	RecvBufferSize   uint32 // bytes; 0: the system's default
}

// TransportRestartICEResponse carries new ICE credentials of a WebRTC transport (FBS.Transport.RestartIceResponse).
type TransportRestartICEResponse struct {
	UsernameFragment string
	Password         string
	ICELite          bool
}

// TransportProduceRequest creates a producer (FBS.Transport.ProduceRequest).
type TransportProduceRequest struct {
	ProducerID                             string
	Kind                                   MediaKind
	RTPParameters                          *RTPParameters
	RTPMapping                             *RTPMapping
	Paused                                 bool
	KeyFrameRequestDelay                   uint32 // least milliseconds between two requests for a key frame; 0: no limit
	EnableMediasoupPacketIDHeaderExtension bool
}

// TransportProduceResponse reports the type of the new producer (FBS.Transport.ProduceResponse).
type TransportProduceResponse struct {
	Type RTPType
}

// TransportConsumeRequest creates a consumer (FBS.Transport.ConsumeRequest).
type TransportConsumeRequest struct {
	ConsumerID             string
	ProducerID             string
	Kind                   MediaKind
	RTPParameters          *RTPParameters
	Type                   RTPType
	ConsumableRTPEncodings []RTPEncodingParameters // of the producer, as the router maps them
	Paused                 bool
	PreferredLayers        *ConsumerLayers
	IgnoreDTX              bool // do not forward packets of silence
}

// TransportConsumeResponse reports the state of the new consumer (FBS.Transport.ConsumeResponse).
type TransportConsumeResponse struct {
	Paused          bool
	ProducerPaused  bool
	Score           *ConsumerScore
	PreferredLayers *ConsumerLayers
}

// TransportProduceDataRequest creates a data producer (FBS.Transport.ProduceDataRequest).
type TransportProduceDataRequest struct {
	DataProducerID       string
	Type                 DataProducerType
	SCTPStreamParameters *SCTPStreamParameters // nil unless over SCTP
	Label                string
	Protocol             string
	Paused               bool

	// LinkToken is told a node by its front; in no release's schema. What a link brings by it goes into this data producer (16 bytes).
	LinkToken []byte
}

// TransportConsumeDataRequest creates a data consumer (FBS.Transport.ConsumeDataRequest).
type TransportConsumeDataRequest struct {
	DataConsumerID       string
	DataProducerID       string
	Type                 DataConsumerType
	SCTPStreamParameters *SCTPStreamParameters // nil unless over SCTP
	Label                string
	Protocol             string
	Paused               bool
	Subchannels          []uint16 // those that it listens to

	// A node is told by its front where to send the messages of a relay, instead of notifying of them; in no release's schema.
	LinkAddress    string // of the node that takes them
	LinkToken      []byte // where they belong there (16 bytes); empty: no link
	LinkUnreliable bool   // messages that cannot leave soon may be lost
	LinkProducerID string // of the data producer there, if that is not DataProducerID
}

// TransportTuple is the addresses of a transport's two ends (FBS.Transport.Tuple).
type TransportTuple struct {
	LocalAddress string // the announced one, if any
	LocalPort    uint16
	RemoteIP     string // empty while unknown
	RemotePort   uint16
	Protocol     Protocol
}

// TransportRTPListener is the table that finds the producer of a packet (FBS.Transport.RtpListener).
type TransportRTPListener struct {
	SSRCTable []Uint32String
	MIDTable  []StringString
	RIDTable  []StringString
}

// TransportSCTPListener is the table that finds the data producer of a message (FBS.Transport.SctpListener).
type TransportSCTPListener struct {
	StreamIDTable []Uint16String
}

// RecvRTPHeaderExtensions are the ids of header extensions in what a transport receives; nil when unused
// (FBS.Transport.RecvRtpHeaderExtensions).
type RecvRTPHeaderExtensions struct {
	MID               *uint8
	RID               *uint8
	RRID              *uint8
	AbsSendTime       *uint8
	TransportWideCC01 *uint8
}

// TransportOptions is what transports of all types have in common (FBS.Transport.Options).
type TransportOptions struct {
	Direct                                      bool
	InitialAvailableOutgoingBitrate             *uint64 // bits per second: where the bandwidth estimate begins
	EnableSCTP                                  bool
	MaxSendMessageSize                          uint32 // bytes
	MaxReceiveMessageSize                       uint32 // bytes
	SCTPSendBufferSize                          uint32 // bytes
	SCTPPerStreamSendQueueLimit                 uint32 // bytes
	SCTPMaxReceiverWindowBufferSize             uint32 // bytes
	SCTPDefaultStreamBufferedAmountLowThreshold uint32 // bytes
	IsDataChannel                               bool
	NumSCTPStreams                              *NumSCTPStreams // only in releases before 3.21, for dumps

	// Internal marks a transport that carries a relay between two workers of one application; in no release's schema. Such
	// a PipeTransport forwards at once, without waiting for key frames, asks only for those that the other end asks for,
	// and takes the preferred spatial layer of a pipe consumer as the highest encoding to forward. On such a DirectTransport,
	// data consumers get all messages, with their subchannels, and data producers forward also while they are paused: what
	// comes was sent before the pause.
	Internal bool

	// Restore makes the transport as an earlier one was, which ended with the process that it was in; in no release's schema.
	Restore *TransportRestore

	// LoadLimit is the load in per cent from which on a node refuses the transport as busy, 0 for none. If LoadReserved, what it has
	// reserved for others counts, too. In no release's schema. Engines ignore both.
	LoadLimit    uint8
	LoadReserved bool
}

// TransportRestore is what the application was told of a transport, and its peer knows, that a new one in its place must not draw
// anew. Ports are not part of it: the request names them. In no release's schema.
type TransportRestore struct {
	// ICEParameters are the credentials of a WebRtcTransport.
	ICEParameters *ICEParameters
	// SRTPParameters are the key of a PlainTransport or PipeTransport. No packet may have been protected with it, since the new
	// transport begins to count packets at zero.
	SRTPParameters *SRTPParameters
	// Tuple and RTCPTuple have the remote addresses that a PlainTransport with comedia has found.
	Tuple, RTCPTuple *TransportTuple
}

// TransportTraceEventType is a kind of event that a transport can report (FBS.Transport.TraceEventType).
type TransportTraceEventType uint8

const (
	TransportTraceEventTypeProbation TransportTraceEventType = 0
	TransportTraceEventTypeBWE       TransportTraceEventType = 1
)

var transportTraceEventTypeNames = []string{"PROBATION", "BWE"}

// EnumNames returns the schema's member names, indexed by value.
func (TransportTraceEventType) EnumNames() []string { return transportTraceEventTypeNames }

// String returns the schema's member name.
func (v TransportTraceEventType) String() string {
	return enumName(transportTraceEventTypeNames, uint8(v))
}

// TransportDump is the inner state that transports of all types have (FBS.Transport.Dump).
type TransportDump struct {
	ID                         string
	Direct                     bool
	ProducerIDs                []string
	ConsumerIDs                []string
	MapSSRCConsumerID          []Uint32String
	MapRTXSSRCConsumerID       []Uint32String
	DataProducerIDs            []string
	DataConsumerIDs            []string
	RecvRTPHeaderExtensions    *RecvRTPHeaderExtensions
	RTPListener                *TransportRTPListener
	MaxSendMessageSize         uint32
	MaxReceiveMessageSize      uint32
	SCTPParameters             *SCTPParameters
	SCTPState                  *SCTPState // nil without SCTP
	SCTPNegotiatedCapabilities *SCTPNegotiatedCapabilities
	SCTPListener               *TransportSCTPListener
	TraceEventTypes            []TransportTraceEventType
}

// TransportStats is the statistics that transports of all types have; bytes are counted since the start, bitrates over
// the last seconds (FBS.Transport.Stats).
type TransportStats struct {
	TransportID              string
	Timestamp                uint64     // milliseconds of the worker's clock
	SCTPState                *SCTPState // nil without SCTP
	BytesReceived            uint64
	RecvBitrate              uint64 // bits per second, as all bitrates
	BytesSent                uint64
	SendBitrate              uint64
	RTPBytesReceived         uint64
	RTPRecvBitrate           uint64
	RTPBytesSent             uint64
	RTPSendBitrate           uint64
	RTXBytesReceived         uint64
	RTXRecvBitrate           uint64
	RTXBytesSent             uint64
	RTXSendBitrate           uint64
	ProbationBytesSent       uint64
	ProbationSendBitrate     uint64
	AvailableOutgoingBitrate *uint64
	AvailableIncomingBitrate *uint64
	MaxIncomingBitrate       *uint64
	MaxOutgoingBitrate       *uint64
	MinOutgoingBitrate       *uint64
	RTPPacketLossReceived    *float64 // from 0 to 1
	RTPPacketLossSent        *float64 // from 0 to 1
}

// TransportSetMaxIncomingBitrateRequest limits what the peer may send, by REMB or transport-wide feedback; 0 lifts the
// limit (FBS.Transport.SetMaxIncomingBitrateRequest).
type TransportSetMaxIncomingBitrateRequest struct {
	MaxIncomingBitrate uint64 // bits per second
}

// TransportSetMaxOutgoingBitrateRequest limits what the bandwidth estimate may rise to; 0 lifts the limit
// (FBS.Transport.SetMaxOutgoingBitrateRequest).
type TransportSetMaxOutgoingBitrateRequest struct {
	MaxOutgoingBitrate uint64 // bits per second
}

// TransportSetMinOutgoingBitrateRequest limits what the bandwidth estimate may fall to; 0 lifts the limit
// (FBS.Transport.SetMinOutgoingBitrateRequest).
type TransportSetMinOutgoingBitrateRequest struct {
	MinOutgoingBitrate uint64 // bits per second
}

// TransportEnableTraceEventRequest replaces the set of events that a transport reports
// (FBS.Transport.EnableTraceEventRequest).
type TransportEnableTraceEventRequest struct {
	Events []TransportTraceEventType
}

// TransportCloseProducerRequest closes a producer (FBS.Transport.CloseProducerRequest).
type TransportCloseProducerRequest struct {
	ProducerID string
}

// TransportCloseConsumerRequest closes a consumer (FBS.Transport.CloseConsumerRequest).
type TransportCloseConsumerRequest struct {
	ConsumerID string
}

// TransportCloseDataProducerRequest closes a data producer (FBS.Transport.CloseDataProducerRequest).
type TransportCloseDataProducerRequest struct {
	DataProducerID string
}

// TransportCloseDataConsumerRequest closes a data consumer (FBS.Transport.CloseDataConsumerRequest).
type TransportCloseDataConsumerRequest struct {
	DataConsumerID string
}

// TransportSendRTCPNotification carries an RTCP packet of the application into a direct transport
// (FBS.Transport.SendRtcpNotification).
type TransportSendRTCPNotification struct {
	Data []byte
}

// TransportSCTPStateChangeNotification reports the new state of a transport's SCTP association
// (FBS.Transport.SctpStateChangeNotification).
type TransportSCTPStateChangeNotification struct {
	SCTPState SCTPState
}

// TransportSCTPNegotiatedCapabilitiesNotification reports what both ends of the SCTP association agreed on
// (FBS.Transport.SctpNegotiatedCapabilitiesNotification).
type TransportSCTPNegotiatedCapabilitiesNotification struct {
	NegotiatedCapabilities *SCTPNegotiatedCapabilities
}

// TransportTraceInfo is the detail of a transport's trace event: a pointer to one of the types that
// UnionTransportTraceInfo lists (FBS.Transport.TraceInfo).
type TransportTraceInfo interface{ isTransportTraceInfo() }

// BWEType is a way to estimate bandwidth (FBS.Transport.BweType).
type BWEType uint8

const (
	BWETypeTransportCc BWEType = 0
	BWETypeREMB        BWEType = 1
)

var namesBWEType = []string{"TRANSPORT_CC", "REMB"}

// EnumNames returns the schema's member names, indexed by value.
func (BWEType) EnumNames() []string { return namesBWEType }

// String returns the schema's member name.
func (v BWEType) String() string { return enumName(namesBWEType, uint8(v)) }

// BWETraceInfo describes a bandwidth estimate (FBS.Transport.BweTraceInfo).
type BWETraceInfo struct {
	BWEType                 BWEType
	DesiredBitrate          uint64 // bits per second, as all bitrates
	EffectiveDesiredBitrate uint64
	MinBitrate              uint64
	MaxBitrate              uint64
	StartBitrate            uint64
	MaxPaddingBitrate       uint64
	AvailableBitrate        uint64
}

// TransportTraceNotification reports a trace event of a transport (FBS.Transport.TraceNotification).
type TransportTraceNotification struct {
	Type      TransportTraceEventType
	Timestamp uint64 // milliseconds of the worker's clock
	Direction TraceDirection
	Info      TransportTraceInfo
}
