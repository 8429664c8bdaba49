package runner

import (
	"math"
	"runtime"

	"gazpacho/engine/look"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// visitedAtOnce is how many transports, producers and consumers are visited in one turn of a shard, so that media never waits long
// for figures. Chosen here: well below 100 µs, even if none of them is in the processor's cache.
const visitedAtOnce = 64

// Figures is what a shard and its transports did and are.
type Figures struct {
	Shard      shard.Figures
	Transports transport.Figures
	Census     transport.Census
	Placed     int    // transports
	Faults     uint64 // panics that were contained
}

// Enlist makes the actor's transport, which is one of a Router, part of the shard's figures.
func (a *TransportActor) Enlist(router string) {
	a.ctx.Do(func(unit.Time) {
		a.room = look.RoomID{Owner: a.env.Owner, Router: look.Name(router)}
		a.place = len(a.ctx.actors)
		a.ctx.actors = append(a.ctx.actors, a)
	})
}

// Delist undoes Enlist. The shard's turn is held, and the transport is about to close.
func (a *TransportActor) Delist() {
	last := len(a.ctx.actors) - 1
	moved := a.ctx.actors[last]
	a.ctx.actors[a.place], moved.place = moved, a.place
	a.ctx.actors[last] = nil
	a.ctx.actors = a.ctx.actors[:last]
}

// Figures returns the figures of each shard, and measures them from the first call on. It takes many short turns and no long one, so
// that what is added up is not of one instant. No shard's turn must be held, and only one goroutine may call it at a time.
func (r *Runner) Figures() []Figures {
	all := make([]Figures, len(r.shards))
	for i, s := range r.shards {
		s.shard.Measure()
		s.visitAll(func(_ unit.Time, a *TransportActor, from, n int) (int, bool) {
			return a.transport.Visit(from, n, &all[i].Census)
		})
		s.Do(func(unit.Time) {
			all[i].Shard, all[i].Transports, all[i].Faults = s.shard.Figures(), s.figures, s.faults
			all[i].Placed = len(s.actors)
		})
	}
	return all
}

// Datagrams returns what transports have received and sent until now, closed ones included. It takes one short turn of each shard. No
// shard's turn must be held.
func (r *Runner) Datagrams() (all transport.Datagrams) {
	for _, s := range r.shards {
		s.Do(func(unit.Time) { unit.Add(&all, &s.figures.Datagrams) })
	}
	return all
}

// visitAll visits the transports from the last to the first, a few at a time. One that is closed meanwhile has been visited last by its
// Close; the one that takes its place was visited before, or still will be.
func (s *ShardContext) visitAll(part visitor) {
	v := visit{next: math.MaxInt}
	for more := true; more; {
		s.Do(func(now unit.Time) { more = v.some(now, s, part) })
		runtime.Gosched() // to whoever waits for the turn
	}
}

// visitor visits a part of what an actor's transport holds: up to n producers and consumers behind the first from ones. It returns how
// many these were, and whether there are more.
type visitor func(now unit.Time, a *TransportActor, from, n int) (visited int, more bool)

// visit is how far a visit of a shard has come.
type visit struct {
	next    int             // place of the next actor
	partly  *TransportActor // the actor there, if a part of it is visited already
	objects int             // how many of its producers and consumers
}

// some visits some of what is left, and reports whether there is more. The shard's turn is held.
func (v *visit) some(now unit.Time, s *ShardContext, part visitor) (more bool) {
	v.next = min(v.next, len(s.actors)-1)
	for budget := visitedAtOnce; budget > 0 && v.next >= 0; budget-- {
		a := s.actors[v.next]
		if a != v.partly {
			v.partly, v.objects = a, 0
		}
		visited, left := a.visit(now, v.objects, budget, part)
		budget -= visited
		v.objects += visited
		if !left {
			v.next--
		}
	}
	return v.next >= 0
}

func (a *TransportActor) visit(now unit.Time, from, n int, part visitor) (visited int, left bool) {
	defer a.contain("figures")
	return part(now, a, from, n)
}
