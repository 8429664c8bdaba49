package codec

// From the specification (RTP Payload Format For AV1, section 4.4): bits of the aggregation header that begins each payload.
const (
	av1Continues   = 0x80 // Z: the payload goes on with an OBU of the packet before
	av1NewSequence = 0x08 // N: the first packet of a coded video sequence, which a key frame begins
)

// isAV1KeyFrame reports whether the first packet of a coded video sequence lies before us. The specification excludes that it
// goes on with something.
func isAV1KeyFrame(b []byte) bool {
	return len(b) > 1 && b[0]&(av1Continues|av1NewSequence) == av1NewSequence
}
