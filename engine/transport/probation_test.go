package transport_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// Header extension ids of the receivers in these tests.
const midID, sendTimeID, ccID = 3, 4, 5

// wideConsumer consumes p with transport-wide feedback, and would like 5 Mbit/s. Without numbered, its packets carry no
// transport-wide number.
func (r *fixture) wideConsumer(t *transport.Transport, p *transport.Producer, id string, ssrc unit.SSRC, numbered bool) *transport.Consumer {
	r.t.Helper()
	stream := enginetest.Video(ssrc)
	stream.Feedback = []api.RTCPFeedback{enginetest.TransportCC}
	if numbered {
		stream.Extensions = []api.RTPHeaderExtensionParameters{
			{URI: api.RTPHeaderExtensionURIMid, ID: midID},
			{URI: api.RTPHeaderExtensionURIAbsSendTime, ID: sendTimeID},
			{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: ccID},
		}
	}
	request := stream.Consume(id, r.produced[p])
	request.RTPParameters.Encodings[0].MaxBitrate = new(uint64(5_000_000))
	c, err := t.Consume(r.now, request, &feedbackRecorder{})
	require.NoError(r.t, err)
	r.attach(t, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	return c
}

// A transport whose consumers want more than is known to be available sends padding to find out. Receivers know it by
// its SSRC and payload type, which are mediasoup's, and it counts as nothing else.
func TestProbation(t *testing.T) {
	r := newFixture(t)
	in, out := r.connected(), r.connected()
	p := r.produce(in.Transport, "p", enginetest.Video(10))
	out.EnableTraceEvents([]api.TransportTraceEventType{api.TransportTraceEventTypeProbation})
	r.wideConsumer(out.Transport, p, "first", 20, false)
	second := r.wideConsumer(out.Transport, p, "second", 30, true)
	var probes, media []*rtp.Packet
	run := func(d time.Duration) {
		probes, media = nil, nil
		before := len(r.sockets[1].Sent())
		for end := r.now.Add(d); r.now < end; r.now = r.now.Add(10 * time.Millisecond) {
			r.receive(in, 0, peerAddr, enginetest.KeyFrame(10, unit.SeqNo(r.now.Milliseconds()/10)))
			if out.NextTimeout() <= r.now {
				out.HandleTimeout(r.now)
			}
			out.Settle(r.now)
		}
		for _, b := range r.sockets[1].Sent()[before:] {
			if wirertcp.LooksLikeRTCP(b) {
				continue
			}
			if pkt := enginetest.ParseRTP(t, b); pkt.SSRC == 1234 {
				probes = append(probes, pkt)
			} else {
				media = append(media, pkt)
			}
		}
	}
	run(time.Second)
	require.NotEmpty(t, probes)
	var numbers []unit.SeqNo
	bytes := 0
	for i, pkt := range probes {
		require.EqualValues(t, 127, pkt.PayloadType)
		require.Equal(t, probes[0].SequenceNumber+unit.SeqNo(i), pkt.SequenceNumber)
		require.Equal(t, probes[0].Timestamp+20*unit.Timestamp(i), pkt.Timestamp)
		require.Equal(t, "probator", string(pkt.Extension(midID)))
		require.Len(t, pkt.Extension(sendTimeID), 3)
		require.LessOrEqual(t, len(pkt.Data), 1400)
		number, ok := rtp.ParseTransportCC(pkt.Extension(ccID))
		require.True(t, ok)
		numbers = append(numbers, number)
		bytes += len(pkt.Data)
	}
	for _, pkt := range media {
		if pkt.SSRC == 30 {
			number, ok := rtp.ParseTransportCC(pkt.Extension(ccID))
			require.True(t, ok)
			require.NotContains(t, numbers, number, "one count for all that is sent")
		}
	}
	require.Len(t, r.notifications.Of(api.EventTransportTrace), len(probes))
	stats := out.Stats(r.now).(*api.PlainTransportGetStatsResponse).Base
	require.EqualValues(t, bytes, stats.ProbationBytesSent)
	sent := 0
	for _, pkt := range media {
		sent += len(pkt.Data)
	}
	require.EqualValues(t, sent, stats.RTPBytesSent)

	out.CloseConsumer(r.now, second)
	run(5 * time.Second)
	require.Empty(t, probes, "nobody is left whose packets say what was lost")
}
