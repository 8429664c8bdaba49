package dtls

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	piondtls "github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
)

// From RFC 5288 section 3 (AES-GCM in TLS 1.2), RFC 7905 section 2 (ChaCha20-Poly1305) and RFC 6347 section 4.1.
const (
	nonceLen         = 12
	implicitNonceLen = 4 // AES-GCM: from the key block; the rest is in each record
	explicitNonceLen = 8
	tagLen           = 16
	additionalLen    = 13
	maxSequence      = 1<<48 - 1
)

// session is the record layer of an established association, in epoch 1.
type session struct {
	sealer, opener cipher.AEAD
	sealIV, openIV [nonceLen]byte
	explicitLen    int // explicitNonceLen, or 0 if a record's nonce is not in the record
	nextSequence   uint64
	window         replayWindow
	lastFlight     []byte // a server's ChangeCipherSpec and Finished, to send again when the client repeats its own
}

// newSession derives the keys of both directions (RFC 5246 section 6.3) from what the handshake exported.
func newSession(e *exportedState, lastFlight []byte) (*session, error) {
	suite, ok := cipherSuites[piondtls.CipherSuiteID(e.CipherSuiteID)]
	if !ok {
		return nil, fmt.Errorf("the handshake chose cipher suite %#04x, which was not offered", e.CipherSuiteID)
	}
	clientRandom, serverRandom := e.RemoteRandom, e.LocalRandom
	if e.IsClient {
		clientRandom, serverRandom = e.LocalRandom, e.RemoteRandom
	}
	keys, err := prf.GenerateEncryptionKeys(
		e.MasterSecret, clientRandom[:], serverRandom[:], 0, suite.keyLen, suite.ivLen, suite.hash,
	)
	if err != nil {
		return nil, fmt.Errorf("deriving the DTLS keys: %w", err)
	}
	s := &session{nextSequence: e.SequenceNumber}
	if suite.ivLen == implicitNonceLen {
		s.explicitLen = explicitNonceLen
	}
	localKey, localIV, remoteKey, remoteIV := keys.ServerWriteKey, keys.ServerWriteIV, keys.ClientWriteKey, keys.ClientWriteIV
	if e.IsClient {
		localKey, localIV, remoteKey, remoteIV = remoteKey, remoteIV, localKey, localIV
	} else {
		s.lastFlight = lastFlight
	}
	copy(s.sealIV[:], localIV)
	copy(s.openIV[:], remoteIV)
	if s.sealer, err = suite.aead(localKey); err != nil {
		return nil, fmt.Errorf("DTLS key: %w", err)
	}
	if s.opener, err = suite.aead(remoteKey); err != nil {
		return nil, fmt.Errorf("DTLS key: %w", err)
	}
	return s, nil
}

// nonceOf returns iv XOR number. With AES-GCM the last eight bytes of iv are zero: the nonce is the implicit part, then number.
func nonceOf(iv [nonceLen]byte, number uint64) [nonceLen]byte {
	last := iv[nonceLen-8:]
	binary.BigEndian.PutUint64(last, binary.BigEndian.Uint64(last)^number)
	return iv
}

// seal returns an encrypted record. The sequence number is the nonce and must not repeat, so the association ends before
// it wraps.
func (s *session) seal(typ byte, data []byte) ([]byte, error) {
	if s.nextSequence > maxSequence {
		return nil, ErrClosed
	}
	numbers := uint64(1)<<48 | s.nextSequence
	s.nextSequence++

	b := make([]byte, recordHeaderLen+s.explicitLen, recordHeaderLen+s.explicitLen+len(data)+tagLen)
	b[0] = typ
	binary.BigEndian.PutUint16(b[1:], version12)
	binary.BigEndian.PutUint64(b[3:], numbers)
	binary.BigEndian.PutUint16(b[11:], uint16(s.explicitLen+len(data)+tagLen))
	if s.explicitLen > 0 {
		binary.BigEndian.PutUint64(b[recordHeaderLen:], numbers)
	}
	nonce := nonceOf(s.sealIV, numbers)
	additional := additionalData(typ, numbers, len(data))
	return s.sealer.Seal(b, nonce[:], data, additional[:]), nil
}

// open returns the plaintext of a record of epoch 1 in a new slice, or false if it is not authentic or was seen before.
func (s *session) open(r record) ([]byte, bool) {
	body := r.fragment()
	length := len(body) - s.explicitLen - tagLen
	if length < 0 || length > maxPlaintextLen || !s.window.fresh(r.seq) {
		return nil, false
	}
	numbers := uint64(r.epoch)<<48 | r.seq
	number := numbers
	if s.explicitLen > 0 {
		number = binary.BigEndian.Uint64(body) // a peer may choose any, RFC 5288 section 3
	}
	nonce := nonceOf(s.openIV, number)
	additional := additionalData(r.typ, numbers, length)
	plain, err := s.opener.Open(nil, nonce[:], body[s.explicitLen:], additional[:])
	if err != nil {
		return nil, false
	}
	s.window.mark(r.seq)
	return plain, true
}

func additionalData(typ byte, numbers uint64, length int) (b [additionalLen]byte) {
	binary.BigEndian.PutUint64(b[:], numbers)
	b[8] = typ
	binary.BigEndian.PutUint16(b[9:], version12)
	binary.BigEndian.PutUint16(b[11:], uint16(length))
	return b
}

// replayWindow (RFC 6347 section 4.1.2.6) records which of the last 64 sequence numbers were received.
type replayWindow struct {
	next uint64 // the highest number seen, plus one
	seen uint64 // bit i: number next-1-i was seen
}

func (w *replayWindow) fresh(seq uint64) bool {
	if seq >= w.next {
		return true
	}
	age := w.next - 1 - seq
	return age < 64 && w.seen>>age&1 == 0
}

func (w *replayWindow) mark(seq uint64) {
	if seq >= w.next {
		w.seen <<= seq + 1 - w.next // a shift by 64 or more clears all bits
		w.next = seq + 1
	}
	w.seen |= 1 << (w.next - 1 - seq)
}
