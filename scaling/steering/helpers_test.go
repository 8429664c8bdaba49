package steering_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/steering"
)

const (
	start     = unit.Time(1e18)
	idleAfter = time.Minute
)

// cluster is nodes with a machine each, which know each other and nothing else.
type cluster struct {
	now   unit.Time
	nodes map[string]*node
	told  []string        // what the webhook has taken: kind, what it is about, state
	ids   map[string]bool // of that, with the state
	fails func() bool     // nil: the webhook never does
	last  int
}

// node is one with its machine.
type node struct {
	*steering.Machine
	row membership.Row
}

func newCluster() *cluster {
	return &cluster{now: start, nodes: map[string]*node{}, ids: map[string]bool{}}
}

// add starts a node, which has a webhook.
func (c *cluster) add(name, region string, steers bool) *node {
	n := &node{row: membership.Row{Condition: membership.Alive, Node: membership.Node{
		Name: name, Incarnation: name, Labels: map[string]string{"region": region}, Steers: steers,
	}}}
	n.Machine = steering.New(c.now, steering.Options{Name: name, Steers: steers, IdleAfter: idleAfter, NewID: func() string {
		c.last++
		return fmt.Sprint(name, c.last)
	}})
	c.nodes[name] = n
	return n
}

func (c *cluster) rows() (rows []membership.Row) {
	for _, n := range c.nodes {
		rows = append(rows, n.row)
	}
	slices.SortFunc(rows, func(a, b membership.Row) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return rows
}

// second has all nodes look, tell each other, and call the webhook.
func (c *cluster) second() {
	rows := c.rows()
	for _, name := range c.names() {
		n := c.nodes[name]
		if n.row.Condition != membership.Alive {
			continue
		}
		n.Update(c.now, int64(c.now)/1e9, rows)
		for {
			s, ok := n.Next(c.now)
			if !ok {
				break
			}
			taken := c.fails == nil || !c.fails()
			if taken {
				c.take(s)
			}
			n.Delivered(c.now, s, taken)
		}
		n.row.Tells, n.row.Signals = n.Tells(), n.Signals()
	}
	c.now = c.now.Add(time.Second)
}

func (c *cluster) names() (names []string) {
	for name := range c.nodes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// take is the webhook.
func (c *cluster) take(s membership.Signal) {
	state := "begin"
	if s.Over {
		state = "end"
	}
	of := s.Node
	if of == "" {
		of = s.Region
	}
	c.told = append(c.told, fmt.Sprintf("%s %s %s", s.Kind, of, state))
	c.ids[s.ID+state] = true
}

func (c *cluster) pass(d time.Duration) {
	for end := c.now.Add(d); c.now < end; {
		c.second()
	}
}

// taken returns what the webhook has taken since the last call.
func (c *cluster) taken() (all []string) {
	all, c.told = c.told, nil
	return all
}

// tellers returns who tells.
func (c *cluster) tellers() (names []string) {
	for _, name := range c.names() {
		if n := c.nodes[name]; n.row.Condition == membership.Alive && n.Tells() {
			names = append(names, name)
		}
	}
	return names
}

func newTold(t *testing.T) *cluster {
	t.Helper()
	c := newCluster()
	for _, name := range []string{"a", "b", "c"} {
		c.add(name, "eu", true).row.Load = membership.Load{CPU: 0.3, Transports: 1}
	}
	c.pass(5 * time.Second)
	return c
}
