package steering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/membership"
	"gazpacho/scaling/steering"
)

// The region is short of capacity when all of its nodes are full for some time, and not any more when one has clearly room.
func TestCapacityShort(t *testing.T) {
	c := newTold(t)
	require.Empty(t, c.taken())
	load := func(cpu float64) {
		for _, n := range c.nodes {
			n.row.Load.CPU = cpu
		}
	}
	load(0.46)
	c.pass(4 * time.Second)
	load(0.4) // for a moment
	c.pass(time.Second)
	load(0.46)
	c.pass(4 * time.Second)
	require.Empty(t, c.taken())
	c.pass(3 * time.Second)
	require.Equal(t, []string{"capacity-short eu begin"}, c.taken())
	load(0.4)
	c.pass(time.Minute)
	require.Empty(t, c.taken(), "that is hardly less")
	c.nodes["b"].row.Load.CPU = 0.3
	c.pass(9 * time.Second)
	require.Empty(t, c.taken())
	c.pass(3 * time.Second)
	require.Equal(t, []string{"capacity-short eu end"}, c.taken())
	c.pass(time.Hour)
	require.Empty(t, c.taken())
}

// A process that was stopped does not take a moment for a long time.
func TestPause(t *testing.T) {
	c := newTold(t)
	for _, n := range c.nodes {
		n.row.Load.CPU = 0.9
	}
	c.second()
	c.now = c.now.Add(time.Hour)
	c.second()
	require.Empty(t, c.taken())
	c.pass(10 * time.Second)
	require.Equal(t, []string{"capacity-short eu begin"}, c.taken())

	slow := newCluster()
	slow.add("a", "eu", true)
	slow.second()
	slow.now = slow.now.Add(time.Hour)
	slow.second()
	require.Empty(t, slow.tellers(), "another one may have told meanwhile")
}

// What counts as load: the more of CPU and network, what is assumed to come, against the node's own watermark. Nodes that drain or are not
// heard have no room.
func TestWhatIsFull(t *testing.T) {
	for name, change := range map[string]func(n *node){
		"CPU":       func(n *node) { n.row.Load.CPU = 0.45 },
		"network":   func(n *node) { n.row.Load.Network = 0.45 },
		"assumed":   func(n *node) { n.row.Load.Assumed = 0.15 },
		"watermark": func(n *node) { n.row.Watermark = 0.4 },
		"low":       func(n *node) { n.row.Watermark = 0.1 },
		"draining":  func(n *node) { n.row.Draining = true },
		"suspect":   func(n *node) { n.row.Condition = membership.Suspect },
	} {
		t.Run(name, func(t *testing.T) {
			c := newTold(t)
			c.nodes["b"].row.Load.CPU, c.nodes["c"].row.Load.CPU = 0.5, 0.5
			c.pass(10 * time.Second)
			require.Empty(t, c.taken())
			if n := c.nodes["b"]; name == "draining" || name == "suspect" {
				c.nodes["a"].row.Load.CPU, n.row.Load.CPU = 0.5, 0.3
				change(n)
			} else {
				change(c.nodes["a"])
			}
			c.pass(10 * time.Second)
			require.Equal(t, []string{"capacity-short eu begin"}, c.taken())
		})
	}
}

// A region without any node that serves is short; regions do not help each other.
func TestRegions(t *testing.T) {
	c := newTold(t)
	c.add("d", "us", true).row.Load.Transports = 1
	c.add("e", "", true)
	c.pass(10 * time.Second)
	require.Empty(t, c.taken())
	c.nodes["d"].row.Draining = true
	c.pass(10 * time.Second)
	require.Equal(t, []string{"capacity-short us begin"}, c.taken())
	c.nodes["a"].row.Load.CPU = 0.9
	c.nodes["f"] = &node{row: membership.Row{Condition: membership.Dead, Node: membership.Node{Name: "f", Labels: map[string]string{"region": "eu"}}}}
	c.second()
	regions := c.nodes["a"].Regions()
	require.InDelta(t, 1+2*0.3/0.45, regions[1].Used, 1e-9)
	regions[1].Used = 0
	require.Equal(t, []steering.Region{
		{Name: "", Serving: 1, Needed: 1}, {Name: "eu", Serving: 3, Lost: 1, Needed: 3}, {Name: "us", Draining: 1, Needed: 1, Short: true},
	}, regions)
	for _, n := range c.nodes {
		n.row.Load.CPU = 0.9
	}
	c.second()
	require.Equal(t, 6, c.nodes["a"].Regions()[1].Needed, "twice as many")
}

// A node without transports is idle after a while, if the others have room without it; not the last one.
func TestNodeIdle(t *testing.T) {
	c := newTold(t)
	for _, n := range c.nodes {
		n.row.Load = membership.Load{}
	}
	c.nodes["a"].row.Load = membership.Load{CPU: 0.2, Transports: 1}
	c.pass(idleAfter - time.Second)
	require.Empty(t, c.taken())
	c.pass(3 * time.Second)
	require.Equal(t, []string{"node-idle b begin", "node-idle c begin"}, c.taken())
	c.nodes["c"].row.Load.Transports = 1
	c.pass(time.Second)
	require.Equal(t, []string{"node-idle c end"}, c.taken())
	c.nodes["a"].row.Load.CPU, c.nodes["c"].row.Load.CPU = 0.4, 0.4
	c.pass(time.Second)
	require.Empty(t, c.taken())
	c.pass(10 * time.Second)
	require.Equal(t, []string{"node-idle b end"}, c.taken(), "the others are nearly full")
	for _, name := range []string{"a", "b", "c"} {
		c.nodes[name].row.Load = membership.Load{}
	}
	c.pass(idleAfter + 3*time.Second)
	require.Equal(t, []string{"node-idle b begin", "node-idle c begin"}, c.taken(), "one has to stay")
	delete(c.nodes, "c")
	c.pass(idleAfter)
	require.Equal(t, []string{"node-idle c end", "node-drained c begin"}, c.taken())
}

// A node is drained when nothing is left on it, or when it has gone. It is told once, and again when it has been back.
func TestNodeDrained(t *testing.T) {
	c := newTold(t)
	c.nodes["c"].row.Draining = true
	c.pass(time.Minute)
	require.Empty(t, c.taken())
	c.nodes["c"].row.Load.Transports = 0
	c.pass(time.Second)
	require.Equal(t, []string{"node-drained c begin"}, c.taken())
	delete(c.nodes, "c")
	c.pass(time.Hour)
	require.Empty(t, c.taken())

	c.nodes["b"].row.Draining = true
	c.second()
	b := c.nodes["b"]
	delete(c.nodes, "b")
	c.second()
	require.Equal(t, []string{"node-drained b begin"}, c.taken(), "with its last heartbeat")
	b.row.Draining = false
	c.nodes["b"] = b
	c.pass(time.Second)
	b.row.Draining = true
	c.second()
	delete(c.nodes, "b")
	c.pass(time.Hour)
	require.Equal(t, []string{"node-drained b begin"}, c.taken())

	a := c.nodes["a"]
	d := c.add("d", "eu", true)
	d.row.Load.Transports, d.row.Draining = 1, true
	c.pass(time.Second)
	d.row.Condition = membership.Dead
	c.pass(time.Second)
	delete(c.nodes, "d")
	c.pass(time.Minute)
	require.Empty(t, c.taken(), "it died")
	require.Empty(t, a.Signals())
}

// One node tells: the first that has a webhook. When it is gone, the next one goes on, and nothing is told twice.
func TestWhoTells(t *testing.T) {
	c := newCluster()
	for i, name := range []string{"a", "b", "c", "d"} {
		c.add(name, "eu", i > 0).row.Load = membership.Load{CPU: 0.9, Transports: 1}
	}
	c.pass(10 * time.Second)
	require.Equal(t, []string{"b"}, c.tellers())
	require.Equal(t, []string{"capacity-short eu begin"}, c.taken())
	c.nodes["b"].row.Condition = membership.Suspect
	c.pass(2 * time.Second)
	require.Empty(t, c.tellers())
	c.pass(3 * time.Second)
	require.Equal(t, []string{"c"}, c.tellers())
	require.Empty(t, c.taken())

	c.add("b", "eu", true).row.Load = membership.Load{CPU: 0.9, Transports: 1}
	c.pass(time.Minute)
	require.Equal(t, []string{"c"}, c.tellers(), "it goes on when the first one is back")
	delete(c.nodes, "c")
	c.pass(10 * time.Second)
	require.Equal(t, []string{"b"}, c.tellers())
	require.Empty(t, c.taken())
	for _, n := range c.nodes {
		n.row.Load.CPU = 0
	}
	c.pass(15 * time.Second)
	require.Equal(t, []string{"capacity-short eu end"}, c.taken())
}

// Two that tell, as the network was split: one of them yields. One without a webhook yields to one with it.
func TestYielding(t *testing.T) {
	c := newTold(t)
	one := c.nodes["a"]
	delete(c.nodes, "a")
	c.pass(10 * time.Second)
	require.Equal(t, []string{"b"}, c.tellers())
	c.nodes["a"] = one
	c.pass(2 * time.Second)
	require.Equal(t, []string{"a"}, c.tellers())

	c = newCluster()
	c.add("a", "eu", false).row.Load = membership.Load{CPU: 0.9, Transports: 1}
	c.pass(15 * time.Second)
	require.Equal(t, []string{"a"}, c.tellers())
	require.Len(t, c.nodes["a"].row.Signals, 1, "other nodes hear them")
	require.Empty(t, c.taken())
	c.add("b", "eu", true).row.Load = membership.Load{CPU: 0.9, Transports: 1}
	c.pass(10 * time.Second)
	require.Equal(t, []string{"b"}, c.tellers())
	require.Equal(t, []string{"capacity-short eu begin"}, c.taken())

	c.nodes["a"].row.Load.CPU = 0
	delete(c.nodes, "b")
	c.pass(30 * time.Second)
	require.Equal(t, []string{"a"}, c.tellers())
	require.Empty(t, c.nodes["a"].row.Signals, "nobody has to hear of the end")
}

// A webhook that fails is called again, later each time, as long as the signal lasts; what begins again waits for the end of what was before.
func TestWebhookFails(t *testing.T) {
	c := newTold(t)
	tries := 0
	c.fails = func() bool { tries++; return true }
	c.nodes["c"].row.Draining = true
	load := func(cpu float64) { c.nodes["a"].row.Load.CPU, c.nodes["b"].row.Load.CPU = cpu, cpu }
	load(0.9)
	c.pass(10 * time.Minute)
	require.InDelta(t, 15, tries, 3, "1, 2, 4 … 60 seconds")
	load(0)
	c.pass(20 * time.Second)
	load(0.9)
	c.pass(20 * time.Second)
	require.Len(t, c.nodes["a"].row.Signals, 2)
	c.fails = nil
	c.pass(2 * time.Minute)
	require.Equal(t, []string{"capacity-short eu end", "capacity-short eu begin"}, c.taken(), "the first may have come")

	tries = 0
	c.fails = func() bool { tries++; return true }
	load(0)
	c.pass(time.Hour)
	require.Equal(t, 20, tries, "an end is given up")
	require.Empty(t, c.nodes["a"].row.Signals)
	require.Empty(t, c.taken())
}

// There are no more signals than a heartbeat can carry, and always room for that of a region that is short of capacity.
func TestManySignals(t *testing.T) {
	c := newCluster()
	for i := range 30 {
		c.add(string(rune('A'+i)), "eu", true)
	}
	c.pass(idleAfter + 10*time.Second)
	many := len(c.nodes["A"].row.Signals)
	require.Less(t, many, membership.MaxSignals)
	require.Len(t, c.taken(), many)
	full := c.add("z", "us", true)
	full.row.Load = membership.Load{CPU: 0.9, Transports: 1}
	c.pass(10 * time.Second)
	require.Equal(t, []string{"capacity-short us begin"}, c.taken())
	full.row.Load.CPU = 0
	c.pass(15 * time.Second)
	require.Equal(t, []string{"capacity-short us end"}, c.taken())
	for _, n := range c.nodes {
		n.row.Load.Transports = 1
	}
	c.pass(time.Second)
	require.Len(t, c.taken(), many)
	require.Empty(t, c.nodes["A"].row.Signals)
}

// What a later version tells and this one does not know is not passed on. What is not there any more cannot be delivered.
func TestStrangeSignals(t *testing.T) {
	c := newCluster()
	c.add("b", "eu", true)
	c.nodes["a"] = &node{
		Machine: steering.New(c.now, steering.Options{Name: "a"}),
		row: membership.Row{Condition: membership.Alive, Node: membership.Node{
			Name: "a", Steers: true, Tells: true, Load: membership.Load{Transports: 1}, Signals: []membership.Signal{{ID: "1", Kind: "unknown"}, {ID: "2", Kind: membership.CapacityShort, Region: "eu"}},
		}},
	}
	rows := c.rows()
	c.nodes["b"].Update(c.now, 0, rows)
	require.False(t, c.nodes["b"].Tells())
	for range 12 {
		c.now = c.now.Add(time.Second)
		c.nodes["b"].Update(c.now, 0, rows[1:])
	}
	require.True(t, c.nodes["b"].Tells())
	require.Equal(t, []membership.Signal{{ID: "2", Kind: membership.CapacityShort, Region: "eu", Over: true}}, c.nodes["b"].Signals())
	c.nodes["b"].Delivered(c.now, membership.Signal{ID: "3"}, true)
}
