package media

import (
	"math"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// Relay makes a pipe consumer one that carries its producer to another worker of the same application, whose consumers
// choose and ask as if they were here. It forwards each stream from its first packet on, since the far consumers learn of a
// stream by that, and wants no key frame by itself: they ask for those of the streams that they forward.
func (c *Consumer) Relay() {
	c.relay = true
	c.selector = &relaySelector{simpleSelector: newSimpleSelector(c, 0, false), highest: math.MaxInt16}
}

// highestEncoding is the wish of a relay's far end as a layer: nil means all encodings.
func highestEncoding(l *api.ConsumerLayers) layerID {
	if l == nil {
		return layerID{math.MaxInt16, 0}
	}
	return layerID{int16(l.SpatialLayer), 0}
}

// indexOf returns which of its streams s is.
func (c *Consumer) indexOf(s *sentStream) int {
	for i := range c.streams {
		if &c.streams[i] == s {
			return i
		}
	}
	panic("media: a stream of another consumer")
}

// relaySelector forwards all encodings up to one.
type relaySelector struct {
	*simpleSelector
	highest int16
}

func (s *relaySelector) decide(now unit.Time, pkt *packet.Packet, to *sentStream) decision {
	if s.c.indexOf(to) > int(s.highest) {
		return decision{action: dropLayer}
	}
	return s.simpleSelector.decide(now, pkt, to)
}

func (s *relaySelector) start(unit.Time) {
	for i := range s.c.streams {
		s.c.streams[i].needSync = true
	}
}

// prefer changes the highest encoding. What is left out meanwhile is closed up, as the numbers of the far end go on.
func (s *relaySelector) prefer(_ unit.Time, l layerID) { s.highest = l.spatial }
