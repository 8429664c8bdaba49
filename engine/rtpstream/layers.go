package rtpstream

import (
	"strconv"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// From mediasoup: windows for the bitrate of a received stream.
const (
	recvWindow    = 2500 * time.Millisecond
	recvWindowDTX = 6000 * time.Millisecond
)

// layerCounters counts the packets of each layer of a received stream: mediasoup's TransmissionCounter. Of streams with several
// temporal layers it counts the frames too.
type layerCounters struct {
	counters          []unit.Counter // by spatial, then temporal layer
	frames            []frameCounter // likewise; nil with a single temporal layer, which has all frames
	spatial, temporal uint8
	farBack           int // in units of the RTP timestamp
}

// farBack is how much older a frame must be than the newest of its layer to begin the timestamps anew: later than any
// retransmission. (Chosen here.)
const farBack = 10 * time.Second

// frameCounter measures the frame rate of a layer by the timestamps that are new.
type frameCounter struct {
	rate    unit.RateCounter // a byte for each frame
	newest  unit.Timestamp
	started bool
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
	if c.temporal == 1 {
		return c
	}
	c.farBack = int(farBack.Seconds() * float64(p.ClockRate))
	c.frames = make([]frameCounter, len(c.counters))
	for i := range c.frames {
		c.frames[i].rate = unit.NewRateCounter(window)
	}
	return c
}

func (c *layerCounters) index(spatial, temporal uint8) int {
	return int(spatial)*int(c.temporal) + int(temporal)
}

// update counts a packet; a layer beyond those negotiated counts as the highest one.
func (c *layerCounters) update(now unit.Time, pkt *packet.Packet) {
	spatial, temporal := min(pkt.Codec.SpatialLayer, c.spatial-1), min(pkt.Codec.TemporalLayer, c.temporal-1)
	payload := len(pkt.Payload())
	i := c.index(spatial, temporal)
	c.counters[i].Update(now, len(pkt.Data), payload)
	if c.frames != nil && payload > 0 {
		c.frames[i].update(now, pkt.Timestamp, c.farBack)
	}
}

// update counts the first packet of a frame. What comes late belongs to a frame that was counted, or is too rare to matter.
func (f *frameCounter) update(now unit.Time, ts unit.Timestamp, farBack int) {
	if ahead := ts.Sub(f.newest); f.started && ahead <= 0 && ahead > -farBack {
		return
	}
	f.newest, f.started = ts, true
	f.rate.Update(now, 1)
}

// rest gives memory back that counts nothing at present.
func (c *layerCounters) rest(now unit.Time) {
	for i := range c.counters {
		c.counters[i].Rest(now)
	}
	for i := range c.frames {
		c.frames[i].rate.Rest(now)
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
	return c.counters[c.index(spatial, temporal)].Rate(now)
}

// frameRate returns the frames per second of a layer alone.
func (c *layerCounters) frameRate(now unit.Time, spatial, temporal uint8) float32 {
	if c.frames == nil || !c.has(spatial, temporal) {
		return 0
	}
	return float32(c.frames[c.index(spatial, temporal)].rate.Rate(now)) / 8
}

func (c *layerCounters) rateUpTo(now unit.Time, spatial, temporal uint8) unit.Bitrate {
	if c.layerRate(now, spatial, temporal) == 0 {
		return 0
	}
	return c.sum(now, c.index(spatial, temporal)+1)
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
