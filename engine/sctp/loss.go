package sctp

import (
	"time"

	"gazpacho/engine/unit"
)

// Loss is seen by time, as RFC 8985 (RACK-TLP) has it for TCP, not by counting reports as RFC 9260 section 7.2.4 does: what was
// sent before something that the peer has is lost when it is late by a share of the round trip. So a retransmission that is
// lost again is seen too, and reordering is no loss. If the end of what was sent is lost, nothing later tells of it; a probe
// does, long before the retransmission timer.

// From RFC 8985.
const (
	reorderThreshold = 3  // packets behind a gap that are enough, as long as the network keeps the order
	reorderMemory    = 16 // recoveries after which the tolerance shrinks again
	reorderDivisor   = 4  // of the shortest round trip
)

// minProbeTimeout, chosen here, covers how coarse the clocks of both ends may be.
const minProbeTimeout = 10 * time.Millisecond

// recovery is what RFC 8985 keeps.
type recovery struct {
	order      uint32 // of the latest transmission that arrived
	sentAt     unit.Time
	roundTrip  time.Duration
	any        bool // the fields above are set
	highest    tsn  // of what arrived
	reordering bool // the network does not keep the order
	tolerance  int  // in shares of the shortest round trip
	persist    int
	duplicates bool // the peer got something twice since the last recovery began

	lossAt     unit.Time // when the oldest chunk in flight is late
	probeAt    unit.Time
	timeoutAt  unit.Time // T3-rtx
	progressAt unit.Time // when something was acknowledged last
	lastSent   unit.Time
	probed     bool // since the last acknowledgement
}

func (r *recovery) init() {
	*r = recovery{tolerance: 1, lossAt: unit.Never, probeAt: unit.Never, timeoutAt: unit.Never}
}

// acknowledged is what a SACK said that was not known.
type acknowledged struct {
	bytes  int
	chunks int
	newest unit.Time // when the latest of the chunks was sent that were sent once only
	once   bool      // there is one
}

// handleSack takes an acknowledgement (RFC 9260 section 6.2.1).
func (a *Association) handleSack(now unit.Time, s *sackChunk) {
	o := &a.sent
	if s.cumulative.before(o.cumulative) {
		return // one that was overtaken
	}
	if s.cumulative.after(o.next - 1) {
		a.counters.Malformed++
		return
	}
	before := o.flight
	var news acknowledged
	for o.cumulative != s.cumulative {
		a.acknowledge(now, o.cumulative+1, &news)
		o.pop()
	}
	for first, last := range s.gaps(o.next - 1) {
		for t := o.open.next(first, last+1, true); t != last+1; t = o.open.next(t+1, last+1, true) {
			a.acknowledge(now, t, &news)
		}
	}
	if s.duplicates > 0 {
		a.loss.noteDuplicate(a.round.min(), a.round.smoothed)
	}
	if news.once {
		sample := now.Sub(news.newest)
		a.round.measure(now, sample)
		a.congestion.observe(sample, a.round.min())
	}
	if news.chunks > 0 {
		a.round.backoff = 0
		a.loss.progressAt, a.loss.probed = now, false
	}
	a.detectLosses(now)
	if o.told.after(o.cumulative) && a.loss.any && a.loss.sentAt > a.forwardAt {
		a.mustForward = true // what was sent behind the FORWARD-TSN arrived, so that was lost
	}
	a.congestion.grow(news.bytes, before)
	a.peerWindow = max(0, int(min(s.window, maxPeerWindow))-o.payload)
}

// maxPeerWindow bounds what a peer may claim, so that sums do not overflow.
const maxPeerWindow = 1 << 30

// acknowledge takes note that the peer has a chunk.
func (a *Association) acknowledge(now unit.Time, t tsn, news *acknowledged) {
	o := &a.sent
	c := o.at(t)
	o.open.remove(t)
	switch c.state {
	case stateAcked:
		return
	case stateAbandoned: // it was skipped, or came after all: which one cannot be told
		o.abandoned--
	default:
		a.land(t)
		news.bytes += a.wireSize(c)
		a.loss.noteArrival(now, t, c, a.round.min())
		if c.transmissions == 1 && (!news.once || c.sentAt > news.newest) {
			news.newest, news.once = c.sentAt, true
		}
	}
	news.chunks++
	c.state, c.payload = stateAcked, nil
	o.acked++
}

// noteArrival follows the latest transmission that arrived (RFC 8985 section 6.2, steps 2 and 3).
func (r *recovery) noteArrival(now unit.Time, t tsn, c *sentChunk, shortest time.Duration) {
	took := now.Sub(c.sentAt)
	if c.transmissions > 1 && took < shortest {
		return // it was an earlier transmission that arrived
	}
	if c.transmissions == 1 && r.any && t.before(r.highest) {
		r.reordering = true
	}
	if !r.any || t.after(r.highest) {
		r.highest = t
	}
	if !r.any || int32(c.order-r.order) > 0 {
		r.order, r.sentAt, r.roundTrip, r.any = c.order, c.sentAt, took, true
	}
}

// noteDuplicate makes us more tolerant: something was sent again that was late only (RFC 8985 section 6.2, step 4).
func (r *recovery) noteDuplicate(shortest, smoothed time.Duration) {
	if r.duplicates || shortest == 0 {
		return
	}
	r.duplicates = true
	if time.Duration(r.tolerance+1)*shortest/reorderDivisor <= smoothed {
		r.tolerance++
	}
	r.persist = reorderMemory
}

// noteRecovery is called when a round trip with losses begins.
func (r *recovery) noteRecovery() {
	r.duplicates = false
	if r.persist--; r.persist <= 0 {
		r.persist, r.tolerance = 0, 1
	}
}

// detectLosses marks what is late as lost (RFC 8985 section 6.2, step 5).
func (a *Association) detectLosses(now unit.Time) {
	r, o := &a.loss, &a.sent
	r.lossAt = unit.Never
	tolerance := a.reorderTolerance()
	for o.inFlight.n > 0 {
		t := o.inFlight.first
		c := o.at(t)
		if !r.any || int32(r.order-c.order) <= 0 {
			return
		}
		late := c.sentAt.Add(r.roundTrip + tolerance)
		if late > now {
			r.lossAt = late
			return
		}
		a.noteLoss(now, c)
		a.lose(now, t)
	}
}

// noteLoss slows down, once for each round trip with losses.
func (a *Association) noteLoss(now unit.Time, c *sentChunk) {
	if c.sentAt < a.congestion.recoveryAt {
		return
	}
	a.congestion.reduce(now, a.round.smoothed, a.round.min())
	a.loss.noteRecovery()
	a.urgent = true // RFC 9260 section 7.2.4: the first one is sent whatever the window says
}

// reorderTolerance returns by how much a chunk may be late.
func (a *Association) reorderTolerance() time.Duration {
	r := &a.loss
	if !r.reordering && a.sent.acked >= reorderThreshold && a.ackedPackets() {
		return 0
	}
	return min(time.Duration(r.tolerance)*a.round.min()/reorderDivisor, a.round.smoothed)
}

// ackedPackets tells whether the chunks behind a gap were large enough to be packets of their own.
func (a *Association) ackedPackets() bool {
	o := &a.sent
	return o.inFlight.n == 0 || o.flight/o.inFlight.n >= int(a.cfg.MTU)/2
}

// setTimers sets the timers of retransmission after anything changed.
func (a *Association) setTimers(now unit.Time) {
	r, o := &a.loss, &a.sent
	r.probeAt, r.timeoutAt = unit.Never, unit.Never
	if o.inFlight.n == 0 {
		if o.abandoned > 0 { // until the peer has skipped it
			r.timeoutAt = max(r.lastSent, r.progressAt).Add(a.round.backedOff())
		}
		return
	}
	c := o.at(o.inFlight.first)
	rto := a.round.backedOff()
	if a.isLast(now, c) {
		rto = a.round.timeout() // nothing will be sent again, so there is nothing to back off from
	}
	r.timeoutAt = max(c.sentAt, r.progressAt).Add(rto)
	if !r.probed && o.lost.n == 0 && a.round.smoothed != 0 && a.round.backoff == 0 {
		r.probeAt = max(r.lastSent, r.progressAt).Add(max(2*a.round.smoothed, minProbeTimeout))
	}
}

// handleLossTimers does what is due.
func (a *Association) handleLossTimers(now unit.Time) {
	r := &a.loss
	switch {
	case r.timeoutAt <= now:
		a.handleRetransmissionTimeout(now)
	case r.lossAt <= now:
		a.detectLosses(now)
	case r.probeAt <= now:
		a.probe(now)
	}
}

// probe asks for an acknowledgement by sending something new, or else the last chunk again (RFC 8985 section 7.3).
func (a *Association) probe(now unit.Time) {
	o := &a.sent
	a.loss.probed, a.urgent = true, true
	if a.nextMessage(now) != nil && a.peerWindow > 0 || o.inFlight.n == 0 {
		return
	}
	t := o.inFlight.last
	if c := o.at(t); !a.isLast(now, c) {
		a.land(t)
		c.state = stateLost
		o.push(&o.lost, t)
	}
}

// handleRetransmissionTimeout takes all in flight for lost (RFC 9260 section 6.3.3).
func (a *Association) handleRetransmissionTimeout(now unit.Time) {
	o := &a.sent
	if o.inFlight.n > 0 {
		a.congestion.collapse(now, a.round.backoff == 0)
	}
	a.round.backoff++
	a.loss.progressAt = now
	for o.inFlight.n > 0 {
		a.lose(now, o.inFlight.first)
	}
	a.mustForward = true
	a.age()
}
