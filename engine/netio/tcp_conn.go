package netio

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// lastConnID is the id of the last connection accepted by any server.
var lastConnID atomic.Uint32

// TCPConn is an accepted connection.
type TCPConn struct {
	server   *TCPServer
	conn     *net.TCPConn
	raw      syscall.RawConn
	remote   netip.AddrPort
	id       uint32
	place    strangerPlace // under the server's lock
	admitted atomic.Bool
	closed   atomic.Bool
	receiver receiver // used by the reader goroutine only, like the deframer
	deframer deframer
	writer   writer
}

func newTCPConn(s *TCPServer, conn *net.TCPConn) (*TCPConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(s.config.AdmissionTimeout)); err != nil {
		return nil, err
	}
	remote := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	c := &TCPConn{server: s, conn: conn, raw: raw, id: lastConnID.Add(1)}
	c.remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	c.deframer.least = s.config.MinFrame
	c.receiver.init()
	c.writer.init()
	return c, nil
}

// ID returns the connection's number, which is unique in this process.
func (c *TCPConn) ID() uint32 { return c.id }

// RemoteAddr returns the peer; an IPv4 address never appears in its IPv6-mapped form.
func (c *TCPConn) RemoteAddr() netip.AddrPort { return c.remote }

// LocalAddr returns the address that the server is bound to.
func (c *TCPConn) LocalAddr() netip.AddrPort { return c.server.local }

// Admit lifts the limits of a new connection, once ICE has authenticated the peer. Before, the connection must not announce
// a frame of more than packet.SmallSize bytes, and it is closed after TCPConfig.AdmissionTimeout: strangers that connect
// and send nothing, or nothing sensible, cost little and not for long. Admit may be called from any goroutine and more
// than once.
func (c *TCPConn) Admit() {
	if !c.admitted.Load() && c.admitted.CompareAndSwap(false, true) {
		c.server.admitted(c)
		c.conn.SetReadDeadline(time.Time{}) // fails if the connection is closed, which does not matter
	}
}

// Close closes the connection. It drops the write queue; the kernel still sends what it has taken. Close may be called
// from within the handler, from any goroutine, and more than once. HandleClosed follows soon after.
func (c *TCPConn) Close() {
	if c.closed.CompareAndSwap(false, true) {
		c.conn.Close()
	}
}

// Send sends the packets of b, in the order in which they were committed, as one frame each. It never waits and does not
// reset b. It returns how many frames the kernel or the connection's write queue took and how many were dropped (queue
// full, or the connection is closed). Several goroutines may send on one connection, each with a Batch of its own.
func (c *TCPConn) Send(b *Batch) (sent, dropped int) {
	if b.count == 0 {
		return 0, 0
	}
	sent, full := c.write(b)
	dropped = b.count - sent
	c.server.stats.sent.Add(uint64(sent))
	if dropped > 0 {
		c.server.stats.dropped.Add(uint64(full))
		c.server.stats.errors.Add(uint64(dropped - full))
	}
	return sent, dropped
}
