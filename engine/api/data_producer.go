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
