//go:build !linux

package netio

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"gazpacho/engine/packet"
)

// descriptor is a socket of the standard library. Systems other than Linux are for development only.
type descriptor struct{ conn *net.UDPConn }

// openUDP opens a socket on the given port; 0 lets the system choose.
func openUDP(cfg UDPConfig, port uint16) (*UDPSocket, error) {
	network := "udp"
	switch {
	case cfg.Address.Is4():
		network = "udp4"
	case cfg.IPv6Only:
		network = "udp6"
	}
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		// Set in both cases: for a multicast group Go allows reuse by default.
		return reusePort(raw, cfg.ReusePort)
	}}
	pc, err := config.ListenPacket(context.Background(), network, netip.AddrPortFrom(cfg.Address, port).String())
	if err != nil {
		return nil, err
	}
	s := &UDPSocket{ipv6: cfg.Address.Is6()}
	s.conn = pc.(*net.UDPConn)
	if err := s.setUp(cfg); err != nil {
		s.conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *UDPSocket) setUp(cfg UDPConfig) error {
	if cfg.SendBufferSize > 0 {
		if err := s.conn.SetWriteBuffer(cfg.SendBufferSize); err != nil {
			return err
		}
	}
	if cfg.RecvBufferSize > 0 {
		if err := s.conn.SetReadBuffer(cfg.RecvBufferSize); err != nil {
			return err
		}
	}
	local := s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s.local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	return nil
}

func (s *UDPSocket) close() { s.conn.Close() }

type batchSys struct{}

func (*batchSys) init(*Batch) {}

// send sends the packets one by one through the standard library, which waits when the kernel's buffer is full.
func (b *Batch) send(s *UDPSocket, to netip.AddrPort) (full int) {
	b.sent = 0
	if s.ipv6 {
		to = netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()).WithZone(to.Addr().Zone()), to.Port())
	}
	for pkt := range b.Packets() {
		if _, err := s.conn.WriteToUDPAddrPort(pkt, to); err == nil {
			b.sent++
		}
	}
	return 0
}

// Poller reads UDP sockets, each on a goroutine of its own.
type Poller struct{ readers sync.WaitGroup }

// NewPoller returns a poller; the error is always nil.
func NewPoller() (*Poller, error) { return &Poller{}, nil }

// Close waits until all served sockets have been closed; handlers must not call it.
func (p *Poller) Close() { p.readers.Wait() }

// Serve makes p read the socket until it is closed, and pass what arrives to h. The error is always nil.
func (s *UDPSocket) Serve(p *Poller, h Handler) error {
	p.readers.Go(func() { s.read(h) })
	return nil
}

func (s *UDPSocket) read(h Handler) {
	scratch := make([]byte, packet.LargeSize)
	batch := make([]Datagram, 1)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(scratch)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || n == 0: // an ICMP error caused by an earlier send, or an empty datagram
			continue
		}
		b := packet.NewBuffer(n)
		b.SetLen(copy(b.Space(), scratch[:n]))
		batch[0] = Datagram{b, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}
		s.stats.received.Add(1)
		h.HandleDatagrams(batch)
	}
}
