package session

import (
	"errors"
	"fmt"
)

// ErrOverflow ends a session that cannot keep another message: the other side is away for longer than there is room.
var ErrOverflow = errors.New("too much waits for the other side of the session")

// Limits bound what one side of a session keeps.
type Limits struct {
	// MaxMessage is the longest payload in bytes.
	MaxMessage int
	// Messages and Bytes bound what was sent and not yet acknowledged.
	Messages, Bytes int
	// DroppableBytes is the number of unacknowledged bytes above which droppable messages are refused.
	DroppableBytes int
}

// DefaultLimits are chosen here. A request is a few hundred bytes, so that the count is reached first when a node is away;
// the bytes leave room for messages of data channels.
var DefaultLimits = Limits{MaxMessage: 16 << 20, Messages: 65536, Bytes: 64 << 20, DroppableBytes: 4 << 20}

// ackBytes and ackMessages are what is received before an acknowledgement is sent of its own, chosen here. Pings carry one
// several times a second, and every message does.
const (
	ackBytes    = 256 << 10
	ackMessages = 64
)

// link is what one side knows of the numbered messages in both directions. It outlives connections.
type link struct {
	limits Limits

	sent  uint64   // number of the last message sent
	kept  [][]byte // the payloads of the messages up to sent that are not acknowledged, in order
	bytes int      // of them

	received uint64 // number of the last message received
	told     uint64 // the last acknowledgement sent
	unacked  int    // bytes received since then
}

// add numbers a message and keeps it.
func (l *link) add(payload []byte) (number uint64, err error) {
	switch {
	case len(payload) > l.limits.MaxMessage:
		return 0, fmt.Errorf("message of %d bytes, at most %d can be sent", len(payload), l.limits.MaxMessage)
	case len(l.kept) >= l.limits.Messages || l.bytes+len(payload) > l.limits.Bytes:
		return 0, ErrOverflow
	}
	l.sent++
	l.kept = append(l.kept, payload)
	l.bytes += len(payload)
	return l.sent, nil
}

// first returns the number of the oldest message kept; without one, that of the next message.
func (l *link) first() uint64 { return l.sent - uint64(len(l.kept)) + 1 }

// covers reports whether all messages after the given one are still kept, so that a conversation can go on from there.
func (l *link) covers(received uint64) bool { return received+1 >= l.first() && received <= l.sent }

// acknowledge forgets messages up to the given number.
func (l *link) acknowledge(number uint64) error {
	if number > l.sent {
		return fmt.Errorf("%w: message %d acknowledged, %d were sent", ErrMalformed, number, l.sent)
	}
	for ; l.first() <= number; l.kept = l.kept[1:] {
		l.bytes -= len(l.kept[0])
		l.kept[0] = nil
	}
	if len(l.kept) == 0 {
		l.kept = nil // the array behind it may have grown large
	}
	return nil
}

// accept reports whether a message is new. One that is missing before it is an error of the sender.
func (l *link) accept(number uint64, size int) (fresh bool, err error) {
	switch {
	case number <= l.received:
		return false, nil
	case number != l.received+1:
		return false, fmt.Errorf("%w: message %d follows %d", ErrMalformed, number, l.received)
	}
	l.received = number
	l.unacked += size
	return true, nil
}

// acknowledgement returns the number to acknowledge in a frame that is being sent.
func (l *link) acknowledgement() uint64 {
	l.told, l.unacked = l.received, 0
	return l.received
}

// due reports whether enough was received for an acknowledgement of its own.
func (l *link) due() bool { return l.unacked >= ackBytes || l.received-l.told >= ackMessages }

// appendAll appends all messages that the other side lacks.
func (l *link) appendAll(dst []byte) []byte {
	for i, payload := range l.kept {
		dst = appendMessage(dst, l.first()+uint64(i), l.acknowledgement(), payload)
	}
	return dst
}

// reset begins a fresh conversation in both directions.
func (l *link) reset() { *l = link{limits: l.limits} }
