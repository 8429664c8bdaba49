package layer

import "gazpacho/engine/unit"

// Bitrates are the bitrates and frame rates of a stream's layers, measured at one moment. It is immutable: all consumers of a
// producer, on whatever shard, share one. A nil one has no layers.
type Bitrates struct {
	spatial, temporal int
	rates             []unit.Bitrate // by spatial, then temporal layer
	frames            []float32      // per second, likewise
}

// NewBitrates returns the rates of spatial × temporal layers; of returns those of one layer, without those below it. The frame
// rates of a stream with a single temporal layer do not matter, and may be 0.
func NewBitrates(spatial, temporal uint8, of func(spatial, temporal uint8) (unit.Bitrate, float32)) *Bitrates {
	b := &Bitrates{spatial: int(spatial), temporal: int(temporal)}
	n := b.spatial * b.temporal
	b.rates, b.frames = make([]unit.Bitrate, 0, n), make([]float32, 0, n)
	for s := range spatial {
		for t := range temporal {
			rate, frames := of(s, t)
			b.rates, b.frames = append(b.rates, rate), append(b.frames, frames)
		}
	}
	return b
}

// Layers returns how many spatial and temporal layers were negotiated for the stream.
func (b *Bitrates) Layers() (spatial, temporal int) {
	if b == nil {
		return 0, 0
	}
	return b.spatial, b.temporal
}

// Of returns the bitrate of one layer alone.
func (b *Bitrates) Of(spatial, temporal int) unit.Bitrate {
	if !b.has(spatial, temporal) {
		return 0
	}
	return b.rates[spatial*b.temporal+temporal]
}

func (b *Bitrates) has(spatial, temporal int) bool {
	return b != nil && spatial >= 0 && temporal >= 0 && spatial < b.spatial && temporal < b.temporal
}

// UpTo returns the bitrate of a layer and all layers below it, 0 when the layer itself is silent.
func (b *Bitrates) UpTo(spatial, temporal int) unit.Bitrate {
	if b.Of(spatial, temporal) == 0 {
		return 0
	}
	return sum(b.rates[:spatial*b.temporal+temporal+1])
}

// Frames returns the frames per second of a spatial layer up to a temporal one.
func (b *Bitrates) Frames(spatial, temporal int) float32 {
	if !b.has(spatial, temporal) {
		return 0
	}
	return sum(b.frames[spatial*b.temporal : spatial*b.temporal+temporal+1])
}

// SpatialUpTo returns the bitrate of a spatial layer up to a temporal one, without the spatial layers below it.
func (b *Bitrates) SpatialUpTo(spatial, temporal int) unit.Bitrate {
	if !b.has(spatial, temporal) {
		return 0
	}
	return sum(b.rates[spatial*b.temporal : spatial*b.temporal+temporal+1])
}

// Spatial returns the bitrate of all temporal layers of a spatial one.
func (b *Bitrates) Spatial(spatial int) unit.Bitrate {
	if b == nil || spatial < 0 || spatial >= b.spatial {
		return 0
	}
	return sum(b.rates[spatial*b.temporal : (spatial+1)*b.temporal])
}

// SameLayers reports whether the same layers are silent in both.
func (b *Bitrates) SameLayers(o *Bitrates) bool {
	spatial, temporal := b.Layers()
	otherSpatial, otherTemporal := o.Layers()
	for i := range max(spatial, otherSpatial) {
		for j := range max(temporal, otherTemporal) {
			if (b.Of(i, j) == 0) != (o.Of(i, j) == 0) {
				return false
			}
		}
	}
	return true
}

// Total returns the bitrate of the stream.
func (b *Bitrates) Total() unit.Bitrate {
	if b == nil {
		return 0
	}
	return sum(b.rates)
}

func sum[T unit.Bitrate | float32](rates []T) (total T) {
	for _, r := range rates {
		total += r
	}
	return total
}
