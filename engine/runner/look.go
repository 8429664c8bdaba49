package runner

import (
	"runtime"
	"slices"
	"strings"

	"gazpacho/engine/look"
	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// Chosen here.
const (
	// lookedAtOnce is how many producers and consumers are looked at in one turn of a shard: their statistics cost some microseconds each.
	lookedAtOnce = 16
	// maxLooked is how many there are in one answer: less than three megabytes.
	maxLooked = 4000
	// maxOfTransport is how many of one transport are shown.
	maxOfTransport = 1000
)

// Readings returns a reading of each transport. Like Figures, it takes many short turns, and no shard's turn must be held.
func (r *Runner) Readings() (all []look.Reading) {
	for _, s := range r.shards {
		s.visitAll(func(now unit.Time, a *TransportActor, from, n int) (int, bool) {
			if from == 0 {
				all = append(all, look.Reading{ID: a.name()})
			}
			return a.transport.Read(now, from, n, &all[len(all)-1])
		})
	}
	return all
}

// name returns the transport's name for operators.
func (a *TransportActor) name() look.TransportID {
	return look.TransportID{RoomID: a.room, Transport: look.Name(a.transport.ID())}
}

// ShardFigures returns how busy the shards were, which is measured from the first call on, and how many transports each has.
func (r *Runner) ShardFigures() (figures []shard.Figures, placed []int) {
	figures, placed = make([]shard.Figures, len(r.shards)), make([]int, len(r.shards))
	for i, s := range r.shards {
		s.shard.Measure()
		s.Do(func(unit.Time) { figures[i], placed[i] = s.shard.Figures(), len(s.actors) })
	}
	return figures, placed
}

// found is a transport of a Router, or several.
type found struct {
	id    string
	actor *TransportActor
}

// find returns the transports that are wanted, by their ids.
func (r *Runner) find(wanted func(look.TransportID) bool) (all []found) {
	for _, s := range r.shards {
		s.visitAll(func(_ unit.Time, a *TransportActor, _, _ int) (int, bool) {
			if name := a.name(); wanted(name) {
				all = append(all, found{name.Transport, a})
			}
			return 0, false
		})
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.id, b.id) })
	return slices.CompactFunc(all, func(a, b found) bool { return a.actor == b.actor }) // a transport may be visited twice
}

// LookAtRoom returns those of a Router's transports whose ids follow one, with what they hold, as many as there is room for.
func (r *Runner) LookAtRoom(room look.RoomID, after string) look.Room {
	answer := look.Room{RoomID: room, Transports: []look.Transport{}}
	left := maxLooked
	for _, f := range r.find(func(id look.TransportID) bool { return id.RoomID == room && id.Transport > after }) {
		if left <= 0 {
			answer.More = true
			break
		}
		if t, ok := f.actor.look(); ok {
			answer.Transports = append(answer.Transports, t)
			left -= 1 + len(t.Producers) + len(t.Consumers)
		}
	}
	return answer
}

// LookAtTransport returns all about a transport; false if there is none of that name.
func (r *Runner) LookAtTransport(id look.TransportID) (t look.Transport, ok bool) {
	for _, f := range r.find(func(have look.TransportID) bool { return have == id }) {
		return f.actor.look()
	}
	return t, false
}

// look takes as many turns as it needs. It returns false if the transport has closed.
func (a *TransportActor) look() (t look.Transport, ok bool) {
	t.Shard = a.ctx.Index()
	for from, more := 0, true; more; {
		a.ctx.Do(func(now unit.Time) {
			ok = a.enlisted()
			var visited int
			t.TransportID = a.name()
			visited, more = a.visit(now, from, lookedAtOnce, func(now unit.Time, a *TransportActor, from, n int) (int, bool) {
				return a.transport.Look(now, from, n, maxOfTransport, &t)
			})
			from += visited
		})
		runtime.Gosched()
	}
	return t, ok
}

// enlisted reports whether the transport is still there. The shard's turn is held.
func (a *TransportActor) enlisted() bool {
	return a.place < len(a.ctx.actors) && a.ctx.actors[a.place] == a
}
