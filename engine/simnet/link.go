package simnet

import (
	"bytes"
	"time"

	"gazpacho/engine/unit"
)

// Conditions describes one direction of a path. The zero value is perfect: no delay, no loss, no limit.
type Conditions struct {
	Delay     time.Duration // propagation
	Jitter    time.Duration // added to Delay, uniform in [0, Jitter); does not reorder
	Loss      float64       // probability that a packet is lost, 0..1
	Duplicate float64       // probability that a packet arrives twice
	Reorder   float64       // probability that a packet is held back by ReorderBy, so that later ones overtake it
	ReorderBy time.Duration
	Rate      unit.Bitrate // bottleneck in bits per second, 0 = unlimited
	Queue     int          // bytes that may wait at the bottleneck besides the one on its way, 0 = unlimited
}

// Stats counts the packets of a link.
type Stats struct {
	Sent, Delivered, Lost, QueueDropped, Duplicated, Reordered int
}

// Link is one direction of a path between two endpoints.
type Link struct {
	network     *Network
	conditions  Conditions
	deliver     func(now unit.Time, data []byte)
	bottleneck  unit.Time // when the bottleneck has sent everything it holds
	lastArrival unit.Time // of packets that are not held back
	queued      int       // bytes that wait at the bottleneck
	stats       Stats
}

// Link returns a link of the network. deliver takes each packet that arrives; the bytes are its own.
func (n *Network) Link(c Conditions, deliver func(now unit.Time, data []byte)) *Link {
	return &Link{network: n, conditions: c, deliver: deliver}
}

// SetConditions changes the conditions for packets sent from now on.
func (l *Link) SetConditions(c Conditions) { l.conditions = c }

// Stats returns the counters.
func (l *Link) Stats() Stats { return l.stats }

// Send sends a packet. Its bytes are copied.
func (l *Link) Send(data []byte) {
	l.stats.Sent++
	departure, ok := l.throughBottleneck(len(data))
	if !ok {
		l.stats.QueueDropped++
		return
	}
	// All random numbers are drawn for every packet, so that changing one condition does not change the effect of the
	// others.
	c, r := &l.conditions, l.network.random
	lost, duplicated, reordered := r.Float64() < c.Loss, r.Float64() < c.Duplicate, r.Float64() < c.Reorder
	jitter := time.Duration(r.Float64() * float64(c.Jitter))
	if lost {
		l.stats.Lost++
		return
	}
	arrival := departure.Add(c.Delay + jitter)
	if reordered {
		l.stats.Reordered++
		arrival = arrival.Add(c.ReorderBy)
	} else {
		arrival = max(arrival, l.lastArrival)
		l.lastArrival = arrival
	}
	l.arrive(arrival, data)
	if duplicated {
		l.stats.Duplicated++
		l.arrive(arrival, data)
	}
}

// throughBottleneck returns when the packet has left the bottleneck; false when its queue is full.
func (l *Link) throughBottleneck(size int) (unit.Time, bool) {
	now, c := l.network.now, &l.conditions
	if c.Rate == 0 {
		return now, true
	}
	waits := l.bottleneck > now
	if waits && c.Queue > 0 && l.queued+size > c.Queue {
		return 0, false
	}
	start := max(now, l.bottleneck)
	l.bottleneck = start.Add(time.Duration(float64(size) * 8 / float64(c.Rate) * float64(time.Second)))
	if waits {
		l.queued += size
		l.network.At(start, func(unit.Time) { l.queued -= size })
	}
	return l.bottleneck, true
}

func (l *Link) arrive(at unit.Time, data []byte) {
	data = bytes.Clone(data)
	l.network.At(at, func(now unit.Time) {
		l.stats.Delivered++
		l.deliver(now, data)
	})
}
