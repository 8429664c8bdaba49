package layer

import "gazpacho/engine/unit"

// Bitrates are the bitrates of a stream's layers, measured at one moment. It is immutable: all consumers of a producer, on
// whatever shard, share one. A nil one has no layers.
type Bitrates struct {
	spatial, temporal int
	rates             []unit.Bitrate // by spatial, then temporal layer
}

// NewBitrates returns the bitrates of spatial × temporal layers; of returns that of one layer, without those below it.
func NewBitrates(spatial, temporal uint8, of func(spatial, temporal uint8) unit.Bitrate) *Bitrates {
	b := &Bitrates{spatial: int(spatial), temporal: int(temporal)}
	b.rates = make([]unit.Bitrate, 0, b.spatial*b.temporal)
	for s := range spatial {
		for t := range temporal {
			b.rates = append(b.rates, of(s, t))
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
	if b == nil || spatial < 0 || temporal < 0 || spatial >= b.spatial || temporal >= b.temporal {
		return 0
	}
	return b.rates[spatial*b.temporal+temporal]
}

// UpTo returns the bitrate of a layer and all layers below it, 0 when the layer itself is silent.
func (b *Bitrates) UpTo(spatial, temporal int) unit.Bitrate {
	if b.Of(spatial, temporal) == 0 {
		return 0
	}
	return sum(b.rates[:spatial*b.temporal+temporal+1])
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

func sum(rates []unit.Bitrate) (total unit.Bitrate) {
	for _, r := range rates {
		total += r
	}
	return total
}
