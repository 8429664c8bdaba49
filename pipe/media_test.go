package pipe_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/pipe"
)

func codec(mime string, pt uint8, clock uint32, params ...api.Parameter) api.RTPCodecParameters {
	c := api.RTPCodecParameters{MimeType: mime, PayloadType: pt, ClockRate: clock, Parameters: params}
	if mime[0] == 'a' {
		c.Channels = new(uint8(2))
	}
	return c
}

func integer(name string, v int32) api.Parameter {
	return api.Parameter{Name: name, Value: &api.ValueInteger32{Value: v}}
}

// request is a producer with the given codecs; all are mapped to the type that is higher by 20. Its encodings have SSRCs from
// 1000 on, mapped to those from 2000 on.
func request(kind api.MediaKind, codecs []api.RTPCodecParameters, modes ...string) *api.TransportProduceRequest {
	p := &api.TransportProduceRequest{
		ProducerID: "producer", Kind: kind,
		RTPParameters: &api.RTPParameters{MID: "0", MSID: "stream track", Codecs: codecs, RTCP: &api.RTCPParameters{CNAME: "them"}},
		RTPMapping:    &api.RTPMapping{},
	}
	for _, c := range codecs {
		p.RTPMapping.Codecs = append(p.RTPMapping.Codecs, api.CodecMapping{PayloadType: c.PayloadType, MappedPayloadType: c.PayloadType + 20})
	}
	for i, mode := range modes {
		p.RTPParameters.Encodings = append(p.RTPParameters.Encodings, api.RTPEncodingParameters{SSRC: new(uint32(1000 + i)), ScalabilityMode: mode})
		p.RTPMapping.Encodings = append(p.RTPMapping.Encodings, api.EncodingMapping{SSRC: new(uint32(1000 + i)), MappedSSRC: uint32(2000 + i)})
	}
	return p
}

// accepted checks that workers take the relay's requests, and returns the types of the producer and of its relay.
func accepted(t *testing.T, p *api.TransportProduceRequest, m pipe.Media) (home, far api.RTPType) {
	t.Helper()
	original, err := media.NewProducer(p)
	require.NoError(t, err)
	relayed, err := media.NewProducer(m.Produce)
	require.NoError(t, err)
	consumer, err := media.NewConsumer(m.Consume, api.Compat{}, rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, err)
	require.Equal(t, api.RTPTypePipe, consumer.Type())
	return original.Type(), relayed.Type()
}

// All codecs and shapes: what a relay of them is.
func TestRelayOfEveryCodecAndShape(t *testing.T) {
	video, audio := api.MediaKindVideo, api.MediaKindAudio
	rtx := codec("video/rtx", 97, 90000, integer("apt", 96))
	tests := []struct {
		name   string
		p      *api.TransportProduceRequest
		typ    api.RTPType
		codecs []string
		types  []uint8
	}{
		{"opus", request(audio, []api.RTPCodecParameters{codec("audio/opus", 96, 48000, integer("useinbandfec", 1))}, ""), api.RTPTypeSimple, []string{"audio/opus"}, []uint8{116}},
		{"opus with CN, events and redundancy", request(audio, []api.RTPCodecParameters{codec("audio/red", 99, 48000), codec("audio/opus", 96, 48000), codec("audio/CN", 13, 8000), codec("audio/telephone-event", 98, 8000)}, ""), api.RTPTypeSimple, []string{"audio/opus"}, []uint8{116}},
		{"multiopus", request(audio, []api.RTPCodecParameters{codec("audio/multiopus", 96, 48000, integer("num_streams", 4))}, ""), api.RTPTypeSimple, []string{"audio/multiopus"}, []uint8{116}},
		{"PCMU", request(audio, []api.RTPCodecParameters{codec("audio/PCMU", 0, 8000)}, ""), api.RTPTypeSimple, []string{"audio/PCMU"}, []uint8{20}},
		{"VP8", request(video, []api.RTPCodecParameters{codec("video/VP8", 96, 90000)}, ""), api.RTPTypeSimple, []string{"video/VP8", "video/rtx"}, []uint8{116, 127}},
		{"VP8 with RTX", request(video, []api.RTPCodecParameters{codec("video/VP8", 96, 90000), rtx}, ""), api.RTPTypeSimple, []string{"video/VP8", "video/rtx"}, []uint8{116, 127}},
		{"VP8 simulcast", request(video, []api.RTPCodecParameters{codec("video/VP8", 96, 90000), rtx}, "L1T3", "L1T3", "L1T3"), api.RTPTypeSimulcast, []string{"video/VP8", "video/rtx"}, []uint8{116, 127}},
		{"H264 twice, the highest type taken", request(video, []api.RTPCodecParameters{codec("video/H264", 107, 90000), codec("video/h264", 96, 90000)}, ""), api.RTPTypeSimple, []string{"video/H264", "video/h264", "video/rtx", "video/rtx"}, []uint8{127, 116, 126, 125}},
		{"VP9 SVC", request(video, []api.RTPCodecParameters{codec("video/VP9", 96, 90000)}, "L3T3"), api.RTPTypeSVC, []string{"video/VP9", "video/rtx"}, []uint8{116, 127}},
		{"VP9 key SVC", request(video, []api.RTPCodecParameters{codec("video/VP9", 96, 90000)}, "L2T3_KEY"), api.RTPTypeSVC, []string{"video/VP9", "video/rtx"}, []uint8{116, 127}},
		{"AV1 SVC", request(video, []api.RTPCodecParameters{codec("video/AV1", 96, 90000)}, "L3T3"), api.RTPTypeSVC, []string{"video/AV1", "video/rtx"}, []uint8{116, 127}},
		{"H264 simulcast", request(video, []api.RTPCodecParameters{codec("video/H264", 96, 90000)}, "L1T2", "L1T2"), api.RTPTypeSimulcast, []string{"video/H264", "video/rtx"}, []uint8{116, 127}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var ssrcs pipe.SSRCs
			m := pipe.NewMedia(tt.p, "consumer", "transport", false, &ssrcs)
			home, far := accepted(t, tt.p, m)
			require.Equal(t, tt.typ, home)
			require.Equal(t, tt.typ, far)
			var names []string
			var types []uint8
			for _, c := range m.Produce.RTPParameters.Codecs {
				names, types = append(names, c.MimeType), append(types, c.PayloadType)
			}
			require.Equal(t, tt.codecs, names)
			require.Equal(t, tt.types, types)
		})
	}
}

func TestRelayOfSimulcastByRID(t *testing.T) {
	p := request(api.MediaKindVideo, []api.RTPCodecParameters{codec("video/VP8", 96, 90000)}, "L1T3", "L1T3")
	for i, rid := range []string{"low", "high"} {
		p.RTPParameters.Encodings[i].SSRC, p.RTPParameters.Encodings[i].RID = nil, rid
		p.RTPMapping.Encodings[i].SSRC, p.RTPMapping.Encodings[i].RID = nil, rid
	}
	p.RTPParameters.Encodings[1].MaxBitrate = new(uint64(500000))
	p.RTPParameters.Encodings[1].DTX = true
	var ssrcs pipe.SSRCs
	m := pipe.NewMedia(p, "consumer", "transport", true, &ssrcs)
	accepted(t, p, m)
	require.Equal(t, []api.RTPEncodingParameters{
		{SSRC: new(uint32(65536)), RTX: &api.RTX{SSRC: 65537}, CodecPayloadType: new(uint8(116)), ScalabilityMode: "L1T3"},
		{
			SSRC: new(uint32(65538)), RTX: &api.RTX{SSRC: 65539}, CodecPayloadType: new(uint8(116)), ScalabilityMode: "L1T3",
			MaxBitrate: new(uint64(500000)), DTX: true,
		},
	}, m.Produce.RTPParameters.Encodings)
	require.Equal(t, m.Produce.RTPParameters, m.Consume.RTPParameters)
	require.Equal(t, &api.RTPMapping{
		Codecs:    []api.CodecMapping{{PayloadType: 116, MappedPayloadType: 116}},
		Encodings: []api.EncodingMapping{{SSRC: new(uint32(65536)), MappedSSRC: 2000}, {SSRC: new(uint32(65538)), MappedSSRC: 2001}},
	}, m.Produce.RTPMapping)
	require.EqualValues(t, 2001, *m.Consume.ConsumableRTPEncodings[1].SSRC)
	require.True(t, m.Consume.Paused)
	require.True(t, m.Produce.Paused)
	require.Equal(t, "consumer", m.Consume.ConsumerID)
	require.Equal(t, "producer", m.Consume.ProducerID)
	require.Equal(t, "producer", m.Produce.ProducerID)

	again := pipe.NewMedia(p, "consumer", "transport", false, &ssrcs)
	require.EqualValues(t, 65540, *again.Produce.RTPParameters.Encodings[0].SSRC, "no SSRC comes twice")
}

func TestRelayNamesItsSender(t *testing.T) {
	p := request(api.MediaKindAudio, []api.RTPCodecParameters{codec("audio/opus", 96, 48000)}, "")
	m := pipe.NewMedia(p, "consumer", "transport", false, new(pipe.SSRCs))
	require.Equal(t, &api.RTCPParameters{CNAME: "transport/them", ReducedSize: true}, m.Produce.RTPParameters.RTCP)
	require.Equal(t, "stream track", m.Produce.RTPParameters.MSID)
	require.Empty(t, m.Produce.RTPParameters.MID)
	require.Zero(t, m.Produce.KeyFrameRequestDelay)
	require.Equal(t, []api.RTCPFeedback{{Type: "nack"}}, m.Produce.RTPParameters.Codecs[0].RTCPFeedback)
}

func TestRelayCarriesTheExtensionsThatAreAnnounced(t *testing.T) {
	p := request(api.MediaKindVideo, []api.RTPCodecParameters{codec("video/VP8", 96, 90000)}, "")
	for uri := range api.RTPHeaderExtensionURIFrameMarking + 1 {
		p.RTPParameters.HeaderExtensions = append(p.RTPParameters.HeaderExtensions, api.RTPHeaderExtensionParameters{URI: uri, ID: 14 - uint8(uri)})
	}
	extensions := func() (ids map[api.RTPHeaderExtensionURI]uint8) {
		ids = map[api.RTPHeaderExtensionURI]uint8{}
		for _, e := range pipe.NewMedia(p, "consumer", "transport", false, new(pipe.SSRCs)).Consume.RTPParameters.HeaderExtensions {
			ids[e.URI] = e.ID
		}
		return ids
	}
	require.Equal(t, map[api.RTPHeaderExtensionURI]uint8{
		api.RTPHeaderExtensionURISsrcAudioLevel: 1, api.RTPHeaderExtensionURIDependencyDescriptor: 2,
		api.RTPHeaderExtensionURIVideoOrientation: 3, api.RTPHeaderExtensionURITimeOffset: 4,
		api.RTPHeaderExtensionURIAbsCaptureTime: 5, api.RTPHeaderExtensionURIPlayoutDelay: 6,
		api.RTPHeaderExtensionURIMediasoupPacketId: 7,
	}, extensions())
	p.RTPParameters.HeaderExtensions = nil
	require.Empty(t, extensions())
	p.EnableMediasoupPacketIDHeaderExtension = true
	require.Equal(t, map[api.RTPHeaderExtensionURI]uint8{api.RTPHeaderExtensionURIMediasoupPacketId: 7}, extensions())
}

// What applications may give although it makes no sense: it must be consumable as it is in one worker.
func TestRelayOfOddParameters(t *testing.T) {
	vp9, vp8 := codec("video/VP9", 96, 90000), codec("video/VP8", 97, 90000)
	tests := []struct {
		name   string
		change func(p *api.TransportProduceRequest)
		types  []uint8
		first  *uint8
	}{
		{"the last of several mappings counts", func(p *api.TransportProduceRequest) {
			p.RTPMapping.Codecs = append(p.RTPMapping.Codecs, api.CodecMapping{PayloadType: 96, MappedPayloadType: 50})
		}, []uint8{50, 117, 127, 126}, new(uint8(50))},
		{"codecs without a mapping stay at home", func(p *api.TransportProduceRequest) {
			p.RTPMapping.Codecs = p.RTPMapping.Codecs[1:]
		}, []uint8{96, 117, 127, 126}, new(uint8(96))},
		{"a codec without a mapping whose type another one has", func(p *api.TransportProduceRequest) {
			p.RTPMapping.Codecs = []api.CodecMapping{{PayloadType: 97, MappedPayloadType: 96}}
		}, []uint8{97, 96, 127, 126}, new(uint8(97))},
		{"encodings of the second of two codecs with one type", func(p *api.TransportProduceRequest) {
			p.RTPMapping.Codecs[1].MappedPayloadType = 116
			p.RTPParameters.Encodings[0].CodecPayloadType, p.RTPParameters.Encodings[0].ScalabilityMode = new(uint8(97)), "L1T3"
		}, []uint8{116, 127}, new(uint8(116))},
		{"no mapping at all", func(p *api.TransportProduceRequest) { p.RTPMapping.Codecs = nil }, []uint8{96, 127}, new(uint8(96))},
		{"two codecs of one type", func(p *api.TransportProduceRequest) { p.RTPMapping.Codecs[1].MappedPayloadType = 116 }, []uint8{116, 127}, new(uint8(116))},
		{"an encoding with a codec", func(p *api.TransportProduceRequest) {
			p.RTPParameters.Encodings[0].CodecPayloadType, p.RTPParameters.Encodings[0].ScalabilityMode = new(uint8(97)), ""
		}, []uint8{117, 116, 127, 126}, new(uint8(117))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := request(api.MediaKindVideo, []api.RTPCodecParameters{vp9, vp8}, "L3T3")
			tt.change(p)
			m := pipe.NewMedia(p, "consumer", "transport", false, new(pipe.SSRCs))
			accepted(t, p, m)
			var types []uint8
			for _, c := range m.Produce.RTPParameters.Codecs {
				types = append(types, c.PayloadType)
			}
			require.Equal(t, tt.types, types)
			require.Equal(t, tt.first, m.Produce.RTPParameters.Encodings[0].CodecPayloadType)
		})
	}
}

// A producer may have so many codecs that no payload type is left.
func TestRelayWithoutFreePayloadTypes(t *testing.T) {
	var codecs []api.RTPCodecParameters
	for pt := range 128 {
		codecs = append(codecs, codec("video/VP8", uint8(pt), 90000))
	}
	p := request(api.MediaKindVideo, codecs, "")
	for i := range p.RTPMapping.Codecs {
		p.RTPMapping.Codecs[i].MappedPayloadType = uint8(i)
	}
	m := pipe.NewMedia(p, "consumer", "transport", false, new(pipe.SSRCs))
	accepted(t, p, m)
	require.Len(t, m.Produce.RTPParameters.Codecs, 128)
	require.Nil(t, m.Produce.RTPParameters.Encodings[0].RTX)
}

func TestSSRCsEnd(t *testing.T) {
	ssrcs := pipe.UsedSSRCs(math.MaxUint32 - 1<<16 - 1)
	require.EqualValues(t, uint32(math.MaxUint32-1), ssrcs.Next())
	require.Panics(t, func() { ssrcs.Next() })
}
