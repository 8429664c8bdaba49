package media_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// simulcastFixture is a fixture with an encoder as the producer's peer.
type simulcastFixture struct {
	*fixture
	encoder *enginetest.SimulcastEncoder
	ms      int
	outs    []arrival
	// network may lose, repeat and reorder the packets on their way to the producer.
	network func([]enginetest.Packet) []enginetest.Packet
}

// arrival is a packet as the receiver gets it, with the instant at which its picture was taken.
type arrival struct {
	out
	ms int
}

func simulcastConsumeRequest() *api.TransportConsumeRequest {
	out := outStream(enginetest.VP8)
	out.Mode = "L3T3"
	r := out.Consume("consumer", simulcastRequest())
	r.Type = api.RTPTypeSimulcast
	return r
}

func simulcastProduceRequest() *api.TransportProduceRequest {
	s := simulcastStream()
	s.Mode = "L1T3"
	return s.Produce("producer")
}

func newSimulcastFixture(t testing.TB, seed uint64, shortIDs bool) *simulcastFixture {
	return newSimulcastFixtureOf(t, api.Compat{}, seed, shortIDs)
}

func newSimulcastFixtureOf(t testing.TB, compat api.Compat, seed uint64, shortIDs bool) *simulcastFixture {
	return &simulcastFixture{
		fixture: newFixtureOf(t, compat, simulcastProduceRequest(), simulcastConsumeRequest()),
		encoder: enginetest.NewSimulcastEncoder(seed, simulcastStream(), shortIDs),
		network: func(p []enginetest.Packet) []enginetest.Packet { return p },
	}
}

// sendPicture sends a picture of each stream, and lets 33 ms pass.
func (s *simulcastFixture) sendPicture() {
	s.t.Helper()
	packets := s.encoder.Encode(s.at())
	if s.ms%990 == 0 {
		for _, e := range s.encoder.Streams {
			if !e.Off {
				s.p.HandleSenderReport(s.now, e.Report(s.at()-7*time.Millisecond))
			}
		}
		s.route()
	}
	for _, p := range s.network(packets) {
		_, outs := s.receive(p)
		for _, o := range outs {
			s.outs = append(s.outs, arrival{o, s.ms})
		}
	}
	s.answer()
	s.after(33 * time.Millisecond)
	s.answer()
	s.ms += 33
}

// at is the instant of the next picture.
func (s *simulcastFixture) at() time.Duration { return time.Duration(s.ms) * time.Millisecond }

// answer makes the encoder react to PLIs.
func (s *simulcastFixture) answer() {
	s.route()
	s.encoder.HandleRTCP(s.pOut.RTCP)
	s.pOut.RTCP = nil
}

func (s *simulcastFixture) sendFor(d time.Duration) {
	s.t.Helper()
	for end := s.ms + int(d.Milliseconds()); s.ms < end; {
		s.sendPicture()
	}
}

// frame is a picture put together by the receiver.
type frame struct {
	stream, number, refers, count int
	packets                       int
	ts                            unit.Timestamp
	ms                            int
	id                            uint16
	tl0                           uint8
	layer                         uint8
	key, last                     bool
	gap                           bool // in the sequence numbers before it
}

// frames puts packets together in order of sequence number, and checks that the numbers are unique.
func frames(t testing.TB, arrivals []arrival) []frame {
	t.Helper()
	type numbered struct {
		arrival
		seq int
	}
	var all []numbered
	newest := int(arrivals[0].SequenceNumber)
	used := map[int]bool{}
	for _, o := range arrivals {
		seq := newest + o.SequenceNumber.Sub(unit.SeqNo(newest))
		require.False(t, used[seq], "sequence number %d twice", seq)
		used[seq], newest = true, max(newest, seq)
		all = append(all, numbered{o, seq})
	}
	slices.SortFunc(all, func(a, b numbered) int { return a.seq - b.seq })
	var list []frame
	for i, o := range all {
		require.Equal(t, outOf(0), o.SSRC)
		f := describe(t, o.arrival)
		gap := i > 0 && o.seq != all[i-1].seq+1
		if i > 0 {
			require.LessOrEqual(t, o.seq-all[i-1].seq, 2, "at most one number is left out")
		}
		if n := len(list); n == 0 || list[n-1].ts != f.ts {
			f.gap = gap
			list = append(list, f)
		}
		at := &list[len(list)-1]
		require.Equal(t, [3]int{at.stream, at.number, int(at.id)}, [3]int{f.stream, f.number, int(f.id)}, "one picture for each timestamp")
		at.packets++
		at.last = at.last || o.Marker
	}
	return list
}

func describe(t testing.TB, o arrival) frame {
	t.Helper()
	p := o.Payload()
	var d codec.Descriptor
	require.NoError(t, codec.Parse(codec.VP8, p, nil, &d))
	require.EqualValues(t, 2, d.PictureIDLen)
	info := enginetest.ParsePicture(p)
	return frame{
		stream: info.Spatial, number: info.Number, refers: info.Reference, count: info.Count, ts: o.Timestamp, ms: o.ms,
		id: d.PictureID, tl0: d.TL0PicIdx, layer: d.TemporalLayer, key: p[6]&1 == 0,
	}
}

// requireContinuous checks what a decoder relies on.
func requireContinuous(t testing.TB, list []frame) {
	t.Helper()
	require.True(t, list[0].key)
	known := map[int]bool{}
	for i, f := range list {
		if i > 0 {
			p := list[i-1]
			require.True(t, f.ts.After(p.ts), "timestamps go on: %d after %d", f.ts, p.ts)
			require.Equal(t, (p.id+1)&0x7fff, f.id, "picture ids go on")
			tl0 := p.tl0
			if f.layer == 0 {
				tl0++
			}
			require.Equal(t, tl0, f.tl0, "TL0PICIDX goes on")
			require.Equal(t, p.packets < p.count, f.gap, "a gap behind a picture that was cut short")
			if f.stream != p.stream {
				require.True(t, f.key, "streams change at key frames")
			}
		}
		if f.key {
			clear(known)
		} else {
			require.True(t, known[f.refers], "picture %d of stream %d refers to %d", f.number, f.stream, f.refers)
		}
		if f.packets == f.count {
			require.True(t, f.last)
			known[f.number] = true
		}
		first := list[0]
		drift := int32(f.ts-first.ts) - int32(90*(f.ms-first.ms))
		require.LessOrEqual(t, max(drift, -drift), int32(80*90), "timestamps are of the instant of the picture")
	}
}

// layersOf returns the layers in notifications, as spatial*10+temporal, -1 for none.
func layersOf(ns []api.Notification) (list []int) {
	for _, b := range enginetest.Bodies[*api.ConsumerLayersChangeNotification](ns) {
		if b.Layers == nil {
			list = append(list, -1)
		} else {
			list = append(list, int(b.Layers.SpatialLayer)*10+int(*b.Layers.TemporalLayer))
		}
	}
	return list
}

func prefer(spatial, temporal uint8) *api.ConsumerSetPreferredLayersRequest {
	return &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: spatial, TemporalLayer: &temporal}}
}

func currentLayer(c *media.Consumer) (spatial, temporal int) {
	d := c.Dump().Data
	return int(*d.CurrentSpatialLayer), int(*d.CurrentTemporalLayer)
}

// requireOrdered checks that whatever comes through, timestamps, picture ids and sequence numbers agree in their order.
func requireOrdered(t testing.TB, arrivals []arrival) {
	t.Helper()
	type numbers struct {
		seq, ts, id int
		f           frame
	}
	var all []numbers
	n := numbers{seq: int(arrivals[0].SequenceNumber), ts: int(arrivals[0].Timestamp), id: 1}
	used := map[int]bool{}
	for _, o := range arrivals {
		f := describe(t, o)
		n = numbers{
			seq: n.seq + o.SequenceNumber.Sub(unit.SeqNo(n.seq)), ts: n.ts + o.Timestamp.Sub(unit.Timestamp(n.ts)),
			id: n.id + int(int16((f.id-uint16(n.id))<<1)>>1), f: f,
		}
		require.False(t, used[n.seq], "sequence number %d twice", n.seq)
		used[n.seq] = true
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b numbers) int { return a.seq - b.seq })
	for i := 1; i < len(all); i++ {
		p, n := all[i-1], all[i]
		require.GreaterOrEqual(t, n.ts, p.ts)
		require.GreaterOrEqual(t, n.id, p.id)
		require.Equal(t, n.ts == p.ts, n.id == p.id)
		require.Equal(t, n.id == p.id, n.f.stream == p.f.stream && n.f.number == p.f.number)
	}
}
