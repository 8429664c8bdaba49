package shard

import (
	"time"

	"gazpacho/engine/unit"
)

// Clock tells the time. It is read by shards only.
type Clock interface {
	Now() unit.Time
}

// systemClock counts on from the wall clock's reading at the start by the monotonic clock.
type systemClock struct {
	start time.Time
	base  unit.Time
}

// SystemClock returns the machine's clock: Unix time as it was when the clock was made, advanced monotonically.
func SystemClock() Clock {
	start := time.Now()
	return systemClock{start: start, base: unit.Time(start.UnixNano())}
}

// Now returns the present instant.
func (c systemClock) Now() unit.Time { return c.base.Add(time.Since(c.start)) }
