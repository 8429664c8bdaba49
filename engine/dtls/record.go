package dtls

import (
	"encoding/binary"
	"iter"

	"github.com/pion/dtls/v3/pkg/protocol/handshake"
)

// From RFC 6347 sections 4.1 (record layer) and 4.2.2 (handshake), and RFC 5246 sections 6 and 7.
const (
	typeChangeCipherSpec byte = 20
	typeAlert            byte = 21
	typeHandshake        byte = 22
	typeApplicationData  byte = 23

	messageHelloRequest       byte = 0
	messageClientHello        byte = 1
	messageServerHello        byte = 2
	messageHelloVerifyRequest byte = 3
	messageCertificate        byte = 11
	messageServerKeyExchange  byte = 12
	messageCertificateRequest byte = 13
	messageServerHelloDone    byte = 14
	messageCertificateVerify  byte = 15
	messageClientKeyExchange  byte = 16
	messageFinished           byte = 20

	alertWarning         byte = 1
	alertFatal           byte = 2
	alertCloseNotify     byte = 0
	alertNoRenegotiation byte = 100

	version10 = 0xfeff // only on records with a ClientHello or HelloVerifyRequest
	version12 = 0xfefd

	recordHeaderLen  = 13
	messageHeaderLen = 12
	maxPlaintextLen  = 1 << 14
)

// Chosen here: limits in bytes on what is delivered to the handshake. A real flight of five messages has some 2 KB.
const (
	maxMessageLen      = 32 << 10 // enough for a certificate message with a long chain
	maxCertificateLen  = 5 << 10  // enough for an RSA key of 16384 bits; pion verifies with 8192 bits at most, after parsing all
	maxMessageSequence = 15       // a number: a full handshake has messages 0 to 6 per side
	maxFinishedLen     = 256      // an encrypted Finished record has 61 bytes with GCM
)

// record is a view of one DTLS record.
type record struct {
	typ   byte
	epoch uint16
	seq   uint64 // 48 bits
	raw   []byte // header and fragment
}

func (r record) fragment() []byte { return r.raw[recordHeaderLen:] }

// records iterates over the records of a datagram. After the first malformed one, which has ok = false, it stops.
func records(datagram []byte) iter.Seq2[record, bool] {
	return func(yield func(r record, ok bool) bool) {
		for len(datagram) > 0 {
			r, rest, ok := nextRecord(datagram)
			if !yield(r, ok) || !ok {
				return
			}
			datagram = rest
		}
	}
}

// nextRecord cuts the first record off b. It refuses empty records and unknown versions and types, which DTLS 1.2 never sends.
func nextRecord(b []byte) (r record, rest []byte, ok bool) {
	if len(b) <= recordHeaderLen || b[0] < typeChangeCipherSpec || b[0] > typeApplicationData {
		return record{}, nil, false
	}
	end := recordHeaderLen + int(binary.BigEndian.Uint16(b[11:]))
	if end == recordHeaderLen || end > len(b) {
		return record{}, nil, false
	}
	numbers := binary.BigEndian.Uint64(b[3:])
	r = record{typ: b[0], epoch: uint16(numbers >> 48), seq: numbers & (1<<48 - 1), raw: b[:end:end]}
	version := binary.BigEndian.Uint16(b[1:])
	if version != version12 && (version != version10 || r.epoch != 0 || r.typ != typeHandshake) {
		return record{}, nil, false
	}
	return r, b[end:], true
}

// action is what to do with a record that arrives during the handshake.
type action uint8

const (
	actionDrop    action = iota
	actionDeliver        // to the handshake
	actionBuffer         // for the handshake, until it has the keys: ChangeCipherSpec and Finished
	actionDefer          // for the established association: encrypted alerts and data
)

// classify decides the action for a record during a handshake in the given role. Delivered records may be wrong, but are
// never malformed: pion fails for good on some records that must be discarded according to RFC 6347 section 4.1.2.7.
func classify(r record, role Role) action {
	switch r.epoch {
	case 0:
		return classifyPlaintext(r, role)
	case 1:
		return classifyEncrypted(r)
	}
	return actionDrop
}

func classifyPlaintext(r record, role Role) action {
	body := r.fragment()
	switch r.typ {
	case typeHandshake:
		if validMessages(body, role) {
			return actionDeliver
		}
	case typeAlert:
		if len(body) == 2 && (body[0] == alertWarning || body[0] == alertFatal) {
			return actionDeliver
		}
	case typeChangeCipherSpec:
		if len(body) == 1 && body[0] == 1 {
			return actionBuffer
		}
	}
	return actionDrop
}

func classifyEncrypted(r record) action {
	switch r.typ {
	case typeHandshake:
		if len(r.fragment()) <= maxFinishedLen {
			return actionBuffer
		}
	case typeAlert, typeApplicationData:
		return actionDefer
	}
	return actionDrop
}

// validMessages reports whether b is a sequence of fragments of handshake messages that the peer may send unencrypted. role
// is the local one.
func validMessages(b []byte, role Role) bool {
	for len(b) > 0 {
		if len(b) < messageHeaderLen {
			return false
		}
		length, offset, fragment := uint24(b[1:]), uint24(b[6:]), uint24(b[9:])
		switch {
		case !expectedMessage(b[0], role),
			binary.BigEndian.Uint16(b[4:]) > maxMessageSequence,
			length > maxMessageLen,
			offset+fragment > length,
			fragment == 0 && length > 0,
			messageHeaderLen+fragment > len(b),
			b[0] == messageCertificate && offset == 0 && !validCertificate(b[messageHeaderLen:messageHeaderLen+fragment], length):
			return false
		}
		b = b[messageHeaderLen+fragment:]
	}
	return true
}

// validCertificate reports whether the first certificate in a certificate message of the given length, the only one that
// counts, is not too long. b is the beginning of the message (RFC 5246 section 7.4.2: the length of the list, then the length
// of each certificate).
func validCertificate(b []byte, length int) bool {
	if length < 6 {
		return true // an empty list
	}
	return len(b) >= 6 && uint24(b[3:]) <= maxCertificateLen
}

func expectedMessage(message byte, role Role) bool {
	switch message {
	case messageCertificate:
		return true
	case messageClientHello, messageCertificateVerify, messageClientKeyExchange:
		return role == Server
	case messageServerHello, messageHelloVerifyRequest, messageServerKeyExchange, messageCertificateRequest, messageServerHelloDone:
		return role == Client
	}
	return false
}

// opensHandshake reports whether r is the beginning of a client's handshake. A complete ClientHello must parse: a broken one
// would displace the real one, which has the same message number. A fragmented one cannot be checked at this point.
func opensHandshake(r record) bool {
	body := r.fragment()
	if r.epoch != 0 || r.typ != typeHandshake || !validMessages(body, Server) || body[0] != messageClientHello {
		return false
	}
	length, fragment := uint24(body[1:]), uint24(body[9:])
	if fragment < length {
		return true
	}
	var hello handshake.MessageClientHello
	return hello.Unmarshal(body[messageHeaderLen:messageHeaderLen+length]) == nil
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
