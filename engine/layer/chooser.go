package layer

import (
	"math"
	"time"

	"gazpacho/engine/unit"
)

// mediasoup's values, for consumers whose bitrate the transport manages.
const (
	// streamMinActive is how long a stream has to be active before it is preferred to one that already is.
	streamMinActive = 2 * time.Second
	// downgradeMinActive is how long the consumer must have been active for a downgrade to count.
	downgradeMinActive = 8 * time.Second
)

// Chosen here: how many frames a second a spatial layer above the lowest must have. mediasoup takes the highest one that fits, with
// however few.
const (
	smoothFrames = 12
	// keptFrames is for the one that is the target already, so that a measured rate near smoothFrames is no see-saw. Half of 20 frames
	// is less, half of 24 is more.
	keptFrames = 11
)

// chooser chooses the target layers. It holds what simulcast and SVC have in common, and asks the selector around it for
// what differs.
type chooser struct {
	consumer Consumer
	layers   spatialLayers
	// temporalLayers is how many temporal layers the consumer's stream has.
	temporalLayers         int16
	limitAtPreferredOnly   bool
	sharpFirst             bool
	preferred, target      ID
	provisional            ID // what Increase took since the last Apply
	conservativeUntil      unit.Time
	conservativeFor        time.Duration // 0 before the first downgrade
	upgradedAt             unit.Time
	changedOutsideOfDecide bool
}

// spatialLayers are the spatial layers to choose from: with simulcast a stream each, with SVC parts of one stream.
type spatialLayers interface {
	// count returns how many there are.
	count() int16
	// current returns the layers that are forwarded now.
	current() ID
	// usable reports whether a spatial layer could be forwarded.
	usable(spatial int16) bool
	// settled reports whether a usable spatial layer has been active for long enough to be relied on.
	settled(now unit.Time, spatial int16) bool
	// bitrates returns the bitrates of the stream that a spatial layer is in, and which of the stream's it is.
	bitrates(spatial int16) (b *Bitrates, in int)
	// replaced returns the bitrate that a higher spatial layer saves when it takes the place of l.
	replaced(l ID) unit.Bitrate
	// aim makes l the target, and asks for the key frame that it takes to get there.
	aim(l ID)
}

func newChooser(c Consumer, cfg *Config) chooser {
	return chooser{
		consumer: c, temporalLayers: int16(cfg.Mode.Temporal), limitAtPreferredOnly: cfg.TemporalLimitAtPreferredOnly,
		sharpFirst: cfg.SharpFirst, preferred: cfg.Preferred, target: None, provisional: None,
	}
}

func (c *chooser) Prefer(l ID) { c.preferred = l }

func (c *chooser) Layers() Layers { return Layers{c.preferred, c.target, c.layers.current()} }

func (c *chooser) TakeChange() bool {
	changed := c.changedOutsideOfDecide
	c.changedOutsideOfDecide = false
	return changed
}

func (c *chooser) Reconsider(now unit.Time, force bool) {
	best := c.best(now)
	switch {
	case best == c.target:
	case !c.consumer.ExternalBitrate():
		c.layers.aim(best)
	case force || best.Spatial != c.target.Spatial:
		c.consumer.RequestBitrate()
	}
}

func (c *chooser) Reachable(now unit.Time) ID {
	l := c.best(now)
	if l == None {
		return None
	}
	for b, in := c.layers.bitrates(l.Spatial); l.Temporal > 0 && b.Of(in, int(l.Temporal)) == 0; {
		l.Temporal-- // not sent
	}
	return l
}

// best returns the layers to be forwarded if bandwidth were unlimited: the highest usable spatial layer up to the preferred
// one, else the lowest above it.
func (c *chooser) best(now unit.Time) ID {
	best := None
	for spatial := range c.layers.count() {
		if c.conservative(now, spatial, best.Spatial) || !c.layers.usable(spatial) {
			continue
		}
		if c.consumer.ExternalBitrate() && best.Spatial >= 0 && !c.layers.settled(now, spatial) {
			continue
		}
		if spatial > c.preferred.Spatial && best.Spatial >= 0 {
			break
		}
		best.Spatial = spatial
		if spatial >= c.preferred.Spatial {
			break
		}
	}
	if best.Spatial >= 0 {
		best.Temporal = min(c.temporalLimit(best.Spatial), c.temporalLayers-1)
	}
	return best
}

// conservative reports whether a recent downgrade forbids a spatial layer above the current one. The lowest is always allowed:
// chosen is the best so far, -1 for none.
func (c *chooser) conservative(now unit.Time, spatial, chosen int16) bool {
	return now < c.conservativeUntil && chosen >= 0 && spatial > c.layers.current().Spatial
}

// temporalLimit returns the highest temporal layer that the application wants of a spatial one.
func (c *chooser) temporalLimit(spatial int16) int16 {
	switch {
	case !c.limitAtPreferredOnly || spatial == c.preferred.Spatial:
		return c.preferred.Temporal
	case spatial < c.preferred.Spatial:
		return math.MaxInt16
	}
	return 0
}

func (c *chooser) Increase(now unit.Time, available unit.Bitrate, loss float32) unit.Bitrate {
	if c.provisional == c.preferred {
		return 0
	}
	l, required := c.next(now)
	needed := required
	switch {
	case c.target == None:
	case l.Spatial > c.target.Spatial:
		needed += required / upgradeRoom
	case !c.target.Below(l):
		needed -= required / keptRoom
	}
	if required == 0 || needed > virtualBitrate(available, loss) {
		return 0
	}
	c.provisional = l
	return min(required, available)
}

// next returns the next higher layer than the provisional one and the additional bitrate that it requires, 0 if there is
// none: first the temporal layers of a spatial one, then the next spatial layer, with as many temporal layers as make it smooth.
func (c *chooser) next(now unit.Time) (ID, unit.Bitrate) {
	at := c.provisional.Spatial
	found := at >= 0
	for spatial := max(at, 0); spatial < c.layers.count(); spatial++ {
		if c.conservative(now, spatial, at) || spatial > c.preferred.Spatial && spatial != at && found {
			break
		}
		if !c.layers.usable(spatial) || c.tooYoung(now, spatial) {
			continue
		}
		found = true
		if l := (ID{spatial, c.firstTemporal(spatial)}); l.Temporal <= c.lastTemporal(spatial) {
			if required := c.required(l); required > 0 {
				return l, required
			}
		}
		if spatial >= c.preferred.Spatial {
			break
		}
	}
	return None, 0
}

// tooYoung reports whether a spatial layer is not settled while the provisional one is.
func (c *chooser) tooYoung(now unit.Time, spatial int16) bool {
	at := c.provisional.Spatial
	return at >= 0 && spatial != at && !c.layers.settled(now, spatial) && c.layers.settled(now, at)
}

// firstTemporal returns the lowest temporal layer of a spatial one that is not taken yet and can be. One above the lowest spatial
// layer is smooth, or has all that its sender has.
func (c *chooser) firstTemporal(spatial int16) int16 {
	switch c.provisional.Spatial {
	case spatial:
		return c.provisional.Temporal + 1
	case None.Spatial:
		return 0
	}
	last := max(c.lastTemporal(spatial), 0)
	for temporal := range last {
		if c.smooth(ID{spatial, temporal}) {
			return temporal
		}
	}
	return last
}

// smooth reports whether a layer above the provisional one has frames enough. If it has fewer than that one, it must at least be
// worth a higher bitrate.
func (c *chooser) smooth(l ID) bool {
	if c.sharpFirst {
		return true
	}
	at := c.provisional
	least := float32(smoothFrames)
	if l.Spatial == c.target.Spatial {
		least = keptFrames
	}
	b, in := c.layers.bitrates(l.Spatial)
	frames := b.Frames(in, int(l.Temporal))
	if frames < least && frames < b.Frames(in, int(c.lastTemporal(l.Spatial))) {
		return false
	}
	below, belowIn := c.layers.bitrates(at.Spatial)
	return frames >= below.Frames(belowIn, int(at.Temporal)) || b.SpatialUpTo(in, int(l.Temporal)) > c.layers.replaced(at)
}

// lastTemporal returns the highest temporal layer to be taken of a spatial one.
func (c *chooser) lastTemporal(spatial int16) int16 {
	b, _ := c.layers.bitrates(spatial)
	_, temporal := b.Layers()
	return min(int16(temporal)-1, c.temporalLimit(spatial))
}

// required returns what a layer takes in addition to the provisional one, 0 when it is silent: the next temporal layer alone, or of
// another spatial one the temporal layers up to l. A higher spatial layer may take the place of the provisional one, whose bitrate is
// saved then.
func (c *chooser) required(l ID) unit.Bitrate {
	b, in := c.layers.bitrates(l.Spatial)
	at := c.provisional
	if l.Spatial == at.Spatial {
		return b.Of(in, int(l.Temporal))
	}
	required := b.SpatialUpTo(in, int(l.Temporal))
	switch {
	case b.Of(in, 0) == 0:
		return 0
	case at.Spatial < 0:
		return required
	}
	if replaced := c.layers.replaced(at); required > replaced {
		return required - replaced
	}
	return 1 // it costs nothing, but is not silent
}

// virtualBitrate is mediasoup's rule: what is available counts for more while the receiver loses next to nothing, and for
// less while it loses a lot. loss is in per cent, or IgnoreLoss.
func virtualBitrate(available unit.Bitrate, loss float32) unit.Bitrate {
	switch {
	case loss == IgnoreLoss:
		return available
	case loss < 2:
		return unit.Bitrate(1.08 * float64(available))
	case loss > 10:
		return unit.Bitrate((1 - 0.5*float64(loss)/100) * float64(available))
	default:
		return available
	}
}

// For how long after a downgrade no higher spatial layer is taken. Chosen here: mediasoup waits for 10 s each time, but when a link
// recovers that is long; and when a higher layer was given up soon after it was taken, it is more likely to be so again.
const (
	minConservative = 2 * time.Second
	maxConservative = 16 * time.Second
	// upgradeProven is how long a higher layer must last to have been right.
	upgradeProven = 10 * time.Second
	// upgradeRoom is the part of a higher spatial layer's bitrate that must be there besides, or it would soon be given up again.
	upgradeRoom = 10
	// keptRoom is the part of its bitrate by which a layer that is taken already may exceed what is there: an estimate that fell is below
	// what the path carries, and what would be given up would soon be taken again.
	keptRoom = 16
)

func (c *chooser) Apply(now unit.Time) {
	l := c.provisional
	c.provisional = None
	if l == c.target {
		return
	}
	c.layers.aim(l)
	// A lower target for lack of bandwidth begins the conservative time.
	current := c.layers.current().Spatial
	switch {
	case l.Spatial > current:
		c.upgradedAt = now
	case now.Sub(c.consumer.ActiveSince()) > downgradeMinActive && l.Spatial < current && current <= c.preferred.Spatial:
		c.conservativeFor = min(max(2*c.conservativeFor, minConservative), maxConservative)
		if now.Sub(c.upgradedAt) > upgradeProven {
			c.conservativeFor = minConservative
		}
		c.conservativeUntil = now.Add(c.conservativeFor)
	}
}
