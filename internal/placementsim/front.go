package main

import (
	"math/rand/v2"
	"slices"

	"gazpacho/engine/unit"
	"gazpacho/scaling/placement"
)

// front places the transports of its Routers, by what it knows of the nodes.
type front struct {
	world  *world
	choose chooser
	nodes  []placement.Node
	heard  []unit.Time // when what it knows was told
	gone   []bool      // nodes that it knows to be dead
}

func newFront(w *world) *front {
	rng := rand.New(rand.NewPCG(w.rng.Uint64(), 2))
	return &front{
		world: w, choose: w.contender.start(rng), nodes: make([]placement.Node, len(w.nodes)), heard: make([]unit.Time, len(w.nodes)),
		gone: make([]bool, len(w.nodes)),
	}
}

// hear takes what a node told at an instant, unless something later has overtaken it.
func (f *front) hear(i int, s *placement.State, at unit.Time) {
	if at >= f.heard[i] {
		draining := f.nodes[i].Draining
		f.nodes[i].State, f.heard[i] = *s, at
		f.nodes[i].Draining = draining
	}
}

// search is what a front does to place a transport: as in scaling/front, a node that refuses it is left out, and when all have, each is
// asked once more, for an answer whatever its load.
type search struct {
	refused []int
	again   bool
}

// best asks the policy.
func (f *front) best(r *room, s *search) (index int, terms placement.Terms) {
	for _, at := range r.spots {
		f.nodes[at.node.index].Transports = at.transports
	}
	for _, n := range s.refused {
		f.nodes[n].Draining = true
	}
	index, terms = f.choose(f.nodes, r.id)
	for _, n := range s.refused {
		f.nodes[n].Draining = f.gone[n]
	}
	if index < 0 && !s.again && len(s.refused) > 0 {
		s.refused, s.again = nil, true
		index, _ = f.choose(f.nodes, r.id)
	}
	if s.again {
		terms = placement.Terms{}
	}
	for _, at := range r.spots {
		f.nodes[at.node.index].Transports = 0
	}
	f.world.stats.decisions++
	return index, terms
}

// place finds a node for a transport, and calls done when one has taken it.
func (f *front) place(t *transport, s search, done func()) {
	w, r := f.world, t.member.room
	if t.member.left {
		return
	}
	i, terms := f.best(r, &s)
	if i < 0 {
		w.stats.short++
		w.after(tryAgain, func() { f.place(t, search{}, done) })
		return
	}
	n, known := w.nodes[i], &f.nodes[i]
	known.Asked++
	known.All++
	r.spot(n).transports++
	again := func() {
		known.Asked--
		known.All--
		r.leaveSpot(n)
		s.refused = append(slices.Clip(s.refused), i)
		f.place(t, s, done)
	}
	w.after(w.way(), func() {
		if n.dead {
			w.after(noticeAfter, again)
			return
		}
		told, taken := n.take(t, terms)
		at := w.now
		w.after(w.way(), func() {
			f.hear(i, &told, at)
			if !taken {
				w.stats.busy++
				again()
				return
			}
			known.Asked--
			if t.node == n { // else the node has died meanwhile, or the member has left
				done()
			}
		})
	})
}
