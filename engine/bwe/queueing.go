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
	// lossyQueueing is the delay at which lost packets are taken for dropped by a full queue.
	lossyQueueing = 50 * time.Millisecond
	// standingTime is how long a delay must last to be that of a standing queue: at least once and at most twice this. It spans
	// more than a picture, whose packets come together and wait for each other on every path.
	standingTime = 100 * time.Millisecond
	// burstQueueing is the standing delay up to which a growing one is the work of a burst.
	burstQueueing = 10 * time.Millisecond
	// highQueueing is the standing delay at which an estimate does not grow any more, fullQueueing that at which it falls.
	highQueueing = 25 * time.Millisecond
	fullQueueing = 50 * time.Millisecond
)

// queueing measures how long packets wait in queues: how much longer they take than the fastest of late. The clocks of the
// two ends need not agree, as both delays are off by the same.
type queueing struct {
	previous, current time.Duration // the shortest of a window and of the one before
	since             unit.Time     // when the current window began, 0 before the first packet
	keep              bool          // the shortest delay: no packet is as fast now
	average           time.Duration
	newest            time.Duration // of the packet that arrived last
	// The shortest of a span of arrivals, and of the one before: what all had to wait.
	spans     [2]time.Duration
	spanSince unit.Time // by the peer's clock
}

// add takes a packet and returns how long it waited.
func (q *queueing) add(now, arrived unit.Time, delay time.Duration) (waited time.Duration) {
	switch {
	case q.since == 0:
		q.previous, q.current, q.since = delay, delay, now
		q.spanSince = arrived
	case now.Sub(q.since) >= queueingWindow && !q.keep:
		q.previous, q.current, q.since = q.current, delay, now
	}
	q.current = min(q.current, delay)
	waited = delay - min(q.previous, q.current)
	q.average += time.Duration(queueingWeight * float64(waited-q.average))
	q.newest = waited
	if arrived.Sub(q.spanSince) >= standingTime {
		q.spans[0], q.spans[1], q.spanSince = q.spans[1], waited, arrived
	}
	q.spans[1] = min(q.spans[1], waited)
	return waited
}

// standing returns how long every packet of late had to wait.
func (q *queueing) standing() time.Duration { return min(q.spans[0], q.spans[1]) }

// standingBeyond returns how long every packet of late had to wait for others. A delay as long as the path takes for one is no queue.
func (q *queueing) standingBeyond(bitrate float64) time.Duration {
	return max(q.standing()-packetTime(bitrate), 0)
}

// packetTime returns how long a path of a bitrate takes for a packet.
func packetTime(bitrate float64) time.Duration {
	return time.Duration(typicalPacket * 8 / max(bitrate, minimumBitrate) * float64(time.Second))
}
