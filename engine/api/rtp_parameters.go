package api

// MediaKind is FBS.RtpParameters.MediaKind.
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

// RTPType is FBS.RtpParameters.Type.
type RTPType uint8

const (
	RTPTypeSimple    RTPType = 0
	RTPTypeSimulcast RTPType = 1
	RTPTypeSVC       RTPType = 2
	RTPTypePipe      RTPType = 3
)

var namesRTPType = []string{"SIMPLE", "SIMULCAST", "SVC", "PIPE"}

// EnumNames returns the schema's member names, indexed by value.
func (RTPType) EnumNames() []string { return namesRTPType }

// String returns the schema's member name.
func (v RTPType) String() string { return enumName(namesRTPType, uint8(v)) }

// ValueBoolean is FBS.RtpParameters.Boolean.
type ValueBoolean struct {
	Value uint8
}

// ValueInteger32 is FBS.RtpParameters.Integer32.
type ValueInteger32 struct {
	Value int32
}

// ValueInteger32Array is FBS.RtpParameters.Integer32Array.
type ValueInteger32Array struct {
	Value []int32
}

// ValueDouble is FBS.RtpParameters.Double.
type ValueDouble struct {
	Value float64
}

// ValueString is FBS.RtpParameters.String.
type ValueString struct {
	Value string
}

// ParameterValue is the union FBS.RtpParameters.Value; each member is a pointer to one of the types that UnionParameterValue lists.
type ParameterValue interface{ isParameterValue() }

// Parameter is FBS.RtpParameters.Parameter.
type Parameter struct {
	Name  string
	Value ParameterValue
}

// RTCPFeedback is FBS.RtpParameters.RtcpFeedback.
type RTCPFeedback struct {
	Type      string
	Parameter string
}

// RTPCodecParameters is FBS.RtpParameters.RtpCodecParameters.
type RTPCodecParameters struct {
	MimeType     string
	PayloadType  uint8
	ClockRate    uint32
	Channels     *uint8
	Parameters   []Parameter
	RTCPFeedback []RTCPFeedback
}

// RTPHeaderExtensionURI is FBS.RtpParameters.RtpHeaderExtensionUri.
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
)

var namesRTPHeaderExtensionURI = []string{"Mid", "RtpStreamId", "RepairRtpStreamId", "AbsSendTime", "TransportWideCcDraft01", "SsrcAudioLevel", "DependencyDescriptor", "VideoOrientation", "TimeOffset", "AbsCaptureTime", "PlayoutDelay", "MediasoupPacketId"}

// EnumNames returns the schema's member names, indexed by value.
func (RTPHeaderExtensionURI) EnumNames() []string { return namesRTPHeaderExtensionURI }

// String returns the schema's member name.
func (v RTPHeaderExtensionURI) String() string { return enumName(namesRTPHeaderExtensionURI, uint8(v)) }

// RTPHeaderExtensionParameters is FBS.RtpParameters.RtpHeaderExtensionParameters.
type RTPHeaderExtensionParameters struct {
	URI        RTPHeaderExtensionURI
	ID         uint8
	Encrypt    bool
	Parameters []Parameter
}

// RTX is FBS.RtpParameters.Rtx.
type RTX struct {
	SSRC uint32
}

// RTPEncodingParameters is FBS.RtpParameters.RtpEncodingParameters.
type RTPEncodingParameters struct {
	SSRC             *uint32
	RID              string
	CodecPayloadType *uint8
	RTX              *RTX
	DTX              bool
	ScalabilityMode  string
	MaxBitrate       *uint64
}

// RTCPParameters is FBS.RtpParameters.RtcpParameters.
type RTCPParameters struct {
	CNAME       string
	ReducedSize bool
}

// RTPParameters is FBS.RtpParameters.RtpParameters.
type RTPParameters struct {
	MID              string
	Codecs           []RTPCodecParameters
	HeaderExtensions []RTPHeaderExtensionParameters
	Encodings        []RTPEncodingParameters
	RTCP             *RTCPParameters
	MSID             string
}

// CodecMapping is FBS.RtpParameters.CodecMapping.
type CodecMapping struct {
	PayloadType       uint8
	MappedPayloadType uint8
}

// EncodingMapping is FBS.RtpParameters.EncodingMapping.
type EncodingMapping struct {
	RID        string
	SSRC       *uint32
	MappedSSRC uint32
}

// RTPMapping is FBS.RtpParameters.RtpMapping.
type RTPMapping struct {
	Codecs    []CodecMapping
	Encodings []EncodingMapping
}
