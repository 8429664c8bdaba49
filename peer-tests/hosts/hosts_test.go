package hosts_test

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rtcpeer"
)

const (
	subscribers = 60
	pictures    = 150
	enough      = pictures * 95 / 100 // nothing is lost on the way, but peers of a busy machine may read too late
	texts       = 100
)

// TestOneRouterOverThreeHosts: one publisher and sixty subscribers, spread over three nodes. Everybody gets everything, a Router has
// one pipe for each pair of nodes that needs one, and nothing that crosses the network can be read.
func TestOneRouterOverThreeHosts(t *testing.T) {
	c := newCapture(t, marker)
	w := app.Start(t, workerBinary)
	r := w.NewRouter()
	p := publish(t, r)
	on := map[netip.Addr][]*subscriber{}
	for i := range subscribers {
		s := &subscriber{join(t, r, 0, app.Opus, app.VP8, app.VP9), i / len(nodes) % layers}
		on[s.node] = append(on[s.node], s)
	}
	for _, node := range nodes {
		require.Len(t, on[node], subscribers/len(nodes), "subscribers on %s", node)
	}
	away := slices.DeleteFunc(slices.Clone(nodes), func(n netip.Addr) bool { return n == p.node })
	const warmUp = 10 // pictures

	p.perform(t, warmUp)
	require.Empty(t, pipes(c), "nobody consumes")

	for _, s := range on[away[0]] {
		s.subscribe(p)
	}
	p.perform(t, warmUp)
	want := map[pair]int{pairOf(p.node, away[0]): 1}
	require.Equal(t, want, pipes(c), "consumers on one other node")

	for _, s := range slices.Concat(on[p.node], on[away[1]]) {
		s.subscribe(p)
	}
	readable := listenInClear(t, r, p)
	p.perform(t, warmUp)
	before := p.sent
	p.perform(t, pictures)
	everybody := slices.Concat(on[nodes[0]], on[nodes[1]], on[nodes[2]])
	for _, s := range everybody {
		s.waitFor(t, p.sent)
	}
	for _, node := range nodes {
		report(t, node, on[node], before)
	}
	want[pairOf(p.node, away[1])]++
	require.Equal(t, want, pipes(c), "consumers on all nodes")

	p.text(t, everybody)

	other := publish(t, w.NewRouter())
	for range nodes {
		s := &subscriber{join(t, other.Router, 0, app.Opus, app.VP8, app.VP9), layers - 1}
		s.subscribe(other)
		if s.node != other.node {
			want[pairOf(other.node, s.node)]++
		}
	}
	other.perform(t, warmUp)
	require.Equal(t, want, pipes(c), "a second Router has pipes of its own")

	readableTCP := sendInClear(t)
	c.finish()
	requireUnreadable(t, c, readable, readableTCP)
}

// pair is two nodes, the lesser address first.
type pair [2]netip.Addr

func pairOf(a, b netip.Addr) pair {
	if b.Less(a) {
		a, b = b, a
	}
	return pair{a, b}
}

// pipes returns how many pairs of UDP sockets have sent each other something, for each two nodes that did.
func pipes(c *capture) map[pair]int {
	found := map[pair]int{}
	for f := range c.all() {
		if f.protocol == unix.IPPROTO_UDP && slices.Contains(nodes, f.a.Addr()) && slices.Contains(nodes, f.b.Addr()) {
			found[pairOf(f.a.Addr(), f.b.Addr())]++
		}
	}
	return found
}

// report prints what the subscribers on a node received of the pictures after a number, and requires that it is all.
func report(t *testing.T, node netip.Addr, on []*subscriber, before int) {
	t.Helper()
	least := [3]int{pictures, pictures, pictures}
	for _, s := range on {
		for i, n := range s.received(before) {
			least[i] = min(least[i], n)
		}
		require.EqualValues(t, s.layer, s.highest(pictures), "the highest spatial layer that came")
	}
	t.Logf("%s: %d subscribers have received, of %d: sound %d, simulcast %d, SVC %d (the least of all)", node, len(on), pictures,
		least[heard], least[seen], least[seenLayered])
	require.GreaterOrEqual(t, slices.Min(least[:]), enough)
}

// text sends short messages, which all others must receive, each once and in order.
func (p *publisher) text(t *testing.T, to []*subscriber) {
	t.Helper()
	id := p.ProduceData(rtcpeer.Stream)
	for _, s := range to {
		s.ConsumeData(id, rtcpeer.Stream)
		s.Opened.Wait(t, "a data channel", func(struct{}) bool { return true })
	}
	p.Opened.Wait(t, "the publisher's data channel", func(struct{}) bool { return true })
	var sent []string
	for n := range texts {
		sent = append(sent, string(content(nil, n)))
		require.NoError(t, p.Channel.SendText(sent[n]))
	}
	for _, s := range to {
		s.Messages.Wait(t, "the last message", func(m webrtc.DataChannelMessage) bool { return string(m.Data) == sent[texts-1] })
		var got []string
		for _, m := range s.Messages.All() {
			got = append(got, string(m.Data))
		}
		require.Equal(t, sent, got)
	}
	t.Logf("%d messages have arrived at each of %d subscribers", texts, len(to))
}

// listenInClear has the publisher's sound sent to a socket by a PlainTransport, which does not encrypt. It returns the socket.
func listenInClear(t *testing.T, r *app.Router, p *publisher) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(peerAddress, 0)))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	r.NewPlainTransport(app.ListenOn("0.0.0.0", api.ProtocolUDP)[0], to).Consume(p.sound, rtcpeer.ReceiveSSRCOf(heard))
	return to
}

// sendInClear sends the marker over TCP to the application's host, and returns where.
func sendInClear(t *testing.T) netip.AddrPort {
	t.Helper()
	var l net.Listener
	on(t, appHost, func() (err error) {
		l, err = net.Listen("tcp4", netip.AddrPortFrom(appAddress, 0).String())
		return err
	})
	defer l.Close()
	conn, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	_, err = conn.Write(content(nil, 0))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	other, err := l.Accept()
	require.NoError(t, err)
	defer other.Close()
	_, err = io.ReadAll(other) // now it has crossed the network
	require.NoError(t, err)
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// requireUnreadable requires that the marker is found in what was sent in clear, and nowhere else.
func requireUnreadable(t *testing.T, c *capture, readable ...netip.AddrPort) {
	t.Helper()
	found := map[netip.AddrPort]int{}
	seen := map[string]count{}
	for f, n := range c.all() {
		if i := slices.IndexFunc(readable, func(a netip.AddrPort) bool { return a == f.a || a == f.b }); i >= 0 {
			found[readable[i]] += n.marked
			continue
		}
		require.Zero(t, n.marked, "packets in clear from %s to %s", f.a, f.b)
		kind := kindOf(f)
		sum := seen[kind]
		sum.packets, sum.bytes = sum.packets+n.packets, sum.bytes+n.bytes
		seen[kind] = sum
	}
	for kind, n := range seen {
		t.Logf("captured %s: %d packets, %.1f MB, none readable", kind, n.packets, float64(n.bytes)/1e6)
	}
	require.NotZero(t, seen[inside].packets, inside)
	for _, a := range readable {
		require.NotZero(t, found[a], "the marker is not found where it is in clear: the capture proves nothing")
		t.Logf("captured in clear, to %s: %d packets", a, found[a])
	}
	t.Logf("frames that the capture missed: %d", c.missed(t))
}

// inside is what the test is about.
const inside = "between nodes, and front and nodes"

func kindOf(f flow) string {
	isInside := func(a netip.AddrPort) bool { return a.Addr() == appAddress || slices.Contains(nodes, a.Addr()) }
	if isInside(f.a) && isInside(f.b) {
		return inside
	}
	return "between peers and nodes"
}
