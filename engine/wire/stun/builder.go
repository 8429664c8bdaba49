package stun

import (
	"encoding/binary"
	"net/netip"
)

// Builder appends one message to a buffer of the caller: attributes in the order of the calls, then Integrity and Fingerprint,
// which close the message in this order (RFC 8489 sections 14.5 and 14.7).
type Builder struct {
	b     []byte
	start int
	id    TransactionID
}

// Build begins a message behind what dst holds already.
func Build(dst []byte, c Class, m Method, id TransactionID) Builder {
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, joinType(c, m))
	dst = append(dst, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, magicCookie)
	return Builder{b: append(dst, id[:]...), start: start, id: id}
}

// Bytes adds an attribute with the value v.
func (w *Builder) Bytes(a Attribute, v []byte) {
	w.open(a)
	w.b = append(w.b, v...)
	w.close(len(v))
}

// String adds an attribute with the value v.
func (w *Builder) String(a Attribute, v string) {
	w.open(a)
	w.b = append(w.b, v...)
	w.close(len(v))
}

// Uint32 adds an attribute that is a number of 32 bits.
func (w *Builder) Uint32(a Attribute, v uint32) {
	w.open(a)
	w.b = binary.BigEndian.AppendUint32(w.b, v)
	w.close(4)
}

// Uint64 adds an attribute that is a number of 64 bits.
func (w *Builder) Uint64(a Attribute, v uint64) {
	w.open(a)
	w.b = binary.BigEndian.AppendUint64(w.b, v)
	w.close(8)
}

// Flag adds an attribute without a value.
func (w *Builder) Flag(a Attribute) {
	w.open(a)
	w.close(0)
}

// XORMappedAddress adds the address that a request came from. An IPv4 address in IPv6 form is written as IPv4.
func (w *Builder) XORMappedAddress(addr netip.AddrPort) {
	w.open(XORMappedAddress)
	before := len(w.b)
	w.b = appendXORAddress(w.b, addr, w.id)
	w.close(len(w.b) - before)
}

// ErrorCode adds ERROR-CODE with a code from 300 to 699 and a reason phrase.
func (w *Builder) ErrorCode(code int, reason string) {
	w.open(ErrorCode)
	w.b = append(w.b, 0, 0, byte(code/100), byte(code%100))
	w.b = append(w.b, reason...)
	w.close(errorCodeLen + len(reason))
}

// Integrity adds MESSAGE-INTEGRITY over all that was added so far.
func (w *Builder) Integrity(key *Key) {
	mac := key.sum(w.b[w.start:])
	w.Bytes(MessageIntegrity, mac)
}

// Fingerprint adds FINGERPRINT over all that was added so far. Nothing may follow.
func (w *Builder) Fingerprint() {
	// The checksum covers the length field, which counts the fingerprint already.
	w.setLength(attributeHeaderLen + fingerprintLen)
	w.Uint32(Fingerprint, fingerprintOf(w.b[w.start:]))
}

// Message returns the buffer with the message.
func (w *Builder) Message() []byte { return w.b }

func (w *Builder) open(a Attribute) {
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(a))
	w.b = append(w.b, 0, 0)
}

// close ends an attribute whose value has n bytes: writes its length, pads it, and writes the length of the message.
func (w *Builder) close(n int) {
	binary.BigEndian.PutUint16(w.b[len(w.b)-n-2:], uint16(n))
	for range padded(n) - n {
		w.b = append(w.b, 0)
	}
	w.setLength(0)
}

// setLength writes the message's length field as if more bytes followed.
func (w *Builder) setLength(more int) {
	binary.BigEndian.PutUint16(w.b[w.start+2:], uint16(len(w.b)-w.start-HeaderLen+more))
}
