package medialab

import (
	"math"
	"time"

	"gazpacho/engine/unit"
)

// From libwebrtc (modules/video_coding/timing, video/video_quality_observer2.cc):
const (
	renderDelay         = 10 * time.Millisecond
	maxDelayChange      = 0.1 // seconds of delay per second
	jitterDeviations    = 2.33
	freezeFactor        = 3
	freezeOffset        = 150 * time.Millisecond
	freezeWindow        = 30 // distances of frames, in the average
	minFreezeFrames     = 5
	jitterWeight        = 0.05
	playoutBaselineTime = 20 * time.Second
)

// playout decides when frames are shown, and notices freezes.
type playout struct {
	current, previous time.Duration // the shortest ways of two spans of time
	since             unit.Time
	mean, variance    float64 // of what a frame takes beyond that, in seconds
	delay             time.Duration
	delayAt           unit.Time
	least             time.Duration // the delay that the sender asks for

	shownAt unit.Time
	gaps    [freezeWindow]time.Duration
	n       int
	freezes []freeze
}

// freeze is a time during which the picture stands.
type freeze struct{ from, to unit.Time }

// complete takes that a frame is complete. way is how long that took after it was captured, by two clocks.
func (p *playout) complete(now unit.Time, way time.Duration, repaired bool) {
	switch {
	case p.since == 0:
		p.current, p.previous, p.since = way, way, now
	case now.Sub(p.since) > playoutBaselineTime:
		p.previous, p.current, p.since = p.current, way, now
	}
	p.current = min(p.current, way)
	if repaired {
		return
	}
	late := (way - p.shortest()).Seconds()
	d := late - p.mean
	p.mean += jitterWeight * d
	p.variance += jitterWeight * (d*d - p.variance)
}

func (p *playout) shortest() time.Duration { return min(p.current, p.previous) }

// due returns when a frame is shown that was captured at the given time of its sender's clock. (That libwebrtc adds its round-trip time
// once frames were repaired is of no use to a browser that only receives: it does not know that time.)
func (p *playout) due(now unit.Time, captured time.Duration) unit.Time {
	wanted := time.Duration((p.mean+jitterDeviations*math.Sqrt(p.variance))*float64(time.Second)) + renderDelay
	wanted = max(wanted, p.least)
	if p.delayAt == 0 {
		p.delay = wanted
	} else {
		step := time.Duration(maxDelayChange * float64(now.Sub(p.delayAt)))
		p.delay += min(max(wanted-p.delay, -step), step)
	}
	p.delayAt = now
	return unit.Time(captured + p.shortest() + p.delay)
}

// shown takes that a frame is shown.
func (p *playout) shown(now unit.Time) {
	if p.shownAt != 0 {
		gap := now.Sub(p.shownAt)
		if p.n >= minFreezeFrames {
			sum := time.Duration(0)
			count := min(p.n, freezeWindow)
			for _, g := range p.gaps[:count] {
				sum += g
			}
			average := sum / time.Duration(count)
			if gap >= max(freezeFactor*average, average+freezeOffset) {
				p.freezes = append(p.freezes, freeze{p.shownAt, now})
			}
		}
		p.gaps[p.n%freezeWindow] = gap
		p.n++
	}
	p.shownAt = now
}
