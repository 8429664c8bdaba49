package transport_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// whole delivers all that a producer forwards to one consumer, as the router does.
type whole struct {
	c *transport.Consumer
	t *transport.Plain
}

func (w *whole) Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	w.c.HandleStreamUpdates(now, updates, scores)
	w.t.Settle(now)
	w.c.Forward(now, pkts)
	w.t.Settle(now)
}

// asking is feedback that asks the producer at once.
type asking struct {
	r  *fixture
	in *transport.Plain
	p  *transport.Producer
}

func (a *asking) RequestKeyFrame(mapped unit.SSRC) { a.in.RequestKeyFrame(a.r.now, a.p, mapped) }

func (a *asking) ReportFractionLost(string, unit.SSRC, uint8) {}

// TestTheFirstKeyFrameIsForwarded lets a stream begin while its consumer is there already. The stream's first packet is a
// key frame: it goes out, and no other one is asked for. If the first packet is none, a key frame is asked for once.
func TestTheFirstKeyFrameIsForwarded(t *testing.T) {
	for name, extensions := range map[string][]api.RTPHeaderExtensionParameters{
		"layers chosen by the consumer":  nil,
		"layers chosen by the bandwidth": {{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: 5}},
	} {
		for _, layers := range []int{1, 3} {
			for first, wants := range map[string]int{"key frame": 0, "other frame": 1} {
				t.Run(name+"/"+first, func(t *testing.T) {
					r := newFixture(t)
					in, out := r.connected(), r.connected()
					produced, consumed := enginetest.Video(10), enginetest.Video(90)
					if layers > 1 {
						produced.Encodings, consumed.Mode = layers, "L3T1"
					}
					consumed.Extensions, consumed.Feedback = extensions, []api.RTCPFeedback{enginetest.TransportCC}
					p := r.produce(in.Transport, "p", produced)
					consume := consumed.Consume("c", r.produced[p])
					if layers > 1 {
						consume.Type = api.RTPTypeSimulcast
					}
					c, err := out.Consume(r.now, consume, &asking{r, in, p})
					require.NoError(t, err)
					r.attach(out.Transport, p, c)
					p.AddSubscriber(&whole{c: c, t: out})
					pkt := enginetest.KeyFrame(10, 1)
					if wants > 0 {
						pkt = enginetest.RTP(10, 1, enginetest.VP8DeltaFrame)
					}
					r.receive(in, 0, peerAddr, pkt)
					require.Len(t, enginetest.Find[*rtcp.PictureLossIndication](enginetest.RTCPOf(t, r.sockets[0].Sent())), wants)
					require.Len(t, enginetest.RTPOf(t, r.sockets[1].Sent()), 1-wants)
				})
			}
		}
	}
}
