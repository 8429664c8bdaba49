package pipe_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

// publication is a producer with codecs of all kinds, mapped by a Router of another application, and the same as this application has it.
func publication() (original, as *api.TransportProduceRequest) {
	params := &api.RTPParameters{
		Codecs: []api.RTPCodecParameters{
			codec("video/VP8", 96, 90000), codec("video/rtx", 97, 90000, integer("apt", 96)),
			codec("video/H264", 98, 90000), codec("video/red", 99, 90000), codec("video/rtx", 100, 90000, integer("apt", 99)),
		},
		Encodings: []api.RTPEncodingParameters{{SSRC: new(uint32(1))}, {RID: "b"}}, RTCP: &api.RTCPParameters{CNAME: "c"},
	}
	original = &api.TransportProduceRequest{
		ProducerID: "p", Kind: api.MediaKindVideo, RTPParameters: params, RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: 96, MappedPayloadType: 101}, {PayloadType: 97, MappedPayloadType: 102}, {PayloadType: 98, MappedPayloadType: 103}},
			Encodings: []api.EncodingMapping{{SSRC: new(uint32(1)), MappedSSRC: 11}, {RID: "b", MappedSSRC: 12}},
		},
	}
	as = &api.TransportProduceRequest{
		ProducerID: "import", Kind: api.MediaKindVideo, RTPParameters: pipe.Importable(original), RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: 96, MappedPayloadType: 103}, {PayloadType: 97, MappedPayloadType: 104}},
			Encodings: []api.EncodingMapping{{SSRC: new(uint32(1)), MappedSSRC: 21}, {RID: "b", MappedSSRC: 22}},
		},
	}
	return original, as
}

// What leaves the home as the other application's Router has it is what the far end maps to what this one has.
func TestImportMapsFromOneRouterToTheOther(t *testing.T) {
	original, as := publication()
	require.True(t, pipe.CanImport(original, as))
	m := pipe.NewImport(original, as, "consumer", "sender", true, new(pipe.SSRCs))
	require.Equal(t, "import", m.Consume.ProducerID)
	require.Equal(t, "import", m.Produce.ProducerID)
	require.EqualValues(t, 11, *m.Consume.ConsumableRTPEncodings[0].SSRC)
	require.EqualValues(t, 12, *m.Consume.ConsumableRTPEncodings[1].SSRC)
	require.EqualValues(t, 101, m.Consume.RTPParameters.Codecs[0].PayloadType)
	require.Equal(t, m.Consume.RTPParameters, m.Produce.RTPParameters, "what is sent is what is received")
	require.Equal(t, []api.CodecMapping{{PayloadType: 101, MappedPayloadType: 103}}, m.Produce.RTPMapping.Codecs, "H264 would be taken for VP8")
	for i, mapped := range []uint32{21, 22} {
		e := m.Produce.RTPMapping.Encodings[i]
		require.Equal(t, mapped, e.MappedSSRC)
		require.Equal(t, *m.Consume.RTPParameters.Encodings[i].SSRC, *e.SSRC)
	}
	require.EqualValues(t, 101, original.RTPMapping.Codecs[0].MappedPayloadType, "nothing of the original is changed")
}

// An application is told no codecs that no consumer is sent, but those that repair what is left.
func TestImportable(t *testing.T) {
	original, _ := publication()
	var types []uint8
	for _, c := range pipe.Importable(original).Codecs {
		types = append(types, c.PayloadType)
	}
	require.Equal(t, []uint8{96, 97, 98}, types)
	require.Len(t, original.RTPParameters.Codecs, 5)
	original.RTPParameters.Encodings[1].CodecPayloadType = new(uint8(99)) // an encoding that consists of them
	require.Len(t, pipe.Importable(original).Codecs, 5)
}

// What has not the encodings and codecs of the original is not made of it.
func TestCannotImport(t *testing.T) {
	for name, change := range map[string]func(original, as *api.TransportProduceRequest){
		"kind":                  func(_, as *api.TransportProduceRequest) { as.Kind = api.MediaKindAudio },
		"encodings":             func(_, as *api.TransportProduceRequest) { as.RTPParameters.Encodings = as.RTPParameters.Encodings[:1] },
		"mappings of encodings": func(_, as *api.TransportProduceRequest) { as.RTPMapping.Encodings = as.RTPMapping.Encodings[:1] },
		"mappings of codecs":    func(_, as *api.TransportProduceRequest) { as.RTPMapping.Codecs = as.RTPMapping.Codecs[1:] },
	} {
		original, as := publication()
		change(original, as)
		require.False(t, pipe.CanImport(original, as), name)
	}
	original, as := publication()
	original.RTPParameters.Codecs, as.RTPMapping.Codecs = nil, nil
	require.Empty(t, pipe.NewImport(original, as, "consumer", "sender", false, new(pipe.SSRCs)).Produce.RTPMapping.Codecs)
	require.True(t, pipe.CanImport(original, as), "there is no codec to map")
}
