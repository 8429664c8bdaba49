package transport_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
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
					produce := produceRequest("p", api.MediaKindVideo, 10)
					consume := &api.TransportConsumeRequest{
						ConsumerID: "c", ProducerID: "p", Kind: api.MediaKindVideo, RTPParameters: params(api.MediaKindVideo, 90),
						ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: new(mappedSSRC(10))}},
					}
					for i := 1; i < layers; i++ {
						ssrc := uint32(10 + 2*i)
						produce.RTPParameters.Encodings = append(produce.RTPParameters.Encodings, params(api.MediaKindVideo, ssrc).Encodings...)
						produce.RTPMapping.Encodings = append(produce.RTPMapping.Encodings,
							api.EncodingMapping{SSRC: new(ssrc), MappedSSRC: mappedSSRC(ssrc)})
						consume.ConsumableRTPEncodings = append(consume.ConsumableRTPEncodings, api.RTPEncodingParameters{SSRC: new(mappedSSRC(ssrc))})
						consume.Type = api.RTPTypeSimulcast
						consume.RTPParameters.Encodings[0].ScalabilityMode = "L3T1"
					}
					consume.RTPParameters.HeaderExtensions = extensions
					consume.RTPParameters.Codecs[0].RTCPFeedback = append(consume.RTPParameters.Codecs[0].RTCPFeedback, api.RTCPFeedback{Type: "transport-cc"})
					p, err := in.Produce(r.now, produce)
					require.NoError(t, err)
					c, err := out.Consume(r.now, consume, &asking{r, in, p})
					require.NoError(t, err)
					r.attach(out.Transport, p, c)
					p.AddSubscriber(&whole{c: c, t: out})
					pkt := keyFrame(10, 1)
					if wants > 0 {
						pkt = rtpPacket(10, 1, []byte{0x10, 0x01, 0, 0})
					}
					r.receive(in, 0, peerAddr, pkt)
					require.Len(t, find[*rtcp.PictureLossIndication](rtcpOf(t, r.sockets[0])), wants)
					sent := 0
					for _, b := range r.sockets[1].sent {
						if !wirertcp.LooksLikeRTCP(b) {
							sent++
						}
					}
					require.Equal(t, 1-wants, sent)
				})
			}
		}
	}
}
