package media_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// svcEncoder is a seeded source of one stream with three spatial and three temporal layers. Its payloads end with
// what layerInfo reads.
type svcEncoder struct {
	rng      *rand.Rand
	av1      bool
	keyOnly  bool // K-SVC
	spatial  int  // how many spatial layers it sends now
	seq      unit.SeqNo
	base     unit.Timestamp
	id       uint16
	shortID  bool
	frame    uint16
	phase    int
	number   uint32
	last     [2]uint32
	wantsKey bool
}

const layerInfoLen = 4 + 4 + 1 + 1 + 1

// picture returns the packets of all layers of the next picture.
func (c *svcEncoder) picture(ms int) []in {
	temporal := []int{0, 2, 1, 2}[c.phase]
	if c.wantsKey {
		c.phase, temporal = 0, 0
	}
	refers := c.last[0]
	if c.phase == 3 {
		refers = c.last[1]
	}
	if c.wantsKey {
		refers = 0
	}
	c.number++
	c.id = (c.id + 1) & 0x7fff
	if temporal < 2 {
		c.last[temporal] = c.number
	}
	var packets []in
	for spatial := range c.spatial {
		count := 1 + c.rng.IntN(3)
		c.frame++
		for i := range count {
			p := in{
				seq: c.seq, ts: c.base + unit.Timestamp(90*ms),
				marker: spatial == c.spatial-1 && i == count-1,
			}
			c.seq++
			if c.av1 {
				p.exts = []rtp.Extension{{ID: inDD, Value: c.dependency(spatial, temporal, i == 0, i == count-1)}}
			} else {
				p.payload = c.vp9(spatial, temporal, i == 0, i == count-1)
			}
			p.payload = binary.BigEndian.AppendUint32(p.payload, c.number)
			p.payload = binary.BigEndian.AppendUint32(p.payload, refers)
			p.payload = append(p.payload, byte(spatial<<4|temporal), byte(i), byte(count))
			packets = append(packets, p)
		}
	}
	c.wantsKey = false
	c.phase = (c.phase + 1) % 4
	return packets
}

// vp9 returns a payload descriptor (RFC 9628 section 4.2).
func (c *svcEncoder) vp9(spatial, temporal int, first, last bool) []byte {
	b := []byte{0x80 | 0x20}
	if !c.wantsKey {
		b[0] |= 0x40
	}
	if first {
		b[0] |= 0x08
	}
	if last {
		b[0] |= 0x04
	}
	if c.shortID {
		b = append(b, byte(c.id&0x7f))
	} else {
		b = append(b, 0x80|byte(c.id>>8), byte(c.id))
	}
	l := byte(temporal<<5 | spatial<<1)
	if c.phase < 3 {
		l |= 0x10
	}
	if spatial > 0 && (c.wantsKey || !c.keyOnly) {
		l |= 1
	}
	return append(b, l, 0)
}

// dependency returns a dependency descriptor; at key frames, with templates for all nine layers.
func (c *svcEncoder) dependency(spatial, temporal int, first, last bool) []byte {
	b := []byte{byte(spatial*3 + temporal), byte(c.frame >> 8), byte(c.frame)}
	if first {
		b[0] |= 0x80
	}
	if last {
		b[0] |= 0x40
	}
	if !c.wantsKey || spatial > 0 || !first {
		return b
	}
	var bits strings.Builder
	bits.WriteString("10000" + "000000" + "00000") // templates; offset 0, one decode target
	bits.WriteString("0101" + "10" + "0101" + "10" + "0101" + "11")
	bits.WriteString(strings.Repeat("10", 9) + strings.Repeat("0", 9)) // indications, no frame differences
	bits.WriteString("0" + "0")                                        // no chains, no resolutions
	s := bits.String()
	s += strings.Repeat("0", (8-len(s)%8)%8)
	for ; len(s) > 0; s = s[8:] {
		var v byte
		for _, bit := range s[:8] {
			v = v<<1 | byte(bit-'0')
		}
		b = append(b, v)
	}
	return b
}

// svcFixture is a fixture with an encoder as the producer's peer.
type svcFixture struct {
	*fixture
	encoder *svcEncoder
	ms      int
	outs    []arrival
}

func newSVCFixture(t testing.TB, mime, mode string, seed uint64) *svcFixture {
	return newSVCFixtureOf(t, api.Compat{}, mime, mode, seed)
}

func newSVCFixtureOf(t testing.TB, compat api.Compat, mime, mode string, seed uint64) *svcFixture {
	p, c := produceRequest(mime, 90000), consumeRequest(mime, 90000)
	p.RTPParameters.Encodings[0].ScalabilityMode = mode
	c.RTPParameters.Encodings[0].ScalabilityMode = mode
	c.ConsumableRTPEncodings[0].ScalabilityMode = mode
	rng := rand.New(rand.NewPCG(seed, 9))
	return &svcFixture{fixture: newFixtureOf(t, compat, p, c), encoder: &svcEncoder{
		rng: rng, av1: mime == "video/AV1", keyOnly: strings.HasSuffix(mode, "_KEY"), spatial: 3, wantsKey: true,
		seq: unit.SeqNo(65500 + rng.IntN(60)), base: unit.Timestamp(-rng.IntN(5 * 90000)), shortID: seed%4 == 1,
		id: uint16(32760 + rng.IntN(10)), frame: uint16(65530 + rng.IntN(10)),
	}}
}

func (s *svcFixture) sendPicture() {
	s.t.Helper()
	for _, p := range s.encoder.picture(s.ms) {
		_, outs := s.receive(p)
		for _, o := range outs {
			s.outs = append(s.outs, arrival{o, s.ms})
		}
	}
	s.after(33 * time.Millisecond)
	s.ms += 33
	s.route()
	for _, pkt := range s.pOut.RTCP {
		if _, ok := pkt.(*rtcp.PictureLossIndication); ok {
			s.encoder.wantsKey = true
		}
	}
	s.pOut.RTCP = nil
}

func (s *svcFixture) sendFor(d time.Duration) {
	s.t.Helper()
	for end := s.ms + int(d.Milliseconds()); s.ms < end; {
		s.sendPicture()
	}
}

type layerInfo struct {
	number, refers    int
	spatial, temporal int
	index, count      int
}

func layerInfoOf(o arrival) layerInfo {
	b := o.Payload()
	b = b[len(b)-layerInfoLen:]
	return layerInfo{
		number: int(binary.BigEndian.Uint32(b)), refers: int(binary.BigEndian.Uint32(b[4:])),
		spatial: int(b[8] >> 4), temporal: int(b[8] & 15), index: int(b[9]), count: int(b[10]),
	}
}

// requireDecodable checks what a decoder relies on: numbers without gaps, whole frames, all their references, and a marker at
// the end of each picture and nowhere else.
func (s *svcFixture) requireDecodable() {
	t := s.t
	type key struct{ number, spatial int }
	whole := map[key]bool{}
	for i, o := range s.outs {
		f := layerInfoOf(o)
		where := fmt.Sprintf("picture %d, layer %d.%d, packet %d of %d", f.number, f.spatial, f.temporal, f.index, f.count)
		require.Equal(t, unit.Timestamp(90*o.ms)+s.encoder.base, o.Timestamp)
		if i > 0 {
			p := layerInfoOf(s.outs[i-1])
			require.Equal(t, s.outs[i-1].SequenceNumber+1, o.SequenceNumber, where)
			if f.index > 0 {
				require.Equal(t, f.index-1, p.index, where)
			} else {
				require.Equal(t, p.count-1, p.index, "%s: the frame before is whole", where)
			}
			require.Equal(t, p.number != f.number, s.outs[i-1].Marker, where)
		}
		isKey := f.refers == 0
		if isKey && f.spatial == 0 && f.index == 0 {
			clear(whole)
		}
		if !isKey {
			require.True(t, whole[key{f.refers, f.spatial}], "%s refers to %d", where, f.refers)
		}
		if f.spatial > 0 && (isKey || !s.encoder.keyOnly) {
			require.True(t, whole[key{f.number, f.spatial - 1}], "%s: lower layer", where)
		}
		whole[key{f.number, f.spatial}] = f.index == f.count-1
	}
}

var svcStreams = []struct{ mime, mode string }{
	{"video/VP9", "L3T3"},
	{"video/VP9", "L3T3_KEY"},
	{"video/AV1", "L3T3"},
}

func TestSVCFollowsThePreferredLayers(t *testing.T) {
	for i, v := range svcStreams {
		t.Run(v.mime+v.mode, func(t *testing.T) {
			s := newSVCFixture(t, v.mime, v.mode, uint64(i))
			require.Equal(t, api.RTPTypeSVC, s.c.Type())
			require.Equal(t, prefer(2, 2).PreferredLayers, s.c.Response().PreferredLayers)
			s.sendFor(3 * time.Second)
			for _, want := range [][2]uint8{{2, 2}, {0, 0}, {1, 2}, {2, 1}, {2, 0}, {0, 2}, {1, 0}, {1, 1}} {
				require.Equal(t, prefer(want[0], want[1]).PreferredLayers,
					s.c.SetPreferredLayers(s.now, prefer(want[0], want[1])).PreferredLayers)
				s.sendFor(2 * time.Second)
				before := len(s.outs)
				s.sendFor(time.Second)
				highest := [2]int{}
				for _, o := range s.outs[before:] {
					f := layerInfoOf(o)
					highest = [2]int{max(highest[0], f.spatial), max(highest[1], f.temporal)}
				}
				require.Equal(t, [2]int{int(want[0]), int(want[1])}, highest)
				spatial, temporal := currentLayer(s.c)
				require.Equal(t, highest, [2]int{spatial, temporal})
			}
			s.requireDecodable()
			_, c := s.take()
			changes := layersOf(c.Notifications)
			require.Equal(t, 11, changes[len(changes)-1])
		})
	}
}

// TestSVCNeverBreaksTheStream changes everything at random moments.
func TestSVCNeverBreaksTheStream(t *testing.T) {
	for seed := range uint64(9) {
		v := svcStreams[seed%3]
		s := newSVCFixture(t, v.mime, v.mode, seed)
		rng := s.encoder.rng
		for range 200 {
			switch rng.IntN(10) {
			case 0, 1, 2:
				s.c.SetPreferredLayers(s.now, prefer(uint8(rng.IntN(3)), uint8(rng.IntN(3))))
			case 3:
				s.c.Pause(s.now)
			case 4, 5, 6:
				s.c.Resume(s.now)
			case 7:
				s.encoder.spatial = 1 + rng.IntN(3)
				s.encoder.wantsKey = true // an encoder changes its layers at key frames
			case 8:
				s.c.HandleKeyFrameRequest(s.now, media.PLI, outSSRC)
			}
			for range 1 + rng.IntN(8) {
				s.sendPicture()
			}
		}
		require.Greater(t, len(s.outs), 300)
		s.requireDecodable()
		s.c.Close()
	}
}
