package steering_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/membership"
)

var seeds = flag.Int("seeds", 10, "how many random clusters are tested")

// Loads go up and down, nodes come, drain, die and return, and the webhook fails for a while. However that goes, at most one node tells
// when all hear each other, no signal is told twice while none dies, and in the end the receiver believes what is so.
func TestRandomClusters(t *testing.T) {
	for seed := range *seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			deaths := seed%2 == 1
			c := newCluster()
			for i := range 3 + random.IntN(4) {
				c.add(string(rune('a'+i)), []string{"eu", "us"}[random.IntN(2)], i > 0)
			}
			failing := false
			c.fails = func() bool { return failing && random.IntN(4) > 0 }
			for range 100 {
				c.change(random, deaths)
				failing = random.IntN(20) > 0 && (failing || random.IntN(20) == 0)
				c.pass(time.Duration(1+random.IntN(10)) * time.Second)
				require.LessOrEqual(t, len(c.tellers()), 1)
			}
			failing = false
			for name, n := range c.nodes {
				if n.row.Condition != membership.Alive {
					c.add(name, n.row.Labels["region"], name != "a")
				}
			}
			c.pass(5 * time.Minute)
			require.Len(t, c.tellers(), 1)
			if !deaths {
				requireInTurns(t, c.told)
			}
			c.requireTold(t)
		})
	}
}

// change changes one thing about one node.
func (c *cluster) change(random *rand.Rand, deaths bool) {
	names := c.names()
	name := names[random.IntN(len(names))]
	n := c.nodes[name]
	switch random.IntN(12) {
	case 0:
		n.row.Draining = !n.row.Draining
	case 1:
		if n.row.Draining && n.row.Load.Transports == 0 && len(names) > 2 {
			delete(c.nodes, name)
		}
	case 2:
		if free := string(rune('a' + random.IntN(8))); c.nodes[free] == nil {
			c.add(free, "eu", free != "a")
		}
	case 3:
		if deaths && n.row.Condition == membership.Alive {
			n.row.Condition, n.row.Tells, n.row.Signals = membership.Suspect, false, nil
		} else if n.row.Condition != membership.Alive {
			region := n.row.Labels["region"]
			c.add(name, region, name != "a")
		}
	case 4, 5, 6:
		n.row.Load.Transports = random.IntN(3)
	default:
		n.row.Load.CPU = random.Float64()
		if random.IntN(2) == 0 {
			n.row.Load.CPU = 0.1 * random.Float64()
		}
	}
}

// requireInTurns requires that nothing begins again that has not ended, and nothing ends that has not begun: but that a begin may have been
// given up before.
func requireInTurns(t *testing.T, told []string) {
	t.Helper()
	lasts := map[string]bool{}
	for _, text := range told {
		what, state := text[:strings.LastIndex(text, " ")], text[strings.LastIndex(text, " ")+1:]
		if strings.HasPrefix(what, "node-drained") {
			continue
		}
		require.False(t, state == "begin" && lasts[what], "%s twice: %v", what, told)
		lasts[what] = state == "begin"
	}
}

// requireTold requires that what the webhook has taken adds up to what the node that tells says.
func (c *cluster) requireTold(t *testing.T) {
	t.Helper()
	want := map[string]bool{}
	for _, s := range c.nodes[c.tellers()[0]].Signals() {
		require.True(t, s.Told, "nothing waits")
		require.False(t, s.Over)
		if s.Kind != membership.NodeDrained {
			want[fmt.Sprint(s.Kind, " ", s.Node, s.Region)] = true
			require.True(t, c.ids[s.ID+"begin"])
			require.False(t, c.ids[s.ID+"end"])
		}
	}
	short, idle := 0, 0
	for _, r := range c.nodes[c.tellers()[0]].Regions() {
		if r.Short {
			short++
		}
	}
	for k := range want {
		if strings.HasPrefix(k, "node-idle") {
			idle++
		}
	}
	require.Equal(t, short, len(want)-idle, "what lasts is told")
}
