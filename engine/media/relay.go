package media

import (
	"math"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
)

// Relay makes a pipe consumer one that carries its producer to another worker of the same application, whose consumers
// choose and ask as if they were here; see [layer.NewRelay].
func (c *Consumer) Relay() {
	c.relay = true
	c.selector = layer.NewRelay(selecting{c}, len(c.streams))
}

// highestEncoding is what a relay's far end prefers as a layer: nil means all encodings.
func highestEncoding(l *api.ConsumerLayers) layer.ID {
	if l == nil {
		return layer.ID{Spatial: math.MaxInt16}
	}
	return layer.ID{Spatial: int16(l.SpatialLayer)}
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
