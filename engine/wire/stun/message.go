// Package stun parses and builds STUN messages (RFC 8489, RFC 5389) as an ICE lite agent needs them: Binding requests with
// short-term credentials, and their answers.
//
// Parsing gives a Message, which is a view of the datagram; building goes through a Builder, which appends to a buffer of the
// caller. A Key holds a password in the form in which MESSAGE-INTEGRITY uses it. None of them allocates memory per message.
package stun

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
)

// Class is the class of a message, RFC 8489 section 5.
type Class uint8

// Method is the method of a message, RFC 8489 section 5; twelve bits.
type Method uint16

// TransactionID matches a response to its request, RFC 8489 section 5.
type TransactionID [12]byte

// From the specification: RFC 8489 sections 5, 14.7 and 18.
const (
	Request         Class = 0
	Indication      Class = 1
	SuccessResponse Class = 2
	ErrorResponse   Class = 3

	Binding Method = 1

	HeaderLen = 20

	magicCookie    = 0x2112a442
	fingerprintXOR = 0x5354554e
	integrityLen   = 20
	fingerprintLen = 4
)

// MaxLen is the length in bytes of the longest message that Parse accepts: a real one fits into a packet (RFC 8489 section
// 6.1), and it bounds the work that one message can cause. (Chosen here.)
const MaxLen = 2048

// Errors of Parse. A message that has one of them is to be dropped without an answer.
var (
	ErrNotSTUN     = errors.New("stun: not a STUN message")
	ErrLength      = errors.New("stun: length field and size of the message do not agree")
	ErrTooLong     = errors.New("stun: message is too long")
	ErrAttribute   = errors.New("stun: attribute of a wrong length")
	ErrOrder       = errors.New("stun: attribute after FINGERPRINT")
	ErrFingerprint = errors.New("stun: wrong FINGERPRINT")
)

// LooksLikeSTUN distinguishes STUN from the other protocols on a socket: by the first byte (RFC 7983 section 7) and the magic
// cookie.
func LooksLikeSTUN(b []byte) bool {
	return len(b) >= HeaderLen && b[0] <= 3 && binary.BigEndian.Uint32(b[4:]) == magicCookie
}

// Message is a parsed view of a message. Its accessors return parts of the bytes given to Parse.
type Message struct {
	Class         Class
	Method        Method
	TransactionID TransactionID

	raw        []byte
	attributes [numAttributes]span
}

// span is where the value of an attribute lies; start 0 when the attribute is absent.
type span struct{ start, end uint16 }

// Parse reads b, which must be one whole message, and keeps a reference to it. Attributes that Attribute does not name are
// skipped, as in mediasoup. A FINGERPRINT, when present, is checked; MESSAGE-INTEGRITY is not, see Verify. After an error m
// must not be used.
func (m *Message) Parse(b []byte) error {
	*m = Message{raw: b}
	switch {
	case !LooksLikeSTUN(b):
		return ErrNotSTUN
	case len(b) > MaxLen:
		return ErrTooLong
	case int(binary.BigEndian.Uint16(b[2:])) != len(b)-HeaderLen || len(b)%4 != 0:
		return ErrLength
	}
	m.Class, m.Method = splitType(binary.BigEndian.Uint16(b))
	copy(m.TransactionID[:], b[8:])
	if err := m.parseAttributes(); err != nil {
		return err
	}
	return m.checkFingerprint()
}

// splitType takes the class out from between the method's bits, RFC 8489 figure 3.
func splitType(t uint16) (Class, Method) {
	class := t>>7&2 | t>>4&1
	method := t>>2&0x0f80 | t>>1&0x0070 | t&0x000f
	return Class(class), Method(method)
}

func joinType(c Class, m Method) uint16 {
	return uint16(m)&0x0f80<<2 | uint16(m)&0x0070<<1 | uint16(m)&0x000f | uint16(c)&2<<7 | uint16(c)&1<<4
}

func (m *Message) parseAttributes() error {
	for at := HeaderLen; at < len(m.raw); {
		start := at + attributeHeaderLen // the length is a multiple of four, so there is room
		typ, length := Attribute(binary.BigEndian.Uint16(m.raw[at:])), int(binary.BigEndian.Uint16(m.raw[at+2:]))
		if start+length > len(m.raw) {
			return ErrLength
		}
		if m.Has(Fingerprint) {
			return ErrOrder
		}
		// RFC 8489 section 14.5: what follows MESSAGE-INTEGRITY is ignored, such as MESSAGE-INTEGRITY-SHA256, except FINGERPRINT.
		if !m.Has(MessageIntegrity) || typ == Fingerprint {
			if err := m.store(typ, start, length); err != nil {
				return err
			}
		}
		at = start + padded(length)
	}
	return nil
}

func (m *Message) store(typ Attribute, start, length int) error {
	i := typ.index()
	switch {
	case i < 0, m.attributes[i].start != 0: // of duplicates, the first counts (RFC 8489 section 14)
		return nil
	case !typ.validLen(length) && typ == Software:
		return nil // it is for people
	case !typ.validLen(length):
		return ErrAttribute
	}
	m.attributes[i] = span{uint16(start), uint16(start + length)}
	return nil
}

func (m *Message) checkFingerprint() error {
	if !m.Has(Fingerprint) {
		return nil
	}
	start := int(m.attributes[Fingerprint.index()].start)
	if binary.BigEndian.Uint32(m.raw[start:]) != fingerprintOf(m.raw[:start-attributeHeaderLen]) {
		return ErrFingerprint
	}
	return nil
}

// fingerprintOf computes the value of a FINGERPRINT that follows b, RFC 8489 section 14.7.
func fingerprintOf(b []byte) uint32 { return crc32.ChecksumIEEE(b) ^ fingerprintXOR }

// Verify reports whether the message has a MESSAGE-INTEGRITY attribute (RFC 8489 section 14.5) that was made with key. The
// comparison takes the same time wherever the values differ.
func (m *Message) Verify(key *Key) bool {
	if !m.Has(MessageIntegrity) {
		return false
	}
	start := int(m.attributes[MessageIntegrity.index()].start)
	return key.verify(m.raw[:start-attributeHeaderLen], m.raw[start:start+integrityLen])
}

// Has reports whether the message has an attribute.
func (m *Message) Has(a Attribute) bool { return m.attributes[a.index()].start != 0 }

// Value returns an attribute's bytes without padding; nil when it is absent.
func (m *Message) Value(a Attribute) []byte {
	s := m.attributes[a.index()]
	if s.start == 0 {
		return nil
	}
	return m.raw[s.start:s.end:s.end]
}

// LocalUsernameFragment returns the part of USERNAME before the first colon (RFC 8445 section 7.2.2): in a request, the
// fragment of the agent that receives it. The whole USERNAME when there is no colon, as in mediasoup; nil without USERNAME.
func (m *Message) LocalUsernameFragment() []byte {
	username := m.Value(Username)
	for i, c := range username {
		if c == ':' {
			return username[:i]
		}
	}
	return username
}

// Nomination returns the value of the attribute NOMINATION or, when that is absent, of the older one that browsers send.
func (m *Message) Nomination() (value uint32, ok bool) {
	if m.Has(Nomination) {
		return binary.BigEndian.Uint32(m.Value(Nomination)), true
	}
	if m.Has(NominationOld) {
		return binary.BigEndian.Uint32(m.Value(NominationOld)), true
	}
	return 0, false
}

// XORMappedAddress returns the address in XOR-MAPPED-ADDRESS, RFC 8489 section 14.2; false when it is absent or of an unknown
// family.
func (m *Message) XORMappedAddress() (netip.AddrPort, bool) {
	return parseXORAddress(m.Value(XORMappedAddress), m.TransactionID)
}

// ErrorCode returns the code and the reason phrase in ERROR-CODE, RFC 8489 section 14.8; false when it is absent.
func (m *Message) ErrorCode() (code int, reason []byte, ok bool) {
	v := m.Value(ErrorCode)
	if v == nil {
		return 0, nil, false
	}
	return int(v[2]&7)*100 + int(v[3]), v[4:], true
}

// AddressedTo reports whether USERNAME consists of fragment, a colon and anything, RFC 8445 section 7.2.2.
func (m *Message) AddressedTo(fragment string) bool {
	username := m.Value(Username)
	n := len(fragment)
	return n > 0 && len(username) > n && username[n] == ':' && string(username[:n]) == fragment
}
