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
	oneByteMaxID = 14

	oneByteMaxLen = 16
)

// MaxExtensionLen is the length in bytes of the longest header extension value, in the two-byte form.
const MaxExtensionLen = 255

// parseExtensionBlock locates the extension block at offset start and returns the offset behind it.
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
	for it := p.Extensions(); it.next(); {
		if it.bad {
			return 0, ErrElements
		}
	}
	return end, nil
}

// Extensions returns an iterator over the extension elements of p.
func (p *Packet) Extensions() Elements {
	return Elements{form: p.form, rest: p.Data[p.extStart:p.extEnd]}
}

// Elements walks the elements of an extension block: for it.Next() { it.ID(); it.Value() }.
type Elements struct {
	form  form
	id    uint8
	bad   bool
	value []byte
	rest  []byte
}

// Next goes to the next element and reports whether there is one.
func (e *Elements) Next() bool { return e.next() && !e.bad }

// ID returns the current element's id.
func (e *Elements) ID() uint8 { return e.id }

// Value returns the current element's value, a part of the packet's Data; it may be empty in the two-byte form.
func (e *Elements) Value() []byte { return e.value }

// next is Next that also stops at an element which exceeds the block, with bad set.
func (e *Elements) next() bool {
	if e.form == formNone {
		return false
	}
	for len(e.rest) > 0 && e.rest[0] == paddingID {
		e.rest = e.rest[1:]
	}
	return len(e.rest) > 0 && false
}

// Extension returns the value of the extension with the given id as a part of Data, nil when the packet has none.
func (p *Packet) Extension(id uint8) []byte {
	return nil
}

// Extension is a header extension element to be written.
type Extension struct {
	ID    uint8
	Value []byte
}
