package codec

// Bits of the VP8 payload descriptor (RFC 7741 section 4.2) and of the payload header behind it (section 4.3).
const (
	vp8Extended       = 0x80
	vp8NonReference   = 0x20
	vp8StartPartition = 0x10
	vp8PartitionMask  = 0x07

	vp8HasPictureID = 0x80
	vp8HasTL0PicIdx = 0x40
	vp8HasTID       = 0x20
	vp8HasKeyIdx    = 0x10

	vp8LayerSync  = 0x20
	vp8KeyIdxMask = 0x1f

	vp8InterFrame = 0x01
)

// longPictureID is the bit that makes a picture id 15 bits long, in VP8 (M, RFC 7741 section 4.2) and VP9 (M, RFC 9628
// section 4.2).
const longPictureID = 0x80

// parseVP8 reads the payload descriptor of RFC 7741 section 4.2 and reports whether it is complete.
func parseVP8(b []byte, d *Descriptor) bool {
	if len(b) == 0 {
		return false
	}
	first := b[0]
	d.NotReference = first&vp8NonReference != 0
	d.StartOfFrame = first&vp8StartPartition != 0 && first&vp8PartitionMask == 0
	at := 1
	if first&vp8Extended != 0 {
		var ok bool
		if at, ok = parseVP8Extension(b, d); !ok {
			return false
		}
	}
	d.KeyFrame = d.StartOfFrame && at < len(b) && b[at]&vp8InterFrame == 0
	return true
}

// parseVP8Extension reads the optional fields and returns the offset behind them.
func parseVP8Extension(b []byte, d *Descriptor) (at int, ok bool) {
	if len(b) < 2 {
		return 0, false
	}
	has := b[1]
	at = 2
	if has&vp8HasPictureID != 0 {
		if at, ok = parsePictureID(b, at, d); !ok {
			return 0, false
		}
	}
	if has&vp8HasTL0PicIdx != 0 {
		if at >= len(b) {
			return 0, false
		}
		d.TL0PicIdx, d.TL0PicIdxOffset = b[at], uint8(at)
		at++
	}
	if has&(vp8HasTID|vp8HasKeyIdx) != 0 {
		if at >= len(b) {
			return 0, false
		}
		parseVP8Layers(has, b[at], d)
		at++
	}
	return at, true
}

// parseVP8Layers reads the byte that temporal layer and key index share; a receiver must ignore the part whose flag is unset.
func parseVP8Layers(has, v byte, d *Descriptor) {
	if has&vp8HasTID != 0 {
		d.TemporalLayer, d.HasTemporalLayer = v>>6, true
		d.SwitchingPoint = v&vp8LayerSync != 0
	}
	if has&vp8HasKeyIdx != 0 {
		d.KeyIdx, d.HasKeyIdx = v&vp8KeyIdxMask, true
	}
}

// parsePictureID reads the picture id at offset at, of one or two bytes, and returns the offset behind it.
func parsePictureID(b []byte, at int, d *Descriptor) (int, bool) {
	if at >= len(b) {
		return 0, false
	}
	d.PictureID, d.PictureIDLen, d.PictureIDOffset = uint16(b[at]), 1, uint8(at)
	if b[at]&longPictureID == 0 {
		return at + 1, true
	}
	if at+1 >= len(b) {
		return 0, false
	}
	d.PictureID, d.PictureIDLen = uint16(b[at]&^longPictureID)<<8|uint16(b[at+1]), 2
	return at + 2, true
}
