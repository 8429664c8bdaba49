package bwe

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Congestion says how long what is sent now is likely to wait on the path.
type Congestion uint8

// Degrees of congestion.
const (
	CongestionNone Congestion = iota
	// CongestionSome: more is on its way than the path takes. What can be left out without harm should be.
	CongestionSome
	// CongestionMuch: only what is needed most should be sent, until the path has drained.
	CongestionMuch
)

// Chosen here: the waiting times from which a path counts as congested, and below which it does not any more. A key frame fills a
// narrow path for a while, and jitter looks like waiting; both is tolerable, as little is left out at first.
const (
	someWaiting  = 80 * time.Millisecond
	muchWaiting  = 200 * time.Millisecond
	clearWaiting = 40 * time.Millisecond
	// lateMargin is by how much an acknowledgement may come later than those before without meaning anything.
	lateMargin = 50 * time.Millisecond
	// feedbackWeight is that of a distance between feedbacks, in the average; longer ones than maxFeedbackGap are pauses of the
	// sender.
	feedbackWeight = 0.125
	maxFeedbackGap = 250 * time.Millisecond
)

// Chosen here: for how long a path counts as narrow after it was full, and how much faster than estimated it is filled then. While it is
// congested, its queue has to drain.
const (
	narrowTime  = 30 * time.Second
	pacingScale = 1.25
)

// PacingRate returns how fast media should be sent to a path that was full of late, in bits per second; 0 for at once: to all other
// ones, and where others fill the queue anyway.
func (s *Sender) PacingRate(now unit.Time) unit.Bitrate {
	if !s.connected || s.others.present || s.fullAt == 0 || now.Sub(s.fullAt) > narrowTime {
		return 0
	}
	if s.flight.level > CongestionNone {
		return unit.Bitrate(s.rate.bitrate)
	}
	return unit.Bitrate(pacingScale * s.rate.bitrate)
}

// flight watches what is on its way: how long the oldest packet that no feedback was about should be on its way at most. That it
// takes longer shows that the path is congested before any feedback does.
type flight struct {
	feedbackAt unit.Time
	gap        time.Duration // between feedbacks, on average
	empty      time.Duration // the round-trip time without the queue, when feedback last came
	oldest     unit.Time     // when the oldest packet without feedback was sent, 0 when there is none
	sentAt     unit.Time     // the newest packet
	level      Congestion
}

// sent takes that a packet is sent. What feedback did not mention before a pause will not be mentioned any more.
func (f *flight) sent(now unit.Time) {
	if f.oldest == 0 || now.Sub(f.sentAt) > maxFeedbackGap {
		f.oldest = now
	}
	f.sentAt = now
}

// fed takes that feedback came, after which the oldest packet without feedback is the one that was sent at the given time, 0 for
// none.
func (f *flight) fed(now, oldest unit.Time) {
	if gap := now.Sub(f.feedbackAt); gap <= maxFeedbackGap {
		f.gap += time.Duration(feedbackWeight * float64(gap-f.gap))
	}
	f.feedbackAt, f.oldest = now, oldest
}

// Congestion returns how congested the path is.
func (s *Sender) Congestion(now unit.Time) Congestion {
	if !s.connected || s.bweType != api.BWETypeTransportCc || !s.silence.hadFeedback || s.others.present {
		return CongestionNone
	}
	f := &s.flight
	waiting := s.queue.newest - packetTime(s.rate.bitrate)
	if f.oldest != 0 {
		waiting = max(waiting, now.Sub(f.oldest)-f.empty-f.gap-lateMargin)
	}
	switch {
	case waiting >= muchWaiting:
		f.level = CongestionMuch
	case waiting >= someWaiting:
		f.level = max(f.level, CongestionSome)
	case waiting < clearWaiting:
		f.level = CongestionNone
	}
	if f.level > CongestionNone {
		s.prober.stop()
	}
	return f.level
}
