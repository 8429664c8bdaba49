package main

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"gazpacho/engine/unit"
)

// size is that of the cluster, and when things happen there.
type size struct {
	nodes, applications, frontsEach int
	transports                      int // when all have come
	arrive, burst, death, end       time.Duration
}

var fullSize = size{
	nodes: 1000, applications: 4, frontsEach: 64, transports: 100_000,
	arrive: 600 * time.Second, burst: 780 * time.Second, death: 960 * time.Second, end: 1200 * time.Second,
}

// scaled returns a cluster that is smaller by a factor; what happens takes as long.
func (s size) scaled(by float64) size {
	s.nodes = max(int(float64(s.nodes)*by), 10)
	s.transports = max(int(float64(s.transports)*by), 100)
	s.frontsEach = max(int(float64(s.frontsEach)*min(1, 2*by)), 2)
	return s
}

// What the cluster is like.
const (
	cores       = 2                       // of most nodes; each fourth has twice as many
	ticks       = 10                      // groups of nodes, which tell their load one after the other within each second
	noise       = 0.015                   // standard deviation of a measured load
	wayMin      = time.Millisecond        // of a message between front and node
	wayMax      = 30 * time.Millisecond   //
	mediaAfter  = 1500 * time.Millisecond // from the second transport to the first packet
	noticeAfter = time.Second             // until a front knows that a node has died
	burstShare  = 0.15                    // of all people, who come within burstTime
	burstTime   = 20 * time.Second        //
	deadShare   = 0.1                     // of the nodes
	comeBackMin = time.Second             // until somebody is back whose node has died
	comeBackMax = 8 * time.Second         //
	tryAgain    = 5 * time.Second         // after all nodes have refused somebody
)

// world is a cluster that is simulated.
type world struct {
	size      size
	rng       *rand.Rand
	contender contender
	now       unit.Time
	begin     unit.Time
	events    events
	order     uint64
	nodes     []*node
	fronts    []*front
	rooms     []*room
	relays    int
	stats     stats
}

// event is something to do at an instant.
type event struct {
	at    unit.Time
	order uint64 // of those at one instant
	do    func()
}

type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return x
}

func (w *world) after(d time.Duration, do func()) {
	w.order++
	heap.Push(&w.events, event{w.now.Add(d), w.order, do})
}

// simulate plays everything with one policy.
func simulate(size size, c contender, seed uint64) result {
	w := &world{
		size: size, rng: rand.New(rand.NewPCG(seed, 1)), contender: c, begin: unit.Time(time.Hour), now: unit.Time(time.Hour),
	}
	for i := range size.nodes {
		n := &node{world: w, index: i, cores: cores}
		if i%4 == 3 {
			n.cores *= 2
		}
		w.nodes = append(w.nodes, n)
	}
	for range size.applications * size.frontsEach {
		w.fronts = append(w.fronts, newFront(w))
	}
	w.populate()
	for group := range ticks {
		w.after(time.Duration(group)*time.Second/ticks, func() { w.tick(group) })
	}
	w.after(time.Second, w.sample)
	w.after(size.death-time.Millisecond, w.survey)
	w.after(size.death, w.killNodes)
	for len(w.events) > 0 && w.events[0].at <= w.begin.Add(size.end) {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	return result{c.name, w.stats}
}

// between draws a duration.
func (w *world) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rng.Int64N(int64(to-from)))
}

func (w *world) way() time.Duration { return w.between(wayMin, wayMax) }
