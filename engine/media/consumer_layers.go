package media

import (
	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// shown returns the layer as the protocol has it, nil for none.
func (l layerID) shown() *api.ConsumerLayers {
	if l.spatial < 0 {
		return nil
	}
	shown := &api.ConsumerLayers{SpatialLayer: uint8(l.spatial)}
	if l.temporal >= 0 {
		shown.TemporalLayer = new(uint8(l.temporal))
	}
	return shown
}

// hasLayers says whether the consumer chooses layers.
func (c *Consumer) hasLayers() bool { return c.typ == api.RTPTypeSimulcast || c.typ == api.RTPTypeSVC }

func (c *Consumer) preferredLayers() *api.ConsumerLayers {
	if !c.hasLayers() {
		return nil
	}
	return c.selector.layers().preferred.shown()
}

// wantedLayer is the wish of an application, cut down to the layers that the consumer's encoding has: all of them when it
// has no wish.
func (c *Consumer) wantedLayer(l *api.ConsumerLayers) layerID {
	e := &c.params.encodings[0]
	highest := layerID{int16(e.layers.spatial) - 1, int16(e.layers.temporal) - 1}
	if l == nil {
		return highest
	}
	wanted := layerID{min(int16(l.SpatialLayer), highest.spatial), highest.temporal}
	if l.TemporalLayer != nil {
		wanted.temporal = min(int16(*l.TemporalLayer), highest.temporal)
	}
	return wanted
}

// SetPreferredLayers sets the layers that are forwarded when bandwidth allows, and answers with those in force: none for
// simple consumers and pipes, which take all there is.
func (c *Consumer) SetPreferredLayers(
	now unit.Time, req *api.ConsumerSetPreferredLayersRequest,
) *api.ConsumerSetPreferredLayersResponse {
	switch {
	case c.relay:
		c.selector.prefer(now, highestEncoding(req.PreferredLayers))
	case c.hasLayers():
		before, wanted := c.selector.layers().preferred, c.wantedLayer(req.PreferredLayers)
		c.selector.prefer(now, wanted)
		if c.Active() && wanted != before {
			c.selector.mayChangeLayers(now, true)
			c.apply()
		}
	}
	return &api.ConsumerSetPreferredLayersResponse{PreferredLayers: c.preferredLayers()}
}

// SetExternallyManagedBitrate makes the consumer choose its layers by IncreaseLayer and ApplyLayers, which the transport
// calls, in place of by itself. There is no way back.
func (c *Consumer) SetExternallyManagedBitrate(unit.Time) { c.external = true }

// BitratePriority returns the weight in the distribution of bandwidth, 0 when the consumer takes no part in it.
func (c *Consumer) BitratePriority() uint8 {
	if !c.isVideo() || !c.Active() {
		return 0
	}
	return c.priority
}

// IncreaseLayer takes provisionally the next higher layer if that fits into the available bitrate, and returns how much
// more than before is used then; 0 = it stays as it is. considerLoss makes the available bitrate count for a little
// more than it is while the receiver loses next to nothing, and for less while it loses much. The upstream function of
// this name says the details. The consumer has a BitratePriority above 0.
func (c *Consumer) IncreaseLayer(now unit.Time, available unit.Bitrate, considerLoss bool) (used unit.Bitrate) {
	loss := noLossKnown
	if considerLoss {
		loss = c.streams[0].send.LossPercentage()
	}
	return c.selector.increase(now, available, loss)
}

// noLossKnown makes increase take the available bitrate for what it is.
const noLossKnown float32 = -1

// ApplyLayers makes the layers that IncreaseLayer took the target, and those that it did not take given up.
func (c *Consumer) ApplyLayers(now unit.Time) {
	c.selector.applyLayers(now)
	c.apply()
}

// DesiredBitrate returns what the consumer would use if there was no limit, 0 when it takes no part in the distribution.
func (c *Consumer) DesiredBitrate(now unit.Time) unit.Bitrate {
	if !c.isVideo() || !c.Active() || c.typ == api.RTPTypePipe {
		return 0
	}
	return max(c.selector.desired(now), unit.Bitrate(c.params.encodings[0].maxBitrate))
}
