package medialab

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// picture is the end of each payload: what the packet is part of, and what that refers to.
type picture struct {
	number, reference uint32 // reference: the number of the picture that this one needs, 0 for a key frame
	spatial           uint8  // of an SVC stream, or the stream of a simulcast
	temporal          uint8
	index, count      uint16 // of the packet in its frame, packets of the frame
	base              uint8  // 1: the frame also needs the next lower spatial layer of the picture
}

const pictureLen = 16

func (p picture) append(b []byte) []byte {
	for _, v := range []uint32{p.number, p.reference, uint32(p.spatial)<<24 | uint32(p.temporal)<<16 | uint32(p.base)<<8, uint32(p.index)<<16 | uint32(p.count)} {
		b = append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return b
}

func parsePicture(payload []byte) (p picture, ok bool) {
	if len(payload) < pictureLen {
		return picture{}, false
	}
	b := payload[len(payload)-pictureLen:]
	word := func(i int) uint32 {
		return uint32(b[i])<<24 | uint32(b[i+1])<<16 | uint32(b[i+2])<<8 | uint32(b[i+3])
	}
	layers, packets := word(8), word(12)
	return picture{
		number: word(0), reference: word(4), spatial: uint8(layers >> 24), temporal: uint8(layers >> 16), base: uint8(layers >> 8),
		index: uint16(packets >> 16), count: uint16(packets),
	}, true
}

// Video describes what a camera sends: the bitrates of its spatial layers, each without those below, lowest first.
type Video struct {
	Layers    []unit.Bitrate
	SVC       bool    // VP9 in one stream (L3T3_KEY), otherwise VP8 in a stream for each layer (L1T3)
	FrameRate float64 // 0: 20
	KeyScale  float64 // how many times as large as others key frames are; 0: 4
}

// VP9 and VP8 are 720p as Chromium's fake camera makes it.
var (
	VP9 = Video{Layers: []unit.Bitrate{120_000, 300_000, 980_000}, SVC: true}
	VP8 = Video{Layers: []unit.Bitrate{100_000, 270_000, 780_000}}
)

// temporalShare is what each temporal layer takes of a stream's bitrate, and temporalFrames of its frames. Chosen from what Chromium
// was seen to send.
var (
	temporalShare  = []float64{0.42, 0.22, 0.36}
	temporalFrames = []float64{0.25, 0.25, 0.5}
)

// maxPayload is how long the payload of a packet is at most, in bytes.
const maxPayload = 1150

// repay is the share of a frame by which frames after a key frame are smaller, until its excess is made up for.
const repay = 0.25

// camera encodes pictures.
type camera struct {
	Video
	random   *rand.Rand
	streams  []*encodedStream
	number   uint32
	phase    int
	last     [2]uint32 // the last pictures of temporal layers 0 and 1
	wantsKey bool
	keyAt    unit.Time // the last key frame
	keys     int
	debt     []float64 // bits beyond the bitrate, by spatial layer
	tl0      uint8
	scale    float64 // of the bitrates
	mid      string
	filledIn []rtp.Extension // header extensions whose values the sender fills in
}

// encodedStream is an RTP stream of a camera.
type encodedStream struct {
	ssrc       unit.SSRC
	seq        unit.SeqNo
	base       unit.Timestamp
	packets    int
	bytes      int
	lastStamp  unit.Timestamp
	lastSentAt unit.Time
}

func newCamera(seed uint64, v Video, first unit.SSRC) *camera {
	if v.FrameRate == 0 {
		v.FrameRate = 20
	}
	if v.KeyScale == 0 {
		v.KeyScale = 4
	}
	c := &camera{Video: v, random: rand.New(rand.NewPCG(seed, 3)), wantsKey: true, debt: make([]float64, len(v.Layers)), scale: 1, mid: "v"}
	n := len(v.Layers)
	if v.SVC {
		n = 1
	}
	for i := range n {
		c.streams = append(c.streams, &encodedStream{
			ssrc: enginetest.EncodingSSRC(first, i), seq: unit.SeqNo(c.random.IntN(1 << 15)), base: unit.Timestamp(c.random.Uint32() >> 1),
		})
	}
	return c
}

func (c *camera) interval() time.Duration {
	return time.Duration(float64(time.Second) / c.FrameRate)
}

func (c *camera) total() (rate unit.Bitrate) {
	for _, r := range c.Layers {
		rate += r
	}
	return rate
}

// requestKeyFrame makes the next picture a key frame, of all streams as libvpx does, unless the last one was less than 300 ms ago.
func (c *camera) requestKeyFrame(now unit.Time) {
	if now.Sub(c.keyAt) >= 300*time.Millisecond {
		c.wantsKey = true
	}
}

// encode returns the packets of the next picture.
func (c *camera) encode(now unit.Time) (packets [][]byte) {
	layer := []int{0, 2, 1, 2}[c.phase]
	key := c.wantsKey
	if key {
		c.phase, layer, c.wantsKey, c.keyAt = 0, 0, false, now
		c.keys++
	}
	p := picture{reference: c.last[0], temporal: uint8(layer)}
	if c.phase == 3 {
		p.reference = c.last[1]
	}
	c.number++
	p.number = c.number
	if layer < 2 {
		c.last[layer] = c.number
	}
	if key {
		p.reference, c.last[1] = 0, c.number
	}
	if layer == 0 {
		c.tl0++
	}
	for spatial := range c.Layers {
		p.spatial, p.base = uint8(spatial), 0
		if key && c.SVC && spatial > 0 {
			p.base = 1
		}
		packets = append(packets, c.frame(now, p, key, c.frameSize(spatial, layer, key))...)
	}
	c.phase = (c.phase + 1) % 4
	return packets
}

// frameSize returns how many bytes a frame takes.
func (c *camera) frameSize(spatial, temporal int, key bool) int {
	average := c.scale * float64(c.Layers[spatial]) / c.FrameRate
	wanted := average * temporalShare[temporal] / temporalFrames[temporal]
	bits := wanted * math.Exp(0.12*c.random.NormFloat64())
	if key {
		bits = average * c.KeyScale
	} else if c.debt[spatial] > 0 {
		bits -= min(repay*bits, c.debt[spatial])
	}
	c.debt[spatial] = max(c.debt[spatial]+bits-wanted, 0)
	return max(int(bits/8), 60)
}

// frame returns the packets of one layer's frame.
func (c *camera) frame(now unit.Time, p picture, key bool, size int) (packets [][]byte) {
	s, last := c.streams[0], true
	if c.SVC {
		last = int(p.spatial) == len(c.Layers)-1
	} else {
		s = c.streams[p.spatial]
	}
	stamp := s.base + unit.Timestamp(int64(now/1000)*90/1000)
	s.lastStamp, s.lastSentAt = stamp, now
	p.count = uint16((size + maxPayload - 1) / maxPayload)
	for p.index = range p.count {
		first, end := p.index == 0, p.index == p.count-1
		b := c.descriptor(p, key, first, end)
		b = append(b, make([]byte, max(size/int(p.count)-len(b)-pictureLen, 0))...)
		b = p.append(b)
		packets = append(packets, enginetest.Packet{
			SSRC: s.ssrc, Seq: s.seq, Timestamp: stamp, Marker: end && last, Payload: b,
			Extensions: append([]rtp.Extension{{ID: midID, Value: []byte(c.mid)}}, c.filledIn...),
		}.Bytes())
		s.seq++
		s.packets++
		s.bytes += len(b)
	}
	return packets
}

// descriptor returns how a payload begins (RFC 7741 section 4.2, RFC 9628 section 4.2).
func (c *camera) descriptor(p picture, key, first, last bool) []byte {
	sync := p.temporal == 1 || p.temporal == 2 && p.reference == c.last[0]
	if !c.SVC {
		return enginetest.VP8Payload{
			Key: key, Start: first, PictureID: int(p.number & 0x7fff), TL0PicIdx: c.tl0, Temporal: p.temporal, Sync: sync,
		}.Append(nil)
	}
	b := []byte{0x80 | 0x20, 0x80 | byte(p.number>>8&0x7f), byte(p.number), p.temporal<<5 | p.spatial<<1, c.tl0}
	if !key {
		b[0] |= 0x40
	}
	if first {
		b[0] |= 0x08
	}
	if last {
		b[0] |= 0x04
	}
	if sync {
		b[3] |= 0x10
	}
	if p.base != 0 {
		b[3] |= 1
	}
	return b
}

// reports returns the sender reports of all streams.
func (c *camera) reports(now unit.Time) (pkts []rtcp.Packet) {
	for _, s := range c.streams {
		if s.packets > 0 {
			elapsed := now.Sub(s.lastSentAt)
			pkts = append(pkts, &rtcp.SenderReport{
				SSRC: uint32(s.ssrc), NTPTime: now.NTP(), RTPTime: uint32(s.lastStamp) + uint32(elapsed.Milliseconds()*90),
				PacketCount: uint32(s.packets), OctetCount: uint32(s.bytes),
			})
		}
	}
	return pkts
}
