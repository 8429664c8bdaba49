package layer

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/wire/codec"
)

// vp9 follows the payload descriptor (RFC 9628 section 4.2). Temporal layers go up at switching points (its U bit).
type vp9 struct {
	mode    ScalabilityMode
	history history
}

func (v *vp9) sync() { v.history = history{} }

func (v *vp9) pass(p *position, pkt *packet.Packet) Decision {
	c := &pkt.Codec
	l := layerOf(c)
	if !l.within(v.mode.highest()) {
		return Decision{Action: DropLayer}
	}
	id, late := uint16(0), false
	if c.HasPictureID() {
		id, late = v.history.take(c)
	}
	var allowed ID
	if late {
		allowed = v.history.at(id, p.current)
	} else {
		allowed = v.next(p, l, c)
	}
	// With K-SVC, delta frames of lower spatial layers are not needed.
	forward := l.within(allowed) && !(v.mode.KeyOnly && c.InterPicture && l.Spatial != allowed.Spatial)
	if !late && (forward || allowed.Temporal < p.current.Temporal) {
		if c.HasPictureID() {
			v.history.advance(id, p.current, allowed)
		}
		p.current = allowed
	}
	if !forward {
		return Decision{Action: DropLayer}
	}
	return Decision{Marker: pkt.Marker || endsPicture(l, allowed, c)}
}

// next returns the layers to be forwarded from a packet on.
func (v *vp9) next(p *position, l ID, c *codec.Descriptor) ID {
	current := p.current.Temporal
	mayClimb := l.Temporal > current && l.Temporal <= p.target.Temporal && c.StartOfFrame && (current < 0 || c.SwitchingPoint)
	return p.nextTemporal(p.nextSpatial(l.Spatial, c, v.mode.KeyOnly), l.Temporal, c, mayClimb)
}
