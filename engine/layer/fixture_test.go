package layer_test

import (
	"testing"
	"time"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// consumer is the consumer of a selector under test: it records what it is asked for.
type consumer struct {
	external    bool
	activeSince unit.Time
	newest      unit.Timestamp // sent
	newestAt    unit.Time
	sent        bool

	keyFrames    []int // requested, by encoding
	wantsBitrate bool
	droppedHeld  int
	inactive     bool
}

func (c *consumer) Active() bool           { return !c.inactive }
func (c *consumer) ExternalBitrate() bool  { return c.external }
func (c *consumer) ActiveSince() unit.Time { return c.activeSince }

func (c *consumer) NewestSent() (unit.Timestamp, unit.Time, bool) {
	return c.newest, c.newestAt, c.sent
}

func (c *consumer) RequestKeyFrame(encoding int) { c.keyFrames = append(c.keyFrames, encoding) }
func (c *consumer) RequestBitrate()              { c.wantsBitrate = true }
func (c *consumer) DropHeld()                    { c.droppedHeld++ }

// takeKeyFrames returns and forgets the key frame requests.
func (c *consumer) takeKeyFrames() []int {
	r := c.keyFrames
	c.keyFrames = nil
	return r
}

// fixture is a selector with its consumer.
type fixture struct {
	layer.Selector
	t   testing.TB
	c   *consumer
	now unit.Time
}

// start is when tests begin.
const start = unit.Time(time.Hour)

func newSVC(t testing.TB, k codec.Kind, mode string) *fixture {
	f := &fixture{t: t, c: &consumer{}, now: start}
	m := layer.ParseScalabilityMode(mode)
	f.Selector = layer.NewSVC(f.c, &layer.Config{
		Codec: k, Encodings: 1, Mode: m, Preferred: m.Clamp(layer.ID{Spatial: 9, Temporal: 9}), ClockRate: 90000,
	})
	f.Attach([]layer.Stream{{MappedSSRC: 1, Score: 10, ClockRate: 90000, Bitrates: evenly(m, 1000)}})
	f.Start(f.now)
	f.c.takeKeyFrames()
	return f
}

// evenly returns bitrates of a stream all of whose layers have the same one.
func evenly(m layer.ScalabilityMode, rate unit.Bitrate) *layer.Bitrates {
	return layer.NewBitrates(m.Spatial, m.Temporal, func(uint8, uint8) (unit.Bitrate, float32) { return rate, 0 })
}

// in is a packet as the producer describes it.
type in struct {
	codec.Descriptor
	ts       unit.Timestamp
	marker   bool
	empty    bool
	encoding int
}

func (f *fixture) decide(i in) layer.Decision {
	f.t.Helper()
	p := enginetest.Packet{SSRC: 1, Timestamp: i.ts, Marker: i.marker}
	if !i.empty {
		p.Payload = []byte{1, 2, 3}
	}
	pkt := p.Receive(f.t, f.now)
	defer pkt.Release()
	pkt.Codec = i.Descriptor
	return f.Decide(f.now, pkt, i.encoding)
}

func (f *fixture) forwards(i in) bool {
	f.t.Helper()
	return f.decide(i).Action == layer.Forward
}

// prefer sets the preferred layers, and makes them count at once.
func (f *fixture) prefer(spatial, temporal int16) {
	f.Prefer(layer.ID{Spatial: spatial, Temporal: temporal})
	f.Reconsider(f.now, true)
}

func (f *fixture) current() [2]int16 {
	c := f.Layers().Current
	return [2]int16{c.Spatial, c.Temporal}
}

func (f *fixture) target() [2]int16 {
	t := f.Layers().Target
	return [2]int16{t.Spatial, t.Temporal}
}
