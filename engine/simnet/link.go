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
	Bursts    Bursts        // losses that come in bursts, besides Loss
	Duplicate float64       // probability that a packet arrives twice
	Reorder   float64       // probability that a packet is held back by ReorderBy, so that later ones overtake it
	ReorderBy time.Duration
	Rate      unit.Bitrate  // bottleneck in bits per second, 0 = unlimited
	Burst     int           // bytes that an idle bottleneck passes at once: the depth of a token bucket
	Queue     int           // bytes that may wait at the bottleneck besides the one on its way, 0 = unlimited
	QueueTime time.Duration // as Queue, by how long it takes to send them; 0 = unlimited
	CoDel     bool          // the queue is managed (RFC 8289) and drops at its head what waits for too long
	Overhead  int           // bytes that each packet takes at the bottleneck beyond its own
}

// Bursts is the model of Gilbert and Elliott: a path is good or bad, and changes with each packet by chance.
type Bursts struct {
	Begin, End float64 // probabilities that the path becomes bad, and good again
	Loss       float64 // probability that a packet is lost while it is bad
}

// Stats counts the packets of a link.
type Stats struct {
	Sent, Delivered, Lost, QueueDropped, Duplicated, Reordered int
}

// Link is one direction of a path between two endpoints.
type Link struct {
	network     *Network
	conditions  Conditions
	deliver     Deliver
	waiting     []waiting // at the bottleneck, oldest first; the first may be on its way
	queued      int       // bytes of these but the one on its way
	sending     bool      // the first is on its way
	filled      unit.Time // when the token bucket is empty again, if nothing more is sent: the bottleneck's debt
	blocked     unit.Time // nothing leaves the bottleneck before
	lastArrival unit.Time // of packets that are not held back
	bad         bool      // of Bursts
	codel       codel
	passed      int // bytes
	stats       Stats
}

// Deliver takes a packet that arrives; the bytes are its own.
type Deliver func(now unit.Time, data []byte)

// waiting is a packet at the bottleneck, with what chance has decided about it.
type waiting struct {
	data                        []byte
	size                        int
	since                       unit.Time
	deliver                     Deliver
	lost, duplicated, reordered bool
	jitter                      time.Duration
}

// Link returns a link of the network.
func (n *Network) Link(c Conditions, deliver Deliver) *Link {
	return &Link{network: n, conditions: c, deliver: deliver}
}

// SetConditions changes the conditions. Packets that wait leave at the new rate.
func (l *Link) SetConditions(c Conditions) { l.conditions = c }

// Conditions returns the conditions.
func (l *Link) Conditions() Conditions { return l.conditions }

// Stats returns the counters. What flows of cross traffic send is not in them.
func (l *Link) Stats() Stats { return l.stats }

// Passed returns how many bytes have passed the bottleneck, overhead included.
func (l *Link) Passed() int { return l.passed }

// Waits returns how long a packet that is sent now waits until it is its turn at the bottleneck.
func (l *Link) Waits() time.Duration {
	c, now := &l.conditions, l.network.now
	wait := max(l.blocked.Sub(now), 0)
	if c.Rate == 0 {
		return wait
	}
	return wait + max(l.filled.Sub(now)-takes(c.Burst, c.Rate), 0) + takes(l.queued, c.Rate)
}

// Stall keeps everything at the bottleneck for a while, as a radio link does that retransmits or hands over.
func (l *Link) Stall(d time.Duration) {
	l.blocked = max(l.blocked, l.network.now.Add(d))
}

// Send sends a packet. Its bytes are copied.
func (l *Link) Send(data []byte) { l.SendTo(data, l.deliver) }

// SendTo sends a packet to another end than the link's own: those of several flows share the bottleneck.
func (l *Link) SendTo(data []byte, deliver Deliver) {
	l.stats.Sent++
	arrived := func(now unit.Time, data []byte) {
		l.stats.Delivered++
		deliver(now, data)
	}
	if !l.send(bytes.Clone(data), len(data), arrived) {
		l.stats.QueueDropped++
	}
}

// send returns false if the queue has no room.
func (l *Link) send(data []byte, size int, deliver Deliver) bool {
	c, now := &l.conditions, l.network.now
	w := waiting{data: data, size: size + c.Overhead, since: now, deliver: deliver}
	if l.sending && !l.hasRoom(w.size) {
		return false
	}
	l.draw(&w)
	l.waiting = append(l.waiting, w)
	if l.sending {
		l.queued += w.size
		return true
	}
	l.serve(now)
	return true
}

func (l *Link) hasRoom(size int) bool {
	c := &l.conditions
	if c.Queue > 0 && l.queued+size > c.Queue {
		return false
	}
	return c.QueueTime == 0 || c.Rate == 0 || takes(l.queued+size, c.Rate) <= c.QueueTime
}

// draw draws all random numbers for every packet, so that changing one condition does not change the effect of the others.
func (l *Link) draw(w *waiting) {
	c, r := &l.conditions, l.network.random
	w.lost, w.duplicated, w.reordered = r.Float64() < c.Loss, r.Float64() < c.Duplicate, r.Float64() < c.Reorder
	w.jitter = time.Duration(r.Float64() * float64(c.Jitter))
	if c.Bursts == (Bursts{}) {
		return
	}
	change := c.Bursts.Begin
	if l.bad {
		change = c.Bursts.End
	}
	l.bad = (r.Float64() < change) != l.bad
	w.lost = w.lost || r.Float64() < c.Bursts.Loss && l.bad
}

// takes returns how long a rate takes for a number of bytes.
func takes(size int, rate unit.Bitrate) time.Duration {
	return time.Duration(float64(size) * 8 / float64(rate) * float64(time.Second))
}

// serve sends the first packet that waits.
func (l *Link) serve(now unit.Time) {
	l.sending = false
	for len(l.waiting) > 0 {
		if now < l.blocked {
			l.sending = true
			l.network.At(l.blocked, l.serve)
			return
		}
		w := l.waiting[0]
		if l.conditions.CoDel && l.codel.drops(now, now.Sub(w.since), l.queued) {
			if w.data != nil {
				l.stats.QueueDropped++
			}
			l.waiting = l.waiting[1:]
			l.next()
			continue
		}
		departure := l.departure(now, w.size)
		if departure > now {
			l.sending = true
			l.network.At(departure, l.departed)
			return
		}
		l.waiting = l.waiting[1:]
		l.leave(now, w)
		l.next()
	}
	l.waiting = nil
}

func (l *Link) departed(now unit.Time) {
	w := l.waiting[0]
	l.waiting = l.waiting[1:]
	l.leave(now, w)
	l.next()
	l.serve(now)
}

// next makes the next packet the one on its way.
func (l *Link) next() {
	if len(l.waiting) > 0 {
		l.queued -= l.waiting[0].size
	}
}

// departure returns when the bottleneck has sent a packet that it begins now.
func (l *Link) departure(now unit.Time, size int) unit.Time {
	c := &l.conditions
	if c.Rate == 0 {
		return now
	}
	l.filled = max(l.filled, now).Add(takes(size, c.Rate))
	return max(now, l.filled.Add(-takes(c.Burst, c.Rate)))
}

// leave takes a packet that has left the bottleneck to the other end.
func (l *Link) leave(now unit.Time, w waiting) {
	l.passed += w.size
	if w.lost {
		if w.data != nil {
			l.stats.Lost++
		}
		return
	}
	arrival := now.Add(l.conditions.Delay + w.jitter)
	if w.reordered {
		l.stats.Reordered++
		arrival = arrival.Add(l.conditions.ReorderBy)
	} else {
		arrival = max(arrival, l.lastArrival)
		l.lastArrival = arrival
	}
	l.network.At(arrival, func(now unit.Time) { w.deliver(now, w.data) })
	if w.duplicated {
		l.stats.Duplicated++
		second := bytes.Clone(w.data)
		l.network.At(arrival, func(now unit.Time) { w.deliver(now, second) })
	}
}
