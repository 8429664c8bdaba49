package rtpstream

import (
	"math"

	"gazpacho/engine/unit"
)

// From mediasoup:
const (
	// MaxScore is the score of a stream without loss.
	MaxScore           = 10
	scoreHistoryLength = 24
)

// score is a stream's quality as in mediasoup: a weighted average of the last 24 samples, the newest weighing most.
type score struct {
	activeSince unit.Time
	history     [scoreHistoryLength]uint8
	samples     uint8
	value       uint8
	previous    uint8 // before the first change that was not taken yet
	changed     bool
}

func newScore(now unit.Time) score { return score{value: MaxScore, activeSince: now} }

// add puts a new sample into the history and computes the average.
func (s *score) add(now unit.Time, sample uint8) {
	if int(s.samples) == len(s.history) {
		copy(s.history[:], s.history[1:])
		s.samples--
	}
	s.history[s.samples] = sample
	s.samples++
	total, weights := 0, 0
	for i, v := range s.history[:s.samples] {
		total += (i + 1) * int(v)
		weights += i + 1
	}
	s.set(now, uint8(math.Round(float64(total)/float64(weights))), true)
}

// reset forgets the history and sets the score; with notify the change is reported.
func (s *score) reset(now unit.Time, value uint8, notify bool) {
	s.samples = 0
	s.set(now, value, notify)
}

func (s *score) set(now unit.Time, value uint8, notify bool) {
	if value == s.value {
		return
	}
	if s.value == 0 {
		s.activeSince = now
	}
	if notify && !s.changed {
		s.changed, s.previous = true, s.value
	}
	s.value = value
}

// take returns whether the score differs from when it was last taken, and what it was then.
func (s *score) take() (previous uint8, changed bool) {
	changed = s.changed && s.previous != s.value
	s.changed = false
	return s.previous, changed
}

// deliveryScore is mediasoup's formula for one interval: total packets that went through, lost ones, and how many of
// those were repaired by how many retransmissions. The more retransmissions a repair took, the less it makes up
// for the loss.
// The caller ensures lost ≤ total and repaired ≤ lost.
func deliveryScore(total, lost, repaired, retransmitted uint32) uint8 {
	weight := math.Pow(1/(float64(repaired)/float64(total)+1), 4)
	if retransmitted > 0 {
		weight *= float64(repaired) / float64(retransmitted)
	}
	// mediasoup keeps the loss in an integer: the fraction is cut off.
	remaining := math.Trunc(float64(lost) - float64(repaired)*weight)
	delivered := (float64(total) - remaining) / float64(total)
	return uint8(math.Round(math.Pow(delivered, 4) * MaxScore))
}
