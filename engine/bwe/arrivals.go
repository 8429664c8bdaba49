package bwe

import (
	"time"

	"gazpacho/engine/unit"
)

// From mediasoup:
const (
	// arrivalWindow is how long an arrival is kept after it was reported, in case an older packet comes late and the
	// report is repeated from there.
	arrivalWindow = 500 * time.Millisecond
	// maxMissing is the longest gap that is reported. A longer one means that the peer's count was reset.
	maxMissing = 1<<13 - 1
)

// Chosen here: sizes of the ring of arrivals, powers of two. It grows with the packet rate; the greatest holds 500 ms at 32,000
// packets a second.
const (
	minArrivals = 1 << 7
	maxArrivals = 1 << 14
)

// arrivals remembers when packets arrived, by transport-wide sequence number. The ring describes the numbers from begin
// up to end, of which the last did arrive. Numbers are unwrapped: on the wire they are modulo 1<<16.
type arrivals struct {
	ring       []unit.Time // 0: did not arrive
	begin, end int64
	report     int64 // where the next feedback begins
	fresh      int64 // the first number that no feedback was about
}

func (a *arrivals) slot(n int64) *unit.Time { return &a.ring[n&int64(len(a.ring)-1)] }

// add records an arrival and returns false when that number had arrived before.
func (a *arrivals) add(now unit.Time, seq unit.SeqNo) bool {
	n := a.unwrap(seq)
	switch {
	case a.begin == a.end:
		a.restart(n)
	case n >= a.end:
		if n-a.end > maxMissing {
			a.restart(n)
			break
		}
		a.extend(n)
	case n < a.begin:
		if a.begin-n > maxMissing || a.end-n > maxArrivals {
			a.restart(n)
			break
		}
		a.extendBack(n)
	case *a.slot(n) != 0:
		return false
	}
	*a.slot(n) = now
	a.report = min(a.report, n)
	a.expire(now, n)
	return true
}

// unwrap returns the number nearest to the newest one.
func (a *arrivals) unwrap(seq unit.SeqNo) int64 {
	newest := a.end - 1
	return newest + int64(seq.Sub(unit.SeqNo(newest)))
}

func (a *arrivals) restart(n int64) {
	if a.ring == nil {
		a.ring = make([]unit.Time, minArrivals)
	}
	a.clear(a.begin, a.end)
	a.begin, a.end, a.report, a.fresh = n, n+1, n, n
}

// extend makes n the newest number.
func (a *arrivals) extend(n int64) {
	a.grow(n + 1 - a.begin)
	if begin := n + 1 - int64(len(a.ring)); begin > a.begin {
		a.clear(a.begin, min(begin, a.end))
		a.begin = begin
		a.report = max(a.report, begin)
	}
	a.end = n + 1
}

// extendBack makes n the oldest number.
func (a *arrivals) extendBack(n int64) {
	a.grow(a.end - n)
	a.begin = n
}

// grow makes the ring long enough for span numbers, or as long as allowed.
func (a *arrivals) grow(span int64) {
	size := len(a.ring)
	for int64(size) < span && size < maxArrivals {
		size *= 2
	}
	if size == len(a.ring) {
		return
	}
	larger := arrivals{ring: make([]unit.Time, size)}
	for n := a.begin; n < a.end; n++ {
		*larger.slot(n) = *a.slot(n)
	}
	a.ring = larger.ring
}

// clear empties slots, so that all slots outside begin to end are always empty.
func (a *arrivals) clear(from, to int64) {
	for n := from; n < to; n++ {
		*a.slot(n) = 0
	}
}

// expire forgets what was reported and is too old, up to the number that just arrived.
func (a *arrivals) expire(now unit.Time, newest int64) {
	limit := min(a.report, newest)
	for a.begin < limit && *a.slot(a.begin) <= now-unit.Time(arrivalWindow) {
		*a.slot(a.begin) = 0
		a.begin++
	}
}

// skipReported leaves out what an earlier feedback was about.
func (a *arrivals) skipReported() { a.report = max(a.report, min(a.fresh, a.end)) }

// pending reports whether there is something to report.
func (a *arrivals) pending() bool { return a.report < a.end }
