package reach_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/reach"
)

const start = unit.Time(1e18)

// network is nodes with machines, and what lies between them.
type network struct {
	now     unit.Time
	nodes   []membership.Node
	all     []*reach.Machine
	blocked map[[2]int]bool // from one to another
	lost    func() bool     // nil: never
}

func nodeOf(i int) membership.Node {
	return membership.Node{Name: fmt.Sprint("n", i), Incarnation: fmt.Sprint("incarnation ", i), Pipe: fmt.Sprint("10.0.0.", i), ProbePort: 59999}
}

// newNetwork returns nodes that know each other.
func newNetwork(count int) *network {
	n := &network{now: start, blocked: map[[2]int]bool{}}
	for i := range count {
		n.nodes = append(n.nodes, nodeOf(i))
		n.all = append(n.all, reach.New(n.now, nodeOf(i)))
	}
	for _, m := range n.all {
		m.HandleNodes(n.now, n.rows(membership.Alive))
	}
	n.carry()
	return n
}

func (n *network) rows(c membership.Condition) (rows []membership.Row) {
	for _, node := range n.nodes {
		rows = append(rows, membership.Row{Node: node, Condition: c})
	}
	return rows
}

// carry takes datagrams to where they go.
func (n *network) carry() {
	for from, m := range n.all {
		for _, p := range m.Output() {
			to := slices.IndexFunc(n.nodes, func(o membership.Node) bool { return netip.MustParseAddr(o.Pipe) == p.To.Addr() })
			if !n.blocked[[2]int{from, to}] && (n.lost == nil || !n.lost()) {
				n.all[to].HandleDatagram(n.now, p.Data)
			}
		}
	}
}

func (n *network) pass(d time.Duration) {
	for end := n.now.Add(d); n.now < end; n.now = n.now.Add(time.Second) {
		for _, m := range n.all {
			m.HandleTimeout(n.now)
		}
		n.carry()
	}
}

// unheard returns the pairs of which the second does not hear the first.
func (n *network) unheard() (pairs []string) {
	for _, m := range n.all {
		for _, u := range m.Unheard(n.now) {
			pairs = append(pairs, fmt.Sprint(u.From, " to ", u.To))
		}
	}
	return pairs
}

// A direction that is blocked is known within the time, by the node at its end, and known again when it is open.
func TestOneDirectionIsBlocked(t *testing.T) {
	n := newNetwork(3)
	n.pass(time.Minute)
	require.Empty(t, n.unheard())
	n.blocked[[2]int{1, 2}] = true
	n.pass(reach.UnheardAfter - 2*reach.Interval)
	require.Empty(t, n.unheard(), "datagrams may be lost")
	n.pass(2 * reach.Interval)
	require.Equal(t, []string{"10.0.0.1 to 10.0.0.2"}, n.unheard())
	delete(n.blocked, [2]int{1, 2})
	n.pass(reach.Interval + time.Second)
	require.Empty(t, n.unheard())
}

// One that was blocked before the nodes met is known as fast.
func TestBlockedFromTheBeginning(t *testing.T) {
	n := newNetwork(2)
	n.all[0] = reach.New(n.now, nodeOf(0))
	n.blocked[[2]int{1, 0}] = true
	n.all[0].HandleNodes(n.now, n.rows(membership.Alive))
	n.pass(reach.UnheardAfter)
	require.Equal(t, []string{"10.0.0.1 to 10.0.0.0"}, n.unheard())
}

// Only nodes that live and say where they are heard are judged. What died is no firewall.
func TestWhoIsJudged(t *testing.T) {
	n := newNetwork(2)
	n.blocked[[2]int{0, 1}] = true
	n.pass(reach.UnheardAfter)
	require.NotEmpty(t, n.unheard())
	n.all[1].HandleNodes(n.now, n.rows(membership.Suspect))
	require.Empty(t, n.unheard())
	require.Equal(t, unit.Never, n.all[1].NextTimeout(), "nobody is there")
	for _, change := range []func(*membership.Node){
		func(o *membership.Node) { o.Pipe = "" },
		func(o *membership.Node) { o.Pipe = "nowhere" },
		func(o *membership.Node) { o.ProbePort = 0 },
	} {
		row := membership.Row{Node: nodeOf(0), Condition: membership.Alive}
		change(&row.Node)
		n.all[1].HandleNodes(n.now, []membership.Row{row})
		n.pass(2 * reach.UnheardAfter)
		require.Empty(t, n.all[1].Unheard(n.now))
	}
}

// A process that was stopped does not take its own silence for that of others. One that was started again is met anew.
func TestPauseAndRestart(t *testing.T) {
	n := newNetwork(2)
	n.pass(time.Minute)
	n.now = n.now.Add(time.Hour)
	require.Empty(t, n.unheard())
	n.pass(time.Minute)
	require.Empty(t, n.unheard())

	n.blocked[[2]int{0, 1}] = true
	n.pass(reach.UnheardAfter - reach.Interval)
	n.nodes[0].Incarnation = "another"
	n.all[1].HandleNodes(n.now, n.rows(membership.Alive))
	n.pass(reach.Interval)
	require.Empty(t, n.unheard())
	n.pass(reach.UnheardAfter)
	require.NotEmpty(t, n.unheard())
}

// What is not of another node's present process does not count as heard.
func TestForeignDatagrams(t *testing.T) {
	n := newNetwork(2)
	n.all[1].HandleNodes(n.now, n.rows(membership.Alive))
	probe := n.all[1].Output()[0]
	stranger := reach.New(n.now, membership.Node{Name: "n1", Incarnation: "guessed", Pipe: "10.0.0.1"})
	stranger.HandleNodes(n.now, n.rows(membership.Alive))
	n.blocked[[2]int{1, 0}] = true
	n.pass(reach.UnheardAfter)
	for _, b := range [][]byte{nil, probe.Data[:20], append([]byte("x"), probe.Data...), make([]byte, 1000), stranger.Output()[0].Data} {
		n.all[0].HandleDatagram(n.now, b)
		require.NotEmpty(t, n.unheard())
	}
	n.all[0].HandleDatagram(n.now, probe.Data)
	require.Empty(t, n.unheard())
}

// Whatever is blocked and opened, and with one datagram of twenty lost, in the end exactly what is blocked is known.
func TestRandomFirewalls(t *testing.T) {
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 1))
		n := newNetwork(6)
		for range 30 {
			n.blocked[[2]int{random.IntN(6), random.IntN(6)}] = random.IntN(2) == 0
			n.lost = func() bool { return random.IntN(20) == 0 }
			n.pass(time.Duration(random.IntN(30)) * time.Second)
			n.lost = nil
			n.pass(reach.UnheardAfter)
			var want []string
			for to := range 6 {
				for from := range 6 {
					if from != to && n.blocked[[2]int{from, to}] {
						want = append(want, fmt.Sprintf("10.0.0.%d to 10.0.0.%d", from, to))
					}
				}
			}
			require.Equal(t, want, n.unheard(), "seed %d", seed)
		}
	}
}

func FuzzDatagram(f *testing.F) {
	n := newNetwork(2)
	n.all[1].HandleNodes(n.now, n.rows(membership.Alive))
	f.Add(n.all[1].Output()[0].Data)
	f.Add([]byte("\xffgazpacho"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := newNetwork(2)
		n.all[0].HandleDatagram(n.now, b)
		n.pass(time.Second)
		require.Empty(t, n.unheard())
	})
}
