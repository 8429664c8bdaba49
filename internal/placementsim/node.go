package main

import (
	"time"

	"gazpacho/scaling/placement"
)

// node is a host that carries transports.
type node struct {
	world      *world
	index      int
	cores      int
	dead       bool
	used       float64 // cores
	before     float64 // a second ago
	measured   float64 // the load, when it was looked at last
	transports []*transport
	routers    int
	outlook    placement.Outlook
}

func (n *node) load() float64 { return min(n.used/float64(n.cores), 1) }

// state is what the node tells.
func (n *node) state() placement.State {
	if n.world.contender.assumes {
		return n.outlook.State(n.world.now, n.cores)
	}
	return placement.State{Load: n.measured}
}

// take takes a transport on the given terms, and tells the node's state. A Router comes before its first transport, and leaves if that is
// refused, when the front has heard of it.
func (n *node) take(t *transport, terms placement.Terms) (told placement.State, taken bool) {
	s := t.member.room.spot(n)
	if s.accepted == 0 {
		n.routers++
		n.count()
	}
	if told = n.state(); !told.Takes(terms) {
		if s.accepted == 0 {
			n.routers--
			n.count()
		}
		return told, false
	}
	s.accepted++
	t.node, t.index = n, len(n.transports)
	n.transports = append(n.transports, t)
	n.count()
	return n.state(), true
}

func (n *node) remove(t *transport) {
	last := n.transports[len(n.transports)-1]
	n.transports[t.index], last.index = last, t.index
	n.transports = n.transports[:len(n.transports)-1]
	t.node = nil
	s := t.member.room.spot(n)
	s.accepted--
	if s.accepted == 0 {
		n.routers--
	}
	n.count()
	t.member.room.leaveSpot(n)
}

func (n *node) count() { n.outlook.Count(n.world.now, len(n.transports), n.routers) }

// tick has a group of nodes measure and tell their load.
func (w *world) tick(group int) {
	from, to := group*len(w.nodes)/ticks, (group+1)*len(w.nodes)/ticks
	told, at := make([]placement.State, to-from), w.now
	for i, n := range w.nodes[from:to] {
		n.measured = min(max((n.used+n.before)/2/float64(n.cores)+w.rng.NormFloat64()*noise, 0), 1)
		n.before = n.used
		n.outlook.Measure(at, n.measured)
		told[i] = n.state()
	}
	w.after(w.way(), func() {
		for _, f := range w.fronts {
			for i := range told {
				f.hear(from+i, &told[i], at)
			}
		}
	})
	w.after(time.Second, func() { w.tick(group) })
}

// killNodes ends some nodes.
func (w *world) killNodes() {
	for _, i := range w.rng.Perm(len(w.nodes))[:int(deadShare*float64(len(w.nodes)))] {
		n := w.nodes[i]
		n.dead = true
		for len(n.transports) > 0 {
			n.transports[len(n.transports)-1].lose()
		}
		for _, r := range w.rooms {
			r.loseRelays(n)
		}
		w.after(noticeAfter, func() {
			for _, f := range w.fronts {
				f.nodes[n.index].Draining, f.gone[n.index] = true, true
			}
		})
	}
}
