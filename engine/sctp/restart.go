package sctp

import (
	"time"

	pion "github.com/pion/sctp"

	"gazpacho/engine/api"
)

// restartInterval is how long the connection that answers a restarted peer is kept from the next INIT with another tag, ours:
// whoever can forge the peer's address makes us begin no more than one in this time.
const restartInterval = time.Second

// answering returns the connection that an INIT belongs to; nil if it is refused. An INIT of a connected peer says that it lost
// its state (RFC 9260 section 5.2.2): its process was replaced, which happens to peers of plain transports. Anybody can forge
// an INIT. So a connection of its own answers it, and the association changes over when the peer has shown by the cookie that
// it got the answer.
func (e *edge) answering(peer initInfo) *conn {
	switch {
	case e.state == api.SCTPStateNew || e.state == api.SCTPStateConnecting:
		return e.conn
	case peer.tag == e.conn.peer.tag || peer.tag == 0:
		return nil // the INIT that the association began with, or none at all
	case e.next != nil && e.next.peer.tag == peer.tag:
		return e.next
	case e.next != nil && time.Since(e.nextAt) < restartInterval:
		return nil
	}
	e.dropNext()
	e.next, e.nextAt = &conn{e: e, peer: peer}, time.Now()
	go e.a.answer(e.next)
	return e.next
}

// dropNext gives up the connection that answers a restarted peer. The caller holds mu.
func (e *edge) dropNext() {
	if e.next != nil {
		e.next.end()
		e.next = nil
	}
}

// answer runs the handshake with a peer that restarted, and ends with it, or when the connection is given up.
func (a *Association) answer(c *conn) {
	p, err := pion.ServerWithOptions(options[pion.ServerOption](a, c)...)
	if err != nil {
		_ = c.Close() // gives no error
		return
	}
	a.use(c, p)
}

// restart gives all streams a beginning. What pion held of their messages is lost, what waits here is not (upstream too keeps
// its send queue).
func (a *Association) restart() {
	out := a.streams.out
	a.streams = streams{out: out}
	a.send.last, a.send.ring = nil, nil
	for id, o := range out {
		o.stream, o.closing, o.resetting, o.inRing = nil, false, false, false
		if len(o.queue) == 0 && !o.high && o.threshold == a.cfg.DefaultStreamBufferedAmountLowThreshold {
			delete(out, id)
			continue
		}
		a.enroll(o)
	}
}
