package observer

import (
	"math"
	"time"

	"gazpacho/engine/unit"
)

// Levels are 0 (silence) to 127 (loudest), the other way round than RFC 6464's.
const (
	minLevel = 0
	maxLevel = 127
)

// From mediasoup. One level stands for a span of 20 ms; the names in brackets are the paper's.
const (
	levelSpan       = 20 * time.Millisecond
	bands           = 13                             // into which levels are divided (N1)
	bandWidth       = (maxLevel + bands - 1) / bands // in decibels
	mediumLength    = 5                              // levels in one medium span (N2)
	longLength      = 10                             // medium spans in the long one (N3)
	levelCount      = mediumLength * longLength      // levels kept: one second
	activeBand      = 7                              // a level above this band counts in its medium span
	activeMedium    = 4                              // a medium span with more such levels counts in the long one
	floorWindow     = 15 * time.Second / levelSpan   // levels after which the noise floor may rise
	minActivity     = 1e-10                          // scores are not less, so that they have a logarithm
	immediateLambda = 0.78                           // the rates of the exponential distributions of silence
	mediumLambda    = 24
	longLambda      = 47
)

// activity is how active a speaker is over the immediate, medium and long span: 20 ms, 100 ms and 1 s, as logarithms of
// the paper's speech activity scores.
type activity struct{ immediate, medium, long float64 }

// The logarithms of all scores there are.
var (
	immediateScores = logScores(bands, immediateLambda)
	mediumScores    = logScores(mediumLength, mediumLambda)
	longScores      = logScores(longLength, longLambda)
)

// logScores returns for each v from 0 to n the logarithm of the score of v active parts among n: the log-likelihood ratio
// of speech, where each part is active with probability 1/2, to silence, where the number of active parts falls
// exponentially with rate lambda.
func logScores(n int, lambda float64) []float64 {
	scores := make([]float64, n+1)
	combinations := 1.0 // n over v
	for v := range scores {
		score := math.Log(combinations) - float64(n)*math.Ln2 - math.Log(lambda) + lambda*float64(v)
		scores[v] = math.Log(max(score, minActivity))
		combinations = combinations * float64(n-v) / float64(v+1)
	}
	return scores
}

// levels is the last second of a speaker, and an estimate of the background noise.
type levels struct {
	ring      [levelCount]uint8
	next      int // where in ring the next level goes
	changedAt unit.Time
	floor     uint8 // the noise floor; 0: not known
	rising    uint8 // the lowest level since the floor was set; 0: none
	risingLen int   // number of levels in rising
}

func newLevels(now unit.Time) levels { return levels{changedAt: now} }

// add records a level for the time that passed since the last one: packets may be longer than 20 ms, or not be sent at all.
func (l *levels) add(now unit.Time, level uint8) {
	if now < l.changedAt {
		return
	}
	spans := min(max(now.Sub(l.changedAt)/levelSpan, 1), levelCount)
	l.changedAt = now
	for range spans {
		l.ring[l.next] = level
		l.next = (l.next + 1) % levelCount
	}
	l.trackFloor(level)
}

// trackFloor lets the noise floor fall at once and rise slowly: after 15 s without a new minimum, to the geometric mean of
// itself and the minimum of that time. Silence is no noise.
func (l *levels) trackFloor(level uint8) {
	switch {
	case level == minLevel:
	case l.floor == minLevel || level < l.floor:
		l.floor, l.rising, l.risingLen = level, minLevel, 0
	case l.rising == minLevel:
		l.rising, l.risingLen = level, 1
	default:
		l.rising = min(l.rising, level)
		if l.risingLen++; l.risingLen >= int(floorWindow) {
			l.floor = uint8(math.Sqrt(float64(l.floor) * float64(l.rising)))
			l.rising, l.risingLen = minLevel, 0
		}
	}
}

// activity scores the three spans that end now.
func (l *levels) activity() activity {
	var active [longLength]int // levels that count in each medium span, the newest first
	long := 0
	for i := range active {
		for j := range mediumLength {
			if l.band(i*mediumLength+j) > activeBand {
				active[i]++
			}
		}
		if active[i] > activeMedium {
			long++
		}
	}
	return activity{immediateScores[l.band(0)], mediumScores[active[0]], longScores[long]}
}

// band returns the band of the level that is age levels old. What is not clearly above the noise floor is silence. A floor
// so high that nothing can be above it is none: such a producer is always loud, it has no noise.
func (l *levels) band(age int) uint8 {
	level := l.ring[(l.next+levelCount-1-age)%levelCount]
	if speech := int(l.floor) + bandWidth; speech <= maxLevel && int(level) < speech {
		return 0
	}
	return level / bandWidth
}
