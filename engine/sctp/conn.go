package sctp

import (
	"io"
	"net"
	"time"

	"gazpacho/engine/api"
)

// conn is the connection that pion is given: one for each attempt to connect, and one for a peer that restarted. All its state
// is under the edge's lock.
type conn struct {
	e        *edge
	over     bool // nothing is read or written any more
	early    []piece
	in       []piece
	inBytes  int
	localTag uint32
	peer     initInfo
	lastTSN  uint32 // of the peer's, as far as we acknowledged
	tiny     int    // small fragments received and not yet part of a message
}

// piece is a packet, or a part of one, for pion; its checksum is not set yet.
type piece struct {
	b     []byte
	inner bool // made by the edge itself: stream ids are pion's
}

// fits tells whether a packet of n bytes in some pieces has room in the queues.
func (c *conn) fits(pieces, n int) bool {
	return len(c.in)+len(c.early)+pieces <= maxInPackets && c.inBytes+n <= maxInBytes
}

// isConnected tells whether the association uses this connection.
func (c *conn) isConnected() bool { return c.e.conn == c && c.e.state == api.SCTPStateConnected }

// enqueue sorts a piece: what belongs to the handshake is read at once, all else waits until the association is connected,
// because pion would drop data that comes between its handshake and our knowing of it.
func (c *conn) enqueue(p piece) {
	c.inBytes += len(p.b)
	switch ch := chunk(p.b[headerLen:]); ch.typ() {
	case chunkInit, chunkInitAck:
		if !c.isConnected() {
			c.peer = parseInit(ch)
			c.lastTSN = c.peer.initialTSN - 1
		}
		c.early = append(c.early, p)
	case chunkCookieEcho, chunkCookieAck:
		c.early = append(c.early, p)
	case chunkAbort, chunkError:
		if c.isConnected() {
			c.in = append(c.in, p)
		} else {
			c.early = append(c.early, p)
		}
	default:
		c.in = append(c.in, p)
	}
}

// next waits for a piece that pion may read. It gives none while too many messages wait to be drained.
func (c *conn) next() (piece, bool) {
	e := c.e
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case c.over:
			return piece{}, false
		case e.msgBytes >= maxMessageBytes || len(e.out.Messages) >= maxMessages:
		case len(c.early) > 0:
			return c.take(&c.early), true
		case len(c.in) > 0 && c.isConnected():
			return c.take(&c.in), true
		}
		e.changed.Wait()
	}
}

func (c *conn) take(queue *[]piece) piece {
	p := (*queue)[0]
	(*queue)[0] = piece{}
	*queue = (*queue)[1:]
	if len(*queue) == 0 {
		*queue = nil
	}
	c.inBytes -= len(p.b)
	return p
}

// end has pion's goroutines and timers end. The caller holds the edge's lock.
func (c *conn) end() {
	c.over = true
	c.early, c.in, c.inBytes = nil, nil, 0
	c.e.changed.Broadcast()
}

// Read is called by pion's reading goroutine, which holds no lock, after it has done all that the last packet asked for.
func (c *conn) Read(b []byte) (int, error) {
	for {
		c.e.a.settle(c)
		p, ok := c.next()
		if !ok {
			return 0, io.EOF
		}
		if !p.inner && !c.e.a.translateIn(c, p.b) {
			continue
		}
		setChecksum(p.b)
		return copy(b, p.b), nil
	}
}

// Write is called by pion's writing goroutine, which holds no lock. The packet is ours to keep: pion makes one for each call.
// It waits while the output is full; the shard drains it or closes.
func (c *conn) Write(b []byte) (int, error) {
	e := c.e
	if !e.a.translateOut(c, b) {
		return len(b), nil
	}
	setPorts(b, e.a.cfg.Port)
	setChecksum(b)
	e.mu.Lock()
	for len(e.out.Packets) >= maxOutPackets && !c.over {
		e.changed.Wait()
	}
	if c.over {
		e.mu.Unlock()
		return 0, io.EOF
	}
	e.out.Packets = append(e.out.Packets, b)
	e.unlockAndWake()
	return len(b), nil
}

// Close is called by pion when the association is over, with its lock held.
func (c *conn) Close() error {
	e := c.e
	e.mu.Lock()
	if e.conn == c && !e.closed {
		e.finishAndUnlock("")
		return nil
	}
	if e.next == c {
		e.dropNext()
	}
	e.mu.Unlock()
	return nil
}

// address is that of a connection that has only one.
type address struct{}

func (address) Network() string { return "sctp" }
func (address) String() string  { return "peer" }

func (*conn) LocalAddr() net.Addr              { return address{} }
func (*conn) RemoteAddr() net.Addr             { return address{} }
func (*conn) SetDeadline(time.Time) error      { return nil }
func (*conn) SetReadDeadline(time.Time) error  { return nil }
func (*conn) SetWriteDeadline(time.Time) error { return nil }
