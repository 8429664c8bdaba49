package bwe

import "gazpacho/engine/unit"

// From mediasoup:
const (
	minimumBitrate     = 30_000 // bit/s: the estimate is never below
	desiredDecrease    = 0.05   // of the highest value, per second
	maxBitrateScale    = 1.35
	maxBitrateMargin   = 0.1
	maxPaddingScale    = 0.85
	absoluteMaxBitrate = 1<<63 - 2
)

// desired smooths the consumers' desired bitrate: it follows a rise at once and a fall slowly (mediasoup's TrendCalculator).
type desired struct {
	value, highest unit.Bitrate
	highestAt      unit.Time
}

func (d *desired) set(now unit.Time, value unit.Bitrate, force bool) {
	if force || value >= d.value {
		d.value, d.highest, d.highestAt = value, value, now
		return
	}
	fall := desiredDecrease * float64(d.highest) * now.Sub(d.highestAt).Seconds()
	d.value = max(value, d.highest-unit.Bitrate(min(fall, float64(d.highest))))
}

// limits are the bitrates between which the estimate may move, and what they follow from.
type limits struct {
	initial    unit.Bitrate
	configured struct{ min, max unit.Bitrate } // 0: none
	desired    unit.Bitrate
	effective  desired
	min, max   unit.Bitrate
	maxPadding unit.Bitrate
	start      unit.Bitrate
}

// apply recomputes the limits and reports whether the upper one rose. It follows the desired bitrate with some room
// above, and ignores small changes, which would only cause probing (as in mediasoup).
func (l *limits) apply() (rose bool) {
	highest := l.initial
	if l.effective.value > 0 {
		highest = max(highest, unit.Bitrate(min(float64(l.effective.value)*maxBitrateScale, absoluteMaxBitrate)))
		margin := float64(highest) * maxBitrateMargin
		if current := float64(l.max); current > float64(highest)-margin && current < float64(highest)+margin {
			highest = l.max
		}
	}
	if l.configured.max > 0 {
		highest = min(highest, l.configured.max)
	}
	rose = highest > l.max
	if highest != l.max {
		l.max = highest
		l.maxPadding = unit.Bitrate(float64(highest) * maxPaddingScale)
	}
	l.min = max(l.configured.min, minimumBitrate)
	return rose
}

// clamp bounds an estimate. When the limits contradict each other the upper one yields: it may only be what consumers
// happen to desire, whereas the lower one was asked for.
func (l *limits) clamp(bitrate float64) unit.Bitrate {
	return max(unit.Bitrate(min(max(bitrate, 0), float64(l.max))), l.min)
}
