package codec

// Bits of the VP9 payload descriptor (RFC 9628 section 4.2).
const (
	vp9HasPictureID            = 0x80
	vp9InterPicture            = 0x40
	vp9HasLayers               = 0x20
	vp9FlexibleMode            = 0x10
	vp9StartOfFrame            = 0x08
	vp9EndOfFrame              = 0x04
	vp9HasScalabilityStructure = 0x02
	vp9NotReference            = 0x01

	vp9SwitchingUp = 0x10
	vp9SIDMask     = 0x07
	vp9InterLayer  = 0x01
)

// parseVP9 reads the payload descriptor of RFC 9628 section 4.2 up to the layer indices and reports whether it is complete.
// The picture differences of flexible mode and the scalability structure are left alone.
func parseVP9(b []byte, d *Descriptor) bool {
	if len(b) == 0 {
		return false
	}
	first := b[0]
	d.InterPicture = first&vp9InterPicture != 0
	d.FlexibleMode = first&vp9FlexibleMode != 0
	d.StartOfFrame = first&vp9StartOfFrame != 0
	d.EndOfFrame = first&vp9EndOfFrame != 0
	d.HasScalabilityStructure = first&vp9HasScalabilityStructure != 0
	d.NotReference = first&vp9NotReference != 0
	at, ok := 1, true
	if first&vp9HasPictureID != 0 {
		if at, ok = parsePictureID(b, at, d); !ok {
			return false
		}
	}
	if first&vp9HasLayers != 0 && !parseVP9Layers(b, at, d) {
		return false
	}
	d.KeyFrame = !d.InterPicture && d.StartOfFrame && d.SpatialLayer == 0
	return true
}

// parseVP9Layers reads the layer indices at offset at. A further byte follows in either mode: TL0PICIDX, or in flexible mode
// what the packet is predicted from or the frame itself.
func parseVP9Layers(b []byte, at int, d *Descriptor) bool {
	if at+1 >= len(b) {
		return false
	}
	v := b[at]
	d.TemporalLayer, d.HasTemporalLayer = v>>5, true
	d.SpatialLayer, d.HasSpatialLayer = v>>1&vp9SIDMask, true
	d.SwitchingPoint = v&vp9SwitchingUp != 0
	d.InterLayer = v&vp9InterLayer != 0
	if !d.FlexibleMode {
		d.TL0PicIdx, d.TL0PicIdxOffset = b[at+1], uint8(at+1)
	}
	return true
}
