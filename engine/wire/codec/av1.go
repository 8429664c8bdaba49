package codec

// From the specification (RTP Payload Format For AV1, section 4.4): the aggregation header that begins each payload. It is
// followed by elements, each an OBU or a part of one, behind its length unless it is the only one.
const (
	av1Continues    = 0x80 // Z: the first element goes on with an OBU of the packet before
	av1Elements     = 0x30 // W: how many elements there are, 0 for any number
	av1OneElement   = 0x10
	av1NewSequence  = 0x08 // N: the first packet of a coded video sequence, which a key frame begins
	leb128Continues = 0x80
	leb128MaxLen    = 8
)

// From the AV1 specification (section 5.3.2): the OBU header.
const (
	obuTypeMask       = 0x78
	obuSequenceHeader = 1 << 3
)

// isAV1KeyFrame reports whether b is the first packet of a coded video sequence: by its aggregation header or, as some senders
// do not set that bit, by the sequence header that it begins with.
func isAV1KeyFrame(b []byte) bool {
	if len(b) < 2 || b[0]&av1Continues != 0 {
		return false
	}
	if b[0]&av1NewSequence != 0 {
		return true
	}
	at := 1
	if b[0]&av1Elements != av1OneElement {
		for at < len(b) && at < leb128MaxLen && b[at]&leb128Continues != 0 {
			at++
		}
		at++
	}
	return at < len(b) && b[at]&obuTypeMask == obuSequenceHeader
}
