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

// Chosen here: the draft takes every loss for congestion; a radio link that always loses some packets then loses its bitrate as
// well. Here a loss that stays when much less is sent counts as the path's own and is disregarded from then on.
const (
	holdLoss          = 0.05 // more than that stops growth
	queuedLoss        = 0.04 // as highLoss, while packets wait in queues
	lossPackets       = 30   // in the window over which a loss is computed
	lossTime          = 250 * time.Millisecond
	maxLossTime       = 3 * time.Second
	minLossPackets    = 10  // in a window of maxLossTime
	maxInherentLoss   = 0.3 // more cannot be the path's own
	provenPersistence = 0.7 // of the loss must be left when less is sent
	provenExpected    = 0.5 // of the loss would be left, if it were the excess over what the path carries
	provenMargin      = 0.95
	minProvenWindows  = 3
	lossWeight        = 0.1 // of a window, in the average that the path's own loss must not exceed
	recentLossWeight  = 0.3 // of a window, in the average that a loss must exceed where nothing queues
	lossRateWeight    = 0.4 // of a window, in the average of what is sent
)

// lossControl turns losses into limits for the estimate.
type lossControl struct {
	since      unit.Time // when the window began
	sent, lost int       // in it
	bytes      int
	inherent   float64 // the path's own loss
	average    float64 // of the loss, over several windows
	recent     float64 // likewise, over fewer
	queued     bool    // packets wait in queues: what is lost did not fit
	unqueued   bool    // they are known not to
	excess     float64 // smoothed loss beyond that
	episode    episode
	rate       float64 // sent, smoothed
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

// judge takes the loss of a window, the rate sent in it and the estimate.
func (l *lossControl) judge(loss, rate, target float64) (v verdict) {
	v.factor = 1
	if l.rate == 0 {
		l.rate = rate
	}
	l.rate += lossRateWeight * (rate - l.rate)
	l.average += lossWeight * (loss - l.average)
	l.inherent = min(l.inherent, l.average)
	l.recent += recentLossWeight * (loss - l.recent)
	excess := max(loss-l.inherent, 0)
	if l.unqueued {
		excess = min(excess, max(l.recent-l.inherent, 0)) // a burst that is lost where nothing queues says little
	}
	l.excess += (excess - l.excess) / 2
	limit := highLoss
	if l.queued {
		limit = queuedLoss
	}
	if excess <= limit && l.excess <= holdLoss {
		l.episode = episode{}
	}
	if l.episode.begun {
		l.episode.add(loss)
	}
	if excess <= limit {
		return v
	}
	if !l.episode.begun {
		l.episode = episode{begun: true, rate: l.rate, target: target}
		l.episode.add(loss)
	}
	if !l.queued && l.episode.proves(loss, l.rate) {
		l.inherent = l.episode.mean()
		l.average, l.excess = l.inherent, 0
		v.restore = l.episode.target
		l.episode = episode{}
		return v
	}
	v.factor = 1 - lossSensitivity*loss
	return v
}

// episode begins with a decrease and ends when the loss is gone or proven to be the path's own.
type episode struct {
	begun        bool
	rate, target float64 // sent, and estimated, when it began; bits per second
	losses, n    float64
}

func (e *episode) add(loss float64) { e.losses, e.n = e.losses+loss, e.n+1 }
func (e *episode) mean() float64    { return e.losses / e.n }

// proves says that the loss stayed although less is sent. If the path had carried what was not lost and no more, then hardly half of
// the loss would be left now.
func (e *episode) proves(loss, rate float64) bool {
	m := e.mean()
	enough := (1 - m) / (1 - provenExpected*m) * provenMargin
	return e.n >= minProvenWindows && rate < enough*e.rate && loss > provenPersistence*m && m <= maxInherentLoss
}

// hold says that growth has to wait.
func (l *lossControl) hold() bool { return l.excess > holdLoss }

// high says that the path must not be probed.
func (l *lossControl) high() bool { return l.excess > highLoss }

// lossHistoryLen is how many values are averaged, as in mediasoup.
const lossHistoryLen = 24

// lossHistory averages the loss that feedback packets report, for statistics only. The newest has the greatest weight, and each
// older one a step less, as in mediasoup.
type lossHistory struct {
	values  [lossHistoryLen]float64 // a ring
	next, n int
	average float64 // 0 to 1
}

func (h *lossHistory) add(lost, expected int) {
	if expected <= 0 {
		return
	}
	h.values[h.next] = float64(lost) / float64(expected)
	h.next = (h.next + 1) % lossHistoryLen
	h.n = min(h.n+1, lossHistoryLen)
	sum := 0.0
	for weight := h.n; weight > 0; weight-- {
		age := h.n - weight
		sum += float64(weight) * h.values[(h.next-1-age+lossHistoryLen)%lossHistoryLen]
	}
	h.average = sum / float64(h.n*(h.n+1)/2)
}
