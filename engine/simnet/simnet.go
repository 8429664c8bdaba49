// Package simnet is a network and a clock for tests of bandwidth estimation (engine/bwe) and for the laboratory
// (engine/internal/medialab). Links delay, lose, reorder, duplicate, throttle and stall packets, follow traces, and carry the
// traffic of others; all chance comes from one seed, and time passes only when the test advances it, so that every run is the same.
//
// To connect two machines, make a Link for each direction whose deliver function gives the packet to the other machine, attach
// both with Attach, and call Advance. Each HandleTimeout is followed by the machine's drain function, which takes its output and
// sends it over a link; a deliver function does the same after the calls that it makes.
package simnet

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"gazpacho/engine/unit"
)

// maxTurns is how often a machine may be due at one instant before Advance panics: a machine whose deadline does not move is
// broken, and a test should fail instead of hanging. (Chosen here.)
const maxTurns = 1000

// Network is a virtual clock with the events and machines that it runs. It belongs to one goroutine.
type Network struct {
	now      unit.Time
	random   *rand.Rand
	events   events
	sequence uint64
	machines []attached
}

// Machine is anything with the engine's two timer verbs.
type Machine interface {
	HandleTimeout(now unit.Time)
	NextTimeout() unit.Time
}

type attached struct {
	machine Machine
	drain   func(now unit.Time)
}

// New returns a network whose clock stands at start. The same seed gives the same run.
func New(seed uint64, start unit.Time) *Network {
	return &Network{now: start, random: rand.New(rand.NewPCG(seed, 0))}
}

// Now returns the virtual time.
func (n *Network) Now() unit.Time { return n.now }

// Attach makes the clock run a machine's timers. drain, which may be nil, runs after each HandleTimeout.
func (n *Network) Attach(m Machine, drain func(now unit.Time)) {
	n.machines = append(n.machines, attached{m, drain})
}

// At runs f at time t, or now when t has passed. Events of one instant run in the order in which they were made.
func (n *Network) At(t unit.Time, f func(now unit.Time)) {
	n.sequence++
	heap.Push(&n.events, event{max(t, n.now), n.sequence, f})
}

// After runs f when d has passed.
func (n *Network) After(d time.Duration, f func(now unit.Time)) { n.At(n.now.Add(d), f) }

// NextEvent returns when something happens next: an event or a machine's timeout. It is unit.Never when nothing does.
func (n *Network) NextEvent() unit.Time {
	next := unit.Never
	if len(n.events) > 0 {
		next = n.events[0].at
	}
	if a := n.nextMachine(); a != nil {
		next = min(next, a.machine.NextTimeout())
	}
	return next
}

// nextMachine returns the machine that is due first, nil when none waits for anything.
func (n *Network) nextMachine() (first *attached) {
	next := unit.Never
	for i := range n.machines {
		if t := n.machines[i].machine.NextTimeout(); t < next {
			first, next = &n.machines[i], t
		}
	}
	return first
}

// Step moves the clock to the next event or timeout and runs it; at one instant events come first. It returns false when
// there is nothing to run.
func (n *Network) Step() bool {
	next := n.NextEvent()
	if next == unit.Never {
		return false
	}
	n.now = max(n.now, next)
	if n.eventDue() {
		heap.Pop(&n.events).(event).run(n.now)
		return true
	}
	a := n.nextMachine()
	a.machine.HandleTimeout(n.now)
	if a.drain != nil {
		a.drain(n.now)
	}
	return true
}

func (n *Network) eventDue() bool { return len(n.events) > 0 && n.events[0].at <= n.now }

// Advance lets d pass and runs everything due until then, that instant included.
func (n *Network) Advance(d time.Duration) {
	end := n.now.Add(d)
	turns, last := 0, n.now
	for n.NextEvent() <= end {
		switch {
		case n.now != last:
			turns, last = 0, n.now
		case !n.eventDue():
			turns++
		}
		if turns > maxTurns {
			panic("simnet: a machine stays due after its timeout was handled")
		}
		n.Step()
	}
	n.now = end
}

// event is something that happens at an instant.
type event struct {
	at       unit.Time
	sequence uint64
	run      func(now unit.Time)
}

// events is a heap by time, then by age.
type events []event

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].sequence < e[j].sequence
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }

func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return x
}
