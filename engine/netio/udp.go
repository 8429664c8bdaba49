package netio

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"gazpacho/engine/packet"
)

// UDPConfig is where to bind a UDP socket, and with which options.
type UDPConfig struct {
	// Address is the local address; 0.0.0.0 and :: are allowed. :: also takes IPv4 unless IPv6Only.
	Address netip.Addr
	// Port is the local port; 0 chooses one from PortMin..PortMax or, if PortMax is 0 too, lets the system choose.
	Port             uint16
	PortMin, PortMax uint16
	// ReusePort allows several sockets on one port (mediasoup's udpReusePort, meant for multicast).
	ReusePort bool
	// IPv6Only keeps an IPv6 socket from taking IPv4. An IPv4 socket ignores it.
	IPv6Only bool
	// SendBufferSize and RecvBufferSize set the kernel's buffers, in bytes; 0 asks for 2 MiB on Linux and leaves the default
	// elsewhere. The system may grant less.
	SendBufferSize, RecvBufferSize int
}

// Datagram is one received datagram. The receiver of a Datagram owns its buffer.
type Datagram struct {
	Buffer *packet.Buffer
	// From is the sender; an IPv4 address never appears in its IPv6-mapped form.
	From netip.AddrPort
}

// Handler handles what a socket receives.
type Handler interface {
	// HandleDatagrams handles a batch in the order of arrival, on the poller's goroutine. The handler owns the buffers; the
	// slice is reused when the call returns. No datagram is empty. One more batch may come after Close returned.
	HandleDatagrams([]Datagram)
}

// Stats counts what happened to a socket since it was opened.
type Stats struct {
	Received     uint64 // datagrams passed to the handler
	Truncated    uint64 // datagrams dropped because they did not fit the buffer
	Sent         uint64 // datagrams the kernel took
	SendDropped  uint64 // datagrams dropped because the kernel's buffer was full
	SendErrors   uint64 // datagrams dropped because the kernel refused them
	GSOFallbacks uint64 // groups that the kernel refused, so that their packets were sent one by one
}

// UDPSocket is a bound UDP socket.
type UDPSocket struct {
	descriptor
	local     netip.AddrPort
	ipv6      bool           // the kernel takes IPv6 addresses, with IPv4 ones mapped
	claim     netip.AddrPort // in udpPorts
	closeOnce sync.Once
	stats     struct{ received, truncated, sent, dropped, errors, fallbacks atomic.Uint64 }
}

// ListenUDP binds a socket. It chooses the port as mediasoup does: the fixed one, or the first free one of the range,
// counted from a random start. The error is a *BindError.
func ListenUDP(cfg UDPConfig) (*UDPSocket, error) {
	if !cfg.Address.IsValid() {
		return nil, &BindError{Reason: BindInvalidAddress, Protocol: "udp"}
	}
	cfg.Address = cfg.Address.Unmap()
	choice := portChoice{"udp", cfg.Address, cfg.Port, cfg.PortMin, cfg.PortMax, randomIndex}
	s, claim, err := bind(udpPorts, choice, func(port uint16) (*UDPSocket, error) { return openUDP(cfg, port) })
	if err != nil {
		return nil, err
	}
	s.claim = claim
	return s, nil
}

// LocalAddr returns the bound address and port.
func (s *UDPSocket) LocalAddr() netip.AddrPort { return s.local }

// Close closes the socket. When it returns, the port is free. It may be called from within the handler and more than once.
func (s *UDPSocket) Close() {
	s.closeOnce.Do(func() {
		s.close()
		udpPorts.release(s.claim)
	})
}

// Send sends the packets of b to one destination, in the order in which they were committed. It never waits and does not
// reset b. It returns how many datagrams the kernel took and how many were dropped (buffer full, or refused). Several
// goroutines may send through one socket, each with a Batch of its own.
func (s *UDPSocket) Send(to netip.AddrPort, b *Batch) (sent, dropped int) {
	if b.count == 0 {
		return 0, 0
	}
	full := b.send(s, to)
	s.stats.sent.Add(uint64(b.sent))
	if b.sent < b.count {
		dropped = b.count - b.sent
		s.stats.dropped.Add(uint64(full))
		s.stats.errors.Add(uint64(dropped - full))
	}
	return b.sent, dropped
}

// Stats returns the counters.
func (s *UDPSocket) Stats() Stats {
	return Stats{
		Received:     s.stats.received.Load(),
		Truncated:    s.stats.truncated.Load(),
		Sent:         s.stats.sent.Load(),
		SendDropped:  s.stats.dropped.Load(),
		SendErrors:   s.stats.errors.Load(),
		GSOFallbacks: s.stats.fallbacks.Load(),
	}
}
