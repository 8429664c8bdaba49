package stun

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"hash"
)

// Key is a password of a short-term credential (RFC 8489 section 9.1), ready for MESSAGE-INTEGRITY. It keeps the state of the
// hash, so that its use allocates nothing; for the same reason it must not be used by two goroutines at once.
type Key struct {
	mac    hash.Hash
	header [HeaderLen]byte
	result [integrityLen]byte
}

// NewKey makes a key of a password, which must consist of ICE's characters (RFC 8445 section 5.3), as our passwords do: others
// would need OpaqueString processing.
func NewKey(password string) *Key {
	k := &Key{mac: hmac.New(sha1.New, []byte(password))}
	// The first two uses set up what makes the later ones cheap.
	k.sum(k.header[:])
	k.sum(k.header[:])
	return k
}

// sum computes MESSAGE-INTEGRITY for the message b, which ends where that attribute begins, RFC 8489 section 14.5: over a header
// whose length field counts the attribute and nothing behind it. The result is valid until the next call.
func (k *Key) sum(b []byte) []byte {
	copy(k.header[:], b)
	binary.BigEndian.PutUint16(k.header[2:], uint16(len(b)-HeaderLen+attributeHeaderLen+integrityLen))
	k.mac.Reset()
	k.mac.Write(k.header[:])
	k.mac.Write(b[HeaderLen:])
	return k.mac.Sum(k.result[:0])
}

func (k *Key) verify(b, mac []byte) bool { return hmac.Equal(k.sum(b), mac) }
