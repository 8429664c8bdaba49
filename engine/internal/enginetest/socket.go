package enginetest

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
)

// Socket is a UDP socket in memory. It records what is sent, and the test plays its reader. Its fields are set before use,
// or while nothing is sent.
type Socket struct {
	Local  netip.AddrPort
	Refuse bool // the kernel takes nothing
	// Faulty makes sending and closing panic.
	Faulty bool
	// OnClose is called by the first Close; nil for nothing.
	OnClose func()
	// OnSend is called for each packet; nil for nothing.
	OnSend func(to netip.AddrPort, pkt []byte)

	mu       sync.Mutex
	sent     [][]byte
	to       []netip.AddrPort
	closed   int
	handler  netio.Handler
	serving  chan struct{}
	received []*packet.Buffer
}

// NewSocket returns a socket with a local address.
func NewSocket(local netip.AddrPort) *Socket {
	return &Socket{Local: local, serving: make(chan struct{})}
}

// LocalAddr returns where the socket is.
func (s *Socket) LocalAddr() netip.AddrPort { return s.Local }

// Serve keeps the handler for Receive.
func (s *Socket) Serve(_ *netio.Poller, h netio.Handler) error {
	s.handler = h
	close(s.serving)
	return nil
}

// Send records copies of the packets.
func (s *Socket) Send(to netip.AddrPort, b *netio.Batch) (sent, dropped int) {
	if s.Faulty {
		panic("send")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for pkt := range b.Packets() {
		s.sent, s.to = append(s.sent, bytes.Clone(pkt)), append(s.to, to)
		if s.OnSend != nil {
			s.OnSend(to, pkt)
		}
	}
	if s.Refuse {
		return 0, b.Len()
	}
	return b.Len(), 0
}

// Close counts.
func (s *Socket) Close() {
	s.mu.Lock()
	s.closed++
	first := s.closed == 1
	s.mu.Unlock()
	if !first {
		return
	}
	if s.OnClose != nil {
		s.OnClose()
	}
	if s.Faulty {
		panic("close")
	}
}

// Closed returns how often the socket was closed.
func (s *Socket) Closed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Sent returns what was sent since the last Take.
func (s *Socket) Sent() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// To returns where each of Sent went.
func (s *Socket) To() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.to)
}

// Take returns and forgets what was sent.
func (s *Socket) Take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.sent
	s.sent, s.to = nil, nil
	return taken
}

// Receive waits until the socket has a handler and hands it datagrams of a peer in one batch.
func (s *Socket) Receive(from netip.AddrPort, data ...[]byte) {
	<-s.serving
	batch := Datagrams(from, data...)
	s.mu.Lock()
	for _, d := range batch {
		s.received = append(s.received, d.Buffer)
	}
	s.mu.Unlock()
	s.handler.HandleDatagrams(batch)
}

// Received returns the buffers of all that Receive has handed on.
func (s *Socket) Received() []*packet.Buffer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

// Peer is a UDP socket on the loopback interface, of a peer that talks to a worker.
type Peer struct {
	T    testing.TB
	Conn *net.UDPConn
}

// NewPeer returns a peer that closes with the test.
func NewPeer(t testing.TB) *Peer {
	t.Helper()
	p := OpenPeer(t)
	t.Cleanup(func() { p.Conn.Close() })
	return p
}

// OpenPeer returns a peer that the test closes itself.
func OpenPeer(t testing.TB) *Peer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	require.NoError(t, conn.SetReadBuffer(1<<22))
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(Patience)))
	return &Peer{t, conn}
}

// Addr returns where the peer is.
func (p *Peer) Addr() netip.AddrPort { return p.Conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Send sends a datagram to a transport.
func (p *Peer) Send(to *api.TransportTuple, b []byte) {
	p.T.Helper()
	p.SendTo(netip.MustParseAddrPort(fmt.Sprintf("%s:%d", to.LocalAddress, to.LocalPort)), b)
}

// SendTo sends a datagram.
func (p *Peer) SendTo(to netip.AddrPort, b []byte) {
	p.T.Helper()
	_, err := p.Conn.WriteToUDPAddrPort(b, to)
	require.NoError(p.T, err)
}

// Receive returns the next datagram.
func (p *Peer) Receive() []byte {
	p.T.Helper()
	b := make([]byte, 65536)
	n, err := p.Conn.Read(b)
	require.NoError(p.T, err)
	return b[:n]
}
