package transport_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
)

// keeper returns a transport with a consumer that keeps one packet for retransmission, and the packet's buffer.
func (r *fixture) keeper() (*transport.Plain, *packet.Buffer) {
	r.t.Helper()
	in, out := r.connected(), r.connected()
	p := r.produce(in.Transport, "p", enginetest.Video(7))
	c := r.consume(out.Transport, p, "c", 8, &feedbackRecorder{})
	r.attach(out.Transport, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	data := enginetest.KeyFrame(7, 1)
	b := packet.NewBuffer(len(data))
	b.SetLen(copy(b.Space(), data))
	in.HandleDatagrams(r.now, 0, []netio.Datagram{{Buffer: b, From: peerAddr}})
	in.Settle(r.now)
	require.Len(r.t, r.sockets[1].Sent(), 1)
	return out, b
}

// A fault while a transport closes does not keep its port open, and leaves nothing for the next one's peer.
func TestAFaultWhileClosing(t *testing.T) {
	r := newFixture(t)
	out, b := r.keeper()
	b.Release() // once too often: the consumer has it
	require.Panics(t, out.Close)
	require.Equal(t, 1, r.sockets[1].Closed())
	r.env.Batch.Space(100)
	r.env.Batch.Commit(100)
	out.Break() // as package runner does
	require.Zero(t, r.env.Batch.Len())
	require.Equal(t, 1, r.sockets[1].Closed())
}

// What a broken transport held is not given back when it is closed: it cannot be trusted to know what is its own.
func TestABrokenTransportReleasesNothing(t *testing.T) {
	r := newFixture(t)
	out, b := r.keeper()
	out.Break()
	out.Close()
	require.NotPanics(t, b.Release, "nobody has released it")
}

// Ports and the place in the WebRtcServer's table are given back although the goodbye fails.
func TestAFaultWhileSayingGoodbye(t *testing.T) {
	for name, end := range map[string]func(*transport.WebRtc){
		"close": func(w *transport.WebRtc) { w.Close() },
		"break": func(w *transport.WebRtc) { w.Break() },
	} {
		t.Run(name, func(t *testing.T) {
			b := established(t, nil)
			require.NotEmpty(t, b.dir.fragments)
			require.NotEmpty(t, b.dir.tuples)
			b.link.Send = func(netip.AddrPort, *netio.Batch) (int, int) { panic("send") }
			require.PanicsWithValue(t, "send", func() { end(b.w) })
			require.Empty(t, b.dir.fragments)
			require.Empty(t, b.dir.tuples)
			require.Equal(t, 1, b.freed)
		})
	}
}
