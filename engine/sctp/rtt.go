package sctp

import (
	"time"

	"gazpacho/engine/unit"
)

// Chosen here: the bounds of the retransmission timeout.
//
// RFC 9260 section 16 wants a second at least, mediasoup has 400 ms. A timeout is the last resort here, since losses are seen
// by time and a lost tail by a probe (loss.go), but it must not be shorter than what an honest peer needs: one that does not
// know the I bit may delay its SACK by 200 ms (RFC 9260 section 6.2). Hence those 200 ms and 50 ms for jitter.
//
// The timeout doubles while the peer is silent, as RFC 9260 section 6.3.3 says, but only up to a second (or to the timeout
// itself, on slower paths), where the RFC allows 60: real-time data must go on soon after the network is back, and one packet
// in a second is less than the ICE checks of the same peer send.
const (
	minRTO     = 250 * time.Millisecond
	initialRTO = 500 * time.Millisecond // mediasoup's
	maxRTO     = 60 * time.Second       // RFC 9260 section 16
	maxBackoff = time.Second
)

// minRTTWindow is for how long the shortest round trip counts.
const minRTTWindow = 10 * time.Second

// roundTrip estimates round trip and retransmission timeout (RFC 9260 section 6.3.1).
type roundTrip struct {
	smoothed  time.Duration // 0: not measured yet
	variation time.Duration
	backoff   uint // timeouts in a row

	// The shortest round trip of the present window and of the one before.
	shortest, shortestBefore time.Duration
	windowEnd                unit.Time
}

func (r *roundTrip) measure(now unit.Time, d time.Duration) {
	d = max(d, time.Microsecond)
	if now >= r.windowEnd {
		r.shortestBefore, r.shortest = r.shortest, d
		r.windowEnd = now.Add(minRTTWindow)
	}
	r.shortest = min(r.shortest, d)
	if r.smoothed == 0 {
		r.smoothed, r.variation = d, d/2
		return
	}
	difference := (r.smoothed - d).Abs()
	r.variation += (difference - r.variation) / 4
	r.smoothed += (d - r.smoothed) / 8
}

// min returns the shortest round trip of late; 0 when nothing was measured.
func (r *roundTrip) min() time.Duration {
	if r.shortestBefore == 0 {
		return r.shortest
	}
	return min(r.shortest, r.shortestBefore)
}

// timeout returns the retransmission timeout without regard to how often it expired.
func (r *roundTrip) timeout() time.Duration {
	if r.smoothed == 0 {
		return initialRTO
	}
	return min(max(r.smoothed+4*r.variation, minRTO), maxRTO)
}

// backedOff returns the timeout that is in force.
func (r *roundTrip) backedOff() time.Duration {
	rto := r.timeout()
	return min(rto<<min(r.backoff, 8), max(rto, maxBackoff))
}
