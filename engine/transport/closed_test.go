package transport_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/layer"
	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// outOfService are the ways in which a transport ends while others do not know of it yet.
var outOfService = map[string]func(*transport.Plain){
	"closed": func(p *transport.Plain) { p.Close() },
	"broken": func(p *transport.Plain) { p.Break() },
}

// TestWhatArrivesTooLateForAProducersTransport has consumers elsewhere ask for what the transport cannot give any more. No
// timer may be left armed: it would fire for ever.
func TestWhatArrivesTooLateForAProducersTransport(t *testing.T) {
	for name, end := range outOfService {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t)
			in := r.connected()
			p := r.produce(in.Transport, "p", enginetest.Video(7))
			o := &subscriber{}
			p.AddSubscriber(o)
			r.receive(in, 0, peerAddr, enginetest.KeyFrame(7, 1))
			require.NotEmpty(t, o.pkts)
			sent := len(r.sockets[0].Sent())
			end(in)
			for range 3 {
				in.RequestKeyFrame(r.now, p, enginetest.MappedSSRC(7))
				in.ReportFractionLost(p, "c", enginetest.MappedSSRC(7), 10)
				in.Settle(r.now)
				in.HandleTimeout(r.now)
				require.Equal(t, unit.Never, in.NextTimeout())
				r.now = r.now.Add(time.Second)
			}
			r.receive(in, 0, peerAddr, enginetest.KeyFrame(7, 2))
			require.Len(t, o.pkts, 1)
			require.Len(t, r.sockets[0].Sent(), sent)
		})
	}
}

// TestWhatArrivesTooLateForAConsumersTransport has a producer elsewhere deliver to a transport that was closed.
func TestWhatArrivesTooLateForAConsumersTransport(t *testing.T) {
	r := newFixture(t)
	in, out := r.connected(), r.connected()
	p := r.produce(in.Transport, "p", enginetest.Video(7))
	c := r.consume(out.Transport, p, "c", 8, &feedbackRecorder{})
	r.attach(out.Transport, p, c)
	delivered := 0
	p.AddSubscriber(&subscriber{then: func(now unit.Time, pkts []*packet.Packet) {
		delivered += len(pkts)
		c.HandleStreamUpdates(now, []media.StreamUpdate{{Kind: layer.StreamScore}}, []uint8{5})
		c.Forward(now, pkts)
		out.Settle(now)
	}})
	r.receive(in, 0, peerAddr, enginetest.KeyFrame(7, 1))
	require.Len(t, r.sockets[1].Sent(), 1)
	news := len(r.notifications.Of(api.EventConsumerScore))
	out.Close()
	require.Equal(t, 1, r.sockets[1].Closed())
	r.receive(in, 0, peerAddr, enginetest.KeyFrame(7, 2))
	require.Equal(t, 2, delivered)
	require.Len(t, r.sockets[1].Sent(), 1)
	require.Len(t, r.notifications.Of(api.EventConsumerScore), news)
	require.Equal(t, unit.Never, out.NextTimeout())
}
