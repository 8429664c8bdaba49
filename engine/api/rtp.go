package api

// MediaKind is audio or video (FBS.RtpParameters.MediaKind).
type MediaKind uint8

const (
	MediaKindAudio MediaKind = 0
	MediaKindVideo MediaKind = 1
)

var mediaKindNames = []string{"AUDIO", "VIDEO"}

// EnumNames returns the schema's member names, indexed by value.
func (MediaKind) EnumNames() []string { return mediaKindNames }

// String returns the schema's member name.
func (v MediaKind) String() string { return enumName(mediaKindNames, uint8(v)) }

// RTPType says how a producer or consumer uses streams (FBS.RtpParameters.Type).
type RTPType uint8

const (
	RTPTypeSimple    RTPType = 0 // one stream
	RTPTypeSimulcast RTPType = 1 // one of several streams
	RTPTypeSVC       RTPType = 2 // one stream with layers
	RTPTypePipe      RTPType = 3 // all streams, as they are
)

var namesRTPType = []string{"SIMPLE", "SIMULCAST", "SVC", "PIPE"}

// EnumNames returns the schema's member names, indexed by value.
func (RTPType) EnumNames() []string { return namesRTPType }

// String returns the schema's member name.
func (v RTPType) String() string { return enumName(namesRTPType, uint8(v)) }

// ValueBoolean is a codec parameter that is true (1) or false (0) (FBS.RtpParameters.Boolean).
type ValueBoolean struct {
	Value uint8
}

// ValueInteger32 is a codec parameter that is a whole number (FBS.RtpParameters.Integer32).
type ValueInteger32 struct {
	Value int32
}

// ValueInteger32Array is a codec parameter that is a list of whole numbers (FBS.RtpParameters.Integer32Array).
type ValueInteger32Array struct {
	Value []int32
}

// ValueDouble is a codec parameter that is a fractional number (FBS.RtpParameters.Double).
type ValueDouble struct {
	Value float64
}

// ValueString is a codec parameter that is a text (FBS.RtpParameters.String).
type ValueString struct {
	Value string
}

// ParameterValue is the value of a codec parameter: a pointer to one of the types that UnionParameterValue lists
// (FBS.RtpParameters.Value).
type ParameterValue interface{ isParameterValue() }

// Parameter is one of a codec's format parameters (SDP's fmtp) or of a header extension's
// (FBS.RtpParameters.Parameter).
type Parameter struct {
	Name  string
	Value ParameterValue
}

// RTCPFeedback is a feedback message that a codec supports (SDP's rtcp-fb, RFC 4585 section 4.2)
// (FBS.RtpParameters.RtcpFeedback).
type RTCPFeedback struct {
	Type      string
	Parameter string
}

// RTPCodecParameters describes a codec and its payload type (FBS.RtpParameters.RtpCodecParameters).
type RTPCodecParameters struct {
	MimeType     string
	PayloadType  uint8
	ClockRate    uint32 // Hz
	Channels     *uint8 // audio only
	Parameters   []Parameter
	RTCPFeedback []RTCPFeedback
}

// RTPHeaderExtensionURI names a kind of RTP header extension (FBS.RtpParameters.RtpHeaderExtensionUri).
type RTPHeaderExtensionURI uint8

const (
	RTPHeaderExtensionURIMid                    RTPHeaderExtensionURI = 0
	RTPHeaderExtensionURIRTPStreamId            RTPHeaderExtensionURI = 1
	RTPHeaderExtensionURIRepairRTPStreamId      RTPHeaderExtensionURI = 2
	RTPHeaderExtensionURIAbsSendTime            RTPHeaderExtensionURI = 3
	RTPHeaderExtensionURITransportWideCcDraft01 RTPHeaderExtensionURI = 4
	RTPHeaderExtensionURISsrcAudioLevel         RTPHeaderExtensionURI = 5
	RTPHeaderExtensionURIDependencyDescriptor   RTPHeaderExtensionURI = 6
	RTPHeaderExtensionURIVideoOrientation       RTPHeaderExtensionURI = 7
	RTPHeaderExtensionURITimeOffset             RTPHeaderExtensionURI = 8
	RTPHeaderExtensionURIAbsCaptureTime         RTPHeaderExtensionURI = 9
	RTPHeaderExtensionURIPlayoutDelay           RTPHeaderExtensionURI = 10
	RTPHeaderExtensionURIMediasoupPacketId      RTPHeaderExtensionURI = 11
	RTPHeaderExtensionURIFrameMarkingDraft07    RTPHeaderExtensionURI = 12 // only in releases before 3.16.6
	RTPHeaderExtensionURIFrameMarking           RTPHeaderExtensionURI = 13 // only in releases before 3.16.6
)

var namesRTPHeaderExtensionURI = []string{
	"Mid",
	"RtpStreamId",
	"RepairRtpStreamId",
	"AbsSendTime",
	"TransportWideCcDraft01",
	"SsrcAudioLevel",
	"DependencyDescriptor",
	"VideoOrientation",
	"TimeOffset",
	"AbsCaptureTime",
	"PlayoutDelay",
	"MediasoupPacketId",
	"FrameMarkingDraft07",
	"FrameMarking",
}

// EnumNames returns the schema's member names, indexed by value.
func (RTPHeaderExtensionURI) EnumNames() []string { return namesRTPHeaderExtensionURI }

// String returns the schema's member name.
func (v RTPHeaderExtensionURI) String() string { return enumName(namesRTPHeaderExtensionURI, uint8(v)) }

// RTPHeaderExtensionParameters gives an RTP header extension its id (RFC 8285)
// (FBS.RtpParameters.RtpHeaderExtensionParameters).
type RTPHeaderExtensionParameters struct {
	URI        RTPHeaderExtensionURI
	ID         uint8
	Encrypt    bool
	Parameters []Parameter
}

// RTX names the stream that carries retransmissions (RFC 4588) (FBS.RtpParameters.Rtx).
type RTX struct {
	SSRC uint32
}

// RTPEncodingParameters describes a stream, by SSRC or RID (FBS.RtpParameters.RtpEncodingParameters).
type RTPEncodingParameters struct {
	SSRC             *uint32
	RID              string
	CodecPayloadType *uint8 // nil: the first codec's
	RTX              *RTX
	DTX              bool    // discontinuous transmission
	ScalabilityMode  string  // such as L1T3
	MaxBitrate       *uint64 // bits per second
}

// RTCPParameters configures RTCP (FBS.RtpParameters.RtcpParameters).
type RTCPParameters struct {
	CNAME       string
	ReducedSize bool // RFC 5506
}

// RTPParameters describes what is sent in RTP, as a producer's peer sends it or a consumer's peer gets it
// (FBS.RtpParameters.RtpParameters).
type RTPParameters struct {
	MID              string
	Codecs           []RTPCodecParameters
	HeaderExtensions []RTPHeaderExtensionParameters
	Encodings        []RTPEncodingParameters
	RTCP             *RTCPParameters
	MSID             string // of SDP (RFC 8830)
}

// CodecMapping maps a producer's payload type to the one that its router uses (FBS.RtpParameters.CodecMapping).
type CodecMapping struct {
	PayloadType       uint8
	MappedPayloadType uint8
}

// EncodingMapping maps one of a producer's streams to the SSRC that its router uses
// (FBS.RtpParameters.EncodingMapping).
type EncodingMapping struct {
	RID             string
	SSRC            *uint32
	ScalabilityMode string // only in releases before 3.27, for dumps
	MappedSSRC      uint32
}

// RTPMapping maps a producer's payload types and streams to those that its router uses (FBS.RtpParameters.RtpMapping).
type RTPMapping struct {
	Codecs    []CodecMapping
	Encodings []EncodingMapping
}

// RTPPacketDump describes an RTP packet in a trace event (FBS.RtpPacket.Dump).
type RTPPacketDump struct {
	PayloadType        uint8
	SequenceNumber     uint16
	Timestamp          uint32
	Marker             bool
	SSRC               uint32
	IsKeyFrame         bool
	Size               uint64 // bytes
	PayloadSize        uint64 // bytes
	SpatialLayer       uint8
	TemporalLayer      uint8
	MID                string
	RID                string
	RRID               string
	WideSequenceNumber *uint16 // of transport-wide congestion control
}

// RTPStreamParams describes a stream as the worker sees it (FBS.RtpStream.Params).
type RTPStreamParams struct {
	EncodingIdx    uint32 // index in the RTP parameters
	SSRC           uint32
	PayloadType    uint8
	MimeType       string
	ClockRate      uint32 // Hz
	RID            string
	CNAME          string
	RTXSSRC        *uint32
	RTXPayloadType *uint8
	UseNACK        bool
	UsePLI         bool
	UseFIR         bool
	UseInBandFEC   bool
	UseDTX         bool
	SpatialLayers  uint8
	TemporalLayers uint8
}

// RTPStreamDump is a stream's inner state (FBS.RtpStream.Dump).
type RTPStreamDump struct {
	Params    *RTPStreamParams
	Score     uint8 // from 0 to 10
	RTXStream *RTXStreamDump
}

// BitrateByLayer is the bitrate of one layer (FBS.RtpStream.BitrateByLayer).
type BitrateByLayer struct {
	Layer   string // spatial.temporal, such as 0.2
	Bitrate uint64 // bits per second
}

// RTPStreamStatsData is a stream's statistics: a pointer to one of the types that UnionRTPStreamStatsData lists
// (FBS.RtpStream.StatsData).
type RTPStreamStatsData interface{ isRTPStreamStatsData() }

// RTPStreamStats holds a stream's statistics (FBS.RtpStream.Stats).
type RTPStreamStats struct {
	Data RTPStreamStatsData
}

// RTPStreamBaseStats is what received and sent streams both count (FBS.RtpStream.BaseStats).
type RTPStreamBaseStats struct {
	Timestamp            uint64 // milliseconds of the worker's clock
	SSRC                 uint32
	Kind                 MediaKind
	MimeType             string
	PacketsLost          int32
	FractionLost         uint8  // in 1/256 since the last report (RFC 3550 section 6.4.1)
	Jitter               uint32 // in units of the codec's clock
	PacketsDiscarded     uint64
	PacketsRetransmitted uint64
	PacketsRepaired      uint64
	NACKCount            uint64
	NACKPacketCount      uint64
	PLICount             uint64
	FIRCount             uint64
	RID                  string
	RTXSSRC              *uint32
	RTXPacketsDiscarded  uint64
	RoundTripTime        float32 // milliseconds
	Score                uint8   // from 0 to 10
}

// RTPStreamRecvStats is the statistics of a received stream (FBS.RtpStream.RecvStats).
type RTPStreamRecvStats struct {
	Base           *RTPStreamStats // an RTPStreamBaseStats
	PacketCount    uint64
	ByteCount      uint64
	Bitrate        uint64 // bits per second
	BitrateByLayer []BitrateByLayer
}

// RTPStreamSendStats is the statistics of a sent stream (FBS.RtpStream.SendStats).
type RTPStreamSendStats struct {
	Base        *RTPStreamStats // an RTPStreamBaseStats
	PacketCount uint64
	ByteCount   uint64
	Bitrate     uint64 // bits per second
}

// RTXStreamParams describes a stream of retransmissions as the worker sees it (FBS.RtxStream.Params).
type RTXStreamParams struct {
	SSRC        uint32
	PayloadType uint8
	MimeType    string
	ClockRate   uint32 // Hz
	RRID        string
	CNAME       string
}

// RTXStreamDump is the inner state of a stream of retransmissions (FBS.RtxStream.RtxDump).
type RTXStreamDump struct {
	Params *RTXStreamParams
}
