package api

// DataProducerType is FBS.DataProducer.Type.
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

// DataProducerDumpResponse is FBS.DataProducer.DumpResponse.
type DataProducerDumpResponse struct {
	ID                   string
	Type                 DataProducerType
	SCTPStreamParameters *SCTPStreamParameters
	Label                string
	Protocol             string
	Paused               bool
}

// DataProducerGetStatsResponse is FBS.DataProducer.GetStatsResponse.
type DataProducerGetStatsResponse struct {
	Timestamp        uint64
	Label            string
	Protocol         string
	MessagesReceived uint64
	BytesReceived    uint64
	BufferedAmount   uint32
}

// DataProducerSendNotification is FBS.DataProducer.SendNotification.
type DataProducerSendNotification struct {
	PPID               uint32
	Data               []byte
	Subchannels        []uint16
	RequiredSubchannel *uint16
	IgnoredSubchannel  *uint16
}
