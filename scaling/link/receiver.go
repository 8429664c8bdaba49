package link

import (
	"fmt"

	"gazpacho/engine/unit"
	"gazpacho/scaling/session"
)

// Receiver is the receiving end of a link.
type Receiver struct {
	node *session.Node
	out  ReceiverOutput
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
	Broken   string // what the other node has sent against the protocol; the connection is dropped, and the link goes on
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
			r.take(e.Payload)
		case session.EventOpened:
			// Also where an earlier conversation has expired: the sender had sent nothing in it, or notices the end by itself.
			r.out.Ended = ""
		case session.EventBroken:
			if r.out.Ended == "" {
				r.out.Broken = e.Reason
			}
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

// take hands a message out. A sender that leaves the token out ends the link.
func (r *Receiver) take(b []byte) {
	var token Token
	switch {
	case r.out.Ended != "":
		return
	case len(b) < len(token):
		r.out.Ended = fmt.Sprintf("a message of %d bytes has no token", len(b))
		r.node.Goodbye(r.out.Ended)
		return
	}
	n := copy(token[:], b)
	r.out.Messages = append(r.out.Messages, Message{token, b[n:]})
}
