package membership_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

var seeds = flag.Int("seeds", 10, "how many random clusters are tested")

// Chosen so that everything happens in a few minutes of virtual time.
const (
	turn  = 100 * time.Millisecond
	storm = 5 * time.Minute
	calm  = 30 * time.Second
)

// process is a node's process in a random cluster.
type process struct {
	*member
	name      string
	side      int       // of a partition
	online    bool      // the bus is there
	stoppedTo unit.Time // it is stopped until then
	heard     map[string]sign
}

// sign is the newest heartbeat of a node that a process was handed.
type sign struct {
	process int
	number  uint64
	at      unit.Time
}

// message is a heartbeat on its way.
type message struct {
	at        unit.Time
	to        *process
	heartbeat membership.Heartbeat
}

// cluster is a bus that loses, delays, repeats and reorders, and nodes that come and go.
type cluster struct {
	t         *testing.T
	random    *rand.Rand
	now       unit.Time
	processes map[string]*process
	started   int
	under     []message
	bad       bool // the bus is
}

func TestRandomClusters(t *testing.T) {
	for seed := range uint64(*seeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			c := &cluster{
				t: t, random: rand.New(rand.NewPCG(seed, 0)), now: start, processes: map[string]*process{},
			}
			c.bad = true
			for end := c.now.Add(storm); c.now < end; {
				c.disturb()
				c.step()
			}
			c.bad = false
			for _, p := range c.processes {
				p.side, p.stoppedTo = 0, 0
				c.online(p, true)
			}
			for end := c.now.Add(calm); c.now < end; {
				c.step()
			}
			c.check()
		})
	}
}

func (c *cluster) chance(p float64) bool { return c.random.Float64() < p }

// disturb has something happen now and then.
func (c *cluster) disturb() {
	name := fmt.Sprint("n", c.random.IntN(8))
	p := c.processes[name]
	switch {
	case p == nil:
		if c.chance(0.1) {
			c.start(name)
		}
	case c.chance(0.004):
		delete(c.processes, name)
	case c.chance(0.004):
		p.Leave(p.now)
		c.collect(p)
		delete(c.processes, name)
	case c.chance(0.004):
		p.stoppedTo = c.now.Add(time.Duration(c.random.IntN(40)) * time.Second)
	case c.chance(0.01):
		p.side = c.random.IntN(2)
	case c.chance(0.01):
		c.online(p, !p.online)
	}
}

func (c *cluster) start(name string) {
	c.started++
	p := &process{member: newMember(c.t, name, fmt.Sprint(c.started)), name: name, heard: map[string]sign{}}
	p.Member = membership.New(c.now, membership.Node{Name: name, Incarnation: fmt.Sprint(c.started)}, membership.DefaultLimits)
	p.now = c.now
	c.processes[name] = p
	c.online(p, true)
}

func (c *cluster) online(p *process, online bool) {
	if p.online == online {
		return
	}
	p.online, p.now = online, c.now
	if online {
		p.connect()
	} else {
		p.disconnect()
	}
	c.collect(p)
}

// step lets a moment pass.
func (c *cluster) step() {
	c.now = c.now.Add(turn)
	for name := range 8 { // in an order that a seed repeats
		p := c.processes[fmt.Sprint("n", name)]
		if p == nil || p.stoppedTo > c.now {
			continue
		}
		p.now = c.now
		p.HandleTimeout(c.now)
		c.collect(p)
	}
	waiting := c.under
	c.under = nil
	for _, m := range waiting {
		p := m.to
		switch {
		case c.processes[p.name] != p || !p.online:
		case m.at > c.now || p.stoppedTo > c.now:
			c.under = append(c.under, m)
		default:
			p.note(c.now, &m.heartbeat)
			p.HandleHeartbeat(c.now, m.heartbeat)
			c.collect(p)
		}
	}
}

// note notes a heartbeat if it is news.
func (p *process) note(now unit.Time, h *membership.Heartbeat) {
	last := p.heard[h.Name]
	started, _ := strconv.Atoi(h.Incarnation)
	if h.State == membership.Serving && (started > last.process || started == last.process && h.Number > last.number) {
		p.heard[h.Name] = sign{started, h.Number, now}
	}
}

// collect takes what a process has put out, and checks it.
func (c *cluster) collect(p *process) {
	before := len(p.heartbeats)
	p.drain()
	for _, r := range p.told() {
		var name string
		var condition membership.Condition
		_, err := fmt.Sscan(r, &name, &condition)
		require.NoError(c.t, err)
		if heard, ever := p.heard[name]; ever && condition == membership.Dead {
			require.GreaterOrEqual(c.t, c.now.Sub(heard.at), membership.DeadAfter, "%s is called dead, and was heard just now", name)
		}
	}
	for _, h := range p.heartbeats[before:] {
		if !p.online {
			continue
		}
		for name := range 8 {
			to := c.processes[fmt.Sprint("n", name)]
			if to == nil || to.side != p.side {
				continue
			}
			copies := 1
			delay := time.Duration(c.random.IntN(20)) * time.Millisecond
			if c.bad {
				delay = time.Duration(c.random.ExpFloat64() * float64(300*time.Millisecond))
				if c.chance(0.1) {
					copies = 0
				} else if c.chance(0.1) {
					copies = 2
				}
			}
			for i := range copies {
				c.under = append(c.under, message{c.now.Add(delay + time.Duration(i)*time.Second), to, h})
			}
		}
	}
}

// check compares all tables with what is the case.
func (c *cluster) check() {
	require.NotEmpty(c.t, c.processes)
	for _, p := range c.processes {
		require.True(c.t, p.joined)
		for name := range 8 {
			name := fmt.Sprint("n", name)
			r, listed := p.row(name)
			switch other := c.processes[name]; {
			case other != nil:
				require.Equal(c.t, membership.Alive, r.Condition, "%s in the table of %s", name, p.name)
				own, _ := other.row(name)
				require.Equal(c.t, own.Incarnation, r.Incarnation, "%s in the table of %s", name, p.name)
				require.False(c.t, r.Namesake)
			case listed:
				require.Equal(c.t, membership.Dead, r.Condition, "%s in the table of %s", name, p.name)
			}
		}
	}
}
