package dtls_test

import (
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// driver connects a side to a peer of another implementation, over a connection that preserves datagrams.
type driver struct {
	*side
	conn     net.Conn
	incoming chan []byte
}

func drive(tb testing.TB, s *side, conn net.Conn) *driver {
	tb.Helper()
	d := &driver{side: s, conn: conn, incoming: make(chan []byte, 100)}
	tb.Cleanup(func() { _ = conn.Close() })
	go func() {
		defer close(d.incoming)
		b := make([]byte, 1<<16)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			d.incoming <- slices.Clone(b[:n])
		}
	}()
	return d
}

// until carries datagrams until done returns true.
func (d *driver) until(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	deadline := time.After(patience)
	for {
		for _, b := range d.poll() {
			_, err := d.conn.Write(b)
			require.NoError(tb, err)
		}
		if done() {
			return
		}
		select {
		case b, ok := <-d.incoming:
			require.True(tb, ok, "the peer's connection ended while waiting for %s", what)
			d.HandleDatagram(b)
		case <-d.woken:
		case <-deadline:
			require.FailNow(tb, "timeout waiting for "+what, "states %v, data %q", d.states, d.data)
		}
	}
}

func (d *driver) untilConnected(tb testing.TB) dtls.StateChange {
	tb.Helper()
	d.until(tb, "the transport to connect", func() bool {
		require.False(tb, d.reached(api.DTLSStateFailed), "%v", d.states)
		return d.reached(api.DTLSStateConnected)
	})
	return d.change(tb, api.DTLSStateConnected)
}

// memoryConn is one end of an in-memory connection that preserves datagrams and rarely blocks a writer.
type memoryConn struct {
	in, out chan []byte
	closed  chan struct{}
	once    sync.Once
	read    chan time.Time
}

func memoryPipe() (a, b *memoryConn) {
	x, y := make(chan []byte, 100), make(chan []byte, 100)
	a = &memoryConn{in: x, out: y, closed: make(chan struct{}), read: make(chan time.Time, 100)}
	b = &memoryConn{in: y, out: x, closed: make(chan struct{}), read: make(chan time.Time, 100)}
	return a, b
}

func (c *memoryConn) Read(b []byte) (int, error) {
	for {
		select {
		case d := <-c.in:
			return copy(b, d), nil
		case <-c.closed:
			return 0, net.ErrClosed
		case at := <-c.read:
			if !at.IsZero() {
				return 0, net.ErrClosed
			}
		}
	}
}

func (c *memoryConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.Read(b)
	return n, c.LocalAddr(), err
}

func (c *memoryConn) Write(b []byte) (int, error) {
	select {
	case c.out <- slices.Clone(b):
		return len(b), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *memoryConn) WriteTo(b []byte, _ net.Addr) (int, error) { return c.Write(b) }

func (c *memoryConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *memoryConn) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.UDPAddr{} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

func (c *memoryConn) SetReadDeadline(at time.Time) error {
	c.read <- at
	return nil
}
