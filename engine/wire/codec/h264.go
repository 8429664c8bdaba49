package codec

import "encoding/binary"

// NAL unit types (RFC 6184 sections 1.3 and 5.2) and the bits of a fragmentation unit's header (section 5.8).
const (
	nalTypeMask = 0x1f
	nalSPS      = 7
	nalSTAPA    = 24
	nalFUA      = 28
	nalFUB      = 29

	fuStart = 0x80
)

// isH264KeyFrame reports whether the payload holds a sequence parameter set, which is what a key frame begins with in
// WebRTC and what mediasoup goes by: the packets of an IDR picture that follow it do not count.
func isH264KeyFrame(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	switch b[0] & nalTypeMask {
	case nalSPS:
		return true
	case nalSTAPA:
		return aggregateHasSPS(b[1:])
	case nalFUA, nalFUB:
		return b[1]&nalTypeMask == nalSPS && b[1]&fuStart != 0
	}
	return false
}

// aggregateHasSPS looks for a sequence parameter set in the units of a STAP-A, each behind its length in two bytes
// (RFC 6184 section 5.7.1). A unit that is cut off counts, as its type is there to read.
func aggregateHasSPS(b []byte) bool {
	const sizeLen = 2
	for len(b) > sizeLen {
		if b[sizeLen]&nalTypeMask == nalSPS {
			return true
		}
		next := sizeLen + int(binary.BigEndian.Uint16(b))
		if next > len(b) {
			return false
		}
		b = b[next:]
	}
	return false
}
