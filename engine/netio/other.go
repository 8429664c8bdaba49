//go:build !linux

package netio

import (
	"errors"
	"net"
	"net/netip"
	"syscall"

	"gazpacho/engine/packet"
)

// gsoState is empty: only Linux has UDP_SEGMENT.
type gsoState struct{}

func (*gsoState) probe(syscall.RawConn) {}

type batchSys struct{}

func (*batchSys) init(*Batch) {}

// send sends the packets one by one through the standard library, which waits when the kernel's buffer is full. These
// systems are for development.
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

// Serve reads until the socket is closed and hands what arrives to h. It blocks: give it a goroutine of its own.
func (s *UDPSocket) Serve(h Handler) {
	scratch := make([]byte, packet.LargeSize)
	batch := make([]Datagram, 1)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(scratch)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || n == 0: // the ICMP error of something we sent, or an empty datagram
			continue
		}
		b := packet.NewBuffer(n)
		b.SetLen(copy(b.Space(), scratch[:n]))
		batch[0] = Datagram{b, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}
		s.stats.received.Add(1)
		h.HandleDatagrams(batch)
	}
}
