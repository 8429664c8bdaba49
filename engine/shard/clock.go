package shard

import (
	"time"

	"gazpacho/engine/unit"
)

// Clock tells the time. Only shards read it.
type Clock interface {
	Now() unit.Time
}

// systemClock adds the monotonic clock to the wall clock's reading at the start.
type systemClock struct {
	start time.Time
	base  unit.Time
}

// SystemClock returns the machine's clock: Unix time when the clock was made, advanced by the monotonic clock.
func SystemClock() Clock {
	start := time.Now()
	return systemClock{start: start, base: unit.Time(start.UnixNano())}
}

// Now returns the present instant.
func (c systemClock) Now() unit.Time { return c.base.Add(time.Since(c.start)) }
