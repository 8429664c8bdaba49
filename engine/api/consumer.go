package api

// ConsumerLayers is FBS.Consumer.ConsumerLayers.
type ConsumerLayers struct {
	SpatialLayer  uint8
	TemporalLayer *uint8
}

// ConsumerScore is FBS.Consumer.ConsumerScore.
type ConsumerScore struct {
	Score          uint8
	ProducerScore  uint8
	ProducerScores []uint8
}

// ConsumerSetPreferredLayersRequest is FBS.Consumer.SetPreferredLayersRequest.
type ConsumerSetPreferredLayersRequest struct {
	PreferredLayers *ConsumerLayers
}

// ConsumerSetPreferredLayersResponse is FBS.Consumer.SetPreferredLayersResponse.
type ConsumerSetPreferredLayersResponse struct {
	PreferredLayers *ConsumerLayers
}

// ConsumerSetPriorityRequest is FBS.Consumer.SetPriorityRequest.
type ConsumerSetPriorityRequest struct {
	Priority uint8
}

// ConsumerSetPriorityResponse is FBS.Consumer.SetPriorityResponse.
type ConsumerSetPriorityResponse struct {
	Priority uint8
}

// ConsumerTraceEventType is FBS.Consumer.TraceEventType.
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

// ConsumerEnableTraceEventRequest is FBS.Consumer.EnableTraceEventRequest.
type ConsumerEnableTraceEventRequest struct {
	Events []ConsumerTraceEventType
}

// ConsumerDumpResponse is FBS.Consumer.DumpResponse.
type ConsumerDumpResponse struct {
	Data *ConsumerDump
}

// ConsumerBaseConsumerDump is FBS.Consumer.BaseConsumerDump.
type ConsumerBaseConsumerDump struct {
	ID                         string
	Type                       RTPType
	ProducerID                 string
	Kind                       MediaKind
	RTPParameters              *RTPParameters
	ConsumableRTPEncodings     []RTPEncodingParameters
	SupportedCodecPayloadTypes []uint8
	TraceEventTypes            []ConsumerTraceEventType
	Paused                     bool
	ProducerPaused             bool
	Priority                   uint8
}

// ConsumerDump is FBS.Consumer.ConsumerDump.
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

// ConsumerGetStatsResponse is FBS.Consumer.GetStatsResponse.
type ConsumerGetStatsResponse struct {
	Stats []RTPStreamStats
}

// ConsumerLayersChangeNotification is FBS.Consumer.LayersChangeNotification.
type ConsumerLayersChangeNotification struct {
	Layers *ConsumerLayers
}

// ConsumerRTPNotification is FBS.Consumer.RtpNotification.
type ConsumerRTPNotification struct {
	Data []byte
}

// ConsumerScoreNotification is FBS.Consumer.ScoreNotification.
type ConsumerScoreNotification struct {
	Score *ConsumerScore
}

// ConsumerTraceInfo is the union FBS.Consumer.TraceInfo; each member is a pointer to one of the types that UnionConsumerTraceInfo lists.
type ConsumerTraceInfo interface{ isConsumerTraceInfo() }

// ConsumerKeyFrameTraceInfo is FBS.Consumer.KeyFrameTraceInfo.
type ConsumerKeyFrameTraceInfo struct {
	RTPPacket *RTPPacketDump
	IsRTX     bool
}

// ConsumerFIRTraceInfo is FBS.Consumer.FirTraceInfo.
type ConsumerFIRTraceInfo struct {
	SSRC uint32
}

// ConsumerPLITraceInfo is FBS.Consumer.PliTraceInfo.
type ConsumerPLITraceInfo struct {
	SSRC uint32
}

// ConsumerRTPTraceInfo is FBS.Consumer.RtpTraceInfo.
type ConsumerRTPTraceInfo struct {
	RTPPacket *RTPPacketDump
	IsRTX     bool
}

// ConsumerTraceNotification is FBS.Consumer.TraceNotification.
type ConsumerTraceNotification struct {
	Type      ConsumerTraceEventType
	Timestamp uint64
	Direction TraceDirection
	Info      ConsumerTraceInfo
}
