package api

// ConsumerLayers is a choice of layers of a simulcast or SVC stream (FBS.Consumer.ConsumerLayers).
type ConsumerLayers struct {
	SpatialLayer  uint8
	TemporalLayer *uint8 // nil: the highest
}

// ConsumerScore is the quality of what a consumer gets; scores are from 0 (nothing arrives) to 10 (nothing is lost)
// (FBS.Consumer.ConsumerScore).
type ConsumerScore struct {
	Score          uint8   // of the consumer's stream
	ProducerScore  uint8   // of the producer's stream that is forwarded
	ProducerScores []uint8 // of all of the producer's streams
}

// ConsumerSetPreferredLayersRequest sets the highest layers that a consumer forwards
// (FBS.Consumer.SetPreferredLayersRequest).
type ConsumerSetPreferredLayersRequest struct {
	PreferredLayers *ConsumerLayers
}

// ConsumerSetPreferredLayersResponse reports the layers that apply now, nil when the consumer has none
// (FBS.Consumer.SetPreferredLayersResponse).
type ConsumerSetPreferredLayersResponse struct {
	PreferredLayers *ConsumerLayers
}

// ConsumerSetPriorityRequest sets how early a consumer gets bandwidth, compared with others of its transport
// (FBS.Consumer.SetPriorityRequest).
type ConsumerSetPriorityRequest struct {
	Priority uint8 // 1 to 255, the highest first
}

// ConsumerSetPriorityResponse reports the priority that applies now (FBS.Consumer.SetPriorityResponse).
type ConsumerSetPriorityResponse struct {
	Priority uint8
}

// ConsumerTraceEventType is a kind of event that a consumer can report (FBS.Consumer.TraceEventType).
type ConsumerTraceEventType uint8

const (
	ConsumerTraceEventTypeKeyFrame ConsumerTraceEventType = 0
	ConsumerTraceEventTypeFIR      ConsumerTraceEventType = 1
	ConsumerTraceEventTypeNACK     ConsumerTraceEventType = 2
	ConsumerTraceEventTypePLI      ConsumerTraceEventType = 3
	ConsumerTraceEventTypeRTP      ConsumerTraceEventType = 4
)

var consumerTraceEventTypeNames = []string{"KEYFRAME", "FIR", "NACK", "PLI", "RTP"}

// EnumNames returns the schema's member names, indexed by value.
func (ConsumerTraceEventType) EnumNames() []string { return consumerTraceEventTypeNames }

// String returns the schema's member name.
func (v ConsumerTraceEventType) String() string {
	return enumName(consumerTraceEventTypeNames, uint8(v))
}

// ConsumerEnableTraceEventRequest replaces the set of events that a consumer reports
// (FBS.Consumer.EnableTraceEventRequest).
type ConsumerEnableTraceEventRequest struct {
	Events []ConsumerTraceEventType
}

// ConsumerDumpResponse carries a consumer's inner state (FBS.Consumer.DumpResponse).
type ConsumerDumpResponse struct {
	Data *ConsumerDump
}

// ConsumerBaseConsumerDump is the state that consumers of all types have (FBS.Consumer.BaseConsumerDump).
type ConsumerBaseConsumerDump struct {
	ID                         string
	Type                       RTPType
	ProducerID                 string
	Kind                       MediaKind
	RTPParameters              *RTPParameters
	ConsumableRTPEncodings     []RTPEncodingParameters // of the producer, as the router maps them
	SupportedCodecPayloadTypes []uint8
	TraceEventTypes            []ConsumerTraceEventType
	Paused                     bool
	ProducerPaused             bool
	Priority                   uint8
}

// ConsumerDump is a consumer's inner state; layers are -1 when there is none (FBS.Consumer.ConsumerDump).
type ConsumerDump struct {
	Base                   *ConsumerBaseConsumerDump
	RTPStreams             []RTPStreamDump
	PreferredSpatialLayer  *int16
	TargetSpatialLayer     *int16
	CurrentSpatialLayer    *int16
	PreferredTemporalLayer *int16
	TargetTemporalLayer    *int16
	CurrentTemporalLayer   *int16
}

// ConsumerGetStatsResponse carries the statistics of a consumer's stream, and of the producer's stream behind it
// (FBS.Consumer.GetStatsResponse).
type ConsumerGetStatsResponse struct {
	Stats []RTPStreamStats
}

// ConsumerLayersChangeNotification reports the layers that a consumer forwards from now on, nil for none
// (FBS.Consumer.LayersChangeNotification).
type ConsumerLayersChangeNotification struct {
	Layers *ConsumerLayers
}

// ConsumerRTPNotification carries an RTP packet to the application, from a consumer on a direct transport
// (FBS.Consumer.RtpNotification).
type ConsumerRTPNotification struct {
	Data []byte
}

// ConsumerScoreNotification reports a consumer's new score (FBS.Consumer.ScoreNotification).
type ConsumerScoreNotification struct {
	Score *ConsumerScore
}

// ConsumerTraceInfo is the detail of a consumer's trace event: a pointer to one of the types that
// UnionConsumerTraceInfo lists (FBS.Consumer.TraceInfo).
type ConsumerTraceInfo interface{ isConsumerTraceInfo() }

// ConsumerKeyFrameTraceInfo describes a packet that begins a key frame (FBS.Consumer.KeyFrameTraceInfo).
type ConsumerKeyFrameTraceInfo struct {
	RTPPacket *RTPPacketDump
	IsRTX     bool
}

// ConsumerFIRTraceInfo describes a full intra request (RFC 5104) (FBS.Consumer.FirTraceInfo).
type ConsumerFIRTraceInfo struct {
	SSRC uint32
}

// ConsumerPLITraceInfo describes a picture loss indication (RFC 4585) (FBS.Consumer.PliTraceInfo).
type ConsumerPLITraceInfo struct {
	SSRC uint32
}

// ConsumerRTPTraceInfo describes an RTP packet (FBS.Consumer.RtpTraceInfo).
type ConsumerRTPTraceInfo struct {
	RTPPacket *RTPPacketDump
	IsRTX     bool
}

// ConsumerTraceNotification reports a trace event of a consumer (FBS.Consumer.TraceNotification).
type ConsumerTraceNotification struct {
	Type      ConsumerTraceEventType
	Timestamp uint64 // milliseconds of the worker's clock
	Direction TraceDirection
	Info      ConsumerTraceInfo
}
