package bwe

import (
	"time"

	"gazpacho/engine/unit"
)

// The factor is mediasoup's; the others are chosen here: feedback is due every 100 ms.
const (
	silenceFactor   = 0.8
	silenceAfter    = 2 * time.Second
	silenceInterval = time.Second
	silencePackets  = 10 // unanswered, before silence means anything
	// noFeedbackFactor is how far the estimate falls, relative to the initial bitrate, when no feedback ever came: the
	// peer may just not send any.
	noFeedbackFactor = 0.5
)

// silence notices when packets are sent and no feedback comes.
type silence struct {
	at          unit.Time // when to decrease next, unit.Never while nothing is unanswered
	unanswered  int
	lasts       bool // it decreased already
	hadFeedback bool // feedback came before
}

func newSilence() silence { return silence{at: unit.Never} }

// sent starts waiting for an answer.
func (s *silence) sent(now unit.Time) {
	s.unanswered++
	if s.at != unit.Never || s.unanswered < silencePackets {
		return
	}
	s.at = now.Add(silenceAfter)
	if s.lasts {
		s.at = now.Add(silenceInterval)
	}
}

// broken: feedback came.
func (s *silence) broken() { *s = silence{at: unit.Never, hadFeedback: true} }

// decreased waits again, from when more is sent.
func (s *silence) decreased() {
	s.at, s.unanswered, s.lasts = unit.Never, 0, true
}
