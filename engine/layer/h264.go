package layer

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// h264 knows temporal layers by the dependency descriptor; without one, all frames are of layer 0. The temporal layer goes up
// by one at a frame of the next one, which refers to lower ones only. (mediasoup forwards any frame up to the target.)
type h264 struct {
	// The newest frame, all of whose packets share the decision.
	timestamp unit.Timestamp
	known     bool
	dropped   bool
}

func (h *h264) sync() { *h = h264{} }

func (h *h264) pass(p *position, pkt *packet.Packet) Decision {
	if !h.wanted(p, pkt) {
		return Decision{Action: DropLayer}
	}
	return Decision{Marker: pkt.Marker}
}

func (h *h264) wanted(p *position, pkt *packet.Packet) bool {
	temporal := int16(pkt.Codec.TemporalLayer)
	if !h.known || pkt.Timestamp.After(h.timestamp) {
		h.timestamp, h.known = pkt.Timestamp, true
		h.dropped = temporal > min(p.target.Temporal, p.current.Temporal+1)
		if !h.dropped {
			p.climb(temporal)
		}
	}
	if pkt.Timestamp == h.timestamp {
		return !h.dropped
	}
	return temporal <= p.current.Temporal // late
}
