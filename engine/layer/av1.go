package layer

import "gazpacho/engine/packet"

// av1 knows layers by the dependency descriptor. The temporal layer goes up by one at a frame of the next one, which refers
// to lower ones only, as with H264.
type av1 struct{ mode ScalabilityMode }

func (*av1) sync() {}

func (a *av1) pass(p *position, pkt *packet.Packet) Decision {
	c := &pkt.Codec
	l := layerOf(c)
	if !l.within(a.mode.highest()) {
		return Decision{Action: DropLayer}
	}
	next := p.nextSpatial(l.Spatial, c, false)
	next = p.nextTemporal(next, l.Temporal, c, l.Temporal == p.current.Temporal+1)
	forward := l.within(next)
	if forward || next.Temporal < p.current.Temporal {
		p.current = next
	}
	if !forward {
		return Decision{Action: DropLayer}
	}
	return Decision{Marker: pkt.Marker || endsPicture(l, next, c)}
}
