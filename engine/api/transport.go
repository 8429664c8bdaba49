package api

// Protocol is FBS.Transport.Protocol.
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

// PortRange is FBS.Transport.PortRange.
type PortRange struct {
	Min uint16
	Max uint16
}

// SocketFlags is FBS.Transport.SocketFlags.
type SocketFlags struct {
	IPv6Only     bool
	UDPReusePort bool
}

// ListenInfo is FBS.Transport.ListenInfo.
type ListenInfo struct {
	Protocol         Protocol
	IP               string
	AnnouncedAddress string
	ExposeInternalIP bool
	Port             uint16
	PortRange        *PortRange
	Flags            *SocketFlags
	SendBufferSize   uint32
	RecvBufferSize   uint32
}

// TransportRestartICEResponse is FBS.Transport.RestartIceResponse.
type TransportRestartICEResponse struct {
	UsernameFragment string
	Password         string
	ICELite          bool
}

// TransportProduceRequest is FBS.Transport.ProduceRequest.
type TransportProduceRequest struct {
	ProducerID                             string
	Kind                                   MediaKind
	RTPParameters                          *RTPParameters
	RTPMapping                             *RTPMapping
	Paused                                 bool
	KeyFrameRequestDelay                   uint32
	EnableMediasoupPacketIDHeaderExtension bool
}

// TransportProduceResponse is FBS.Transport.ProduceResponse.
type TransportProduceResponse struct {
	Type RTPType
}

// TransportConsumeRequest is FBS.Transport.ConsumeRequest.
type TransportConsumeRequest struct {
	ConsumerID             string
	ProducerID             string
	Kind                   MediaKind
	RTPParameters          *RTPParameters
	Type                   RTPType
	ConsumableRTPEncodings []RTPEncodingParameters
	Paused                 bool
	PreferredLayers        *ConsumerLayers
	IgnoreDTX              bool
}

// TransportConsumeResponse is FBS.Transport.ConsumeResponse.
type TransportConsumeResponse struct {
	Paused          bool
	ProducerPaused  bool
	Score           *ConsumerScore
	PreferredLayers *ConsumerLayers
}

// TransportProduceDataRequest is FBS.Transport.ProduceDataRequest.
type TransportProduceDataRequest struct {
	DataProducerID       string
	Type                 DataProducerType
	SCTPStreamParameters *SCTPStreamParameters
	Label                string
	Protocol             string
	Paused               bool
}

// TransportConsumeDataRequest is FBS.Transport.ConsumeDataRequest.
type TransportConsumeDataRequest struct {
	DataConsumerID       string
	DataProducerID       string
	Type                 DataConsumerType
	SCTPStreamParameters *SCTPStreamParameters
	Label                string
	Protocol             string
	Paused               bool
	Subchannels          []uint16
}

// TransportTuple is FBS.Transport.Tuple.
type TransportTuple struct {
	LocalAddress string
	LocalPort    uint16
	RemoteIP     string
	RemotePort   uint16
	Protocol     Protocol
}

// TransportRTPListener is FBS.Transport.RtpListener.
type TransportRTPListener struct {
	SSRCTable []Uint32String
	MIDTable  []StringString
	RIDTable  []StringString
}

// TransportSCTPListener is FBS.Transport.SctpListener.
type TransportSCTPListener struct {
	StreamIDTable []Uint16String
}

// RecvRTPHeaderExtensions is FBS.Transport.RecvRtpHeaderExtensions.
type RecvRTPHeaderExtensions struct {
	MID               *uint8
	RID               *uint8
	RRID              *uint8
	AbsSendTime       *uint8
	TransportWideCC01 *uint8
}

// TransportOptions is FBS.Transport.Options.
type TransportOptions struct {
	Direct                                      bool
	InitialAvailableOutgoingBitrate             *uint64
	EnableSCTP                                  bool
	MaxSendMessageSize                          uint32
	MaxReceiveMessageSize                       uint32
	SCTPSendBufferSize                          uint32
	SCTPPerStreamSendQueueLimit                 uint32
	SCTPMaxReceiverWindowBufferSize             uint32
	SCTPDefaultStreamBufferedAmountLowThreshold uint32
	IsDataChannel                               bool
}

// TransportTraceEventType is FBS.Transport.TraceEventType.
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

// TransportDump is FBS.Transport.Dump.
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
	SCTPState                  *SCTPState
	SCTPNegotiatedCapabilities *SCTPNegotiatedCapabilities
	SCTPListener               *TransportSCTPListener
	TraceEventTypes            []TransportTraceEventType
}

// TransportStats is FBS.Transport.Stats.
type TransportStats struct {
	TransportID              string
	Timestamp                uint64
	SCTPState                *SCTPState
	BytesReceived            uint64
	RecvBitrate              uint64
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
	RTPPacketLossReceived    *float64
	RTPPacketLossSent        *float64
}

// TransportSetMaxIncomingBitrateRequest is FBS.Transport.SetMaxIncomingBitrateRequest.
type TransportSetMaxIncomingBitrateRequest struct {
	MaxIncomingBitrate uint64
}

// TransportSetMaxOutgoingBitrateRequest is FBS.Transport.SetMaxOutgoingBitrateRequest.
type TransportSetMaxOutgoingBitrateRequest struct {
	MaxOutgoingBitrate uint64
}

// TransportSetMinOutgoingBitrateRequest is FBS.Transport.SetMinOutgoingBitrateRequest.
type TransportSetMinOutgoingBitrateRequest struct {
	MinOutgoingBitrate uint64
}

// TransportEnableTraceEventRequest is FBS.Transport.EnableTraceEventRequest.
type TransportEnableTraceEventRequest struct {
	Events []TransportTraceEventType
}

// TransportCloseProducerRequest is FBS.Transport.CloseProducerRequest.
type TransportCloseProducerRequest struct {
	ProducerID string
}

// TransportCloseConsumerRequest is FBS.Transport.CloseConsumerRequest.
type TransportCloseConsumerRequest struct {
	ConsumerID string
}

// TransportCloseDataProducerRequest is FBS.Transport.CloseDataProducerRequest.
type TransportCloseDataProducerRequest struct {
	DataProducerID string
}

// TransportCloseDataConsumerRequest is FBS.Transport.CloseDataConsumerRequest.
type TransportCloseDataConsumerRequest struct {
	DataConsumerID string
}

// TransportSendRTCPNotification is FBS.Transport.SendRtcpNotification.
type TransportSendRTCPNotification struct {
	Data []byte
}

// TransportSCTPStateChangeNotification is FBS.Transport.SctpStateChangeNotification.
type TransportSCTPStateChangeNotification struct {
	SCTPState SCTPState
}

// TransportSCTPNegotiatedCapabilitiesNotification is FBS.Transport.SctpNegotiatedCapabilitiesNotification.
type TransportSCTPNegotiatedCapabilitiesNotification struct {
	NegotiatedCapabilities *SCTPNegotiatedCapabilities
}

// TransportTraceInfo is the union FBS.Transport.TraceInfo; each member is a pointer to one of the types that UnionTransportTraceInfo lists.
type TransportTraceInfo interface{ isTransportTraceInfo() }

// BWEType is FBS.Transport.BweType.
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

// BWETraceInfo is FBS.Transport.BweTraceInfo.
type BWETraceInfo struct {
	BWEType                 BWEType
	DesiredBitrate          uint64
	EffectiveDesiredBitrate uint64
	MinBitrate              uint64
	MaxBitrate              uint64
	StartBitrate            uint64
	MaxPaddingBitrate       uint64
	AvailableBitrate        uint64
}

// TransportTraceNotification is FBS.Transport.TraceNotification.
type TransportTraceNotification struct {
	Type      TransportTraceEventType
	Timestamp uint64
	Direction TraceDirection
	Info      TransportTraceInfo
}
