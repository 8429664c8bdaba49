package regions_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rtcpeer"
)

const (
	warmUp = 25 // packets
	speech = 250
	enough = speech * 95 / 100 // nothing is lost on the way, but peers of a busy machine may read too late
)

// requireUDP requires that what crossed by UDP is of the addresses for media between nodes.
func requireUDP(t *testing.T, l *link) {
	t.Helper()
	of := map[netip.Addr]bool{}
	for _, n := range nodes {
		of[n.pipe] = true
	}
	for pair := range l.pairs() {
		require.True(t, of[pair[0]] && of[pair[1]], "UDP from %s to %s", pair[0], pair[1])
	}
}

// listen has so many people on each node consume a producer. They are in the order of the nodes.
func listen(t *testing.T, r *app.Router, p *app.Producer, each int) map[string][]*person {
	t.Helper()
	on := map[string][]*person{}
	for range each * len(nodes) {
		l := join(t, r)
		on[l.node.name] = append(on[l.node.name], l)
	}
	for _, n := range nodes {
		require.Len(t, on[n.name], each, n.name)
		for _, l := range on[n.name] {
			l.Consume(p, rtcpeer.ReceiveSSRCOf(0))
		}
	}
	return on
}

// One front over both regions: its producer crosses once, however many consume it on both nodes of the other region. It goes on so when the
// node that feeds the other one there is killed.
func TestOneFrontOverBothRegions(t *testing.T) {
	l := newLink(t)
	translate(t)
	processes := startNodes(t)
	r := startApp(t, appEU, "spread").NewRouter()
	s := speak(t, r)
	require.Equal(t, "a", s.node.name)
	on := listen(t, r, s.producer, 3)
	s.say(t, warmUp)
	for _, n := range nodes {
		for _, p := range on[n.name] {
			p.hears(t, s)
		}
	}

	before, heard := l.crossed(), count(on["c"], on["d"])
	s.say(t, speech)
	for _, p := range append(on["c"], on["d"]...) {
		p.hears(t, s)
	}
	crossed, consumed := l.crossed()-before, count(on["c"], on["d"])-heard
	t.Logf("packets of the producer: %d sent in eu, %d crossed, %d received in us by %d consumers on two nodes", speech, crossed, consumed,
		len(on["c"])+len(on["d"]))
	require.Equal(t, speech, crossed)
	require.GreaterOrEqual(t, consumed, 6*enough)
	requireUDP(t, l)

	require.NoError(t, processes["c"].Process.Kill())
	eventually(t, "d to be fed by another node", func() bool {
		before := count(on["d"])
		s.say(t, warmUp)
		return count(on["d"]) > before
	})
	s.say(t, warmUp)
	for _, p := range on["d"] {
		p.hears(t, s)
	}
	before = l.crossed()
	s.say(t, speech)
	for _, p := range on["d"] {
		p.hears(t, s)
	}
	t.Logf("when c, which fed d, is killed: %d sent in eu, %d crossed, to d", speech, l.crossed()-before)
	require.Equal(t, speech, l.crossed()-before)
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Logf("crossed in all: %d KB of TCP (sessions and the bus), %d KB of UDP", l.octets[0]>>10, l.octets[1]>>10)
}

func count(groups ...[]*person) (sum int) {
	for _, g := range groups {
		for _, p := range g {
			sum += p.heard()
		}
	}
	return sum
}

// A front in each region: transports are in the region of their front, and what one has from the other crosses once.
func TestAFrontInEachRegion(t *testing.T) {
	l := newLink(t)
	translate(t)
	startNodes(t)
	eu, us := startApp(t, appEU, "fill").NewRouter(), startApp(t, appUS, "fill").NewRouter()
	s := speak(t, eu)
	require.Equal(t, "eu", s.node.region)
	there := eu.PipeTo(us, s.producer)
	var listeners []*person
	for range 3 {
		p := join(t, us)
		require.Equal(t, "us", p.node.region)
		p.Consume(there, rtcpeer.ReceiveSSRCOf(0))
		listeners = append(listeners, p)
	}
	s.say(t, warmUp)
	for _, p := range listeners {
		p.hears(t, s)
	}
	before := l.crossed()
	s.say(t, speech)
	for _, p := range listeners {
		p.hears(t, s)
	}
	t.Logf("packets of the producer: %d sent to the front in eu, %d crossed, to %d consumers of the front in us", speech, l.crossed()-before, len(listeners))
	require.Equal(t, speech, l.crossed()-before)
}

// A firewall that drops UDP in one direction between two nodes is named by status, by any node, before media has to go that way; and it is
// not named any more when it is open.
func TestAFirewallIsNamed(t *testing.T) {
	newLink(t)
	startNodes(t)
	b, c := nodes[1], nodes[2]
	rule := []string{"priority", "5", "from", b.pipe.String(), "to", c.pipe.String(), "ipproto", "udp", "blackhole"}
	ip(t, append([]string{"rule", "add"}, rule...)...)
	unheard := func() (all [][4]string) {
		for _, r := range status(t, nodes[0].address.String()) {
			require.NotNil(t, r.Status, "%s is reached by TCP", r.Name)
			for _, u := range r.Status.Unheard {
				all = append(all, [4]string{u.Node, u.From, r.Name, u.To})
			}
		}
		return all
	}
	want := [][4]string{{"b", b.pipe.String(), "c", c.pipe.String()}}
	eventually(t, "the firewall to be named", func() bool { return len(unheard()) > 0 })
	require.Equal(t, want, unheard())
	ip(t, append([]string{"rule", "delete"}, rule...)...)
	eventually(t, "the firewall to be open", func() bool { return len(unheard()) == 0 })
}
