package media

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// layerFilter drops the packets of one received stream that are of layers above the current ones, and moves the current
// ones towards the target where the codec allows it. A picture is forwarded as a whole or not at all. It is upstream's
// EncodingContext.
type layerFilter struct {
	kind codec.Kind
	// keyOnly: higher spatial layers refer to lower ones in key frames only (K-SVC).
	keyOnly bool
	// announced is how many layers there may be.
	announced       layerID
	target, current layerID
	// needSync: numbers inside the payload go on from the last ones sent.
	needSync bool

	vp8     vp8Numbers
	history layerHistory
	frame   wholeFrame
}

func newLayerFilter(k codec.Kind, l layers) layerFilter {
	return layerFilter{
		kind: k, keyOnly: l.keyOnly, announced: layerID{int16(l.spatial), int16(l.temporal)},
		target: noLayer, current: noLayer, vp8: newVP8Numbers(),
	}
}

// reset makes nothing the target.
func (f *layerFilter) reset() { f.target, f.current = noLayer, noLayer }

// sync tells that the next packet is a key frame after an interruption, perhaps of another stream.
func (f *layerFilter) sync() {
	f.needSync = true
	f.history = layerHistory{}
	f.frame = wholeFrame{}
}

// pass reports whether the packet is forwarded, and sets what changes in it. The target is a layer.
func (f *layerFilter) pass(pkt *packet.Packet, d *decision) bool {
	switch f.kind {
	case codec.VP8:
		return f.passVP8(&pkt.Codec, d)
	case codec.VP9:
		return f.passVP9(&pkt.Codec, d)
	case codec.AV1:
		return f.passAV1(&pkt.Codec, d)
	case codec.H264:
		return f.passH264(pkt)
	}
	panic("media: a codec without layers has a layer filter")
}

// wholeFrame keeps the decision on a frame for all packets of it.
type wholeFrame struct {
	ts      unit.Timestamp
	known   bool
	dropped bool
}

// passH264 knows of temporal layers by the dependency descriptor. The temporal layer goes up by one at a frame of the next
// one, which refers to lower ones only. (Upstream forwards any frame up to the target.)
func (f *layerFilter) passH264(pkt *packet.Packet) bool {
	temporal := int16(pkt.Codec.TemporalLayer)
	if !f.frame.known || pkt.Timestamp.After(f.frame.ts) {
		f.frame = wholeFrame{ts: pkt.Timestamp, known: true, dropped: temporal > min(f.target.temporal, f.current.temporal+1)}
		if !f.frame.dropped {
			f.current = layerID{0, min(max(f.current.temporal, temporal), f.target.temporal)}
		}
	}
	if pkt.Timestamp == f.frame.ts {
		return !f.frame.dropped
	}
	return temporal <= f.current.temporal
}

// passAV1 knows of layers by the dependency descriptor. Spatial layers go up at key frames and down at the end of a frame;
// the temporal layer goes up by one at a frame of the next one, as with H264.
func (f *layerFilter) passAV1(c *codec.Descriptor, d *decision) bool {
	l := layerID{int16(c.SpatialLayer), int16(c.TemporalLayer)}
	if l.spatial >= f.announced.spatial || l.temporal >= f.announced.temporal {
		return false
	}
	next := f.current
	switch t, at := f.target.spatial, f.current.spatial; {
	case t > at && c.KeyFrame:
		next = layerID{t, 0}
	case t < at && l.spatial == t && c.EndOfFrame:
		next.spatial = t
	}
	switch t, at := f.target.temporal, f.current.temporal; {
	case t > at && l.temporal == at+1, t < at && l.temporal == t && c.EndOfFrame:
		next.temporal = l.temporal
	}
	if l.spatial > next.spatial || l.temporal > next.temporal {
		return false
	}
	if l.spatial == next.spatial && c.EndOfFrame {
		d.marker = true
	}
	f.current = next
	return true
}

// Widths in bits.
const (
	pictureIDBits      = 15
	shortPictureIDBits = 7
	tl0PicIdxBits      = 8
	pictureIDMask      = 1<<pictureIDBits - 1
	shortPictureIDMask = 1<<shortPictureIDBits - 1
)

// wide returns a picture id as one of 15 bits. One of 7 bits is taken for the nearest to the newest that came.
func wide(newest uint16, known bool, c *codec.Descriptor) uint16 {
	if c.PictureIDLen != 1 || !known {
		return c.PictureID
	}
	ahead := (c.PictureID - newest) & shortPictureIDMask
	if ahead > shortPictureIDMask/2 {
		ahead -= 1 << shortPictureIDBits
	}
	return (newest + ahead) & pictureIDMask
}

// aheadOf returns the signed distance from picture id b to a.
func aheadOf(a, b uint16) int { return int(int16((a-b)<<1)) >> 1 }

// vp8Numbers rewrites the numbers in VP8's payload descriptor (RFC 7741 section 4.2), from which a decoder tells whether it
// misses something.
type vp8Numbers struct {
	pictureIDs, tl0PicIdxs rtpstream.SeqRewriter
	newest                 uint16
	known                  bool
}

func newVP8Numbers() vp8Numbers {
	return vp8Numbers{
		pictureIDs: rtpstream.NewSeqRewriter(pictureIDBits, 0),
		tl0PicIdxs: rtpstream.NewSeqRewriter(tl0PicIdxBits, 0),
	}
}

// beginsAnew says whether the packet begins a key frame so far from all before that the encoder must have begun anew.
func (n *vp8Numbers) beginsAnew(c *codec.Descriptor) bool {
	if !n.known || !c.KeyFrame || !c.HasPictureID() {
		return false
	}
	ahead := aheadOf(wide(n.newest, n.known, c), n.newest)
	return ahead < -farBack || ahead > farBack
}

// take returns the packet's picture id, and whether it begins a picture newer than all before.
func (n *vp8Numbers) take(c *codec.Descriptor) (id uint16, newer bool) {
	id = wide(n.newest, n.known, c)
	if n.known && aheadOf(id, n.newest) <= 0 {
		return id, false
	}
	n.newest, n.known = id, true
	return id, true
}

// isLate says whether a picture is older than the newest.
func (n *vp8Numbers) isLate(id uint16) bool { return aheadOf(id, n.newest) < 0 }

// farBack is how many pictures away a key frame is no late one but the first of an encoder that counts anew, ours.
const farBack = 512

func (n *vp8Numbers) sync(c *codec.Descriptor) {
	n.known = false
	if c.HasPictureID() {
		n.pictureIDs.Sync(c.PictureID - 1)
	}
	if c.HasTL0PicIdx() {
		n.tl0PicIdxs.Sync(uint16(c.TL0PicIdx) - 1)
	}
}

// rewrite returns what becomes of the packet's numbers, false if they are not to be sent.
func (n *vp8Numbers) rewrite(id uint16, c *codec.Descriptor) (r rewrite, ok bool) {
	if !c.HasPictureID() && !c.HasTL0PicIdx() {
		return 0, true
	}
	var tl0 uint16
	if c.HasPictureID() {
		if id, ok = n.pictureIDs.Input(id); !ok {
			return 0, false
		}
	}
	if c.HasTL0PicIdx() {
		if tl0, ok = n.tl0PicIdxs.Input(uint16(c.TL0PicIdx)); !ok {
			return 0, false
		}
	}
	return newPayloadRewrite(id, uint8(tl0)), true
}

// passVP8 lets the temporal layer go up where the packet says so, and down between pictures.
func (f *layerFilter) passVP8(c *codec.Descriptor, d *decision) bool {
	if f.needSync || f.vp8.beginsAnew(c) {
		f.vp8.sync(c)
		f.history = layerHistory{}
		f.needSync = false
	}
	// Without picture id each packet counts as a picture.
	id, newer := uint16(0), true
	if c.HasPictureID() {
		id, newer = f.vp8.take(c)
	}
	temporal := int16(0)
	if c.HasTemporalLayer {
		temporal = int16(c.TemporalLayer)
	}
	unwanted := temporal > f.target.temporal || temporal > max(f.current.temporal, 0) && !c.SwitchingPoint
	if !newer {
		unwanted = f.vp8.isLate(id) && temporal > f.history.at(id, f.current).temporal
	}
	if unwanted {
		if c.HasPictureID() {
			f.vp8.pictureIDs.Drop(id)
		}
		return false
	}
	r, ok := f.vp8.rewrite(id, c)
	if !ok {
		return false
	}
	d.rewrite = r
	if newer {
		before := f.current
		f.current = layerID{0, min(max(f.current.temporal, temporal), f.target.temporal)}
		if c.HasPictureID() {
			f.history.advance(id, before, f.current)
		}
	}
	return true
}
