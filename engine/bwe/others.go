package bwe

import (
	"time"

	"gazpacho/engine/unit"
)

// Chosen here:
const (
	// othersQueue is how long a queue that we did not fill must be, for othersTime, to be that of others who do not yield. Flows
	// like ours, which do, queue for less.
	othersQueue = 100 * time.Millisecond
	othersTime  = 1500 * time.Millisecond
	// ownQueue is the least that counts as a queue of ours.
	ownQueue = 30 * time.Millisecond
	// othersMargin is by how much less the path may carry than was seen.
	othersMargin = 0.95
	// A delay that varies by less than longerVariation for longerTime, while nothing of ours queues, is that of a longer way. It takes
	// longerTimeWithOthers to find that out after it was taken for a queue of others.
	longerVariation      = 20 * time.Millisecond
	longerTime           = 500 * time.Millisecond
	longerTimeWithOthers = 10 * time.Second
	// othersShare is the share of what we send that must arrive: if less does, the queue is ours, on a path that became narrower.
	othersShare = 0.85
	// othersGone is the delay at which nobody else fills the queue, and goneAfter for how long it must be as short as that.
	othersGone = 20 * time.Millisecond
	goneAfter  = 500 * time.Millisecond
	// othersDecrease is the factor of a decrease for losses in a queue that others fill too, or a lower one if more is lost: 1 less
	// othersSensitivity times the share that is lost. othersPause is the least time between two of them.
	othersDecrease    = 0.8
	othersSensitivity = 1.5
	othersPause       = time.Second
	// fairShare is how much of an estimate is left when others begin to fill the path.
	fairShare = 0.5
)

// others finds out whether a standing queue is that of others: of downloads, which fill queues until packets are lost. Who yields to
// a queue that others fill gets nothing in the end.
//
// A delay that does not change at all is no queue, but a longer way.
//
// A queue that only we fill is as long as what we sent takes to be carried. Once it stands, we send less than the path was seen to
// carry, so it must become shorter; if it does not, then by others' doing.
type others struct {
	present bool
	since   unit.Time     // when the queue began to stand, 0 while none does
	full    float64       // what the path carried then, in bits per second
	queue   time.Duration // the length that is explained by what we sent
	sent    uint64        // bytes sent until then
	at      unit.Time
	before  float64   // the estimate before it began to grow
	grewAt  unit.Time // when it was long enough for that last
	goneAt  unit.Time // since when the queue is short, 0 while it is not
	// Packets since the last decrease for losses.
	lossAt             unit.Time
	lossSent, lossLost int
	// The shortest and the longest that the queue was since the given instant.
	least, most time.Duration
	variesFrom  unit.Time
}

// traffic is what others.observe goes by. Rates are in bits per second.
type traffic struct {
	standing time.Duration // the delay that all packets have
	sent     uint64        // bytes so far
	rate     float64       // sent of late
	full     float64       // what the path was seen to carry: see throughput.full
	bitrate  float64       // the estimate
}

// observe takes what is known when feedback came. It returns true when the delay is that of a longer way.
func (o *others) observe(now unit.Time, x traffic) (longer bool) {
	o.least, o.most = min(o.least, x.standing), max(o.most, x.standing)
	if o.present {
		return o.watch(now, x.standing)
	}
	o.remember(now, x)
	switch {
	case x.standing < fullQueueing || x.full == 0 && o.since == 0:
		o.since = 0
		return false
	case o.since == 0:
		o.begin(now, x)
		return false
	case o.queue > ownQueue && x.full > 0 && x.full < othersShare*x.rate:
		o.begin(now, x)
		return false
	}
	took := time.Duration(float64(x.sent-o.sent) * 8 / o.full / othersMargin * float64(time.Second))
	o.queue = max(o.queue+took-now.Sub(o.at), 0)
	o.sent, o.at = x.sent, now
	if o.queue > 0 {
		o.vary(now, x.standing)
	}
	if now.Sub(o.variesFrom) < longerTime {
		return false
	}
	if o.most-o.least < longerVariation {
		*o = others{}
		return true
	}
	if x.standing > othersQueue && now.Sub(o.variesFrom) > othersTime {
		*o = others{present: true, before: o.before}
		o.vary(now, x.standing)
	}
	return false
}

// remember remembers the estimate from before a queue grew.
func (o *others) remember(now unit.Time, x traffic) {
	if x.standing < highQueueing {
		return
	}
	if now.Sub(o.grewAt) > othersPause {
		o.before = 0
	}
	o.before, o.grewAt = max(o.before, x.bitrate), now
}

// begin takes the queue for ours.
func (o *others) begin(now unit.Time, x traffic) {
	*o = others{before: o.before, grewAt: o.grewAt, since: now, at: now, full: x.full, queue: x.standing, sent: x.sent}
	o.vary(now, x.standing)
}

// vary begins to watch how the delay varies.
func (o *others) vary(now unit.Time, standing time.Duration) {
	o.least, o.most, o.variesFrom = standing, standing, now
}

// watch notices that the others are gone, or that there were none.
func (o *others) watch(now unit.Time, standing time.Duration) (longer bool) {
	if now.Sub(o.variesFrom) > longerTimeWithOthers {
		longer = o.most-o.least < longerVariation
		o.vary(now, standing)
	}
	switch {
	case longer, o.goneAt != 0 && standing <= othersGone && now.Sub(o.goneAt) > goneAfter:
		*o = others{}
	case standing > othersGone:
		o.goneAt = 0
	case o.goneAt == 0:
		o.goneAt = now
	}
	return longer
}

// sharing reports whether others fill the path's queue.
func (s *Sender) sharing(now unit.Time, sending, full float64) bool {
	before := s.others.present
	x := traffic{s.queue.standingBeyond(s.rate.bitrate), s.sentBytes, sending, full, s.rate.bitrate}
	if s.others.observe(now, x) {
		s.queue = queueing{}
	}
	present := s.others.present
	s.queue.keep = present
	if present && !before {
		s.raiseTo(now, s.others.before*fairShare)
	}
	return present
}

// raiseTo takes back what was given up for a queue before it was known to be that of others.
func (s *Sender) raiseTo(now unit.Time, bitrate float64) {
	if before := s.rate.bitrate; bitrate > before {
		s.rate.set(now, bitrate)
		s.moved(before, CauseRestored, CauseRestored)
	}
}

// share updates the estimate while others fill the path's queue: it grows until packets are lost, as theirs does.
func (s *Sender) share(now unit.Time, r *report) {
	o, before := &s.others, s.rate.bitrate
	o.lossSent, o.lossLost = o.lossSent+r.sent, o.lossLost+r.lost
	if r.lost > 0 && now.Sub(o.lossAt) >= max(s.rate.rtt, othersPause) {
		factor := min(othersDecrease, 1-othersSensitivity*float64(o.lossLost)/float64(max(o.lossSent, 1)))
		o.lossAt, o.lossSent, o.lossLost = now, 0, 0
		s.rate.set(now, max(before*factor, float64(s.limits.min)))
		s.moved(before, CauseLoss, CauseLoss)
		s.probing.fell(now, s.rate.bitrate)
		return
	}
	s.rate.state, s.rate.hold = rateIncrease, false
	s.rate.capacity.reset() // it is not ours alone
	if len(r.arrived) > 0 {
		s.rate.update(now, normal, s.throughput.rate(), 0)
		s.moved(before, CauseGrowth, CauseOveruse)
	}
}
