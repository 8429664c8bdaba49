package directory_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/directory"
)

// delay is how long a message takes.
const delay = 5 * time.Millisecond

// cluster is some nodes on a virtual clock.
type cluster struct {
	now     unit.Time
	limits  directory.Limits
	nodes   []*directory.Directory
	members []directory.Member
	dead    []bool
	started int
	flight  []flying
	results [][]directory.Result
	// lose says whether a message between two nodes is lost, sees whether one is a member to the other; nil: never, and always.
	lose func(from, to int) bool
	sees func(n, other int) bool
}

type flying struct {
	at       unit.Time
	from, to int
	message  directory.Message
}

func newCluster(nodes int) *cluster { return newClusterOf(nodes, directory.DefaultLimits) }

func newClusterOf(nodes int, limits directory.Limits) *cluster {
	c := &cluster{now: unit.Time(time.Hour), limits: limits}
	for i := range nodes {
		c.nodes = append(c.nodes, nil)
		c.members = append(c.members, directory.Member{Name: fmt.Sprint("n", i)})
		c.dead = append(c.dead, false)
		c.results = append(c.results, nil)
		c.restart(i)
	}
	c.know()
	return c
}

// restart starts a node.
func (c *cluster) restart(n int) {
	c.started++
	c.members[n].Incarnation = fmt.Sprint(c.started)
	c.nodes[n], c.dead[n], c.results[n] = directory.New(c.now, c.members[n], c.limits), false, nil
	c.flight = slices.DeleteFunc(c.flight, func(f flying) bool { return f.to == n || f.from == n })
}

// die ends a node. The others do not know until know is called.
func (c *cluster) die(n int) { c.dead[n] = true }

func (c *cluster) othersOf(n int) (others []directory.Member) {
	for i, m := range c.members {
		if i != n && !c.dead[i] && (c.sees == nil || c.sees(n, i)) {
			others = append(others, m)
		}
	}
	return others
}

// know tells all nodes who lives.
func (c *cluster) know() {
	for n := range c.nodes {
		if !c.dead[n] {
			c.nodes[n].SetMembers(c.now, c.othersOf(n))
		}
	}
}

func (c *cluster) index(name string) int {
	return slices.IndexFunc(c.members, func(m directory.Member) bool { return m.Name == name })
}

// collect takes what the nodes have to send.
func (c *cluster) collect() {
	for n, d := range c.nodes {
		out := d.Output()
		for _, m := range out.Messages {
			if to := c.index(m.To); !c.dead[n] && (c.lose == nil || !c.lose(n, to)) {
				c.flight = append(c.flight, flying{c.now.Add(delay), n, to, m.Message})
			}
		}
		c.results[n] = append(c.results[n], out.Results...)
		*out = directory.Output{}
	}
}

// step goes to the next thing that happens until then, and reports whether there was one.
func (c *cluster) step(until unit.Time) bool {
	c.collect()
	next := unit.Never
	for _, f := range c.flight {
		next = min(next, f.at)
	}
	for n, d := range c.nodes {
		if !c.dead[n] {
			next = min(next, d.NextTimeout())
		}
	}
	if next > until {
		c.now = until
		return false
	}
	c.now = max(c.now, next)
	due := slices.Clone(c.flight)
	c.flight = slices.DeleteFunc(c.flight, func(f flying) bool { return f.at <= c.now })
	for _, f := range due {
		if f.at <= c.now && !c.dead[f.to] {
			c.nodes[f.to].Receive(c.now, c.members[f.from].Name, &f.message)
		}
	}
	for n, d := range c.nodes {
		if !c.dead[n] && d.NextTimeout() <= c.now {
			d.HandleTimeout(c.now)
		}
	}
	return true
}

func (c *cluster) run(d time.Duration) {
	for until := c.now.Add(d); c.step(until); {
	}
	c.collect()
}

// rest lets the cluster settle.
func (c *cluster) rest() { c.run(5 * time.Second) }

// drain lets what is on its way arrive, and what is answered to that.
func (c *cluster) drain() { c.run(3 * delay) }

func (c *cluster) register(t testing.TB, n int, front string, e directory.Entry) {
	t.Helper()
	require.NoError(t, c.nodes[n].Register(c.now, front, e))
}

// held returns how many entries all nodes hold.
func (c *cluster) held() (count int) {
	for n, d := range c.nodes {
		if !c.dead[n] {
			count += d.Held()
		}
	}
	return count
}

// outcome is what a look-up is to find.
type outcome struct {
	status directory.Status
	entry  directory.Entry
}

func found(e directory.Entry) outcome { return outcome{directory.Found, e} }

var absent = outcome{status: directory.Absent}

// find looks something up and waits.
func (c *cluster) find(t testing.TB, n int, k directory.Key) outcome {
	t.Helper()
	token, err := c.nodes[n].Lookup(c.now, k)
	require.NoError(t, err)
	for until := c.now.Add(10 * time.Second); ; {
		c.collect()
		if r, ok := c.resultOf(n, token); ok {
			return outcome{r.Status, r.Entry}
		}
		require.True(t, c.step(until), "no result")
	}
}

func (c *cluster) lookAll(n int, ids []string) (tokens []uint64) {
	for _, id := range ids {
		token, err := c.nodes[n].Lookup(c.now, key(id))
		if err == nil {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

func (c *cluster) resultOf(n int, token uint64) (directory.Result, bool) {
	i := slices.IndexFunc(c.results[n], func(r directory.Result) bool { return r.Token == token })
	if i < 0 {
		return directory.Result{}, false
	}
	return c.results[n][i], true
}

func (c *cluster) result(t testing.TB, n int, token uint64) directory.Result {
	t.Helper()
	r, ok := c.resultOf(n, token)
	require.True(t, ok, "no result")
	return r
}
