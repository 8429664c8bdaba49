// Package simnet is a network and a clock for tests. Links delay, lose, reorder, duplicate and throttle what is sent over
// them; all chance comes from one seed and time passes only when the test says so, hence every run is the same.
package simnet

import (
	"time"

	"gazpacho/engine/unit"
)

// Conditions describes one direction of a link. The zero value is a perfect link: no delay, no loss, no limit.
type Conditions struct {
	Delay     time.Duration // propagation
	Jitter    time.Duration // added to Delay, uniform in [0, Jitter); never reorders by itself
	Loss      float64       // probability that a packet is lost, 0..1
	Duplicate float64       // probability that a packet arrives twice
	Reorder   float64       // probability that a packet is held back by ReorderBy while later ones overtake it
	ReorderBy time.Duration
	Rate      unit.Bitrate // bits per second of the bottleneck, 0 = unlimited
	Queue     int          // bytes that may wait at the bottleneck, 0 = unlimited; what exceeds it is lost
}

// Stats counts the packets of a link.
type Stats struct {
	Sent, Delivered, Lost, QueueDropped, Duplicated, Reordered int
}

// Machine is anything with the engine's two timer verbs.
type Machine interface {
	HandleTimeout(now unit.Time)
	NextTimeout() unit.Time
}
