package directory_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/directory"
)

var seeds = flag.Int("seeds", 30, "how many random clusters")

// Nodes die, return and are parted, messages are lost, fronts come and go, and all the time somebody looks something up. What is found was
// registered at some time, and is what was registered. When the faults have ended, what is registered is found from everywhere, nothing
// else is, and nothing is left over.
func TestRandomCluster(t *testing.T) {
	for seed := range uint64(*seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			newChaos(t, seed).play()
		})
	}
}

// chaos is a cluster that random things happen to.
type chaos struct {
	*testing.T
	*cluster
	rng        *rand.Rand
	registered []map[directory.Key]directory.Entry // by node
	ever       map[directory.Entry]bool
	version    uint64
	parted     bool
	looked     int // look-ups that have ended
}

func newChaos(t *testing.T, seed uint64) *chaos {
	rng := rand.New(rand.NewPCG(seed, 1))
	c := &chaos{T: t, cluster: newCluster(3 + rng.IntN(4)), rng: rng, ever: map[directory.Entry]bool{}}
	for range c.nodes {
		c.registered = append(c.registered, map[directory.Key]directory.Entry{})
	}
	return c
}

func (c *chaos) play() {
	loss := c.rng.Float64() * 0.2
	c.lose = func(from, to int) bool {
		return c.rng.Float64() < loss || c.parted && from%2 != to%2
	}
	c.sees = func(n, other int) bool { return !c.parted || n%2 == other%2 }
	for range 300 {
		c.act()
		c.run(time.Duration(c.rng.Int64N(int64(500 * time.Millisecond))))
	}
	for n := range c.nodes {
		c.checkResults(n)
		if c.dead[n] {
			c.restart(n)
		}
	}
	require.Positive(c, c.looked)
	c.lose, c.sees = nil, nil
	c.know()
	c.run(6 * time.Second)
	c.check()
}

// act does something.
func (c *chaos) act() {
	n := c.rng.IntN(len(c.nodes))
	switch what := c.rng.IntN(20); {
	case what == 0 && !c.dead[n]:
		c.die(n)
		c.registered[n] = map[directory.Key]directory.Entry{}
	case what == 1 && c.dead[n]:
		c.checkResults(n)
		c.restart(n)
		c.know()
	case what == 2:
		c.know()
	case what == 3:
		c.parted = !c.parted
		c.know()
	case c.dead[n]:
	case what == 4:
		front := c.front()
		c.nodes[n].Leave(c.now, front)
		for k, e := range c.registered[n] {
			if e.Value == front {
				delete(c.registered[n], k)
			}
		}
	case what < 12:
		c.version++
		e := directory.Entry{Key: c.key(), Value: c.front(), Version: c.version}
		require.NoError(c, c.nodes[n].Register(c.now, e.Value, e))
		c.registered[n][e.Key], c.ever[e] = e, true
	case what < 15:
		k, front := c.key(), c.front()
		c.nodes[n].Unregister(c.now, front, k)
		if c.registered[n][k].Value == front {
			delete(c.registered[n], k)
		}
	default:
		_, err := c.nodes[n].Lookup(c.now, c.key())
		require.NoError(c, err)
	}
}

func (c *chaos) front() string { return fmt.Sprint("front", c.rng.IntN(3)) }

func (c *chaos) key() directory.Key {
	return directory.Key{Tenant: fmt.Sprint("tenant", c.rng.IntN(2)), ID: fmt.Sprint("p", c.rng.IntN(20))}
}

// checkResults checks what a node's look-ups have found.
func (c *chaos) checkResults(n int) {
	for _, r := range c.results[n] {
		c.looked++
		if r.Status == directory.Found {
			require.True(c, c.ever[r.Entry], "%v was never registered", r.Entry)
		}
	}
}

// check compares what is found with what is registered.
func (c *chaos) check() {
	want, entries := map[directory.Key]directory.Entry{}, 0
	for _, all := range c.registered {
		for k, e := range all {
			entries++
			if e.Version > want[k].Version {
				want[k] = e
			}
		}
	}
	for n := range c.nodes {
		for tenant := range 2 {
			for id := range 20 {
				k := directory.Key{Tenant: fmt.Sprint("tenant", tenant), ID: fmt.Sprint("p", id)}
				expected := absent
				if e, ok := want[k]; ok {
					expected = found(e)
				}
				require.Equal(c, expected, c.find(c, n, k))
			}
		}
	}
	require.Equal(c, 2*entries, c.held())
}
