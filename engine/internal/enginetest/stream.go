package enginetest

import (
	"slices"
	"strings"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Payload types of routers and of consumers' peers, and of producers' peers unless a Stream has another one.
const PayloadType, RTXPayloadType uint8 = 100, 101

// MappedSSRC returns the SSRC that the router gives to a producer's stream.
func MappedSSRC(ssrc unit.SSRC) unit.SSRC { return ssrc + 1000 }

// RTXSSRC returns the SSRC of a stream's retransmissions.
func RTXSSRC(ssrc unit.SSRC) unit.SSRC { return ssrc + 1 }

// EncodingSSRC returns the SSRC of an encoding of a simulcast stream whose first one is given.
func EncodingSSRC(first unit.SSRC, encoding int) unit.SSRC { return first + unit.SSRC(10*encoding) }

// Codec is a codec as RTP parameters name it.
type Codec struct {
	MimeType  string
	ClockRate uint32
	Channels  uint8 // 0: not given
}

// The codecs of the tests.
var (
	Opus = Codec{"audio/opus", 48000, 2}
	VP8  = Codec{"video/VP8", 90000, 0}
	VP9  = Codec{"video/VP9", 90000, 0}
	AV1  = Codec{"video/AV1", 90000, 0}
	H264 = Codec{"video/H264", 90000, 0}
)

// Kind returns the kind of media.
func (c Codec) Kind() api.MediaKind {
	if strings.HasPrefix(c.MimeType, "audio/") {
		return api.MediaKindAudio
	}
	return api.MediaKindVideo
}

// Feedback that peers of video take, and that of bandwidth estimation.
var (
	NACK        = api.RTCPFeedback{Type: "nack"}
	PLI         = api.RTCPFeedback{Type: "nack", Parameter: "pli"}
	FIR         = api.RTCPFeedback{Type: "ccm", Parameter: "fir"}
	TransportCC = api.RTCPFeedback{Type: "transport-cc"}
	REMB        = api.RTCPFeedback{Type: "goog-remb"}
)

// Stream is what a peer and the worker have agreed on about a producer or a consumer. Only Codec is needed, and SSRC.
type Stream struct {
	Codec
	SSRC       unit.SSRC // of the first encoding; EncodingSSRC has the others
	PT         uint8     // 0: PayloadType. RTX has the next one
	RTX        bool
	Encodings  int      // of simulcast, told apart by their SSRCs; 0: one
	RIDs       []string // of simulcast, told apart by RID
	Mode       string   // scalability mode of each encoding
	MID        string
	CNAME      string // "": "peer"
	Extensions []api.RTPHeaderExtensionParameters
	Fmtp       []api.Parameter    // of the codec
	Feedback   []api.RTCPFeedback // besides NACK, PLI and FIR, which video and streams with RTX have
}

// Video returns a stream of VP8 with RTX.
func Video(ssrc unit.SSRC) Stream { return Stream{Codec: VP8, SSRC: ssrc, RTX: true} }

// Audio returns a stream of Opus with in-band FEC.
func Audio(ssrc unit.SSRC) Stream {
	return Stream{Codec: Opus, SSRC: ssrc, Fmtp: []api.Parameter{{Name: "useinbandfec", Value: &api.ValueInteger32{Value: 1}}}}
}

// ExtensionID returns the id of a header extension, 0 for none.
func (s Stream) ExtensionID(uri api.RTPHeaderExtensionURI) uint8 {
	i := slices.IndexFunc(s.Extensions, func(e api.RTPHeaderExtensionParameters) bool { return e.URI == uri })
	if i < 0 {
		return 0
	}
	return s.Extensions[i].ID
}

// count returns the number of encodings.
func (s Stream) count() int { return max(1, s.Encodings, len(s.RIDs)) }

func (s Stream) payloadType() uint8 {
	if s.PT == 0 {
		return PayloadType
	}
	return s.PT
}

// Codecs returns the codec, and that of RTX.
func (s Stream) Codecs() []api.RTPCodecParameters {
	codec := api.RTPCodecParameters{MimeType: s.MimeType, PayloadType: s.payloadType(), ClockRate: s.ClockRate, Parameters: s.Fmtp}
	if s.Channels > 0 {
		codec.Channels = new(s.Channels)
	}
	if s.Kind() == api.MediaKindVideo || s.RTX {
		codec.RTCPFeedback = append([]api.RTCPFeedback{NACK, PLI, FIR}, s.Feedback...)
	}
	if !s.RTX {
		return []api.RTPCodecParameters{codec}
	}
	return []api.RTPCodecParameters{codec, {
		MimeType: s.MimeType[:strings.Index(s.MimeType, "/")] + "/rtx", PayloadType: s.payloadType() + 1, ClockRate: s.ClockRate,
		Parameters: []api.Parameter{{Name: "apt", Value: &api.ValueInteger32{Value: int32(s.payloadType())}}},
	}}
}

// Parameters returns the RTP parameters.
func (s Stream) Parameters() *api.RTPParameters {
	cname := s.CNAME
	if cname == "" {
		cname = "peer"
	}
	p := &api.RTPParameters{
		MID: s.MID, Codecs: s.Codecs(), HeaderExtensions: slices.Clone(s.Extensions),
		RTCP: &api.RTCPParameters{CNAME: cname, ReducedSize: true},
	}
	for i := range s.count() {
		e := api.RTPEncodingParameters{ScalabilityMode: s.Mode}
		if len(s.RIDs) > 0 {
			e.RID = s.RIDs[i]
		} else {
			ssrc := EncodingSSRC(s.SSRC, i)
			e.SSRC = new(uint32(ssrc))
			if s.RTX {
				e.RTX = &api.RTX{SSRC: uint32(RTXSSRC(ssrc))}
			}
		}
		p.Encodings = append(p.Encodings, e)
	}
	return p
}

// Produce returns the request that makes a producer of the stream.
func (s Stream) Produce(id string) *api.TransportProduceRequest {
	r := &api.TransportProduceRequest{
		ProducerID: id, Kind: s.Kind(), RTPParameters: s.Parameters(),
		RTPMapping: &api.RTPMapping{Codecs: []api.CodecMapping{{PayloadType: s.payloadType(), MappedPayloadType: PayloadType}}},
	}
	if s.RTX {
		r.RTPMapping.Codecs = append(r.RTPMapping.Codecs, api.CodecMapping{
			PayloadType: s.payloadType() + 1, MappedPayloadType: RTXPayloadType,
		})
	}
	for i, e := range r.RTPParameters.Encodings {
		r.RTPMapping.Encodings = append(r.RTPMapping.Encodings, api.EncodingMapping{
			SSRC: e.SSRC, RID: e.RID, MappedSSRC: uint32(MappedSSRC(EncodingSSRC(s.SSRC, i))),
		})
	}
	return r
}

// Consume returns the request that makes a consumer of a producer, whose packets are sent as the stream.
func (s Stream) Consume(id string, produced *api.TransportProduceRequest) *api.TransportConsumeRequest {
	r := &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: produced.ProducerID, Kind: s.Kind(), Type: api.RTPTypeSimple, RTPParameters: s.Parameters(),
	}
	for i, m := range produced.RTPMapping.Encodings {
		r.ConsumableRTPEncodings = append(r.ConsumableRTPEncodings, api.RTPEncodingParameters{
			SSRC: new(m.MappedSSRC), ScalabilityMode: produced.RTPParameters.Encodings[i].ScalabilityMode,
		})
	}
	return r
}
