package api

// DataConsumerType is FBS.DataConsumer.Type.
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

// DataConsumerGetBufferedAmountResponse is FBS.DataConsumer.GetBufferedAmountResponse.
type DataConsumerGetBufferedAmountResponse struct {
	BufferedAmount uint32
}

// DataConsumerSetBufferedAmountLowThresholdRequest is FBS.DataConsumer.SetBufferedAmountLowThresholdRequest.
type DataConsumerSetBufferedAmountLowThresholdRequest struct {
	Threshold uint32
}

// DataConsumerDumpResponse is FBS.DataConsumer.DumpResponse.
type DataConsumerDumpResponse struct {
	ID                         string
	DataProducerID             string
	Type                       DataConsumerType
	SCTPStreamParameters       *SCTPStreamParameters
	Label                      string
	Protocol                   string
	BufferedAmount             uint32
	BufferedAmountLowThreshold uint32
	Paused                     bool
	DataProducerPaused         bool
	Subchannels                []uint16
}

// DataConsumerGetStatsResponse is FBS.DataConsumer.GetStatsResponse.
type DataConsumerGetStatsResponse struct {
	Timestamp      uint64
	Label          string
	Protocol       string
	MessagesSent   uint64
	BytesSent      uint64
	BufferedAmount uint32
}

// DataConsumerSendRequest is FBS.DataConsumer.SendRequest.
type DataConsumerSendRequest struct {
	PPID uint32
	Data []byte
}

// DataConsumerSendResponse is FBS.DataConsumer.SendResponse.
type DataConsumerSendResponse struct {
	BufferedAmount uint32
}

// DataConsumerSetSubchannelsRequest is FBS.DataConsumer.SetSubchannelsRequest.
type DataConsumerSetSubchannelsRequest struct {
	Subchannels []uint16
}

// DataConsumerSetSubchannelsResponse is FBS.DataConsumer.SetSubchannelsResponse.
type DataConsumerSetSubchannelsResponse struct {
	Subchannels []uint16
}

// DataConsumerAddSubchannelRequest is FBS.DataConsumer.AddSubchannelRequest.
type DataConsumerAddSubchannelRequest struct {
	Subchannel uint16
}

// DataConsumerAddSubchannelResponse is FBS.DataConsumer.AddSubchannelResponse.
type DataConsumerAddSubchannelResponse struct {
	Subchannels []uint16
}

// DataConsumerRemoveSubchannelRequest is FBS.DataConsumer.RemoveSubchannelRequest.
type DataConsumerRemoveSubchannelRequest struct {
	Subchannel uint16
}

// DataConsumerRemoveSubchannelResponse is FBS.DataConsumer.RemoveSubchannelResponse.
type DataConsumerRemoveSubchannelResponse struct {
	Subchannels []uint16
}

// DataConsumerBufferedAmountLowNotification is FBS.DataConsumer.BufferedAmountLowNotification.
type DataConsumerBufferedAmountLowNotification struct {
	BufferedAmount uint32
}

// DataConsumerMessageNotification is FBS.DataConsumer.MessageNotification.
type DataConsumerMessageNotification struct {
	PPID uint32
	Data []byte
}
