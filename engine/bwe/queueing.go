package bwe

import (
	"time"

	"gazpacho/engine/unit"
)

// Chosen here: a queue that stays full has no slope that a trendline could find.
const (
	// queueingWindow is how long the shortest delay counts as that of an empty path: at least once and at most twice this.
	queueingWindow = 15 * time.Second
	queueingWeight = 0.05 // of a packet, in the average
	// highQueueing is the delay in queues at which an estimate does not grow any more.
	highQueueing = 100 * time.Millisecond
	// lossyQueueing is the delay at which lost packets are taken for dropped by a full queue.
	lossyQueueing = 50 * time.Millisecond
)

// queueing measures how long packets wait in queues: how much longer they take than the fastest of late. The clocks of the
// two ends need not agree, as both delays are off by the same.
type queueing struct {
	previous, current time.Duration // the shortest of a window and of the one before
	since             unit.Time     // when the current window began, 0 before the first packet
	average           time.Duration
}

func (q *queueing) add(now unit.Time, delay time.Duration) {
	switch {
	case q.since == 0:
		q.previous, q.current, q.since = delay, delay, now
	case now.Sub(q.since) >= queueingWindow:
		q.previous, q.current, q.since = q.current, delay, now
	}
	q.current = min(q.current, delay)
	waited := delay - min(q.previous, q.current)
	q.average += time.Duration(queueingWeight * float64(waited-q.average))
}
