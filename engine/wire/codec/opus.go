package codec

// opusCodeMask selects the code of a TOC byte, which gives the number of frames in the packet (RFC 6716 section 3.1).
const opusCodeMask = 0x03

// parseOpus reads the TOC byte and reports whether the packet can be Opus (RFC 6716 section 3.2). DTX is a packet all of
// whose frames are empty: the TOC byte alone for codes 0 and 1, and one more byte, a length of zero, for code 2.
func parseOpus(b []byte, d *Descriptor) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] & opusCodeMask {
	case 2:
		d.DTX = len(b) == 2
		return len(b) >= 2
	case 3:
		return len(b) >= 2
	default:
		d.DTX = len(b) == 1
		return true
	}
}
