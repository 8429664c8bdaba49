package netio

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"gazpacho/engine/packet"
)

// UDPConfig says where to bind a UDP socket.
type UDPConfig struct {
	// Address is the local address; 0.0.0.0 and :: are allowed. :: also takes IPv4 unless IPv6Only.
	Address netip.Addr
	// Port is the local port; 0 chooses one from PortMin..PortMax, or, when both are 0 too, lets the system choose.
	Port             uint16
	PortMin, PortMax uint16
	// ReusePort allows several sockets on one port (mediasoup's udpReusePort, made for multicast).
	ReusePort bool
	// IPv6Only keeps an IPv6 socket from taking IPv4; it means nothing to an IPv4 socket.
	IPv6Only bool
	// SendBufferSize and RecvBufferSize set the kernel's buffers, in bytes; 0 leaves the system's default.
	SendBufferSize, RecvBufferSize int
}

// Datagram is one received datagram. Whoever gets it owns the buffer.
type Datagram struct {
	Buffer *packet.Buffer
	// From is the sender; an IPv4 address never appears in its IPv6-mapped form.
	From netip.AddrPort
}

// Handler takes what a socket receives.
type Handler interface {
	// HandleDatagrams takes a batch in the order of arrival, on the socket's reader goroutine. The buffers become the
	// handler's, the slice is the socket's again when the call returns. One batch may still come after Close returned.
	HandleDatagrams([]Datagram)
}

// Stats counts what happened to a socket since it was opened.
type Stats struct {
	Received     uint64 // datagrams handed to the handler
	Truncated    uint64 // received datagrams dropped because they did not fit
	Sent         uint64 // datagrams the kernel took
	SendDropped  uint64 // datagrams dropped because the kernel's buffer was full
	SendErrors   uint64 // datagrams dropped because the kernel refused them
	GSOFallbacks uint64 // groups the kernel refused as one and that were sent one by one
}

// UDPSocket is a bound UDP socket.
type UDPSocket struct {
	conn  *net.UDPConn
	raw   syscall.RawConn
	local netip.AddrPort
	stats struct{ received, truncated, sent, dropped, errors, fallbacks atomic.Uint64 }
}

// ListenUDP binds a socket. The error is a *BindError.
func ListenUDP(cfg UDPConfig) (*UDPSocket, error) { return nil, &BindError{} }

// LocalAddr returns the bound address and port.
func (s *UDPSocket) LocalAddr() netip.AddrPort { return s.local }

// Serve reads until the socket is closed and hands what arrives to h. It blocks: give it a goroutine of its own.
func (s *UDPSocket) Serve(h Handler) {}

// Close closes the socket and frees its port before it returns. It may be called from within the handler and more than
// once. Serve returns soon after.
func (s *UDPSocket) Close() {}

// Send sends the packets of b to one destination, in the order in which they were committed. It never waits and does not
// reset b. It returns how many datagrams the kernel took and how many were dropped (buffer full, or refused). Several
// goroutines may send through one socket, each with a Batch of its own.
func (s *UDPSocket) Send(to netip.AddrPort, b *Batch) (sent, dropped int) { return 0, 0 }

// Stats returns the counters.
func (s *UDPSocket) Stats() Stats { return Stats{} }
