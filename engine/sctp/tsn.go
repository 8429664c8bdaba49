package sctp

import "math/bits"

// tsn is a transmission sequence number. It wraps, so that two of them compare by serial number arithmetic (RFC 9260
// section 1.6).
type tsn uint32

func (t tsn) after(u tsn) bool  { return int32(t-u) > 0 }
func (t tsn) before(u tsn) bool { return int32(t-u) < 0 }

// maxTSNs is how many sequence numbers may be under way: a SACK counts them from the cumulative one in 16 bits.
const maxTSNs = 1 << 16

// tsnSet is a set of sequence numbers that lie within a window of at most maxTSNs: a ring of bits. It costs one bit for each
// number of the window, whatever is in the set.
type tsnSet struct {
	words []uint64 // a power of two
}

func (s *tsnSet) at(t tsn) (word *uint64, bit uint64) {
	i := uint32(t) & (uint32(len(s.words))*64 - 1)
	return &s.words[i/64], 1 << (i % 64)
}

// has tells whether t is in the set; t must lie in the window.
func (s *tsnSet) has(t tsn) bool {
	if len(s.words) == 0 {
		return false
	}
	word, bit := s.at(t)
	return *word&bit != 0
}

// add enters t; the set must have room.
func (s *tsnSet) add(t tsn) {
	word, bit := s.at(t)
	*word |= bit
}

func (s *tsnSet) remove(t tsn) {
	word, bit := s.at(t)
	*word &^= bit
}

// reserve makes room for n numbers from first on; what is in the set lies among them.
func (s *tsnSet) reserve(first tsn, n int) {
	if n <= len(s.words)*64 {
		return
	}
	old, end := *s, first+tsn(len(s.words)*64)
	size := max(1, len(s.words))
	for n > size*64 {
		size *= 2
	}
	s.words = make([]uint64, size)
	for t := old.next(first, end, true); t != end; t = old.next(t+1, end, true) {
		s.add(t)
	}
}

// next returns the first number in [from, end) that is in the set, or is not; end when there is none. It looks at up to 64
// numbers in one step.
func (s *tsnSet) next(from, end tsn, in bool) tsn {
	if len(s.words) == 0 {
		if in {
			return end
		}
		return from
	}
	for from.before(end) {
		i := uint32(from) & (uint32(len(s.words))*64 - 1)
		word := s.words[i/64]
		if !in {
			word = ^word
		}
		if word >>= i % 64; word != 0 {
			found := from + tsn(bits.TrailingZeros64(word))
			if found.after(end) {
				return end
			}
			return found
		}
		from += tsn(64 - i%64)
	}
	return end
}
