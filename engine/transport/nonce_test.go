package transport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
)

// encoding is a sent stream with an RTX stream.
func encoding(ssrc, rtx uint32) api.RTPEncodingParameters {
	return api.RTPEncodingParameters{SSRC: &ssrc, RTX: &api.RTX{SSRC: rtx}}
}

// consumeRequest asks for the given streams: of a pipe consumer if there are several.
func consumeRequest(id string, encodings ...api.RTPEncodingParameters) *api.TransportConsumeRequest {
	to := enginetest.Video(20).Parameters()
	to.Encodings = encodings
	req := &api.TransportConsumeRequest{ConsumerID: id, ProducerID: "p", Kind: api.MediaKindVideo, RTPParameters: to}
	if len(encodings) > 1 {
		req.Type = api.RTPTypePipe
	}
	for i := range encodings {
		req.ConsumableRTPEncodings = append(req.ConsumableRTPEncodings, api.RTPEncodingParameters{SSRC: new(1000 + uint32(i))})
	}
	return req
}

// consumerTransports are transports with and without SRTP.
func consumerTransports(r *fixture) (secured, clear map[string]*transport.Transport) {
	direct, err := transport.NewDirect(r.now, "d", &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}, r.env)
	require.NoError(r.t, err)
	secured = map[string]*transport.Transport{
		"plain with SRTP": r.plainTo(srtpSuites["AEAD_AES_128_GCM"]).Transport,
		"pipe with SRTP":  r.pipeTo(true).Transport,
		"WebRTC":          newBrowser(r.t, nil).w.Transport,
	}
	clear = map[string]*transport.Transport{
		"plain": r.plainTo(nil).Transport, "pipe": r.pipeTo(false).Transport, "direct": direct,
	}
	return secured, clear
}

// One SSRC for two streams is one nonce for two packets, whatever kind of transport it is: the receivers of those in clear could not
// tell the streams apart either.
func TestOneSSRCForTwoStreamsIsRefused(t *testing.T) {
	secured, clear := consumerTransports(newFixture(t))
	for _, transports := range []map[string]*transport.Transport{secured, clear} {
		for name, out := range transports {
			t.Run(name, func(t *testing.T) {
				const twice, probation = "ssrc used twice in rtpParameters.encodings", "ssrc reserved for the probation stream"
				for _, refused := range []struct {
					text      string
					encodings []api.RTPEncodingParameters
				}{
					{twice, []api.RTPEncodingParameters{encoding(30, 30)}},
					{twice, []api.RTPEncodingParameters{encoding(31, 32), encoding(31, 33)}},
					{twice, []api.RTPEncodingParameters{encoding(35, 34), encoding(36, 34)}},
					{twice, []api.RTPEncodingParameters{encoding(37, 38), encoding(39, 37)}},
					{probation, []api.RTPEncodingParameters{encoding(1234, 40)}},
					{probation, []api.RTPEncodingParameters{encoding(41, 1234)}},
					{probation, []api.RTPEncodingParameters{encoding(42, 43), encoding(1234, 44)}},
					{probation, []api.RTPEncodingParameters{encoding(45, 46), encoding(47, 1234)}},
				} {
					_, err := out.Consume(0, consumeRequest("c", refused.encodings...), &feedbackRecorder{})
					var refusal *api.Error
					require.ErrorAs(t, err, &refusal)
					require.Equal(t, api.ErrorKindType, refusal.Kind)
					require.Contains(t, refusal.Reason, refused.text)
				}
				c, err := out.Consume(0, consumeRequest("c", encoding(50, 51), encoding(52, 53)), &feedbackRecorder{})
				require.NoError(t, err)
				for _, e := range []api.RTPEncodingParameters{encoding(50, 60), encoding(60, 50), encoding(53, 60), encoding(60, 53)} {
					_, err := out.Consume(0, consumeRequest("d", e), &feedbackRecorder{})
					require.ErrorContains(t, err, "ssrc already used by another Consumer of the Transport")
				}
				out.CloseConsumer(0, c)
			})
		}
	}
}

// A consumer with the SSRC of a closed one would send other packets under sequence numbers that were used. Where nothing is
// encrypted, that hurts nobody.
func TestTheSSRCOfAClosedConsumer(t *testing.T) {
	secured, clear := consumerTransports(newFixture(t))
	again := func(out *transport.Transport, e api.RTPEncodingParameters) error {
		c, err := out.Consume(0, consumeRequest("c", encoding(30, 31)), &feedbackRecorder{})
		require.NoError(t, err)
		out.CloseConsumer(0, c)
		_, err = out.Consume(0, consumeRequest("d", e), &feedbackRecorder{})
		return err
	}
	for name, out := range secured {
		require.ErrorContains(t, again(out, encoding(30, 41)), "ssrc already used by a closed Consumer of the Transport [ssrc:30]", name)
	}
	for name, out := range clear {
		require.NoError(t, again(out, encoding(30, 31)), name)
	}
	secured, _ = consumerTransports(newFixture(t))
	for name, out := range secured {
		require.ErrorContains(t, again(out, encoding(40, 31)), "ssrc already used by a closed Consumer of the Transport [ssrc:31]", name)
	}
}
