package media

import (
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// LayerBitrates is what the layers of a stream carry, as measured at one moment. It is immutable: all consumers of a
// producer, on whatever shard, share one. A nil one knows of no layer.
type LayerBitrates struct {
	spatial, temporal int
	rates             []unit.Bitrate // by spatial, then temporal layer
}

// measureLayers takes the bitrates of s.
func measureLayers(now unit.Time, s *rtpstream.Recv) *LayerBitrates {
	p := s.Params()
	b := &LayerBitrates{spatial: int(p.SpatialLayers), temporal: int(p.TemporalLayers)}
	b.rates = make([]unit.Bitrate, 0, b.spatial*b.temporal)
	for spatial := range p.SpatialLayers {
		for temporal := range p.TemporalLayers {
			b.rates = append(b.rates, s.LayerBitrate(now, spatial, temporal))
		}
	}
	return b
}

// Layers returns how many spatial and temporal layers the stream was announced with.
func (b *LayerBitrates) Layers() (spatial, temporal int) {
	if b == nil {
		return 0, 0
	}
	return b.spatial, b.temporal
}

// Of returns the bitrate of one layer alone.
func (b *LayerBitrates) Of(spatial, temporal int) unit.Bitrate {
	if b == nil || spatial < 0 || temporal < 0 || spatial >= b.spatial || temporal >= b.temporal {
		return 0
	}
	return b.rates[spatial*b.temporal+temporal]
}

// UpTo returns the bitrate of a layer with all that it may depend on, 0 when it carries nothing itself.
func (b *LayerBitrates) UpTo(spatial, temporal int) unit.Bitrate {
	if b.Of(spatial, temporal) == 0 {
		return 0
	}
	return sum(b.rates[:spatial*b.temporal+temporal+1])
}

// Spatial returns the bitrate of all temporal layers of a spatial one.
func (b *LayerBitrates) Spatial(spatial int) unit.Bitrate {
	if b == nil || spatial < 0 || spatial >= b.spatial {
		return 0
	}
	return sum(b.rates[spatial*b.temporal : (spatial+1)*b.temporal])
}

// SameLayers says whether the same layers carry something.
func (b *LayerBitrates) SameLayers(o *LayerBitrates) bool {
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
func (b *LayerBitrates) Total() unit.Bitrate {
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
