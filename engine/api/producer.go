package api

// ProducerTraceEventType is FBS.Producer.TraceEventType.
type ProducerTraceEventType uint8

const (
	ProducerTraceEventTypeKeyFrame ProducerTraceEventType = 0
	ProducerTraceEventTypeFIR      ProducerTraceEventType = 1
	ProducerTraceEventTypeNACK     ProducerTraceEventType = 2
	ProducerTraceEventTypePLI      ProducerTraceEventType = 3
	ProducerTraceEventTypeRTP      ProducerTraceEventType = 4
	ProducerTraceEventTypeSR       ProducerTraceEventType = 5
)

var producerTraceEventTypeNames = []string{"KEYFRAME", "FIR", "NACK", "PLI", "RTP", "SR"}

// EnumNames returns the schema's member names, indexed by value.
func (ProducerTraceEventType) EnumNames() []string { return producerTraceEventTypeNames }

// String returns the schema's member name.
func (v ProducerTraceEventType) String() string {
	return enumName(producerTraceEventTypeNames, uint8(v))
}

// ProducerEnableTraceEventRequest is FBS.Producer.EnableTraceEventRequest.
type ProducerEnableTraceEventRequest struct {
	Events []ProducerTraceEventType
}

// ProducerDumpResponse is FBS.Producer.DumpResponse.
type ProducerDumpResponse struct {
	ID              string
	Kind            MediaKind
	Type            RTPType
	RTPParameters   *RTPParameters
	RTPMapping      *RTPMapping
	RTPStreams      []RTPStreamDump
	TraceEventTypes []ProducerTraceEventType
	Paused          bool
}

// ProducerGetStatsResponse is FBS.Producer.GetStatsResponse.
type ProducerGetStatsResponse struct {
	Stats []RTPStreamStats
}

// ProducerSendNotification is FBS.Producer.SendNotification.
type ProducerSendNotification struct {
	Data []byte
}

// ProducerScore is FBS.Producer.Score.
type ProducerScore struct {
	EncodingIdx uint32
	SSRC        uint32
	RID         string
	Score       uint8
}

// ProducerScoreNotification is FBS.Producer.ScoreNotification.
type ProducerScoreNotification struct {
	Scores []ProducerScore
}

// ProducerVideoOrientationChangeNotification is FBS.Producer.VideoOrientationChangeNotification.
type ProducerVideoOrientationChangeNotification struct {
	Camera   bool
	Flip     bool
	Rotation uint16
}

// ProducerTraceInfo is the union FBS.Producer.TraceInfo; each member is a pointer to one of the types that UnionProducerTraceInfo lists.
type ProducerTraceInfo interface{ isProducerTraceInfo() }

// ProducerKeyFrameTraceInfo is FBS.Producer.KeyFrameTraceInfo.
type ProducerKeyFrameTraceInfo struct {
	RTPPacket *RTPPacketDump
	IsRTX     bool
}

// ProducerFIRTraceInfo is FBS.Producer.FirTraceInfo.
type ProducerFIRTraceInfo struct {
	SSRC uint32
}

// ProducerPLITraceInfo is FBS.Producer.PliTraceInfo.
type ProducerPLITraceInfo struct {
	SSRC uint32
}

// ProducerRTPTraceInfo is FBS.Producer.RtpTraceInfo.
type ProducerRTPTraceInfo struct {
	RTPPacket *RTPPacketDump
	IsRTX     bool
}

// ProducerSrTraceInfo is FBS.Producer.SrTraceInfo.
type ProducerSrTraceInfo struct {
	SSRC        uint32
	NTPSec      uint32
	NTPFrac     uint32
	RTPTS       uint32
	PacketCount uint32
	OctetCount  uint32
}

// ProducerTraceNotification is FBS.Producer.TraceNotification.
type ProducerTraceNotification struct {
	Type      ProducerTraceEventType
	Timestamp uint64
	Direction TraceDirection
	Info      ProducerTraceInfo
}
