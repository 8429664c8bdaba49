package api

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

// DataConsumerGetBufferedAmountResponse tells how much waits to be sent (FBS.DataConsumer.GetBufferedAmountResponse).
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

// DataConsumerSendResponse tells how much waits to be sent (FBS.DataConsumer.SendResponse).
type DataConsumerSendResponse struct {
	BufferedAmount uint32 // bytes
}

// DataConsumerSetSubchannelsRequest replaces the subchannels that a data consumer listens to
// (FBS.DataConsumer.SetSubchannelsRequest).
type DataConsumerSetSubchannelsRequest struct {
	Subchannels []uint16
}

// DataConsumerSetSubchannelsResponse tells the subchannels that apply now (FBS.DataConsumer.SetSubchannelsResponse).
type DataConsumerSetSubchannelsResponse struct {
	Subchannels []uint16
}

// DataConsumerAddSubchannelRequest adds a subchannel to those that a data consumer listens to
// (FBS.DataConsumer.AddSubchannelRequest).
type DataConsumerAddSubchannelRequest struct {
	Subchannel uint16
}

// DataConsumerAddSubchannelResponse tells the subchannels that apply now (FBS.DataConsumer.AddSubchannelResponse).
type DataConsumerAddSubchannelResponse struct {
	Subchannels []uint16
}

// DataConsumerRemoveSubchannelRequest removes a subchannel from those that a data consumer listens to
// (FBS.DataConsumer.RemoveSubchannelRequest).
type DataConsumerRemoveSubchannelRequest struct {
	Subchannel uint16
}

// DataConsumerRemoveSubchannelResponse tells the subchannels that apply now
// (FBS.DataConsumer.RemoveSubchannelResponse).
type DataConsumerRemoveSubchannelResponse struct {
	Subchannels []uint16
}

// DataConsumerBufferedAmountLowNotification tells that the buffered amount fell to the threshold
// (FBS.DataConsumer.BufferedAmountLowNotification).
type DataConsumerBufferedAmountLowNotification struct {
	BufferedAmount uint32 // bytes
}

// DataConsumerMessageNotification carries a message to the application, from a data consumer on a direct transport
// (FBS.DataConsumer.MessageNotification).
type DataConsumerMessageNotification struct {
	PPID uint32 // payload protocol identifier (RFC 8831 section 8)
	Data []byte
}
