package session

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Versions of the protocol that this package speaks. A side offers what it speaks, and the newer of the versions that both
// speak is used, so that nodes and fronts can be upgraded one after the other. Version 1, which had no pieces, was in no release.
const (
	MinVersion = 2
	MaxVersion = 2
)

// magic begins the first frame of a connection: whatever else connects by mistake is told apart at once.
const magic = "gazpacho"

// kind is the first byte of a frame.
type kind uint8

const (
	kindHello   kind = 1 + iota // front: opens or takes up a conversation; the first frame of a connection
	kindWelcome                 // node: its answer
	kindRefuse                  // node: its answer instead, before it closes the connection
	kindMessage                 // a message, or its last piece; numbered and kept until acknowledged
	kindAck                     // acknowledges without a message
	kindPing                    // front
	kindPong                    // node
	kindGoodbye                 // the sender ends the conversation
	kindQuery                   // in place of a hello: a question that needs no session
	kindReply                   // node: its answer, before it closes the connection
	kindLink                    // in place of a hello, from a node: the same body, for a conversation that carries data
	kindPiece                   // a piece of a message that goes on in the frame with the next number
)

// Lengths in bytes.
const (
	lengthLen     = 4 // of the length in front of each frame, which does not count itself
	messageHeader = 1 + 8 + 8
	openingLen    = 512 // the longest frame before the conversation is open, chosen here: a stranger makes nobody buffer more
	maxReason     = 256 // of a refusal or goodbye, chosen here
)

// ErrMalformed says that the other side sent bytes that are no frame, or a frame that has no place there.
var ErrMalformed = errors.New("malformed frame")

// SessionID names a conversation. The front draws it at random.
type SessionID [16]byte

// Hello opens or takes up a conversation.
type Hello struct {
	MinVersion, MaxVersion uint16
	Session                SessionID
	Epoch                  uint64 // of the connection; each has a higher one than the last
	Conversation           uint64 // number that the node gave it, 0 to begin a fresh one
	Received               uint64 // number of the last piece received
}

type welcome struct {
	version      uint16
	conversation uint64
	resumed      bool
	received     uint64
	time         uint64 // of the node's clock
	lease        uint64 // in nanoseconds
}

// RefuseCode says why a node refuses a connection.
type RefuseCode uint8

// Codes of refusals.
const (
	RefuseVersion  RefuseCode = 1 + iota // no version in common
	RefuseEpoch                          // a connection of a higher epoch was there before
	RefuseStopping                       // the node is about to end
	RefuseIdentity                       // the certificate may not speak for this session
	RefuseBusy                           // more sessions than the node takes
	RefuseUnknown                        // there is no node of that name: the answer to a query
)

// String returns the code in words.
func (c RefuseCode) String() string {
	names := [...]string{"", "no common version", "stale epoch", "stopping", "wrong identity", "busy", "unknown"}
	if int(c) < len(names) && c > 0 {
		return names[c]
	}
	return fmt.Sprintf("code %d", c)
}

// AppendRefusal appends a frame that refuses a connection, for owners that refuse one before a machine has seen it.
func AppendRefusal(dst []byte, code RefuseCode, reason string) []byte {
	dst, start := begin(dst, kindRefuse)
	dst = append(dst, byte(code))
	dst = append(dst, reason[:min(len(reason), maxReason)]...)
	return end(dst, start)
}

// First is the first frame of a connection to a node: a Hello of a front or of another node, or a Query that needs no session.
type First struct {
	Hello *Hello
	Link  bool // the Hello is another node's
	Query string
}

// ReadFirst reads the first frame of a connection, and returns what follows it. It reports false with a nil error while more
// bytes are needed. A node that serves many fronts finds the machine of a connection by it.
func ReadFirst(b []byte) (first First, rest []byte, ok bool, err error) {
	frame, rest, err := nextFrame(b, openingLen)
	if frame == nil || err != nil {
		return First{}, rest, false, err
	}
	switch body := frame[1:]; kind(frame[0]) {
	case kindHello, kindLink:
		h, err := parseHello(body)
		return First{Hello: &h, Link: kind(frame[0]) == kindLink}, rest, err == nil, err
	case kindQuery:
		return First{Query: string(body)}, rest, true, nil
	}
	return First{}, nil, false, fmt.Errorf("%w: the connection begins with neither hello nor query", ErrMalformed)
}

// AppendQuery appends the frame that asks a node something.
func AppendQuery(dst []byte, query string) []byte { return appendBytes(dst, kindQuery, []byte(query)) }

// AppendReply appends the frame that answers a query.
func AppendReply(dst, reply []byte) []byte { return appendBytes(dst, kindReply, reply) }

// ReadReply reads the answer to a query: the reply, or the reason for which the node refuses. It reports false with a nil error
// while more bytes are needed. limit is the longest reply taken.
func ReadReply(b []byte, limit int) (reply []byte, ok bool, err error) {
	frame, _, err := nextFrame(b, limit)
	if frame == nil || err != nil {
		return nil, false, err
	}
	switch {
	case kind(frame[0]) == kindReply:
		return frame[1:], true, nil
	case kind(frame[0]) == kindRefuse && len(frame) > 1:
		return nil, false, fmt.Errorf("the node refuses (%s): %s", RefuseCode(frame[1]), frame[2:])
	}
	return nil, false, fmt.Errorf("%w: no reply", ErrMalformed)
}

// nextFrame cuts the first frame (kind and body) off b. It returns nil while b does not hold all of it.
func nextFrame(b []byte, limit int) (frame, rest []byte, err error) {
	if len(b) < lengthLen {
		return nil, b, nil
	}
	n := binary.BigEndian.Uint32(b)
	if n == 0 || uint64(n) > uint64(limit) {
		return nil, nil, fmt.Errorf("%w: frame of %d bytes, the limit is %d", ErrMalformed, n, limit)
	}
	if uint64(len(b)) < lengthLen+uint64(n) {
		return nil, b, nil
	}
	return b[lengthLen : lengthLen+n], b[lengthLen+n:], nil
}

func begin(dst []byte, k kind) (b []byte, start int) {
	start = len(dst)
	return append(dst, 0, 0, 0, 0, byte(k)), start
}

func end(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-lengthLen))
	return dst
}

// appendHello appends a hello, of kindHello or kindLink.
func appendHello(dst []byte, k kind, h Hello) []byte {
	dst, start := begin(dst, k)
	dst = append(dst, magic...)
	dst = binary.BigEndian.AppendUint16(dst, h.MinVersion)
	dst = binary.BigEndian.AppendUint16(dst, h.MaxVersion)
	dst = append(dst, h.Session[:]...)
	for _, v := range [...]uint64{h.Epoch, h.Conversation, h.Received} {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	return end(dst, start)
}

func parseHello(b []byte) (h Hello, err error) {
	const length = len(magic) + 2 + 2 + len(h.Session) + 3*8
	if len(b) != length || string(b[:len(magic)]) != magic {
		return Hello{}, ErrMalformed
	}
	b = b[len(magic):]
	h.MinVersion, h.MaxVersion = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	b = b[4+copy(h.Session[:], b[4:]):]
	h.Epoch, h.Conversation, h.Received = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
	return h, nil
}

func appendWelcome(dst []byte, w welcome) []byte {
	dst, start := begin(dst, kindWelcome)
	dst = binary.BigEndian.AppendUint16(dst, w.version)
	resumed := byte(0)
	if w.resumed {
		resumed = 1
	}
	dst = append(dst, resumed)
	for _, v := range [...]uint64{w.conversation, w.received, w.time, w.lease} {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	return end(dst, start)
}

func parseWelcome(b []byte) (w welcome, err error) {
	if len(b) != 2+1+4*8 || b[2] > 1 {
		return welcome{}, ErrMalformed
	}
	w.version, w.resumed = binary.BigEndian.Uint16(b), b[2] == 1
	b = b[3:]
	w.conversation, w.received = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	w.time, w.lease = binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:])
	return w, nil
}

func appendPiece(dst []byte, number, ack uint64, p piece) []byte {
	k := kindMessage
	if p.more {
		k = kindPiece
	}
	dst, start := begin(dst, k)
	dst = binary.BigEndian.AppendUint64(dst, number)
	dst = binary.BigEndian.AppendUint64(dst, ack)
	return end(append(dst, p.b...), start)
}

// appendValues appends a frame that consists of numbers only: Ack (received), Ping and Pong (time, received).
func appendValues(dst []byte, k kind, values ...uint64) []byte {
	dst, start := begin(dst, k)
	for _, v := range values {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	return end(dst, start)
}

func appendBytes(dst []byte, k kind, b []byte) []byte {
	dst, start := begin(dst, k)
	return end(append(dst, b...), start)
}
