package session

import (
	"encoding/binary"
	"fmt"
)

// EventKind says what an [Event] is about.
type EventKind uint8

// Kinds of events. Each says which side has it.
const (
	// EventOpened: a fresh conversation. The node holds nothing of this front; what either side sent in an earlier
	// conversation and had not been acknowledged is lost.
	EventOpened EventKind = 1 + iota
	// EventResumed: the conversation goes on, with nothing lost.
	EventResumed
	// EventMessage: the next message, in Payload.
	EventMessage
	// EventSuspected (front): nothing was heard of the node for a while.
	EventSuspected
	// EventRecovered (front): the node was heard again.
	EventRecovered
	// EventExpired: the lease is over. The node closes all that the front created; the front may create it elsewhere.
	EventExpired
	// EventRefused (front): the node refused the connection, with Code and Reason.
	EventRefused
	// EventGoodbye: the other side ended the session, with Reason. There are no more events.
	EventGoodbye
	// EventBroken: the other side sent what no front or node sends, with Reason. The connection is dropped.
	EventBroken
)

// Event is something that the owner must know.
type Event struct {
	Kind    EventKind
	Payload []byte
	Code    RefuseCode
	Reason  string
}

// Output is what a machine has for its owner. The owner drains it after each call.
type Output struct {
	Bytes  []byte // to write to the connection
	Events []Event
	Drop   bool // close the connection, after writing Bytes; the machine expects no Disconnected for it
}

// Empty reports whether there is nothing to drain.
func (o *Output) Empty() bool { return len(o.Bytes) == 0 && len(o.Events) == 0 && !o.Drop }

// Reset empties o after the owner has drained it. The owner keeps what it took.
func (o *Output) Reset() { *o = Output{} }

func (o *Output) event(e Event) { o.Events = append(o.Events, e) }

// phase is where a machine is with its connection.
type phase uint8

const (
	offline phase = iota // no connection
	opening              // front: waits for the welcome
	open
	ended // for good
)

// endpoint is what both machines are made of.
type endpoint struct {
	link  link
	out   Output
	phase phase
	in    []byte // the beginning of a frame whose end is still to come
}

// Output is what the machine has for its owner.
func (e *endpoint) Output() *Output { return &e.out }

// Waiting returns how many bytes of messages the other side has not acknowledged.
func (e *endpoint) Waiting() int { return e.link.bytes }

// Fits reports whether a message of so many bytes can be sent without an end to the session.
func (e *endpoint) Fits(size int) bool { return size <= e.link.limits.MaxMessage && e.link.fits(size) }

// Send sends a message. It is kept until it has arrived, over as many connections as that takes. An error means that it
// cannot be sent: [ErrTooLong] this one, [ErrOverflow] and [ErrEnded] that no other can either, and that the session has ended.
func (e *endpoint) Send(payload []byte) error {
	if e.phase == ended {
		return ErrEnded
	}
	err := e.link.add(payload)
	if err == ErrOverflow {
		e.leave(ended)
	}
	e.flush()
	return err
}

// flush gives the connection what it has room for.
func (e *endpoint) flush() {
	if e.phase == open {
		e.out.Bytes = e.link.appendDue(e.out.Bytes)
	}
}

// SendDroppable sends a message that need not arrive, and reports whether it was sent: not when much waits already.
func (e *endpoint) SendDroppable(payload []byte) bool {
	if e.link.bytes+len(payload) > e.link.limits.DroppableBytes || len(e.link.kept) > e.link.limits.Pieces/2 {
		return false
	}
	return e.Send(payload) == nil
}

// Goodbye ends the session. If there is no connection, the other side finds out when the lease is over.
func (e *endpoint) Goodbye(reason string) {
	if e.phase == open {
		e.out.Bytes = appendBytes(e.out.Bytes, kindGoodbye, []byte(reason[:min(len(reason), maxReason)]))
	}
	e.leave(ended)
}

// Disconnected says that the connection is gone, whatever the reason.
func (e *endpoint) Disconnected() {
	if e.phase != ended {
		e.phase, e.in = offline, nil
	}
}

// leave drops the connection if there is one.
func (e *endpoint) leave(next phase) {
	e.out.Drop = e.out.Drop || e.phase == opening || e.phase == open
	e.phase, e.in = next, nil
}

// broken drops a connection on which the other side does not keep to the protocol.
func (e *endpoint) broken(err error) {
	e.out.event(Event{Kind: EventBroken, Reason: err.Error()})
	e.leave(offline)
}

// frames calls handle for each frame that b completes, as long as the connection lasts.
func (e *endpoint) frames(b []byte, handle func(k kind, body []byte) error) {
	if e.phase != opening && e.phase != open {
		return
	}
	if len(e.in) > 0 {
		e.in = append(e.in, b...)
		b = e.in
	}
	for whole := len(b); ; {
		limit := openingLen
		if e.phase == open {
			limit = messageHeader + pieceLen
		}
		frame, rest, err := nextFrame(b, limit)
		if err == nil && frame != nil {
			err = handle(kind(frame[0]), frame[1:])
		}
		switch {
		case err != nil:
			e.broken(err)
			return
		case e.phase != opening && e.phase != open:
			return
		case frame == nil && len(e.in) > 0 && len(rest) == whole:
			return // a long frame grows in place
		case frame == nil:
			// A copy: the bytes may be the caller's, and what came before them need not stay in memory.
			e.in = append([]byte(nil), rest...)
			return
		}
		b = rest
	}
}

// handleCommon handles the frames that both sides send once the conversation is open.
func (e *endpoint) handleCommon(k kind, body []byte) error {
	switch {
	case (k == kindMessage || k == kindPiece) && len(body) >= 16:
		if err := e.link.acknowledge(binary.BigEndian.Uint64(body[8:])); err != nil {
			return err
		}
		message, done, err := e.link.accept(binary.BigEndian.Uint64(body), piece{body[16:], k == kindPiece})
		if err != nil {
			return err
		}
		if done {
			e.out.event(Event{Kind: EventMessage, Payload: message})
		}
		if e.link.due() {
			e.out.Bytes = appendValues(e.out.Bytes, kindAck, e.link.acknowledgement())
		}
		return nil
	case k == kindAck && len(body) == 8:
		return e.link.acknowledge(binary.BigEndian.Uint64(body))
	case k == kindGoodbye && len(body) <= maxReason:
		e.out.event(Event{Kind: EventGoodbye, Reason: string(body)})
		e.leave(ended)
		return nil
	}
	return fmt.Errorf("%w: kind %d, %d bytes", ErrMalformed, k, len(body))
}

// twoValues reads the body of a Ping or Pong.
func twoValues(body []byte) (time, received uint64, err error) {
	if len(body) != 16 {
		return 0, 0, fmt.Errorf("%w: ping or pong of %d bytes", ErrMalformed, len(body))
	}
	return binary.BigEndian.Uint64(body), binary.BigEndian.Uint64(body[8:]), nil
}
