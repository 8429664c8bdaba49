package rtpstream

import (
	"strconv"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// From mediasoup: windows for the bitrate of a received stream.
const (
	recvWindow    = 2500 * time.Millisecond
	recvWindowDTX = 6000 * time.Millisecond
)

// layerCounters counts the packets of each layer of a received stream: mediasoup's TransmissionCounter.
type layerCounters struct {
	counters          []unit.Counter // by spatial, then temporal layer
	spatial, temporal uint8
}

func newLayerCounters(p *Params) layerCounters {
	window := recvWindow
	if p.UseDTX {
		window = recvWindowDTX
	}
	c := layerCounters{spatial: p.SpatialLayers, temporal: p.TemporalLayers}
	c.counters = make([]unit.Counter, int(c.spatial)*int(c.temporal))
	for i := range c.counters {
		c.counters[i] = unit.NewCounter(window)
	}
	return c
}

func (c *layerCounters) at(spatial, temporal uint8) *unit.Counter {
	return &c.counters[int(spatial)*int(c.temporal)+int(temporal)]
}

// update counts a packet; a layer beyond those negotiated counts as the highest one.
func (c *layerCounters) update(now unit.Time, spatial, temporal uint8, length, payload int) {
	c.at(min(spatial, c.spatial-1), min(temporal, c.temporal-1)).Update(now, length, payload)
}

// rest gives memory back that counts nothing at present.
func (c *layerCounters) rest(now unit.Time) {
	for i := range c.counters {
		c.counters[i].Rest(now)
	}
}

// sum adds up the rates of all layers with index below n.
func (c *layerCounters) sum(now unit.Time, n int) (rate unit.Bitrate) {
	for i := range c.counters[:n] {
		rate += c.counters[i].Rate(now)
	}
	return rate
}

func (c *layerCounters) rate(now unit.Time) unit.Bitrate { return c.sum(now, len(c.counters)) }

func (c *layerCounters) has(spatial, temporal uint8) bool {
	return spatial < c.spatial && temporal < c.temporal
}

func (c *layerCounters) layerRate(now unit.Time, spatial, temporal uint8) unit.Bitrate {
	if !c.has(spatial, temporal) {
		return 0
	}
	return c.at(spatial, temporal).Rate(now)
}

func (c *layerCounters) rateUpTo(now unit.Time, spatial, temporal uint8) unit.Bitrate {
	if c.layerRate(now, spatial, temporal) == 0 {
		return 0
	}
	return c.sum(now, int(spatial)*int(c.temporal)+int(temporal)+1)
}

func (c *layerCounters) spatialRate(now unit.Time, spatial uint8) (rate unit.Bitrate) {
	for t := range c.temporal {
		rate += c.layerRate(now, spatial, t)
	}
	return rate
}

func (c *layerCounters) total() (packets, bytes uint64) {
	for i := range c.counters {
		packets += c.counters[i].Packets()
		bytes += c.counters[i].Bytes()
	}
	return packets, bytes
}

// stats returns the rate of each layer with all below it, none when there is a single layer.
func (c *layerCounters) stats(now unit.Time) []api.BitrateByLayer {
	if len(c.counters) == 1 {
		return nil
	}
	list := make([]api.BitrateByLayer, 0, len(c.counters))
	for s := range c.spatial {
		for t := range c.temporal {
			list = append(list, api.BitrateByLayer{
				Layer:   strconv.Itoa(int(s)) + "." + strconv.Itoa(int(t)),
				Bitrate: uint64(c.rateUpTo(now, s, t)),
			})
		}
	}
	return list
}
