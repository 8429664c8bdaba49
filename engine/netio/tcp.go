package netio

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Chosen here; mediasoup has no such limits.
const (
	defaultMaxConnections   = 10000
	defaultMaxStrangers     = 256
	defaultAdmissionTimeout = 15 * time.Second
)

// TCPConfig is where to listen for TCP connections, and with which limits.
type TCPConfig struct {
	// Address is the local address; 0.0.0.0 and :: are allowed. :: also takes IPv4 unless IPv6Only.
	Address netip.Addr
	// Port is the local port; 0 chooses one from PortMin..PortMax or, if PortMax is 0 too, lets the system choose.
	Port             uint16
	PortMin, PortMax uint16
	// IPv6Only keeps an IPv6 socket from taking IPv4. An IPv4 socket ignores it.
	IPv6Only bool
	// SendBufferSize and RecvBufferSize set the kernel's buffers of each connection, in bytes; 0 leaves the system's
	// default. The system may grant less.
	SendBufferSize, RecvBufferSize int
	// MaxConnections is how many connections may be open at once, 0 means 10,000. A further one takes the place of the one that
	// has waited longest for TCPConn.Admit; it is reset if all are admitted.
	MaxConnections int
	// MaxStrangers is how many connections of one address (of one /64 network with IPv6) may wait for TCPConn.Admit, 0 means 256.
	// A further one takes the place of the address's oldest.
	MaxStrangers int
	// MinFrame is the length in bytes of the shortest frame that is passed to the handler; 0 means 1. Shorter ones are counted.
	MinFrame int
	// AdmissionTimeout is how long a connection may stay open without TCPConn.Admit, 0 means 15 s.
	AdmissionTimeout time.Duration
}

// TCPHandler handles what the connections of a server receive. Its methods run on the connection's reader goroutine, so
// calls for one connection never overlap, while those for different connections do.
type TCPHandler interface {
	// HandleFrames handles a batch of frames (RFC 4571) in the order of arrival; the datagrams' From is c.RemoteAddr(). The
	// handler owns the buffers; the slice is reused when the call returns. No datagram is empty. One more batch may come
	// after c.Close returned, if another goroutine called that.
	//
	// The handler calls c.Admit as soon as the peer has proved that it belongs here. If that does not happen within
	// TCPConfig.AdmissionTimeout, the connection is closed.
	HandleFrames(c *TCPConn, batch []Datagram)
	// HandleClosed is the last call for a connection. There is exactly one for each accepted connection, whether it brought
	// frames or not, and whichever side closed it.
	HandleClosed(c *TCPConn)
}

// TCPStats counts what happened to a server and its connections since it was opened.
type TCPStats struct {
	Connections  int    // open now
	Accepted     uint64 // connections accepted
	Refused      uint64 // connections reset because there were too many
	Displaced    uint64 // connections closed to make room, while they waited to be admitted
	Expired      uint64 // connections closed because they were not admitted in time
	Oversized    uint64 // connections closed because they announced too large a frame before they were admitted
	Runts        uint64 // frames dropped because they were shorter than TCPConfig.MinFrame
	Received     uint64 // frames passed to the handler
	Sent         uint64 // frames that the kernel or the write queue took
	SendDropped  uint64 // frames dropped because the write queue was full
	SendErrors   uint64 // frames dropped because the connection was closed or broken
	AcceptErrors uint64 // failures to accept, for example because no file descriptor was left
}

// TCPServer listens for connections that carry datagrams in frames (RFC 4571 section 2), as ICE uses them (RFC 6544).
type TCPServer struct {
	listener  *net.TCPListener
	local     netip.AddrPort
	claim     netip.AddrPort // in tcpPorts
	config    TCPConfig
	done      chan struct{}  // closed by Close
	running   sync.WaitGroup // goroutines of connections
	mu        sync.Mutex
	conns     map[*TCPConn]struct{}
	strangers strangers // those of conns that are not admitted
	closed    bool
	closeOnce sync.Once
	stats     struct {
		accepted, refused, displaced, expired, oversized, runts, received, sent, dropped, errors, acceptErrors atomic.Uint64
	}
}

var tcpPorts = &portTable{used: make(map[netip.AddrPort]int)}

// ListenTCP binds and listens. It chooses the port as ListenUDP does; UDP and TCP ports are independent of each other. The
// error is a *BindError.
func ListenTCP(cfg TCPConfig) (*TCPServer, error) {
	if !cfg.Address.IsValid() {
		return nil, &BindError{Reason: BindInvalidAddress, Protocol: "tcp"}
	}
	cfg.Address = cfg.Address.Unmap()
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = defaultMaxConnections
	}
	if cfg.MaxStrangers == 0 {
		cfg.MaxStrangers = defaultMaxStrangers
	}
	if cfg.AdmissionTimeout == 0 {
		cfg.AdmissionTimeout = defaultAdmissionTimeout
	}
	choice := portChoice{"tcp", cfg.Address, cfg.Port, cfg.PortMin, cfg.PortMax, randomIndex}
	s, claim, err := bind(tcpPorts, choice, func(port uint16) (*TCPServer, error) { return openTCP(cfg, port) })
	if err != nil {
		return nil, err
	}
	s.claim = claim
	return s, nil
}

func openTCP(cfg TCPConfig, port uint16) (*TCPServer, error) {
	network := "tcp"
	switch {
	case cfg.Address.Is4():
		network = "tcp4"
	case cfg.IPv6Only:
		network = "tcp6"
	}
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		// Set before listening: connections inherit the sizes, and the receive buffer decides the window scale.
		return setBufferSizes(raw, cfg.SendBufferSize, cfg.RecvBufferSize)
	}}
	config.SetMultipathTCP(false) // browsers do not use it, and its sockets cost more
	listener, err := config.Listen(context.Background(), network, netip.AddrPortFrom(cfg.Address, port).String())
	if err != nil {
		return nil, err
	}
	local := listener.Addr().(*net.TCPAddr).AddrPort()
	return &TCPServer{
		listener: listener.(*net.TCPListener),
		local:    netip.AddrPortFrom(local.Addr().Unmap(), local.Port()),
		config:   cfg,
		done:     make(chan struct{}),
		conns:    make(map[*TCPConn]struct{}),
	}, nil
}

// LocalAddr returns the bound address and port.
func (s *TCPServer) LocalAddr() netip.AddrPort { return s.local }

// Close closes the socket and all connections, and frees the port before it returns. It may be called from within the
// handler and more than once. Serve returns soon after.
func (s *TCPServer) Close() {
	s.closeOnce.Do(func() {
		close(s.done)
		s.listener.Close()
		tcpPorts.release(s.claim)
		s.mu.Lock()
		s.closed = true
		open := s.conns
		s.conns = nil
		s.mu.Unlock()
		for c := range open {
			c.Close()
		}
	})
}

// Stats returns the counters.
func (s *TCPServer) Stats() TCPStats {
	s.mu.Lock()
	n := len(s.conns)
	s.mu.Unlock()
	return TCPStats{
		Connections:  n,
		Accepted:     s.stats.accepted.Load(),
		Refused:      s.stats.refused.Load(),
		Displaced:    s.stats.displaced.Load(),
		Expired:      s.stats.expired.Load(),
		Oversized:    s.stats.oversized.Load(),
		Runts:        s.stats.runts.Load(),
		Received:     s.stats.received.Load(),
		Sent:         s.stats.sent.Load(),
		SendDropped:  s.stats.dropped.Load(),
		SendErrors:   s.stats.errors.Load(),
		AcceptErrors: s.stats.acceptErrors.Load(),
	}
}
