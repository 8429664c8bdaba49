package session

import (
	"errors"
	"fmt"
)

// ErrOverflow ends a session that cannot keep another message: the other side is away for longer than there is room.
var ErrOverflow = errors.New("too much waits for the other side of the session")

// ErrTooLong refuses a message that is longer than the session takes. It changes nothing.
var ErrTooLong = errors.New("the message is too long for the session")

// Limits bound what one side of a session keeps.
type Limits struct {
	// MaxMessage is the longest payload in bytes, of messages that are sent and of those that arrive.
	MaxMessage int
	// Pieces and Bytes bound what was sent and not yet acknowledged: a message is one piece for each 64 KiB or part of them.
	Pieces, Bytes int
	// DroppableBytes is the number of unacknowledged bytes above which droppable messages are refused.
	DroppableBytes int
}

// DefaultLimits are chosen here. A request is a few hundred bytes, so that the count is reached first when a node is away;
// the bytes leave room for messages of data channels.
var DefaultLimits = Limits{MaxMessage: 16 << 20, Pieces: 65536, Bytes: 64 << 20, DroppableBytes: 4 << 20}

// Chosen here.
const (
	// pieceLen is how much of a message a frame carries at most. What comes between two frames is late by the time that one takes:
	// 65 ms at 1 MB/s.
	pieceLen = 64 << 10
	// window is how many bytes are given to a connection before they are acknowledged. Nothing overtakes them there, so pings and
	// pongs are late by the time that they take: 8 s each at 1 Mbit/s, together well below a lease. It is enough for 1 Gbit/s over
	// round trips of 8 ms, for 100 Mbit/s over those of 80 ms.
	window = 1 << 20
	// ackBytes and ackPieces are what is received before an acknowledgement is sent of its own. Pings carry one several times a
	// second, and every message does. Each full piece is acknowledged, since that is a sign of life when it takes long.
	ackBytes  = pieceLen
	ackPieces = 64
)

// piece is what one frame carries of a message.
type piece struct {
	b    []byte
	more bool // the message goes on in the next one
}

// link is what one side knows of the numbered pieces of messages in both directions. It outlives connections.
type link struct {
	limits Limits

	sent   uint64  // number of the last piece
	kept   []piece // those up to sent that are not acknowledged, in order
	bytes  int     // of them
	given  uint64  // number of the last piece that the present connection, or the one before, was given
	flying int     // bytes of those among kept

	received uint64 // number of the last piece received
	partial  []byte // the message whose last piece has not come
	told     uint64 // the last acknowledgement sent
	unacked  int    // bytes received since then
}

// piecesOf returns of how many pieces a message of so many bytes is made.
func piecesOf(size int) int { return max(1, (size+pieceLen-1)/pieceLen) }

// fits reports whether a message of so many bytes can be kept.
func (l *link) fits(size int) bool {
	return len(l.kept)+piecesOf(size) <= l.limits.Pieces && l.bytes+size <= l.limits.Bytes
}

// add cuts a message into pieces, numbers them and keeps them.
func (l *link) add(payload []byte) error {
	switch {
	case len(payload) > l.limits.MaxMessage:
		return fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrTooLong, len(payload), l.limits.MaxMessage)
	case !l.fits(len(payload)):
		return ErrOverflow
	}
	l.sent += uint64(piecesOf(len(payload)))
	l.bytes += len(payload)
	for len(payload) > pieceLen {
		l.kept = append(l.kept, piece{payload[:pieceLen], true})
		payload = payload[pieceLen:]
	}
	l.kept = append(l.kept, piece{b: payload})
	return nil
}

// first returns the number of the oldest piece kept; without one, that of the next.
func (l *link) first() uint64 { return l.sent - uint64(len(l.kept)) + 1 }

// covers reports whether all pieces after the given one are still kept, so that a conversation can go on from there.
func (l *link) covers(received uint64) bool { return received+1 >= l.first() && received <= l.given }

// acknowledge forgets pieces up to the given number.
func (l *link) acknowledge(number uint64) error {
	if number > l.given {
		return fmt.Errorf("%w: %d acknowledged, %d were sent", ErrMalformed, number, l.given)
	}
	for ; l.first() <= number; l.kept = l.kept[1:] {
		l.bytes -= len(l.kept[0].b)
		l.flying -= len(l.kept[0].b)
		l.kept[0] = piece{}
	}
	if len(l.kept) == 0 {
		l.kept = nil // the array behind it may have grown large
	}
	return nil
}

// resume begins a connection. The other side has what is acknowledged, and nothing behind it.
func (l *link) resume() { l.given, l.flying = l.first()-1, 0 }

// appendDue appends the pieces that the connection has room for.
func (l *link) appendDue(dst []byte) []byte {
	for l.given < l.sent && l.flying < window {
		p := l.kept[l.given+1-l.first()]
		l.given++
		l.flying += len(p.b)
		dst = appendPiece(dst, l.given, l.acknowledgement(), p)
	}
	return dst
}

// accept takes a piece. It returns the message that the piece completes. A piece that was there before is dropped; one that is
// missing before it is an error of the sender.
func (l *link) accept(number uint64, p piece) (message []byte, done bool, err error) {
	switch {
	case number <= l.received:
		return nil, false, nil
	case number != l.received+1:
		return nil, false, fmt.Errorf("%w: number %d follows %d", ErrMalformed, number, l.received)
	case p.more && len(p.b) == 0:
		return nil, false, fmt.Errorf("%w: an empty piece", ErrMalformed)
	case len(l.partial)+len(p.b) > l.limits.MaxMessage:
		return nil, false, fmt.Errorf("%w: a message of more than %d bytes", ErrMalformed, l.limits.MaxMessage)
	}
	l.received = number
	l.unacked += len(p.b)
	l.partial = append(l.partial, p.b...)
	if p.more {
		return nil, false, nil
	}
	message, l.partial = l.partial, nil
	return message, true, nil
}

// acknowledgement returns the number to acknowledge in a frame that is being sent.
func (l *link) acknowledgement() uint64 {
	l.told, l.unacked = l.received, 0
	return l.received
}

// due reports whether enough was received for an acknowledgement of its own.
func (l *link) due() bool { return l.unacked >= ackBytes || l.received-l.told >= ackPieces }

// reset begins a fresh conversation in both directions.
func (l *link) reset() { *l = link{limits: l.limits} }
