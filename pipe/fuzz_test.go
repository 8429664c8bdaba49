package pipe_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/pipe"
)

var (
	fuzzedCodecs = []string{
		"audio/opus", "audio/multiopus", "audio/PCMU", "audio/CN", "audio/telephone-event", "audio/red", "video/VP8", "VIDEO/vp9",
		"video/H264", "video/AV1", "video/H265", "video/H264-SVC", "video/rtx", "video/ulpfec", "video/flexfec", "", "x/y",
	}
	fuzzedModes = []string{"", "L1T1", "L1T3", "L3T3", "L3T3_KEY", "S2T1", "nonsense"}
)

// fuzzedProducer is what an application may ask for.
func fuzzedProducer(b []byte) *api.TransportProduceRequest {
	next := func() uint8 {
		if len(b) == 0 {
			return 0
		}
		v := b[0]
		b = b[1:]
		return v
	}
	p := request(api.MediaKind(next()%2), nil)
	for range next() % 6 {
		c := codec(fuzzedCodecs[int(next())%len(fuzzedCodecs)]+" ", next(), 90000, integer("apt", int32(next())))
		c.MimeType = c.MimeType[:len(c.MimeType)-1]
		p.RTPParameters.Codecs = append(p.RTPParameters.Codecs, c)
		for range next() % 3 {
			p.RTPMapping.Codecs = append(p.RTPMapping.Codecs, api.CodecMapping{PayloadType: c.PayloadType, MappedPayloadType: next()})
		}
	}
	for i := range next() % 4 {
		e := api.RTPEncodingParameters{SSRC: new(uint32(1000 + uint32(i))), ScalabilityMode: fuzzedModes[int(next())%len(fuzzedModes)]}
		if pt := next(); pt%2 == 1 {
			e.CodecPayloadType = &pt
		}
		p.RTPParameters.Encodings = append(p.RTPParameters.Encodings, e)
		p.RTPMapping.Encodings = append(p.RTPMapping.Encodings, api.EncodingMapping{SSRC: e.SSRC, MappedSSRC: uint32(next())})
	}
	for range next() % 4 {
		p.RTPParameters.HeaderExtensions = append(p.RTPParameters.HeaderExtensions,
			api.RTPHeaderExtensionParameters{URI: api.RTPHeaderExtensionURI(next()), ID: next()})
	}
	return p
}

// FuzzRelay: whatever producer a worker accepts, it accepts the relay too; and nothing panics for those that it refuses.
func FuzzRelay(f *testing.F) {
	f.Add([]byte{0, 1, 0, 96, 0, 1, 100, 1, 0, 0, 100})
	f.Add([]byte{1, 2, 6, 96, 0, 1, 100, 12, 97, 96, 1, 101, 3, 2, 0, 1, 2, 0, 2, 2, 0, 3, 2, 5, 9})
	f.Add([]byte{1, 2, 7, 96, 0, 0, 6, 97, 0, 1, 127, 1, 3, 96, 7})
	f.Add([]byte{1, 1, 10, 200, 0, 2, 1, 255, 1, 3, 0, 7})
	f.Add([]byte{1, 1, 6, 96, 0, 1, 100, 1, 0, 99, 7}) // an encoding names a codec that there is not
	f.Fuzz(func(t *testing.T, b []byte) {
		p := fuzzedProducer(b)
		m := pipe.NewMedia(p, "consumer", "transport", false, new(pipe.SSRCs))
		if _, err := media.NewProducer(p); err != nil {
			return
		}
		_, err := media.NewProducer(m.Produce)
		require.NoError(t, err)
		_, err = media.NewConsumer(m.Consume, api.Compat{}, rand.New(rand.NewPCG(1, 1)))
		require.NoError(t, err)
	})
}
