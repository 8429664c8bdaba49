package engine

import (
	"time"

	"gazpacho/engine/look"
	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// Survey goes over all transports of the host's workers. before is the survey before, for what is told since then; nil for none. Like
// Figures, it takes many short turns of the shards, and calls wait for each other.
func (h *Host) Survey(before *Survey) *Survey {
	h.figures.Lock()
	defer h.figures.Unlock()
	s := &Survey{taken: time.Now()}
	s.Readings = h.runner.Readings()
	var placed []int
	s.shards, placed = h.runner.ShardFigures()
	s.At, s.CPU = s.taken.UnixMilli(), h.load.fraction()
	for i, now := range s.shards {
		var last shard.Figures
		span := time.Duration(0)
		if before != nil && i < len(before.shards) {
			last, span = before.shards[i], s.taken.Sub(before.taken)
		}
		s.Shards = append(s.Shards, shardRow(&now, &last, span, placed[i]))
	}
	s.Sum()
	return s
}

// Survey is a look.Survey with what the next one needs.
type Survey struct {
	look.Survey
	taken  time.Time
	shards []shard.Figures
}

// shardRow says how busy a shard was in the time between two readings.
func shardRow(now, last *shard.Figures, span time.Duration, placed int) look.Shard {
	row := look.Shard{Turns: now.Turns, Dropped: now.Dropped, Transports: placed}
	if span > 0 {
		row.Busy = min(float64(now.Busy-last.Busy)/float64(span), 1)
		row.Delay = longest(&now.Delay, &last.Delay)
	}
	return row
}

// longest returns the bound below which all delays stayed that were observed between two readings, 0 if there was none.
func longest(now, last *unit.Histogram) (bound float64) {
	for i, n := range now.Counts {
		if n > last.Counts[i] {
			bound = shard.DelayBounds[min(i, len(shard.DelayBounds)-1)]
		}
	}
	return bound
}

// LookAtRoom returns those of a Router's transports whose ids follow one, as many as there is room for.
func (h *Host) LookAtRoom(room look.RoomID, after string) look.Room {
	return h.runner.LookAtRoom(room, after)
}

// LookAtTransport returns all about a transport; false if there is none of that name.
func (h *Host) LookAtTransport(id look.TransportID) (look.Transport, bool) {
	return h.runner.LookAtTransport(id)
}
