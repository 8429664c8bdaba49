package shard

import (
	"time"

	"gazpacho/engine/unit"
)

// Figures say how busy a shard was since Measure was called.
type Figures struct {
	Turns   uint64
	Busy    time.Duration  // in turns
	Delay   unit.Histogram // seconds that the oldest message had waited, each time that messages were run
	Dropped uint64         // messages refused because the shard was too far behind; since the shard was made
}

// DelayBounds are the bounds of Figures.Delay. Chosen here.
var DelayBounds = &unit.Bounds{10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, .001, .0025, .005, .01, .05, .25}

// Measure begins to measure the shard's figures, for which the clock is read twice as often: at the end of each turn too, and when
// something is posted to an empty mailbox. It may be called from any goroutine, and again.
func (s *Shard) Measure() { s.measures.Store(true) }

// Figures returns the shard's figures. Its turn must be held.
func (s *Shard) Figures() Figures {
	f := s.figures
	f.Dropped = s.dropped.Load()
	return f
}

// measureTurn counts the turn that began at now and ends.
func (s *Shard) measureTurn(now unit.Time) {
	if s.measures.Load() {
		s.figures.Turns++
		s.figures.Busy += s.clock.Now().Sub(now)
	}
}
