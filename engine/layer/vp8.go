package layer

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/wire/codec"
)

// vp8 follows the payload descriptor (RFC 7741 section 4.2). The temporal layer goes up where the packet says so (its Y bit),
// and down between pictures.
type vp8 struct {
	// needSync: the numbers inside the payload go on from the last ones sent.
	needSync bool
	numbers  vp8Sequence
	history  history
}

func newVP8() *vp8 { return &vp8{numbers: newVP8Sequence()} }

func (v *vp8) sync() { v.needSync, v.history = true, history{} }

func (v *vp8) pass(p *position, pkt *packet.Packet) Decision {
	c := &pkt.Codec
	if v.needSync || v.numbers.restarted(c) {
		v.numbers.sync(c)
		v.history, v.needSync = history{}, false
	}
	// Without a picture id, each packet counts as a picture.
	id, newer := uint16(0), true
	if c.HasPictureID() {
		id, newer = v.numbers.take(c)
	}
	temporal := int16(0)
	if c.HasTemporalLayer {
		temporal = int16(c.TemporalLayer)
	}
	if !v.wanted(p, id, newer, temporal, c.SwitchingPoint) {
		v.numbers.drop(id, c)
		return Decision{Action: DropLayer}
	}
	numbers, ok := v.numbers.rewrite(id, c)
	if !ok {
		return Decision{Action: DropLayer}
	}
	if newer {
		before := p.current
		p.climb(temporal)
		if c.HasPictureID() {
			v.history.advance(id, before, p.current)
		}
	}
	return Decision{Marker: pkt.Marker, VP8: numbers}
}

// wanted reports whether a picture is forwarded. newer: this packet is the first of it.
func (v *vp8) wanted(p *position, id uint16, newer bool, temporal int16, switchingPoint bool) bool {
	switch {
	case newer:
		return temporal <= p.target.Temporal && (temporal <= max(p.current.Temporal, 0) || switchingPoint)
	case v.numbers.isLate(id):
		return temporal <= v.history.at(id, p.current).Temporal
	default:
		return true // the rest of the newest picture: rewrite knows whether it was dropped
	}
}

const tl0PicIdxBits = 8

// vp8Sequence rewrites the numbers in the payload descriptor, by which a decoder knows whether it misses something.
type vp8Sequence struct {
	pictureIDs, tl0PicIdxs rtpstream.SeqRewriter
	newest                 uint16
	known                  bool
}

func newVP8Sequence() vp8Sequence {
	return vp8Sequence{
		pictureIDs: rtpstream.NewSeqRewriter(pictureIDBits, 0),
		tl0PicIdxs: rtpstream.NewSeqRewriter(tl0PicIdxBits, 0),
	}
}

// restarted reports whether the packet begins a key frame so far from all before that the encoder must have restarted.
func (n *vp8Sequence) restarted(c *codec.Descriptor) bool {
	if !n.known || !c.KeyFrame || !c.HasPictureID() {
		return false
	}
	ahead := aheadOf(wide(n.newest, n.known, c), n.newest)
	return ahead < -farBack || ahead > farBack
}

// take returns the packet's picture id, and whether it begins a picture newer than all before.
func (n *vp8Sequence) take(c *codec.Descriptor) (id uint16, newer bool) {
	id = wide(n.newest, n.known, c)
	if n.known && aheadOf(id, n.newest) <= 0 {
		return id, false
	}
	n.newest, n.known = id, true
	return id, true
}

// isLate reports whether a picture is older than the newest.
func (n *vp8Sequence) isLate(id uint16) bool { return aheadOf(id, n.newest) < 0 }

// sync makes the packet's numbers follow the last ones sent.
func (n *vp8Sequence) sync(c *codec.Descriptor) {
	n.known = false
	if c.HasPictureID() {
		n.pictureIDs.Sync(c.PictureID - 1)
	}
	if c.HasTL0PicIdx() {
		n.tl0PicIdxs.Sync(uint16(c.TL0PicIdx) - 1)
	}
}

// drop closes the gap that a picture leaves.
func (n *vp8Sequence) drop(id uint16, c *codec.Descriptor) {
	if c.HasPictureID() {
		n.pictureIDs.Drop(id)
	}
}

// rewrite returns the numbers to be sent; false if the picture was dropped, or is too old to know.
func (n *vp8Sequence) rewrite(id uint16, c *codec.Descriptor) (numbers VP8Numbers, ok bool) {
	if !c.HasPictureID() && !c.HasTL0PicIdx() {
		return VP8Numbers{}, true
	}
	numbers.Replace = true
	if c.HasPictureID() {
		if numbers.PictureID, ok = n.pictureIDs.Input(id); !ok {
			return VP8Numbers{}, false
		}
	}
	if c.HasTL0PicIdx() {
		tl0, ok := n.tl0PicIdxs.Input(uint16(c.TL0PicIdx))
		if !ok {
			return VP8Numbers{}, false
		}
		numbers.TL0PicIdx = uint8(tl0)
	}
	return numbers, true
}
