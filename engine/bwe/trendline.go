package bwe

import (
	"math"
	"time"
)

// From mediasoup. The detector and its adaptive threshold are those of draft-ietf-rmcat-gcc-02 sections 5.4 and 5.5;
// that the one-way delay gradient is the slope of a line fitted to smoothed delays, instead of a Kalman filter's state,
// came to libwebrtc later, and the gains of the threshold with it.
const (
	trendWindow       = 20
	trendSmoothing    = 0.9
	trendGain         = 4
	maxTrendSamples   = 60
	initialThreshold  = 12.5 // ms
	minThreshold      = 6
	maxThreshold      = 600
	thresholdUp       = 0.0087 // per ms
	thresholdDown     = 0.039
	maxAdaptOffset    = 15 // ms: beyond that the threshold does not follow, so that it does not learn from spikes
	maxAdaptInterval  = 100
	overuseTime       = 10 // ms
	overuseDetections = 2
)

// usage is the state of the path that the delay shows.
type usage uint8

const (
	normal usage = iota
	overusing
	underusing
)

// trendline finds out whether queues on the path grow. All its times are in milliseconds.
type trendline struct {
	samples     [trendWindow]struct{ arrived, delay float64 } // a ring
	next, n     int
	deltas      int
	arrived     float64 // since the first group
	accumulated float64 // delay
	smoothed    float64
	slope       float64
	threshold   float64
	overusing   float64 // for how long, -1 when not
	detections  int
	state       usage
}

func newTrendline() trendline {
	return trendline{threshold: initialThreshold, overusing: -1}
}

// add takes the distance between two groups and updates the state.
func (t *trendline) add(d distance) {
	sent, arrived := milliseconds(d.sent), milliseconds(d.arrived)
	t.deltas = min(t.deltas+1, maxTrendSamples)
	t.arrived += arrived
	t.accumulated += arrived - sent
	t.smoothed = trendSmoothing*t.smoothed + (1-trendSmoothing)*t.accumulated
	t.samples[t.next].arrived, t.samples[t.next].delay = t.arrived, t.smoothed
	t.next = (t.next + 1) % trendWindow
	t.n = min(t.n+1, trendWindow)
	slope := t.slope
	if t.n == trendWindow {
		slope = t.fit(slope)
	}
	if t.deltas > 1 {
		t.detect(slope, sent, arrived)
	}
}

// fit returns the slope of the least-squares line through the samples, otherwise when they do not define one.
func (t *trendline) fit(otherwise float64) float64 {
	var x, y float64
	for _, s := range t.samples {
		x += s.arrived
		y += s.delay
	}
	x, y = x/trendWindow, y/trendWindow
	var numerator, denominator float64
	for _, s := range t.samples {
		numerator += (s.arrived - x) * (s.delay - y)
		denominator += (s.arrived - x) * (s.arrived - x)
	}
	if denominator == 0 {
		return otherwise
	}
	return numerator / denominator
}

func (t *trendline) detect(slope, sent, elapsed float64) {
	trend := float64(t.deltas) * slope * trendGain
	switch {
	case trend > t.threshold:
		if t.overusing < 0 {
			t.overusing = sent / 2
		} else {
			t.overusing += sent
		}
		t.detections++
		if t.overusing > overuseTime && t.detections >= overuseDetections && slope >= t.slope {
			t.overusing, t.detections, t.state = 0, 0, overusing
		}
	case trend < -t.threshold:
		t.overusing, t.detections, t.state = -1, 0, underusing
	default:
		t.overusing, t.detections, t.state = -1, 0, normal
	}
	t.slope = slope
	t.adapt(math.Abs(trend), elapsed)
}

// adapt moves the threshold towards the trend: slowly up, so that a competing TCP flow does not starve us, and quickly
// down (draft-ietf-rmcat-gcc-02 section 5.4).
func (t *trendline) adapt(trend, elapsed float64) {
	if trend > t.threshold+maxAdaptOffset {
		return
	}
	k := thresholdUp
	if trend < t.threshold {
		k = thresholdDown
	}
	t.threshold += k * (trend - t.threshold) * min(elapsed, maxAdaptInterval)
	t.threshold = min(max(t.threshold, minThreshold), maxThreshold)
}

// usage combines what the delay's slope shows with the delay itself: a burst that nothing waits behind is none of the path's
// business, and a queue that stands has no slope.
func (t *trendline) usage(standing time.Duration) usage {
	switch {
	case standing > fullQueueing:
		return overusing
	case t.state == overusing && standing < burstQueueing:
		return normal
	}
	return t.state
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
