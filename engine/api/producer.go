package api

// ProducerTraceEventType is a kind of event that a producer can report (FBS.Producer.TraceEventType).
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

// ProducerEnableTraceEventRequest replaces the set of events that a producer reports
// (FBS.Producer.EnableTraceEventRequest).
type ProducerEnableTraceEventRequest struct {
	Events []ProducerTraceEventType
}

// ProducerDumpResponse is a producer's inner state (FBS.Producer.DumpResponse).
type ProducerDumpResponse struct {
	ID              string
	Kind            MediaKind
	Type            RTPType
	RTPParameters   *RTPParameters
	RTPMapping      *RTPMapping
	RTPStreams      []RTPStreamDump
	TraceEventTypes []ProducerTraceEventType
	Paused          bool
	// Home is told a front by a node, of a producer of another application; in no release's schema. It is the same for all
	// producers of one Router, and never that of another one on this node.
	Home string
}

// ProducerGetStatsResponse carries the statistics of a producer's streams (FBS.Producer.GetStatsResponse).
type ProducerGetStatsResponse struct {
	Stats []RTPStreamStats
}

// ProducerSendNotification carries an RTP packet of the application into a producer on a direct transport
// (FBS.Producer.SendNotification).
type ProducerSendNotification struct {
	Data []byte
}

// ProducerScore is the quality of one of a producer's streams (FBS.Producer.Score).
type ProducerScore struct {
	EncodingIdx uint32 // index in the RTP parameters
	SSRC        uint32
	RID         string
	Score       uint8 // from 0 to 10
}

// ProducerScoreNotification reports the scores of all of a producer's streams (FBS.Producer.ScoreNotification).
type ProducerScoreNotification struct {
	Scores []ProducerScore
}

// ProducerVideoOrientationChangeNotification reports how the camera is held (3GPP TS 26.114)
// (FBS.Producer.VideoOrientationChangeNotification).
type ProducerVideoOrientationChangeNotification struct {
	Camera   bool // it faces away from the user
	Flip     bool
	Rotation uint16 // degrees: 0, 90, 180 or 270
}

// ProducerTraceInfo is the detail of a producer's trace event: a pointer to one of the types that
// UnionProducerTraceInfo lists (FBS.Producer.TraceInfo).
type ProducerTraceInfo interface{ isProducerTraceInfo() }

// ProducerKeyFrameTraceInfo describes a packet that begins a key frame (FBS.Producer.KeyFrameTraceInfo).
type ProducerKeyFrameTraceInfo struct {
	RTPPacket *RTPPacketDump
	IsRTX     bool
}

// ProducerFIRTraceInfo describes a full intra request (RFC 5104) (FBS.Producer.FirTraceInfo).
type ProducerFIRTraceInfo struct {
	SSRC uint32
}

// ProducerPLITraceInfo describes a picture loss indication (RFC 4585) (FBS.Producer.PliTraceInfo).
type ProducerPLITraceInfo struct {
	SSRC uint32
}

// ProducerRTPTraceInfo describes an RTP packet (FBS.Producer.RtpTraceInfo).
type ProducerRTPTraceInfo struct {
	RTPPacket *RTPPacketDump
	IsRTX     bool
}

// ProducerSrTraceInfo describes an RTCP sender report (RFC 3550 section 6.4.1) (FBS.Producer.SrTraceInfo).
type ProducerSrTraceInfo struct {
	SSRC        uint32
	NTPSec      uint32
	NTPFrac     uint32
	RTPTS       uint32
	PacketCount uint32
	OctetCount  uint32
}

// ProducerTraceNotification reports a trace event of a producer (FBS.Producer.TraceNotification).
type ProducerTraceNotification struct {
	Type      ProducerTraceEventType
	Timestamp uint64 // milliseconds of the worker's clock
	Direction TraceDirection
	Info      ProducerTraceInfo
}
