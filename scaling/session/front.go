package session

import (
	"errors"
	"fmt"
	"time"

	"gazpacho/engine/unit"
)

// ErrEnded says that the session is over: one side said goodbye, or it overflowed.
var ErrEnded = errors.New("the session has ended")

// Chosen here; docs/protocol.md reasons them.
const (
	// PingInterval is the time between two pings of a front.
	PingInterval = 250 * time.Millisecond
	// SuspectAfter is the silence after which a front suspects its node.
	SuspectAfter = time.Second
	// Lease is how long a node keeps what a front created after the last sign of it.
	Lease = 30 * time.Second
	// leaseMargin is by how much the front waits longer than the lease: two clocks that differ by 3 % in speed, where
	// crystals differ by 0.02 %, are still on the safe side.
	leaseMargin = time.Second
	// maxLease bounds what a node may ask a front to wait.
	maxLease = time.Hour
)

// Front is the application's side of a session.
type Front struct {
	endpoint
	hello        kind // by which connections begin
	id           SessionID
	epoch        uint64
	conversation uint64 // the node's number for it, 0 while there is none

	heard     unit.Time // when the node was heard last
	suspected bool

	nodeTime   uint64    // the newest time of the node's clock that was heard
	nodeTimeAt unit.Time // when that arrived
	lease      time.Duration
	expires    unit.Time // when the lease has surely expired; Never while the node holds none
	nextPing   unit.Time
}

// NewFront returns the machine of a new session. Messages may be sent at once; they leave when the session is open.
func NewFront(now unit.Time, id SessionID, limits Limits) *Front {
	return newFront(now, kindHello, id, limits)
}

// NewLink returns the machine of a node that opens a conversation with another node, to send it data. It differs from a front's
// by the first frame of connections only.
func NewLink(now unit.Time, id SessionID, limits Limits) *Front {
	return newFront(now, kindLink, id, limits)
}

func newFront(now unit.Time, hello kind, id SessionID, limits Limits) *Front {
	return &Front{
		endpoint: endpoint{link: link{limits: limits}}, hello: hello, id: id, heard: now, expires: unit.Never, nextPing: unit.Never,
	}
}

// Connected says that there is a new connection. An earlier one is forgotten; the owner closes it.
func (f *Front) Connected() {
	if f.phase == ended {
		return
	}
	f.epoch++
	f.phase, f.in, f.nextPing = opening, nil, unit.Never
	f.out.Bytes = appendHello(nil, f.hello, Hello{ // what waited in Bytes was for the earlier connection
		MinVersion: MinVersion, MaxVersion: MaxVersion,
		Session: f.id, Epoch: f.epoch, Conversation: f.conversation, Received: f.link.received,
	})
}

// Receive takes bytes that the connection brought, cut anywhere.
func (f *Front) Receive(now unit.Time, b []byte) {
	f.frames(b, func(k kind, body []byte) error { return f.handle(now, k, body) })
	f.flush()
}

func (f *Front) handle(now unit.Time, k kind, body []byte) error {
	switch {
	case f.phase == opening && k == kindWelcome:
		w, err := parseWelcome(body)
		if err != nil {
			return err
		}
		return f.handleWelcome(now, w)
	case f.phase == opening && k == kindRefuse && len(body) > 0:
		f.out.event(Event{Kind: EventRefused, Code: RefuseCode(body[0]), Reason: string(body[1:])})
		f.leave(offline)
		return nil
	case f.phase == opening:
		return fmt.Errorf("%w: kind %d in place of a welcome", ErrMalformed, k)
	}
	f.hear(now)
	if k != kindPong {
		return f.handleCommon(k, body)
	}
	nodeTime, received, err := twoValues(body)
	if err != nil {
		return err
	}
	f.nodeTime, f.nodeTimeAt = nodeTime, now
	return f.link.acknowledge(received)
}

func (f *Front) handleWelcome(now unit.Time, w welcome) error {
	switch {
	case w.version < MinVersion || w.version > MaxVersion:
		return fmt.Errorf("%w: version %d was not offered", ErrMalformed, w.version)
	case w.lease == 0 || w.lease > uint64(maxLease):
		return fmt.Errorf("%w: lease of %d ns", ErrMalformed, w.lease)
	case w.conversation == 0:
		return fmt.Errorf("%w: no number", ErrMalformed)
	case w.resumed && (w.conversation != f.conversation || !f.link.covers(w.received)):
		return fmt.Errorf("%w: a conversation is taken up that there was not", ErrMalformed)
	case !w.resumed && w.received != 0:
		return fmt.Errorf("%w: a fresh conversation has messages", ErrMalformed)
	}
	kind := EventResumed
	if w.resumed {
		f.link.acknowledge(w.received) // covers said that it can be
	} else {
		kind = EventOpened
		if f.conversation != 0 {
			f.link.reset()
		}
		f.expires = unit.Never
	}
	f.phase, f.conversation, f.lease = open, w.conversation, time.Duration(w.lease)
	f.nodeTime, f.nodeTimeAt = w.time, now
	f.hear(now)
	f.out.event(Event{Kind: kind})
	f.ping(now)
	f.link.resume()
	return nil
}

// hear notes a sign of life.
func (f *Front) hear(now unit.Time) {
	f.heard = now
	if f.suspected {
		f.suspected = false
		f.out.event(Event{Kind: EventRecovered})
	}
}

// ping renews the lease up to the newest time heard of the node.
func (f *Front) ping(now unit.Time) {
	f.out.Bytes = appendValues(f.out.Bytes, kindPing, f.nodeTime, f.link.acknowledgement())
	f.nextPing = now.Add(PingInterval)
	expires := f.nodeTimeAt.Add(f.lease + leaseMargin)
	if f.expires == unit.Never || expires > f.expires {
		f.expires = expires
	}
}

// HandleTimeout does what is due.
func (f *Front) HandleTimeout(now unit.Time) {
	if f.phase == ended {
		return
	}
	if now >= f.expires {
		f.link.reset()
		f.conversation, f.expires = 0, unit.Never
		f.out.event(Event{Kind: EventExpired})
		f.leave(offline)
	}
	if !f.suspected && now >= f.heard.Add(SuspectAfter) {
		f.suspected = true
		f.out.event(Event{Kind: EventSuspected})
	}
	if f.phase == open && now >= f.nextPing {
		f.ping(now)
	}
}

// NextTimeout returns when HandleTimeout has something to do, [unit.Never] for not at all.
func (f *Front) NextTimeout() unit.Time {
	if f.phase == ended {
		return unit.Never
	}
	next := f.expires
	if !f.suspected {
		next = min(next, f.heard.Add(SuspectAfter))
	}
	if f.phase == open {
		next = min(next, f.nextPing)
	}
	return next
}
