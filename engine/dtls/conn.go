package dtls

import (
	"net"
	"os"
	"slices"
	"time"
)

// conn is the handshake's packet connection: it reads the records that passed the filter and writes to the transport's
// output. Its state is in the association, under the transport's lock.
type conn struct{ a *association }

// peer is the address of the only peer.
type peer struct{}

func (peer) Network() string { return "dtls" }
func (peer) String() string  { return "peer" }

// ReadFrom blocks until the handshake has a datagram to read.
func (c conn) ReadFrom(b []byte) (int, net.Addr, error) {
	a := c.a
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	for {
		switch {
		case a.connClosed, a.detached:
			return 0, nil, net.ErrClosed
		case a.expired:
			return 0, nil, os.ErrDeadlineExceeded
		case len(a.in) > 0:
			datagram := a.in[0]
			a.in = slices.Delete(a.in, 0, 1)
			return copy(b, datagram), peer{}, nil
		case a.ready && len(a.buffered) > 0:
			a.in, a.buffered = a.dropUnauthentic(a.buffered), nil
		default:
			a.readable.Wait()
		}
	}
}

// WriteTo never blocks. Once the association is detached, it discards what the handshake still writes.
func (c conn) WriteTo(b []byte, _ net.Addr) (int, error) {
	a := c.a
	a.t.mu.Lock()
	if a.connClosed {
		a.t.mu.Unlock()
		return 0, net.ErrClosed
	}
	if a.detached || a.displaced.Load() {
		a.t.mu.Unlock()
		return len(b), nil
	}
	datagram := slices.Clone(b)
	if a.scan(datagram) {
		a.lastFlight = datagram
		if a.role == Client { // it has the keys, see buffer
			a.ready = true
			a.readable.Broadcast()
		}
	}
	a.t.pushDatagram(datagram)
	a.t.unlockAndWake()
	return len(b), nil
}

// scan inspects a datagram that the handshake sends, and reports whether it contains an encrypted handshake record.
func (a *association) scan(b []byte) (hasFinished bool) {
	for r, ok := range records(b) {
		if ok {
			a.secrets.readServerHello(r)
			hasFinished = hasFinished || r.epoch == 1 && r.typ == typeHandshake
		}
	}
	return hasFinished
}

func (c conn) Close() error {
	c.a.t.mu.Lock()
	defer c.a.t.mu.Unlock()
	c.a.connClosed = true
	c.a.readable.Broadcast()
	return nil
}

// SetReadDeadline only knows two values: pion sets a time in the past to make a reader return, and zero to let it read again.
func (c conn) SetReadDeadline(at time.Time) error {
	c.a.t.mu.Lock()
	defer c.a.t.mu.Unlock()
	c.a.expired = !at.IsZero()
	c.a.readable.Broadcast()
	return nil
}

func (conn) SetWriteDeadline(time.Time) error { return nil }
func (c conn) SetDeadline(at time.Time) error { return c.SetReadDeadline(at) }
func (conn) LocalAddr() net.Addr              { return peer{} }
