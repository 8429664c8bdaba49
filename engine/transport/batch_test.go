package transport_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
)

// Packets that some operation left in the shard's batch must not go to where the next one sends. Whatever that is, it panics,
// which the owner contains, and nothing leaves.
func TestNothingIsSentWithAnotherOperationsPackets(t *testing.T) {
	sentBy := func(r *fixture) func() int {
		return func() (n int) {
			for _, s := range r.sockets {
				n += len(s.Sent())
			}
			return n
		}
	}
	webRtc := func(t *testing.T) (*browser, func() int) {
		b := established(t, nil)
		p := b.produce(b.w.Transport, "p", enginetest.Video(10))
		c := b.consume(b.w.Transport, p, "c", 20, &feedbackRecorder{})
		b.attach(b.w.Transport, p, c)
		p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
		b.sendRTP(enginetest.KeyFrame(10, 1))
		return b, func() int { return len(b.sent) }
	}
	for name, test := range map[string]struct {
		next  string
		setUp func(t *testing.T) (r *fixture, sent func() int, send func())
	}{
		"plain RTCP": {"RTCP", func(t *testing.T) (*fixture, func() int, func()) {
			k := newCall(t, enginetest.Video)
			k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
			return k.fixture, sentBy(k.fixture), func() { k.out.HandleTimeout(k.now.Add(time.Second)) }
		}},
		"plain media": {"media", func(t *testing.T) (*fixture, func() int, func()) {
			k := newCall(t, enginetest.Video)
			return k.fixture, sentBy(k.fixture), func() { k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1)) }
		}},
		"plain retransmission": {"a retransmission", func(t *testing.T) (*fixture, func() int, func()) {
			k := newCall(t, enginetest.Video)
			k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
			nack := &rtcp.TransportLayerNack{MediaSSRC: 20, Nacks: []rtcp.NackPair{
				{PacketID: uint16(enginetest.ParseRTP(t, k.outSocket().Sent()[0]).SequenceNumber)},
			}}
			return k.fixture, sentBy(k.fixture), func() { k.receiveRTCP(k.out, 0, peerAddr, nack) }
		}},
		"plain probation": {"probation", func(t *testing.T) (*fixture, func() int, func()) {
			r := newFixture(t)
			in, out := r.connected(), r.connected()
			p := r.produce(in.Transport, "p", enginetest.Video(10))
			r.wideConsumer(out.Transport, p, "c", 20, true)
			return r, sentBy(r), func() { out.HandleTimeout(r.now.Add(time.Second)) }
		}},
		"plain SCTP": {"SCTP", func(t *testing.T) (*fixture, func() int, func()) {
			r := newFixture(t)
			wake := make(chan struct{}, 1)
			r.env.Wake = func() { signal(wake) }
			p := r.plain(func(o *api.PlainTransportOptions) { o.Base.EnableSCTP = true })
			t.Cleanup(p.Close)
			_, err := p.Connect(r.now, enginetest.ConnectPlainRequest(peerAddr))
			require.NoError(t, err)
			return r, sentBy(r), func() {
				_, err := p.ProduceData(r.now, &api.TransportProduceDataRequest{
					DataProducerID: "d", Type: api.DataProducerTypeSCTP, SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 1},
				})
				require.NoError(t, err)
				for range wake { // until INIT is there
					p.Poll(r.now)
				}
			}
		}},
		"STUN": {"STUN or DTLS", func(t *testing.T) (*fixture, func() int, func()) {
			b, sent := webRtc(t)
			return b.fixture, sent, func() { b.check(b.password(), true) }
		}},
		"DTLS": {"STUN or DTLS", func(t *testing.T) (*fixture, func() int, func()) {
			b, sent := webRtc(t)
			return b.fixture, sent, b.w.Close // with close_notify
		}},
		"SRTP": {"media", func(t *testing.T) (*fixture, func() int, func()) {
			b, sent := webRtc(t)
			return b.fixture, sent, func() { b.sendRTP(enginetest.KeyFrame(10, 2)) }
		}},
		"SRTCP": {"RTCP", func(t *testing.T) (*fixture, func() int, func()) {
			b, sent := webRtc(t)
			return b.fixture, sent, func() { b.w.HandleTimeout(b.now.Add(time.Second)) }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r, sent, send := test.setUp(t)
			before, batch := sent(), r.env.Batch
			batch.Commit(copy(batch.Space(10), "for others"))
			require.PanicsWithValue(t,
				"transport: 1 packets of another operation are in the batch when "+test.next+" is to be sent", send)
			require.Equal(t, before, sent())
			batch.Reset()
		})
	}
}
