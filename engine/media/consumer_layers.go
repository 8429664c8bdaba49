package media

import (
	"math"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
)

// selecting is a consumer as its selector sees it.
type selecting struct{ c *Consumer }

func (s selecting) Active() bool          { return s.c.Active() }
func (s selecting) ExternalBitrate() bool { return s.c.external }

func (s selecting) ActiveSince() unit.Time {
	return max(s.c.since, s.c.streams[0].send.ActiveSince())
}

func (s selecting) NewestSent() (ts unit.Timestamp, at unit.Time, ok bool) {
	ts, at = s.c.streams[0].send.NewestTimestamp()
	return ts, at, s.c.streams[0].started
}

func (s selecting) RequestKeyFrame(encoding int) { s.c.requestKeyFrame(s.c.mapped[encoding]) }
func (s selecting) RequestBitrate()              { s.c.out.BitrateChangeNeeded = true }
func (s selecting) DropHeld()                    { s.c.releaseHeld(&s.c.streams[0]) }

// shownLayers returns a layer as the protocol has it, nil for none.
func shownLayers(l layer.ID) *api.ConsumerLayers {
	if l.Spatial < 0 {
		return nil
	}
	shown := &api.ConsumerLayers{SpatialLayer: uint8(l.Spatial)}
	if l.Temporal >= 0 {
		shown.TemporalLayer = new(uint8(l.Temporal))
	}
	return shown
}

// hasLayers reports whether the consumer selects layers.
func (c *Consumer) hasLayers() bool { return c.typ == api.RTPTypeSimulcast || c.typ == api.RTPTypeSVC }

func (c *Consumer) preferredLayers() *api.ConsumerLayers {
	if !c.hasLayers() {
		return nil
	}
	return shownLayers(c.selector.Layers().Preferred)
}

// clampLayers returns the layers that an application prefers, cut down to those that the consumer's encoding has; nil and a
// missing temporal layer stand for the highest.
func (c *Consumer) clampLayers(l *api.ConsumerLayers) layer.ID {
	preferred := layer.ID{Spatial: math.MaxInt16, Temporal: math.MaxInt16}
	if l != nil {
		preferred.Spatial = int16(l.SpatialLayer)
		if l.TemporalLayer != nil {
			preferred.Temporal = int16(*l.TemporalLayer)
		}
	}
	return c.params.encodings[0].mode.Clamp(preferred)
}

// SetPreferredLayers sets the layers that are forwarded when bandwidth allows, and answers with those in force: none for
// simple consumers and pipes, which forward all there is.
func (c *Consumer) SetPreferredLayers(
	now unit.Time, req *api.ConsumerSetPreferredLayersRequest,
) *api.ConsumerSetPreferredLayersResponse {
	switch {
	case c.relay:
		c.selector.Prefer(highestEncoding(req.PreferredLayers))
	case c.hasLayers():
		before, preferred := c.selector.Layers().Preferred, c.clampLayers(req.PreferredLayers)
		c.selector.Prefer(preferred)
		if c.Active() && preferred != before {
			c.selector.Reconsider(now, true)
			c.notifyChange()
		}
	}
	return &api.ConsumerSetPreferredLayersResponse{PreferredLayers: c.preferredLayers()}
}

// SetExternallyManagedBitrate makes the transport choose the consumer's layers, by IncreaseLayer and ApplyLayers, in place of
// the consumer itself. There is no way back.
func (c *Consumer) SetExternallyManagedBitrate(unit.Time) { c.external = true }

// SetCongestion says how congested the path to the receiver is. Pictures of the highest temporal layer, or of all but the lowest, are
// left out meanwhile, and retransmissions are limited to what helps most. If not even those could be sent, the receiver may have given
// up asking for them, so that a key frame is asked for in the end.
func (c *Consumer) SetCongestion(now unit.Time, level bwe.Congestion) {
	if !c.isVideo() {
		return
	}
	for i := range c.streams {
		s := &c.streams[i]
		s.send.SetScarce(level > bwe.CongestionNone)
		if s.unrepaired && level == bwe.CongestionNone {
			s.unrepaired, s.wantsKeyFrame = false, true
			c.passOnKeyFrameRequest(now, s)
		}
	}
	highest := int16(math.MaxInt16)
	switch temporal := int16(c.params.encodings[0].mode.Temporal); level {
	case bwe.CongestionSome:
		highest = max(temporal-2, 0)
	case bwe.CongestionMuch:
		highest = 0
	}
	c.selector.LimitTemporal(highest)
}

// BitratePriority returns the weight in the distribution of bandwidth, 0 when the consumer takes no part in it.
func (c *Consumer) BitratePriority() uint8 {
	if !c.isVideo() || !c.Active() {
		return 0
	}
	return c.priority
}

// IncreaseLayer takes the next higher layer provisionally if it fits into the available bitrate, and returns the additional
// bitrate that it uses; 0 = nothing changes. With considerLoss the available bitrate counts for a little more while the
// receiver loses next to nothing, and for less while it loses much. (mediasoup's function of the same name has the
// details.) The consumer has a BitratePriority above 0.
func (c *Consumer) IncreaseLayer(now unit.Time, available unit.Bitrate, considerLoss bool) (used unit.Bitrate) {
	loss := layer.IgnoreLoss
	if considerLoss {
		loss = c.streams[0].send.LossPercentage()
	}
	return c.selector.Increase(now, available, loss)
}

// ApplyLayers makes the layers that IncreaseLayer took the target, and gives up those that it did not take. It returns what changed,
// and why.
func (c *Consumer) ApplyLayers(now unit.Time) LayerChange {
	l := LayerChange{From: c.selector.Layers().Target}
	reachable := c.selector.Reachable(now)
	c.selector.Apply(now)
	c.notifyChange()
	layers := c.selector.Layers()
	l.To = layers.Target
	switch {
	case !l.To.Below(l.From):
		l.Why = NotDropped
	case layers.Preferred.Below(l.From):
		l.Why = NotPreferred
	case reachable.Below(l.From):
		l.Why = NotSent
	default:
		l.Why = NoBandwidth
	}
	return l
}

// LayerChange is what a distribution of bandwidth made of a consumer's target layers.
type LayerChange struct {
	From, To layer.ID
	Why      DropReason
}

// DropReason says why a consumer's target layers became lower.
type DropReason uint8

// Reasons for dropping layers.
const (
	NotDropped DropReason = iota
	// NotPreferred: the application prefers lower ones.
	NotPreferred
	// NotSent: the producer's peer does not send them any more.
	NotSent
	// NoBandwidth: they do not fit any more.
	NoBandwidth
)

// DesiredBitrate returns what the consumer would use if bandwidth were unlimited, 0 when it takes no part in the distribution.
func (c *Consumer) DesiredBitrate(unit.Time) unit.Bitrate {
	if !c.isVideo() || !c.Active() || c.typ == api.RTPTypePipe {
		return 0
	}
	return max(c.selector.Desired(), unit.Bitrate(c.params.encodings[0].maxBitrate))
}
