package rtp

import "encoding/binary"

// form is how the elements of a header extension block are laid out.
type form uint8

const (
	formNone    form = iota // no block, or one of another profile
	formOneByte             // RFC 8285 section 4.2
	formTwoByte             // RFC 8285 section 4.3
)

// From the specification (RFC 3550 section 5.3.1, RFC 8285 sections 4.2 and 4.3).
const (
	extensionHeaderLen = 4

	oneByteProfile = 0xbede
	twoByteProfile = 0x1000 // the lower four bits are "appbits" with any value
	twoByteMask    = 0xfff0

	paddingID    = 0
	oneByteStop  = 15 // ends the parsing of a one-byte block
	oneByteMaxID = oneByteStop - 1

	oneByteMaxLen = 16
)

// MaxExtensionLen is the length in bytes of the longest header extension value, in the two-byte form (RFC 8285 section 4.3).
const MaxExtensionLen = 255

// Extension is a header extension element to be written: an id from 1 to 255 and a value of at most MaxExtensionLen bytes.
type Extension struct {
	ID    uint8
	Value []byte
}

// parseExtensionBlock locates the extension block at offset start, checks its elements and returns the offset behind it.
// A block of a profile other than RFC 8285's is skipped, as RFC 3550 section 5.3.1 requires.
func (p *Packet) parseExtensionBlock(start int) (int, error) {
	first := start + extensionHeaderLen
	if first > len(p.Data) {
		return 0, ErrExtension
	}
	end := first + 4*int(binary.BigEndian.Uint16(p.Data[start+2:]))
	if end > len(p.Data) {
		return 0, ErrExtension
	}
	switch profile := binary.BigEndian.Uint16(p.Data[start:]); {
	case profile == oneByteProfile:
		p.form = formOneByte
	case profile&twoByteMask == twoByteProfile:
		p.form = formTwoByte
	}
	p.extStart, p.extEnd = uint16(first), uint16(end)
	elements := p.Extensions()
	for elements.Next() {
	}
	if elements.malformed {
		return 0, ErrElements
	}
	return end, nil
}

// Extension returns the value of the extension with the given id as a part of Data. It is nil when the packet has none, and
// empty but not nil for an element without a value. Of several elements with one id the last counts, as in mediasoup.
func (p *Packet) Extension(id uint8) []byte {
	var value []byte
	for e := p.Extensions(); e.Next(); {
		if e.id == id {
			value = e.value
		}
	}
	return value
}

// Extensions returns an iterator over the header extension elements, in the order of the packet.
func (p *Packet) Extensions() Elements {
	return Elements{form: p.form, rest: p.Data[p.extStart:p.extEnd]}
}

// Elements walks the elements of a header extension block: for e := p.Extensions(); e.Next(); { e.ID(), e.Value() }.
type Elements struct {
	form      form
	id        uint8
	malformed bool
	value     []byte
	rest      []byte
}

// ID returns the current element's id.
func (e *Elements) ID() uint8 { return e.id }

// Value returns the current element's value as a part of the packet's Data; in the two-byte form it may be empty.
func (e *Elements) Value() []byte { return e.value }

// Next goes to the next element and reports whether there is one.
func (e *Elements) Next() bool {
	for e.form != formNone && len(e.rest) > 0 {
		id, start, n := e.head()
		switch {
		case id == oneByteStop && e.form == formOneByte, start > len(e.rest):
			return false
		case id == paddingID:
			// Padding is a zero byte; like mediasoup we also step over single bytes that only have the padding's id.
			e.rest = e.rest[1:]
		case start+n > len(e.rest):
			e.malformed = true
			return false
		default:
			e.id, e.value, e.rest = id, e.rest[start:start+n:start+n], e.rest[start+n:]
			return true
		}
	}
	return false
}

// head returns id, offset of the value and its length in bytes of the element at the beginning of rest. The offset exceeds
// rest when that is a single byte of a two-byte element, which mediasoup ignores.
func (e *Elements) head() (id uint8, start, n int) {
	if e.form == formOneByte {
		return e.rest[0] >> 4, 1, int(e.rest[0]&0x0f) + 1
	}
	if len(e.rest) < 2 {
		return e.rest[0], 2, 0
	}
	return e.rest[0], 2, int(e.rest[1])
}
