package media

import (
	"math"
	"time"

	"gazpacho/engine/unit"
)

// Upstream's values for consumers whose bitrate is managed by the transport.
const (
	// streamMinActive is how long a stream has to be active before it is preferred to one that already is.
	streamMinActive = 2 * time.Second
	// downgradeConservative is how long after a downgrade no higher spatial layer is taken.
	downgradeConservative = 10 * time.Second
	// downgradeMinActive is how long the consumer's stream must have been active for a downgrade to count.
	downgradeMinActive = 8 * time.Second
)

// layerChooser is what selectors of layers have in common.
type layerChooser struct {
	c *Consumer
	// preferred is the application's wish, provisional what increase took since the last apply.
	preferred, provisional layerID
	// conservativeUntil is when the time after a downgrade ends.
	conservativeUntil unit.Time
	changed           bool
}

func newLayerChooser(c *Consumer, preferred layerID) layerChooser {
	return layerChooser{c: c, preferred: preferred, provisional: noLayer}
}

func (l *layerChooser) prefer(_ unit.Time, wanted layerID) { l.preferred = wanted }

// takeChange reports whether the layers forwarded changed outside of decide.
func (l *layerChooser) takeChange() bool {
	changed := l.changed
	l.changed = false
	return changed
}

// mayAim says whether best, the layers that would be best now, may become the target. With an externally managed bitrate
// only the transport can tell, which is asked if the stream would change, or with force.
func (l *layerChooser) mayAim(best, target layerID, force bool) bool {
	switch {
	case best == target:
	case !l.c.external:
		return true
	case force || best.spatial != target.spatial:
		l.c.out.BitrateChangeNeeded = true
	}
	return false
}

// conservative says whether a recent downgrade forbids spatial layers above the current one. The lowest is always allowed.
func (l *layerChooser) conservative(now unit.Time, spatial, current, chosen int16) bool {
	return now < l.conservativeUntil && chosen >= 0 && spatial > current
}

// noteDowngrade begins the conservative time if the target means less because of bandwidth.
func (l *layerChooser) noteDowngrade(now unit.Time, target, current int16) {
	since := max(l.c.since, l.c.streams[0].send.ActiveSince())
	if now.Sub(since) > downgradeMinActive && target < current && current <= l.preferred.spatial {
		l.conservativeUntil = now.Add(downgradeConservative)
	}
}

// temporalLimit returns the highest temporal layer that the application wants of a spatial one.
func (l *layerChooser) temporalLimit(spatial int16) int16 {
	switch {
	case !l.c.compat.TemporalLimitAtPreferredOnly || spatial == l.preferred.spatial:
		return l.preferred.temporal
	case spatial < l.preferred.spatial:
		return math.MaxInt16
	}
	return 0
}

// temporalFor returns the highest temporal layer to be taken of a spatial one, in a stream with these bitrates.
func (l *layerChooser) temporalFor(spatial int16, b *LayerBitrates) int16 {
	_, temporal := b.Layers()
	return min(int16(temporal)-1, l.temporalLimit(spatial))
}

// firstTemporal returns the lowest temporal layer of a spatial one that is not taken yet.
func (l *layerChooser) firstTemporal(spatial int16) int16 {
	if spatial == l.provisional.spatial {
		return l.provisional.temporal + 1
	}
	return 0
}

// take makes a layer provisional if the additional bitrate it requires is there. It returns what of the available bitrate
// is used.
func (l *layerChooser) take(layer layerID, required, available unit.Bitrate, loss float32) unit.Bitrate {
	if required == 0 || required > virtualBitrate(available, loss) {
		return 0
	}
	l.provisional = layer
	return min(required, available)
}

// virtualBitrate is upstream's rule: what is available counts for more while next to nothing is lost, and for less when a
// lot is. loss is in percent, noLossKnown when it is not to be considered.
func virtualBitrate(available unit.Bitrate, loss float32) unit.Bitrate {
	switch {
	case loss == noLossKnown:
		return available
	case loss < 2:
		return unit.Bitrate(1.08 * float64(available))
	case loss > 10:
		return unit.Bitrate((1 - 0.5*float64(loss)/100) * float64(available))
	default:
		return available
	}
}

// above returns what a layer requires beyond what it takes the place of; never 0, which would mean that it is silent.
func above(required, replaced unit.Bitrate) unit.Bitrate {
	if required > replaced {
		return required - replaced
	}
	return 1
}
