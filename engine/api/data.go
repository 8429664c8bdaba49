package api

// DataProducerType says how messages arrive: over SCTP or from the application (FBS.DataProducer.Type).
type DataProducerType uint8

const (
	DataProducerTypeSCTP   DataProducerType = 0
	DataProducerTypeDirect DataProducerType = 1
)

var dataProducerTypeNames = []string{"SCTP", "DIRECT"}

// EnumNames returns the schema's member names, indexed by value.
func (DataProducerType) EnumNames() []string { return dataProducerTypeNames }

// String returns the schema's member name.
func (v DataProducerType) String() string { return enumName(dataProducerTypeNames, uint8(v)) }

// DataProducerDumpResponse is a data producer's inner state (FBS.DataProducer.DumpResponse).
type DataProducerDumpResponse struct {
	ID                   string
	Type                 DataProducerType
	SCTPStreamParameters *SCTPStreamParameters // nil unless over SCTP
	Label                string
	Protocol             string
	Paused               bool

	// Home is as in ProducerDumpResponse; in no release's schema.
	Home string
}

// DataProducerGetStatsResponse counts what a data producer received (FBS.DataProducer.GetStatsResponse).
type DataProducerGetStatsResponse struct {
	Timestamp        uint64 // milliseconds of the worker's clock
	Label            string
	Protocol         string
	MessagesReceived uint64
	BytesReceived    uint64
	BufferedAmount   uint32 // bytes
}

// DataProducerSendNotification carries a message of the application into a data producer on a direct transport
// (FBS.DataProducer.SendNotification).
type DataProducerSendNotification struct {
	PPID               uint32 // payload protocol identifier (RFC 8831 section 8)
	Data               []byte
	Subchannels        []uint16 // only consumers that listen to one of them get the message; empty: all
	RequiredSubchannel *uint16  // only consumers that listen to it get the message
	IgnoredSubchannel  *uint16  // consumers that listen to it do not get the message
}

// DataConsumerType says how messages leave: over SCTP or to the application (FBS.DataConsumer.Type).
type DataConsumerType uint8

const (
	DataConsumerTypeSCTP   DataConsumerType = 0
	DataConsumerTypeDirect DataConsumerType = 1
)

var dataConsumerTypeNames = []string{"SCTP", "DIRECT"}

// EnumNames returns the schema's member names, indexed by value.
func (DataConsumerType) EnumNames() []string { return dataConsumerTypeNames }

// String returns the schema's member name.
func (v DataConsumerType) String() string { return enumName(dataConsumerTypeNames, uint8(v)) }

// DataConsumerGetBufferedAmountResponse reports how much waits to be sent (FBS.DataConsumer.GetBufferedAmountResponse).
type DataConsumerGetBufferedAmountResponse struct {
	BufferedAmount uint32 // bytes
}

// DataConsumerSetBufferedAmountLowThresholdRequest sets the amount at which buffered data count as low
// (FBS.DataConsumer.SetBufferedAmountLowThresholdRequest).
type DataConsumerSetBufferedAmountLowThresholdRequest struct {
	Threshold uint32 // bytes
}

// DataConsumerDumpResponse is a data consumer's inner state (FBS.DataConsumer.DumpResponse).
type DataConsumerDumpResponse struct {
	ID                         string
	DataProducerID             string
	Type                       DataConsumerType
	SCTPStreamParameters       *SCTPStreamParameters // nil unless over SCTP
	Label                      string
	Protocol                   string
	BufferedAmount             uint32 // bytes
	BufferedAmountLowThreshold uint32 // bytes
	Paused                     bool
	DataProducerPaused         bool
	Subchannels                []uint16
}

// DataConsumerGetStatsResponse counts what a data consumer sent (FBS.DataConsumer.GetStatsResponse).
type DataConsumerGetStatsResponse struct {
	Timestamp      uint64 // milliseconds of the worker's clock
	Label          string
	Protocol       string
	MessagesSent   uint64
	BytesSent      uint64
	BufferedAmount uint32 // bytes
}

// DataConsumerSendRequest sends a message to a data consumer's peer (FBS.DataConsumer.SendRequest).
type DataConsumerSendRequest struct {
	PPID uint32 // payload protocol identifier (RFC 8831 section 8)
	Data []byte
}

// DataConsumerSendResponse reports how much waits to be sent (FBS.DataConsumer.SendResponse).
type DataConsumerSendResponse struct {
	BufferedAmount uint32 // bytes
}

// DataConsumerSetSubchannelsRequest replaces the subchannels that a data consumer listens to
// (FBS.DataConsumer.SetSubchannelsRequest).
type DataConsumerSetSubchannelsRequest struct {
	Subchannels []uint16
}

// DataConsumerSetSubchannelsResponse reports the subchannels that apply now (FBS.DataConsumer.SetSubchannelsResponse).
type DataConsumerSetSubchannelsResponse struct {
	Subchannels []uint16
}

// DataConsumerAddSubchannelRequest adds a subchannel to those that a data consumer listens to
// (FBS.DataConsumer.AddSubchannelRequest).
type DataConsumerAddSubchannelRequest struct {
	Subchannel uint16
}

// DataConsumerAddSubchannelResponse reports the subchannels that apply now (FBS.DataConsumer.AddSubchannelResponse).
type DataConsumerAddSubchannelResponse struct {
	Subchannels []uint16
}

// DataConsumerRemoveSubchannelRequest removes a subchannel from those that a data consumer listens to
// (FBS.DataConsumer.RemoveSubchannelRequest).
type DataConsumerRemoveSubchannelRequest struct {
	Subchannel uint16
}

// DataConsumerRemoveSubchannelResponse reports the subchannels that apply now
// (FBS.DataConsumer.RemoveSubchannelResponse).
type DataConsumerRemoveSubchannelResponse struct {
	Subchannels []uint16
}

// DataConsumerBufferedAmountLowNotification reports that the buffered amount fell to the threshold
// (FBS.DataConsumer.BufferedAmountLowNotification).
type DataConsumerBufferedAmountLowNotification struct {
	BufferedAmount uint32 // bytes
}

// DataConsumerMessageNotification carries a message to the application, from a data consumer on a direct transport
// (FBS.DataConsumer.MessageNotification).
type DataConsumerMessageNotification struct {
	PPID uint32 // payload protocol identifier (RFC 8831 section 8)
	Data []byte

	// As in DataProducerSendNotification, and only on internal transports (see TransportOptions); in no release's schema.
	Subchannels        []uint16
	RequiredSubchannel *uint16
	IgnoredSubchannel  *uint16
}

// SCTPParameters configures an SCTP association (RFC 8831 for data channels) (FBS.SctpParameters.SctpParameters).
type SCTPParameters struct {
	Port                        uint16
	MaxSendMessageSize          uint32 // bytes
	MaxReceiveMessageSize       uint32 // bytes
	SendBufferSize              uint32 // bytes
	PerStreamSendQueueLimit     uint32 // bytes
	MaxReceiverWindowBufferSize uint32 // bytes
	IsDataChannel               bool
	OS                          uint16 // only in releases before 3.21: as NumSCTPStreams has it
	MIS                         uint16 // only in releases before 3.21: as NumSCTPStreams has it
}

// NumSCTPStreams is how many SCTP streams an application announces to its peers, in releases before 3.21. It limits
// nothing here, but the application wants to find it in the transport's SCTP parameters
// (FBS.SctpParameters.NumSctpStreams).
type NumSCTPStreams struct {
	OS  uint16 // outgoing, to begin with
	MIS uint16 // incoming, at most
}

// SCTPStreamParameters describes an SCTP stream and how reliable it is (RFC 3758)
// (FBS.SctpParameters.SctpStreamParameters).
type SCTPStreamParameters struct {
	StreamID          uint16
	Ordered           *bool
	MaxPacketLifeTime *uint16 // milliseconds
	MaxRetransmits    *uint16
}

// SCTPState is the state of an SCTP association (FBS.SctpAssociation.SctpState).
type SCTPState uint8

const (
	SCTPStateNew        SCTPState = 0
	SCTPStateConnecting SCTPState = 1
	SCTPStateConnected  SCTPState = 2
	SCTPStateFailed     SCTPState = 3
	SCTPStateClosed     SCTPState = 4
)

var namesSCTPState = []string{"NEW", "CONNECTING", "CONNECTED", "FAILED", "CLOSED"}

// EnumNames returns the schema's member names, indexed by value.
func (SCTPState) EnumNames() []string { return namesSCTPState }

// String returns the schema's member name.
func (v SCTPState) String() string { return enumName(namesSCTPState, uint8(v)) }

// SCTPNegotiatedCapabilities is what both ends of an SCTP association agreed on
// (FBS.SctpAssociation.SctpNegotiatedCapabilities).
type SCTPNegotiatedCapabilities struct {
	NegotiatedMaxOutboundStreams uint16
	NegotiatedMaxInboundStreams  uint16
}
