package codec

import "math/bits"

// bitReader reads a bit string from its most significant bit on. Reading beyond the end gives zeros and sets overrun.
type bitReader struct {
	b       []byte
	at      int // in bits
	overrun bool
}

// read returns the next n bits, at most 32.
func (r *bitReader) read(n int) uint32 {
	if r.at+n > 8*len(r.b) {
		r.overrun = true
		return 0
	}
	var v uint32
	for range n {
		v = v<<1 | uint32(r.b[r.at/8]>>(7-r.at%8)&1)
		r.at++
	}
	return v
}

// flag returns the next bit.
func (r *bitReader) flag() bool { return r.read(1) == 1 }

// skip goes over n bits.
func (r *bitReader) skip(n int) {
	if n > 8*len(r.b)-r.at {
		r.overrun = true
		return
	}
	r.at += n
}

// nonSymmetric returns a value less than n in the fewest bits: ns(n) of the AV1 bitstream specification, section 4.10.7.
func (r *bitReader) nonSymmetric(n uint32) uint32 {
	w := bits.Len32(n)
	m := uint32(1)<<w - n
	v := r.read(w - 1)
	if v < m {
		return v
	}
	return v<<1 - m + r.read(1)
}
