package link

import (
	"errors"
	"fmt"

	"gazpacho/engine/unit"
	"gazpacho/scaling/session"
)

// Receiver is the receiving end of a link.
type Receiver struct {
	node    *session.Node
	partial []byte // the message that is being put together, with its token in front
	out     ReceiverOutput
}

// Message is a message that has arrived.
type Message struct {
	Token   Token
	Payload []byte
}

// ReceiverOutput is what a Receiver has for its owner, who drains it after each call.
type ReceiverOutput struct {
	Bytes    []byte // to write to the connection
	Drop     bool   // close the connection, after writing Bytes
	Messages []Message
	Ended    string // why the link has ended; empty while it lives
}

// NewReceiver returns the end of a link that the node does not know yet. draw draws the numbers of conversations, as for
// [session.NewNode].
func NewReceiver(draw func() uint64) *Receiver {
	return &Receiver{node: session.NewNode(draw, limits)}
}

// Output is what the machine has for its owner.
func (r *Receiver) Output() *ReceiverOutput { return &r.out }

// Accept takes a connection that began with h, or returns the reason to refuse it.
func (r *Receiver) Accept(now unit.Time, h session.Hello) session.RefuseCode {
	code := r.node.Accept(now, h)
	r.drain()
	return code
}

// Receive takes bytes that the accepted connection brought behind its Hello, cut anywhere.
func (r *Receiver) Receive(now unit.Time, b []byte) {
	r.node.Receive(now, b)
	r.drain()
}

// HandleDisconnected says that the connection is gone.
func (r *Receiver) HandleDisconnected() { r.node.Disconnected() }

// HandleTimeout ends the link when its lease is over.
func (r *Receiver) HandleTimeout(now unit.Time) {
	r.node.HandleTimeout(now)
	r.drain()
}

// NextTimeout returns when HandleTimeout has something to do, [unit.Never] for not at all.
func (r *Receiver) NextTimeout() unit.Time { return r.node.NextTimeout() }

// End ends the link; the other node is told.
func (r *Receiver) End(reason string) {
	r.node.Goodbye(reason)
	r.out.Ended = reason
	r.drain()
}

func (r *Receiver) drain() {
	out := r.node.Output()
	taken := *out
	out.Reset()
	for _, e := range taken.Events {
		switch e.Kind {
		case session.EventMessage:
			if err := r.take(e.Payload); err != nil && r.out.Ended == "" {
				r.out.Ended = err.Error()
				r.node.Goodbye(r.out.Ended)
			}
		case session.EventOpened:
			// Also where an earlier conversation has expired: the sender had sent nothing in it, or notices the end by itself.
			r.partial, r.out.Ended = nil, ""
		case session.EventExpired, session.EventGoodbye:
			r.out.Ended = e.Reason
		}
	}
	r.out.Bytes = append(r.out.Bytes, taken.Bytes...)
	r.out.Drop = r.out.Drop || taken.Drop
	if last := r.node.Output(); !last.Empty() { // of a goodbye
		r.out.Bytes, r.out.Drop = append(r.out.Bytes, last.Bytes...), true
		last.Reset()
	}
}

// errPiece says that what arrived is no piece of a message.
var errPiece = errors.New("no piece of a message")

// take adds a piece to the message, and hands the message out with the last one.
func (r *Receiver) take(piece []byte) error {
	if r.out.Ended != "" {
		return nil
	}
	var token Token
	switch {
	case len(piece) == 0 || piece[0] > pieceMore:
		return fmt.Errorf("%w: %d bytes", errPiece, len(piece))
	case len(r.partial)+len(piece)-1 > len(token)+MaxMessage:
		return fmt.Errorf("%w: the message has more than %d bytes", errPiece, MaxMessage)
	}
	whole := piece[1:] // the session's events own their bytes
	if len(r.partial) > 0 || piece[0] == pieceMore {
		r.partial = append(r.partial, whole...)
		whole = r.partial
	}
	if piece[0] == pieceMore {
		return nil
	}
	r.partial = nil
	if len(whole) < len(token) {
		return fmt.Errorf("%w: no token", errPiece)
	}
	n := copy(token[:], whole)
	r.out.Messages = append(r.out.Messages, Message{token, whole[n:]})
	return nil
}
