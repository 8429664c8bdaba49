package layer

import (
	"fmt"
	"math"

	"gazpacho/engine/packet"
	"gazpacho/engine/wire/codec"
)

// filter drops the packets of one received stream that are of layers above the current ones, and moves the current ones
// towards the target where the codec allows it. A frame is forwarded whole or not at all. It is mediasoup's EncodingContext.
type filter struct {
	position
	codec strategy
	// aimed is the target as it was chosen, limit the highest temporal layer that congestion allows: position.target is within both.
	aimed ID
	limit int16
	// recovering: the current temporal layer is another than the chosen one because of the limit. Such changes are short, and
	// not told to the application.
	recovering bool
}

// position is where a filter stands.
type position struct{ target, current ID }

// strategy is what a filter does differently for each codec.
type strategy interface {
	// sync: the next packet is a key frame after an interruption, perhaps of another stream.
	sync()
	// pass decides on a packet: Forward, with what changes in it, or DropLayer. With a forwarded packet, p.current moves. The
	// target is a layer.
	pass(p *position, pkt *packet.Packet) Decision
}

func newFilter(cfg *Config) filter {
	f := filter{position: position{None, None}, aimed: None, limit: math.MaxInt16}
	switch cfg.Codec {
	case codec.VP8:
		f.codec = newVP8()
	case codec.VP9:
		f.codec = &vp9{mode: cfg.Mode}
	case codec.AV1:
		f.codec = &av1{mode: cfg.Mode}
	case codec.H264:
		f.codec = &h264{}
	default:
		panic(fmt.Sprintf("layer: codec %d has no layers", cfg.Codec))
	}
	return f
}

// reset makes nothing the target.
func (f *filter) reset() { f.position, f.aimed, f.recovering = position{None, None}, None, false }

// aim makes l the target.
func (f *filter) aim(l ID) {
	f.aimed = l
	f.bound()
}

// limitTemporal leaves out temporal layers above one, whatever the target is.
func (f *filter) limitTemporal(highest int16) {
	f.limit = highest
	f.bound()
}

func (f *filter) bound() {
	f.target = f.aimed
	if f.limit < f.aimed.Temporal {
		f.target.Temporal, f.recovering = f.limit, true
	}
}

func (f *filter) sync() { f.codec.sync() }

func (f *filter) pass(pkt *packet.Packet) Decision {
	before := f.current
	d := f.codec.pass(&f.position, pkt)
	d.LayersChanged = f.current != before
	if f.recovering {
		d.LayersChanged = f.current.Spatial != before.Spatial
		f.recovering = f.limit < f.aimed.Temporal || f.current.Temporal < f.aimed.Temporal
	}
	return d
}

// climb moves the current temporal layer up to that of a forwarded frame, or down to the target (VP8 and H264, which have one
// spatial layer).
func (p *position) climb(temporal int16) {
	p.current = ID{0, min(max(p.current.Temporal, temporal), p.target.Temporal)}
}

// nextSpatial returns the layers after a change of the spatial one, the current ones if there is none at this packet. It goes
// up at key frames, and down at the end of a frame of the target: from there on, nothing needs the layers above. With K-SVC
// the layers need each other in key frames only, and going down takes a key frame too (VP9 and AV1).
func (p *position) nextSpatial(spatial int16, c *codec.Descriptor, keyOnly bool) ID {
	next := p.current
	switch target, current := p.target.Spatial, p.current.Spatial; {
	case target > current && c.KeyFrame, target < current && keyOnly && c.KeyFrame:
		next = ID{target, 0}
	case target < current && !keyOnly && spatial == target && c.EndOfFrame:
		next.Spatial = target
	}
	return next
}

// nextTemporal returns next with the temporal layer after this packet. It goes up to the packet's where mayClimb says that the
// packet needs nothing that was left out, and down at the end of a frame of the target, or before one that is above it: what depends on
// that is above the target too.
func (p *position) nextTemporal(next ID, temporal int16, c *codec.Descriptor, mayClimb bool) ID {
	switch target, current := p.target.Temporal, p.current.Temporal; {
	case target > current && mayClimb:
		next.Temporal = temporal
	case target < current && (temporal == target && c.EndOfFrame || temporal > target && c.StartOfFrame):
		next.Temporal = target
	}
	return next
}

// endsPicture reports whether a packet of layer l ends a picture of which the layers up to highest are forwarded: the receiver
// knows the end by the RTP marker.
func endsPicture(l, highest ID, c *codec.Descriptor) bool {
	return l.Spatial == highest.Spatial && c.EndOfFrame
}

// layerOf returns the layer that a packet is of.
func layerOf(c *codec.Descriptor) ID { return ID{int16(c.SpatialLayer), int16(c.TemporalLayer)} }

// Below reports whether l is a lower spatial layer than o, or a lower temporal one of the same.
func (l ID) Below(o ID) bool {
	return l.Spatial < o.Spatial || l.Spatial == o.Spatial && l.Temporal < o.Temporal
}

// within reports whether l is not above the layer limit.
func (l ID) within(limit ID) bool { return l.Spatial <= limit.Spatial && l.Temporal <= limit.Temporal }
