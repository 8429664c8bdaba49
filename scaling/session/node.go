package session

import (
	"fmt"

	"gazpacho/engine/unit"
)

// Node is the node's side of one front's session.
type Node struct {
	endpoint
	draw         func() uint64
	epoch        uint64
	conversation uint64    // with or without a connection; 0 for none
	since        unit.Time // when it began
	expires      unit.Time // the end of the lease; Never without a conversation
}

// NewNode returns the machine for a front that the node does not know yet. It draws the number of each conversation, which
// must be random, so that a node that restarts does not take up what it knows nothing of, and not 0.
func NewNode(draw func() uint64, limits Limits) *Node {
	return &Node{endpoint: endpoint{link: link{limits: limits}}, draw: draw, expires: unit.Never}
}

// Accept takes a connection that began with h. It returns 0, and from then on the machine talks by this connection alone;
// or the reason to refuse it, and nothing has changed.
func (n *Node) Accept(now unit.Time, h Hello) RefuseCode {
	n.HandleTimeout(now)
	switch {
	case n.phase == ended:
		return RefuseStopping
	case h.MinVersion > MaxVersion || h.MaxVersion < MinVersion || h.MinVersion > h.MaxVersion:
		return RefuseVersion
	case h.Epoch <= n.epoch:
		return RefuseEpoch
	}
	n.epoch = h.Epoch
	w := welcome{
		version: min(h.MaxVersion, MaxVersion), time: uint64(now), lease: uint64(Lease),
		resumed: n.conversation != 0 && h.Conversation == n.conversation && n.link.covers(h.Received),
	}
	if w.resumed {
		n.link.acknowledge(h.Received) // covers said that it can be
		n.out.event(Event{Kind: EventResumed})
	} else {
		n.begin(now)
	}
	w.conversation, w.received = n.conversation, n.link.received
	n.phase, n.in = open, nil
	n.out.Drop = false // it was about the connection before
	n.out.Bytes = appendWelcome(nil, w)
	n.link.resume()
	n.flush()
	return 0
}

// begin ends the conversation that there is and begins a fresh one.
func (n *Node) begin(now unit.Time) {
	if n.conversation != 0 {
		n.out.event(Event{Kind: EventExpired, Reason: "the front began a fresh conversation"})
	}
	n.link.reset()
	// Taking a conversation up renews no lease, since the front may never hear of it; here is nothing yet that it could lose.
	n.conversation, n.since, n.expires = n.draw(), now, now.Add(Lease)
	n.out.event(Event{Kind: EventOpened})
}

// Receive takes bytes that the accepted connection brought behind its Hello, cut anywhere. A lease that is over is over,
// whatever the bytes say: they may have waited while the process was stopped.
func (n *Node) Receive(now unit.Time, b []byte) {
	n.HandleTimeout(now)
	n.frames(b, func(k kind, body []byte) error { return n.handle(now, k, body) })
	n.flush()
}

func (n *Node) handle(now unit.Time, k kind, body []byte) error {
	if k != kindPing {
		return n.handleCommon(k, body)
	}
	echoed, received, err := twoValues(body)
	if err != nil {
		return err
	}
	if echoed > uint64(now) || echoed < uint64(n.since) {
		return fmt.Errorf("%w: the ping echoes a time that was not told", ErrMalformed)
	}
	if err := n.link.acknowledge(received); err != nil {
		return err
	}
	n.expires = max(n.expires, unit.Time(echoed).Add(Lease))
	n.out.Bytes = appendValues(n.out.Bytes, kindPong, uint64(now), n.link.acknowledgement())
	return nil
}

// HandleTimeout ends the conversation when its lease is over.
func (n *Node) HandleTimeout(now unit.Time) {
	if n.phase == ended || now < n.expires {
		return
	}
	n.link.reset()
	n.conversation, n.expires = 0, unit.Never
	n.out.event(Event{Kind: EventExpired, Reason: "the lease is over"})
	n.leave(offline)
}

// NextTimeout returns when the lease is over, [unit.Never] without one.
func (n *Node) NextTimeout() unit.Time {
	if n.phase == ended {
		return unit.Never
	}
	return n.expires
}
