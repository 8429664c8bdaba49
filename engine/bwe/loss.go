package bwe

import (
	"time"

	"gazpacho/engine/unit"
)

// From draft-ietf-rmcat-gcc-02 section 6: more than 10 % loss decreases the estimate by half of the loss.
const (
	highLoss        = 0.10
	lossSensitivity = 0.5
)

// Ours. The draft takes every loss for congestion; a radio link that always loses some packets then loses its bitrate as
// well. Here a loss that stays when much less is sent counts as the path's own and is disregarded from then on.
const (
	holdLoss          = 0.05 // more than that stops growth
	queuedLoss        = 0.04 // as highLoss, while packets wait in queues
	lossPackets       = 30   // in the window over which a loss is computed
	lossTime          = 250 * time.Millisecond
	maxLossTime       = 3 * time.Second
	minLossPackets    = 10  // in a window of maxLossTime
	maxInherentLoss   = 0.3 // more cannot be the path's own
	provenReduction   = 0.7 // what is sent, relative to before, ...
	provenPersistence = 0.7 // ... at which so much of the loss shows that it is the path's own
	inherentWeight    = 0.2
)

// lossControl turns losses into limits for the estimate.
type lossControl struct {
	since      unit.Time // when the window began
	sent, lost int       // in it
	bytes      int
	inherent   float64 // the path's own loss
	queued     bool    // packets wait in queues: what is lost did not fit
	excess     float64 // smoothed loss beyond that
	// An episode begins with a decrease and ends when the loss is gone or proven to be the path's own.
	episode     bool
	startRate   float64 // sent, in bits per second
	startLoss   float64
	startTarget float64
}

// verdict is what the losses of a window mean.
type verdict struct {
	factor float64 // for the estimate: below 1 decreases, 1 keeps
	// restore is the estimate before an episode whose losses were the path's own, 0 otherwise.
	restore float64
}

// add takes packets whose fate is known and what they say once there are enough. target is the current estimate.
func (l *lossControl) add(now unit.Time, sent, lost, bytes int, target float64) (v verdict) {
	v.factor = 1
	if l.since == 0 {
		l.since = now
	}
	l.sent, l.lost, l.bytes = l.sent+sent, l.lost+lost, l.bytes+bytes
	elapsed := now.Sub(l.since)
	enough := l.sent >= lossPackets && elapsed >= lossTime || l.sent >= minLossPackets && elapsed >= maxLossTime
	if !enough {
		return v
	}
	loss := min(max(float64(l.lost)/float64(l.sent), 0), 1)
	rate := float64(l.bytes) * 8 / elapsed.Seconds()
	l.since, l.sent, l.lost, l.bytes = now, 0, 0, 0
	return l.judge(loss, rate, target)
}

func (l *lossControl) judge(loss, rate, target float64) (v verdict) {
	v.factor = 1
	if loss < l.inherent {
		l.inherent += inherentWeight * (loss - l.inherent)
	}
	excess := max(loss-l.inherent, 0)
	l.excess += (excess - l.excess) / 2
	limit := highLoss
	if l.queued {
		limit = queuedLoss
	}
	if excess <= limit {
		if l.excess <= holdLoss {
			l.episode = false
		}
		return v
	}
	if !l.episode {
		l.episode, l.startRate, l.startLoss, l.startTarget = true, rate, loss, target
	}
	if !l.queued && rate < provenReduction*l.startRate && loss > provenPersistence*l.startLoss && loss <= maxInherentLoss {
		l.inherent, l.excess, l.episode = loss, 0, false
		v.restore = l.startTarget
		return v
	}
	v.factor = 1 - lossSensitivity*loss
	return v
}

// hold says that growth has to wait.
func (l *lossControl) hold() bool { return l.excess > holdLoss }

// high says that the path must not be probed.
func (l *lossControl) high() bool { return l.excess > highLoss }
