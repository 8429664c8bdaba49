package main

import (
	"slices"
	"time"
)

// What media costs, in cores. They are higher than docs/benchmarks.md has them: packets come one by one, and the machine does more
// than forwarding.
const (
	idleCost = 0.0003 // of a transport
	inCost   = 0.0035 // of a producer's media that comes
	outCost  = 0.0025 // of a producer's media that goes to one consumer, or to one node
	visible  = 9      // producers that somebody watches at most
)

// kind is a kind of room.
type kind struct {
	name       string
	share      float64 // of all transports
	from, to   int     // members
	publishers int     // of these; 0: all
	gathering  time.Duration
	life       time.Duration
}

var kinds = []kind{
	{"meeting", 0.6, 2, 8, 0, 30 * time.Second, 25 * time.Minute},
	{"class", 0.25, 20, 60, 4, 60 * time.Second, 45 * time.Minute},
	{"webinar", 0.15, 400, 3000, 3, 150 * time.Second, 60 * time.Minute},
}

// room is a Router with its members.
type room struct {
	world     *world
	id        uint64
	kind      *kind
	front     *front
	members   []*member
	spots     []*spot // where it is, in the order in which it came there
	producers []*producer
}

// spot is a Router on a node.
type spot struct {
	node       *node
	transports int // asked for ones, too
	accepted   int // those that the node has
	receivers  int // of these, those that media goes to
}

// member is somebody in a room.
type member struct {
	room       *room
	publishes  bool
	transports []*transport
	producer   *producer
	left       bool
}

// transport is one of a member.
type transport struct {
	member   *member
	receives bool
	node     *node
	index    int // in the node's list
	active   bool
	cost     float64
}

func (k *kind) draw(w *world) int { return k.from + w.rng.IntN(k.to-k.from+1) }

// populate has rooms come. A room that ends is followed by another one of its kind and size.
func (w *world) populate() {
	for i := range kinds {
		k := &kinds[i]
		for left := int(k.share * float64(w.size.transports)); left > 0; {
			members := min(k.draw(w), left)
			start, gathering := w.between(0, w.size.arrive), k.gathering
			if w.rng.Float64() < burstShare {
				start, gathering = w.size.burst, burstTime
			}
			w.after(start, func() { w.open(k, members, gathering) })
			left -= members * k.transportsEach()
		}
	}
}

// transportsEach returns how many transports a member has. Who only watches needs one.
func (k *kind) transportsEach() int {
	if k.name == "webinar" {
		return 1
	}
	return 2
}

func (w *world) open(k *kind, members int, gathering time.Duration) {
	r := &room{world: w, id: w.rng.Uint64(), kind: k, front: w.fronts[w.rng.IntN(len(w.fronts))]}
	w.rooms = append(w.rooms, r)
	for i := range members {
		m := &member{room: r, publishes: k.publishers == 0 || i < k.publishers}
		if m.publishes || k.transportsEach() == 2 {
			m.transports = append(m.transports, &transport{member: m})
		}
		m.transports = append(m.transports, &transport{member: m, receives: true})
		come := w.between(0, gathering)
		if m.publishes && k.publishers > 0 {
			come = 0 // who has something to say is there first
		}
		w.after(come, m.join)
	}
	life := time.Duration(w.rng.ExpFloat64() * float64(k.life))
	w.after(gathering+time.Minute+life, func() {
		r.close()
		w.open(k, members, k.gathering)
	})
}

func (r *room) close() {
	for _, m := range r.members {
		m.left = true
		for _, t := range m.transports {
			t.stop()
			if t.node != nil {
				t.node.remove(t)
			}
		}
	}
	r.world.rooms = slices.DeleteFunc(r.world.rooms, func(other *room) bool { return other == r })
}

// join asks for the member's transports, one after the other.
func (m *member) join() {
	m.room.members = append(m.room.members, m)
	for i, t := range m.transports {
		m.room.world.after(time.Duration(i)*200*time.Millisecond, t.begin)
	}
}

// begin asks for the transport, on which media flows soon after.
func (t *transport) begin() {
	w := t.member.room.world
	t.member.room.front.place(t, search{}, func() {
		n := t.node
		n.use(t, idleCost)
		w.after(mediaAfter, func() {
			if t.node == n {
				t.start()
			}
		})
	})
}

// use changes what the transport costs its node.
func (n *node) use(t *transport, cost float64) {
	n.used += cost - t.cost
	t.cost = cost
}

// start has media flow.
func (t *transport) start() {
	r := t.member.room
	t.active = true
	switch {
	case t.receives:
		s := r.spot(t.node)
		s.receivers++
		if s.receivers == 1 {
			for _, p := range r.producers {
				p.relayTo(t.node)
			}
		}
		r.recost(t)
	case t.member.publishes:
		t.node.use(t, idleCost+inCost)
		t.member.producer = r.produce(t.node)
		r.recostAll()
	}
}

// stop ends its media.
func (t *transport) stop() {
	if t.node == nil {
		return
	}
	r := t.member.room
	if t.active {
		t.active = false
		switch p := t.member.producer; {
		case t.receives:
			r.spot(t.node).receivers--
			for _, p := range r.producers {
				p.unuse(p.at(t.node))
			}
		case p != nil:
			t.member.producer = nil
			p.close()
			r.recostAll()
		}
	}
	t.node.use(t, 0)
}

// lose is what a node's death does to a transport: whoever had it comes back.
func (t *transport) lose() {
	w := t.member.room.world
	t.stop()
	t.node.remove(t)
	w.after(w.between(comeBackMin, comeBackMax), t.begin)
}

// watched returns how many producers go to a transport.
func (r *room) watched(t *transport) int {
	others := len(r.producers)
	if t.member.producer != nil {
		others--
	}
	return min(others, visible)
}

// recost updates what a receiving transport costs.
func (r *room) recost(t *transport) { t.node.use(t, idleCost+outCost*float64(r.watched(t))) }

func (r *room) recostAll() {
	for _, m := range r.members {
		if t := m.transports[len(m.transports)-1]; t.active {
			r.recost(t)
		}
	}
}

func (r *room) spot(n *node) *spot {
	for _, s := range r.spots {
		if s.node == n {
			return s
		}
	}
	s := &spot{node: n}
	r.spots = append(r.spots, s)
	return s
}

// leaveSpot counts one transport less on a node.
func (r *room) leaveSpot(n *node) {
	s := r.spot(n)
	if s.transports--; s.transports == 0 {
		r.spots = slices.DeleteFunc(r.spots, func(other *spot) bool { return other == s })
	}
}
