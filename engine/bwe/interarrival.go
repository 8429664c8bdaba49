package bwe

import (
	"time"

	"gazpacho/engine/unit"
)

// From draft-ietf-rmcat-gcc-02 section 5.2 (burst_time) and from mediasoup:
const (
	burstTime     = 5 * time.Millisecond
	maxBurst      = 100 * time.Millisecond
	maxClockDrift = 3 * time.Second // between two groups; more means that the peer's clock jumped
)

// interArrival groups packets that were sent at about the same time and measures by how much the distance between two groups
// changed on the way (draft-ietf-rmcat-gcc-02 sections 5.2 and 5.3).
type interArrival struct {
	current, previous group
}

// group is a burst of packets. Sending and arrival are times of two clocks that need not agree.
type group struct {
	valid                     bool
	firstSent, lastSent       unit.Time
	firstArrived, lastArrived unit.Time
	seen                      unit.Time // by our clock
}

// distance is that between two groups when they were sent and when they arrived.
type distance struct {
	sent, arrived time.Duration
}

// add takes a packet. When the packet begins a new group it returns how far the two complete groups before are apart.
// seen is our own time.
func (i *interArrival) add(sent, arrived, seen unit.Time) (d distance, ok bool) {
	c := &i.current
	switch {
	case !c.valid:
	case sent < c.firstSent:
		return distance{}, false // overtaken on its way: belongs to a group that is complete
	case !c.begins(sent, arrived):
		c.lastSent = max(c.lastSent, sent)
		c.lastArrived, c.seen = max(c.lastArrived, arrived), seen
		return distance{}, false
	default:
		d, ok = i.complete()
	}
	i.current = group{true, sent, sent, arrived, arrived, seen}
	return d, ok
}

// begins reports whether the packet belongs to another group: it was sent later, and did not arrive in one go with this one.
func (g *group) begins(sent, arrived unit.Time) bool {
	queued := arrived.Sub(g.lastArrived) - sent.Sub(g.lastSent)
	if queued < 0 && arrived.Sub(g.lastArrived) <= burstTime && arrived.Sub(g.firstArrived) < maxBurst {
		return false
	}
	return sent.Sub(g.firstSent) > burstTime
}

// complete compares the current group with the one before. Where a clock went back or jumped, it starts over.
func (i *interArrival) complete() (d distance, ok bool) {
	c, p := &i.current, i.previous
	i.previous = *c
	if !p.valid {
		return distance{}, false
	}
	d = distance{c.lastSent.Sub(p.lastSent), c.lastArrived.Sub(p.lastArrived)}
	drift := d.arrived - c.seen.Sub(p.seen)
	if d.arrived < 0 || drift > maxClockDrift || drift < -maxClockDrift {
		*i = interArrival{}
		return distance{}, false
	}
	return d, true
}
