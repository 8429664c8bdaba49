package fbs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

const exampleID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"

func smallRequest() *api.Request {
	return &api.Request{
		ID: 42, Method: api.MethodTransportCloseConsumer, HandlerID: exampleID,
		Body: &api.TransportCloseConsumerRequest{ConsumerID: exampleID},
	}
}

func smallResponse() *api.Response {
	return &api.Response{ID: 42, Accepted: true, Body: &api.TransportConsumeResponse{
		Score: &api.ConsumerScore{Score: 10, ProducerScore: 10, ProducerScores: []uint8{10}},
	}}
}

// consumeRequest is what mediasoup sends for a video consumer: two codecs, ten header extensions.
func consumeRequest() *api.Request {
	ssrc, rtx, bitrate := uint32(1111), &api.RTX{SSRC: 2222}, uint64(900000)
	feedback := []api.RTCPFeedback{{Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	extensions := make([]api.RTPHeaderExtensionParameters, 10)
	for i := range extensions {
		extensions[i] = api.RTPHeaderExtensionParameters{URI: api.RTPHeaderExtensionURI(i), ID: uint8(i + 1)}
	}
	return &api.Request{
		ID: 42, Method: api.MethodTransportConsume, HandlerID: exampleID,
		Body: &api.TransportConsumeRequest{
			ConsumerID: exampleID, ProducerID: exampleID, Kind: api.MediaKindVideo,
			RTPParameters: &api.RTPParameters{
				MID: "3",
				Codecs: []api.RTPCodecParameters{
					{MimeType: "video/VP8", PayloadType: 101, ClockRate: 90000, RTCPFeedback: feedback},
					{
						MimeType: "video/rtx", PayloadType: 102, ClockRate: 90000,
						Parameters: []api.Parameter{{Name: "apt", Value: &api.ValueInteger32{Value: 101}}},
					},
				},
				HeaderExtensions: extensions,
				Encodings:        []api.RTPEncodingParameters{{SSRC: &ssrc, RTX: rtx, ScalabilityMode: "L1T3", MaxBitrate: &bitrate}},
				RTCP:             &api.RTCPParameters{CNAME: "cname", ReducedSize: true},
				MSID:             "a b",
			},
			ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: &ssrc, MaxBitrate: &bitrate}},
		},
	}
}

func TestEncodingDoesNotAllocate(t *testing.T) {
	e := load(t).NewEncoder()
	var dst []byte
	for _, body := range []api.MessageBody{smallResponse(), consumeRequest()} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			dst, _ = e.AppendMessage(dst[:0], body)
		}))
		require.NotEmpty(t, dst)
	}
}

func benchmarkDecode(b *testing.B, body api.MessageBody) {
	d := load(b)
	payload := encode(b, body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.DecodeMessage(payload); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkEncode(b *testing.B, body api.MessageBody) {
	e := load(b).NewEncoder()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = e.AppendMessage(dst[:0], body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeSmallRequest(b *testing.B)   { benchmarkDecode(b, smallRequest()) }
func BenchmarkDecodeConsumeRequest(b *testing.B) { benchmarkDecode(b, consumeRequest()) }
func BenchmarkEncodeSmallResponse(b *testing.B)  { benchmarkEncode(b, smallResponse()) }
func BenchmarkEncodeConsumeRequest(b *testing.B) { benchmarkEncode(b, consumeRequest()) }

// BenchmarkDialects decodes a small request and encodes a small response in every dialect.
func BenchmarkDialects(b *testing.B) {
	for _, r := range fbs.Releases() {
		if r.Version != r.Dialect {
			continue
		}
		d, err := fbs.Load(r.Version)
		require.NoError(b, err)
		e := d.NewEncoder()
		request, err := e.AppendMessage(nil, smallRequest())
		require.NoError(b, err)
		b.Run(r.Version, func(b *testing.B) {
			var dst []byte
			response := smallResponse()
			for b.Loop() {
				_, err := d.DecodeMessage(request[4:])
				if err == nil {
					dst, err = e.AppendMessage(dst[:0], response)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
