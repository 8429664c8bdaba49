package media_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// simulcastEncoder is a seeded source of three VP8 streams of the same pictures, whose numbers all begin near their wraps.
type simulcastEncoder struct {
	rng     *rand.Rand
	streams [3]*streamEncoder
	// off are streams that send nothing now.
	off [3]bool
}

// streamEncoder makes the pictures of one stream in the pattern 0 2 1 2 of temporal layers.
type streamEncoder struct {
	index    int
	seq      unit.SeqNo
	base     unit.Timestamp
	id       uint16
	shortID  bool
	tl0      uint8
	phase    int
	number   uint32    // of the picture
	last     [2]uint32 // the last pictures of temporal layers 0 and 1
	wantsKey bool
}

func newSimulcastEncoder(seed uint64, shortIDs bool) *simulcastEncoder {
	c := &simulcastEncoder{rng: rand.New(rand.NewPCG(seed, 7))}
	for i := range c.streams {
		c.streams[i] = &streamEncoder{
			index: i, seq: unit.SeqNo(65500 + c.rng.IntN(60)), base: unit.Timestamp(-c.rng.IntN(5 * 90000)),
			id: uint16(32760 + c.rng.IntN(10)), tl0: uint8(250 + c.rng.IntN(10)), shortID: shortIDs, wantsKey: true,
		}
	}
	return c
}

// The payload of a picture's packets ends with: stream, number of the picture, number of its reference, packet and count.
const pictureInfoLen = 1 + 4 + 4 + 1 + 1

// ts returns the timestamp of an instant in milliseconds since the encoder began.
func (e *streamEncoder) ts(ms int) unit.Timestamp { return e.base + unit.Timestamp(90*ms) }

// picture returns the packets of the next picture.
func (e *streamEncoder) picture(rng *rand.Rand, ms int) []in {
	layer, sync := []int{0, 2, 1, 2}[e.phase], e.phase < 3
	if e.wantsKey {
		e.phase, layer = 0, 0
	}
	refers := e.last[0]
	if e.phase == 3 {
		refers = e.last[1]
	}
	if e.wantsKey {
		refers = 0
	}
	e.number++
	e.id = (e.id + 1) & 0x7fff
	if layer == 0 {
		e.tl0++
	}
	if layer < 2 {
		e.last[layer] = e.number
	}
	count := 1 + rng.IntN(4)
	var packets []in
	for i := range count {
		b := []byte{0x80, 0xe0}
		if i == 0 {
			b[0] |= 0x10
		}
		if e.shortID {
			b = append(b, byte(e.id&0x7f))
		} else {
			b = append(b, 0x80|byte(e.id>>8), byte(e.id))
		}
		b = append(b, e.tl0, byte(layer)<<6)
		if sync {
			b[len(b)-1] |= 0x20
		}
		b = append(b, 1)
		if e.wantsKey {
			b[len(b)-1] = 0
		}
		b = append(b, make([]byte, 60+500*e.index)...) // higher streams are larger
		b = append(b, byte(e.index))
		b = binary.BigEndian.AppendUint32(b, e.number)
		b = binary.BigEndian.AppendUint32(b, refers)
		b = append(b, byte(i), byte(count))
		p := of(e.index, e.seq, e.ts(ms), b)
		p.marker = i == count-1
		packets = append(packets, p)
		e.seq++
	}
	e.wantsKey = false
	e.phase = (e.phase + 1) % 4
	return packets
}

// report is a sender report of the stream for the given instant. The sender's clock is far from ours.
func (e *streamEncoder) report(ms int) *rtcp.SenderReport {
	sender := unit.Time(time.Duration(ms) * time.Millisecond).NTP()
	return &rtcp.SenderReport{SSRC: uint32(peerOf(e.index)), NTPTime: sender + 77<<32, RTPTime: uint32(e.ts(ms))}
}

// simulcastFixture is a fixture with an encoder as the producer's peer.
type simulcastFixture struct {
	*fixture
	encoder *simulcastEncoder
	ms      int
	outs    []arrival
	// network may lose, repeat and reorder the packets on their way to the producer.
	network func([]in) []in
}

// arrival is a packet as the receiver gets it, with the instant at which its picture was taken.
type arrival struct {
	out
	ms int
}

func simulcastConsumeRequest(mime string) *api.TransportConsumeRequest {
	r := pipeRequest(mime)
	r.Type = api.RTPTypeSimulcast
	r.RTPParameters.Encodings = r.RTPParameters.Encodings[:1]
	r.RTPParameters.Encodings[0].ScalabilityMode = "L3T3"
	return r
}

func simulcastProduceRequest() *api.TransportProduceRequest {
	r := simulcastRequest()
	for i := range r.RTPParameters.Encodings {
		r.RTPParameters.Encodings[i].ScalabilityMode = "L1T3"
	}
	return r
}

func newSimulcastFixture(t testing.TB, seed uint64, shortIDs bool) *simulcastFixture {
	return newSimulcastFixtureOf(t, api.Compat{}, seed, shortIDs)
}

func newSimulcastFixtureOf(t testing.TB, compat api.Compat, seed uint64, shortIDs bool) *simulcastFixture {
	return &simulcastFixture{
		fixture: newFixtureOf(t, compat, simulcastProduceRequest(), simulcastConsumeRequest("video/VP8")),
		encoder: newSimulcastEncoder(seed, shortIDs),
		network: func(p []in) []in { return p },
	}
}

// sendPicture sends a picture of each stream, and lets 33 ms pass.
func (s *simulcastFixture) sendPicture() {
	s.t.Helper()
	var packets []in
	for i, e := range s.encoder.streams {
		if !s.encoder.off[i] {
			packets = append(packets, e.picture(s.encoder.rng, s.ms)...)
		}
	}
	if s.ms%990 == 0 {
		for i, e := range s.encoder.streams {
			if !s.encoder.off[i] {
				s.p.HandleSenderReport(s.now, e.report(s.ms-7))
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

// answer makes the encoder react to PLIs.
func (s *simulcastFixture) answer() {
	s.route()
	for _, pkt := range s.pOut.RTCP {
		if pli, ok := pkt.(*rtcp.PictureLossIndication); ok {
			for i, e := range s.encoder.streams {
				if uint32(peerOf(i)) == pli.MediaSSRC {
					e.wantsKey = true
				}
			}
		}
	}
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
	info := p[len(p)-pictureInfoLen:]
	return frame{
		stream: int(info[0]), number: int(binary.BigEndian.Uint32(info[1:])), refers: int(binary.BigEndian.Uint32(info[5:])),
		count: int(info[10]), ts: o.Timestamp, ms: o.ms, id: d.PictureID, tl0: d.TL0PicIdx, layer: d.TemporalLayer,
		key: p[6]&1 == 0,
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
	for _, n := range ns {
		if b, ok := n.Body.(*api.ConsumerLayersChangeNotification); ok {
			if b.Layers == nil {
				list = append(list, -1)
			} else {
				list = append(list, int(b.Layers.SpatialLayer)*10+int(*b.Layers.TemporalLayer))
			}
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
