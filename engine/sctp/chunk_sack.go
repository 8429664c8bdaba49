package sctp

import (
	"encoding/binary"
	"iter"
)

const sackLen = 12 // of the value without blocks

// sackChunk is a SACK (RFC 9260 section 3.3.4). It aliases the packet.
type sackChunk struct {
	cumulative tsn
	window     uint32 // a_rwnd, bytes
	blocks     []byte // four bytes each
	duplicates int
}

func parseSack(c chunk) (s sackChunk, ok bool) {
	if len(c.value) < sackLen {
		return sackChunk{}, false
	}
	blocks := int(binary.BigEndian.Uint16(c.value[8:]))
	duplicates := int(binary.BigEndian.Uint16(c.value[10:]))
	if sackLen+4*(blocks+duplicates) > len(c.value) {
		return sackChunk{}, false
	}
	return sackChunk{
		cumulative: tsn(binary.BigEndian.Uint32(c.value)),
		window:     binary.BigEndian.Uint32(c.value[4:]),
		blocks:     c.value[sackLen : sackLen+4*blocks],
		duplicates: duplicates,
	}, true
}

// gaps iterates over the blocks of what came behind a gap: first and last number. Blocks ascend (RFC 9260 section 3.3.4); it
// ends with the first one that does not, or goes beyond highest, so that a SACK costs no more than what is under way.
func (s *sackChunk) gaps(highest tsn) iter.Seq2[tsn, tsn] {
	return func(yield func(first, last tsn) bool) {
		before := s.cumulative + 1 // which is missing
		for b := s.blocks; len(b) >= 4; b = b[4:] {
			first := s.cumulative + tsn(binary.BigEndian.Uint16(b))
			last := s.cumulative + tsn(binary.BigEndian.Uint16(b[2:]))
			if !first.after(before) || last.before(first) || last.after(highest) || !yield(first, last) {
				return
			}
			before = last
		}
	}
}
