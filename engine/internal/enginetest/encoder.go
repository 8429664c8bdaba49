package enginetest

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// Picture says what a packet of an encoder is part of. It is the end of the packet's payload.
type Picture struct {
	Number    int // of the picture, from 1
	Reference int // the picture that it refers to, 0 for a key frame
	Spatial   int // its layer, or the stream of a simulcast
	Temporal  int
	Index     int // of the packet in its frame
	Count     int // packets of the frame
}

// PictureLen is how many bytes of a payload ParsePicture reads.
const PictureLen = 4 + 4 + 1 + 1 + 1

// ParsePicture reads what an encoder put at the end of a payload.
func ParsePicture(payload []byte) Picture {
	b := payload[len(payload)-PictureLen:]
	return Picture{
		Number: int(binary.BigEndian.Uint32(b)), Reference: int(binary.BigEndian.Uint32(b[4:])),
		Spatial: int(b[8] >> 4), Temporal: int(b[8] & 15), Index: int(b[9]), Count: int(b[10]),
	}
}

func (p Picture) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(p.Number))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Reference))
	return append(b, byte(p.Spatial<<4|p.Temporal), byte(p.Index), byte(p.Count))
}

// temporal makes the pattern 0 2 1 2 of temporal layers, in which each picture refers to the last one of a lower layer.
type temporal struct {
	phase    int
	number   int
	last     [2]int // the last pictures of layers 0 and 1
	wantsKey bool
}

// next returns the layer and the reference of the next picture.
func (e *temporal) next() (layer, reference int) {
	layer = []int{0, 2, 1, 2}[e.phase]
	if e.wantsKey {
		e.phase, layer = 0, 0
	}
	reference = e.last[0]
	if e.phase == 3 {
		reference = e.last[1]
	}
	if e.wantsKey {
		reference = 0
	}
	e.number++
	if layer < 2 {
		e.last[layer] = e.number
	}
	return layer, reference
}

func (e *temporal) done() {
	e.wantsKey = false
	e.phase = (e.phase + 1) % 4
}

// isSync reports whether the picture refers to layer 0 only.
func (e *temporal) isSync() bool { return e.phase < 3 }

// RequestKeyFrame makes the next picture a key frame.
func (e *temporal) RequestKeyFrame() { e.wantsKey = true }

// SimulcastEncoder is a seeded source of streams of VP8 with the same pictures, whose numbers all begin near their wraps.
type SimulcastEncoder struct {
	Rand    *rand.Rand
	Streams []*VP8Encoder
}

// VP8Encoder is one stream of a SimulcastEncoder, with three temporal layers.
type VP8Encoder struct {
	temporal
	Index int
	Off   bool // it is not sent

	ssrc      unit.SSRC
	rid       []rtp.Extension
	rng       *rand.Rand
	seq       unit.SeqNo
	base      unit.Timestamp
	pictureID uint16
	shortID   bool
	tl0       uint8
}

// NewSimulcastEncoder returns the encoder of a producer's stream. With shortIDs, picture ids have seven bits.
func NewSimulcastEncoder(seed uint64, s Stream, shortIDs bool) *SimulcastEncoder {
	c := &SimulcastEncoder{Rand: rand.New(rand.NewPCG(seed, 7))}
	for i := range s.count() {
		e := &VP8Encoder{
			Index: i, ssrc: EncodingSSRC(s.SSRC, i), rng: c.Rand, seq: unit.SeqNo(65500 + c.Rand.IntN(60)),
			base:      unit.Timestamp(-c.Rand.IntN(5 * 90000)),
			pictureID: uint16(32760 + c.Rand.IntN(10)), tl0: uint8(250 + c.Rand.IntN(10)), shortID: shortIDs,
		}
		if len(s.RIDs) > 0 {
			e.rid = []rtp.Extension{{ID: s.ExtensionID(api.RTPHeaderExtensionURIRTPStreamId), Value: []byte(s.RIDs[i])}}
		}
		e.RequestKeyFrame()
		c.Streams = append(c.Streams, e)
	}
	return c
}

// Encode returns the packets of the next picture of each stream that is not off, taken at an instant since the beginning.
func (c *SimulcastEncoder) Encode(at time.Duration) (packets []Packet) {
	for _, e := range c.Streams {
		if !e.Off {
			packets = append(packets, e.Encode(at)...)
		}
	}
	return packets
}

// HandleRTCP makes key frames of the pictures after a PLI.
func (c *SimulcastEncoder) HandleRTCP(pkts []rtcp.Packet) {
	for _, pli := range Find[*rtcp.PictureLossIndication](pkts) {
		for _, e := range c.Streams {
			if uint32(e.ssrc) == pli.MediaSSRC {
				e.RequestKeyFrame()
			}
		}
	}
}

func (e *VP8Encoder) timestamp(at time.Duration) unit.Timestamp {
	return e.base + unit.Timestamp(90*at.Milliseconds())
}

// Encode returns the packets of the next picture, taken at an instant since the beginning.
func (e *VP8Encoder) Encode(at time.Duration) (packets []Packet) {
	layer, reference := e.next()
	e.pictureID = (e.pictureID + 1) & 0x7fff
	if layer == 0 {
		e.tl0++
	}
	count := 1 + e.rng.IntN(4)
	for i := range count {
		b := VP8Payload{
			Key: e.wantsKey, Start: i == 0, PictureID: int(e.pictureID), ShortID: e.shortID, TL0PicIdx: e.tl0,
			Temporal: uint8(layer), Sync: e.isSync(),
		}.Append(nil)
		b = append(b, make([]byte, 60+500*e.Index)...) // higher streams are larger
		b = Picture{e.number, reference, e.Index, layer, i, count}.append(b)
		packets = append(packets, Packet{
			SSRC: e.ssrc, Seq: e.seq, Timestamp: e.timestamp(at), Marker: i == count-1, Extensions: e.rid, Payload: b,
		})
		e.seq++
	}
	e.done()
	return packets
}

// Report returns the stream's sender report for an instant. The sender's clock is far from the worker's.
func (e *VP8Encoder) Report(at time.Duration) *rtcp.SenderReport {
	return &rtcp.SenderReport{SSRC: uint32(e.ssrc), NTPTime: unit.Time(at).NTP() + 77<<32, RTPTime: uint32(e.timestamp(at))}
}

// VP8Payload is the beginning of a payload with an extended descriptor (RFC 7741 section 4.2).
type VP8Payload struct {
	Key, Start bool
	PictureID  int // negative: none
	ShortID    bool
	TL0PicIdx  uint8
	Temporal   uint8
	Sync       bool
}

// Append appends the descriptor and the first byte of the frame.
func (p VP8Payload) Append(b []byte) []byte {
	head, extensions, layer, frame := byte(0x80), byte(0x60), p.Temporal<<6, byte(1)
	if p.Start {
		head |= 0x10
	}
	if p.PictureID >= 0 {
		extensions |= 0x80
	}
	if p.Sync {
		layer |= 0x20
	}
	if p.Key {
		frame = 0
	}
	b = append(b, head, extensions)
	switch {
	case p.PictureID < 0:
	case p.ShortID:
		b = append(b, byte(p.PictureID&0x7f))
	default:
		b = append(b, 0x80|byte(p.PictureID>>8), byte(p.PictureID))
	}
	return append(b, p.TL0PicIdx, layer, frame)
}

// LayeredEncoder is a seeded source of one stream with up to three spatial and three temporal layers, of VP9 or, with a
// dependency descriptor, of AV1.
type LayeredEncoder struct {
	temporal
	Rand    *rand.Rand
	Spatial int  // how many spatial layers it sends; an encoder changes that at key frames
	KeyOnly bool // spatial layers refer to one another in key frames only (K-SVC)
	// PictureID is that of the last picture.
	PictureID uint16
	// Base is the timestamp of the beginning.
	Base unit.Timestamp

	ssrc         unit.SSRC
	dependencyID uint8 // of the descriptor's header extension; 0: VP9
	seq          unit.SeqNo
	shortID      bool
	frame        uint16
}

// NewLayeredEncoder returns the encoder of a producer's stream, which has three spatial layers at first.
func NewLayeredEncoder(seed uint64, s Stream) *LayeredEncoder {
	rng := rand.New(rand.NewPCG(seed, 9))
	c := &LayeredEncoder{
		Rand: rng, ssrc: s.SSRC, KeyOnly: strings.HasSuffix(s.Mode, "_KEY"), Spatial: 3,
		seq: unit.SeqNo(65500 + rng.IntN(60)), Base: unit.Timestamp(-rng.IntN(5 * 90000)), shortID: seed%4 == 1,
		PictureID: uint16(32760 + rng.IntN(10)), frame: uint16(65530 + rng.IntN(10)),
	}
	if s.Codec != VP9 {
		c.dependencyID = s.ExtensionID(api.RTPHeaderExtensionURIDependencyDescriptor)
	}
	c.RequestKeyFrame()
	return c
}

// Encode returns the packets of all layers of the next picture, taken at an instant since the beginning.
func (c *LayeredEncoder) Encode(at time.Duration) (packets []Packet) {
	layer, reference := c.next()
	c.PictureID = (c.PictureID + 1) & 0x7fff
	for spatial := range c.Spatial {
		count := 1 + c.Rand.IntN(3)
		c.frame++
		for i := range count {
			p := Packet{
				SSRC: c.ssrc, Seq: c.seq, Timestamp: c.Base + unit.Timestamp(90*at.Milliseconds()),
				Marker: spatial == c.Spatial-1 && i == count-1,
			}
			c.seq++
			if c.dependencyID != 0 {
				d := DependencyDescriptor(c.wantsKey && spatial == 0, spatial, layer, c.frame, i == 0, i == count-1)
				p.Extensions = []rtp.Extension{{ID: c.dependencyID, Value: d}}
			} else {
				p.Payload = c.vp9(spatial, layer, i == 0, i == count-1)
			}
			p.Payload = Picture{c.number, reference, spatial, layer, i, count}.append(p.Payload)
			packets = append(packets, p)
		}
	}
	c.done()
	return packets
}

// HandleRTCP makes the next picture a key frame when there is a PLI.
func (c *LayeredEncoder) HandleRTCP(pkts []rtcp.Packet) {
	if len(Find[*rtcp.PictureLossIndication](pkts)) > 0 {
		c.RequestKeyFrame()
	}
}

// vp9 returns a payload descriptor (RFC 9628 section 4.2).
func (c *LayeredEncoder) vp9(spatial, temporal int, first, last bool) []byte {
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
		b = append(b, byte(c.PictureID&0x7f))
	} else {
		b = append(b, 0x80|byte(c.PictureID>>8), byte(c.PictureID))
	}
	l := byte(temporal<<5 | spatial<<1)
	if c.isSync() {
		l |= 0x10
	}
	if spatial > 0 && (c.wantsKey || !c.KeyOnly) {
		l |= 1
	}
	return append(b, l, 0)
}

// DependencyDescriptor returns the value of the header extension (AV1 RTP specification, appendix A) for the first or last
// packet of a frame, or one between. The first one of a key frame has templates for three spatial and three temporal layers.
func DependencyDescriptor(key bool, spatial, temporal int, frame uint16, first, last bool) []byte {
	b := []byte{byte(spatial*3 + temporal), byte(frame >> 8), byte(frame)}
	if first {
		b[0] |= 0x80
	}
	if last {
		b[0] |= 0x40
	}
	if !key || !first {
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
