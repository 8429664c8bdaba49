package netio

import (
	"cmp"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// defaultBufferSize, chosen here, is the buffer size in bytes that a socket asks for when the application does not give
// one. The kernel grants at most net.core.wmem_max and rmem_max, and takes memory only for what is queued. The kernel's
// default holds less than a hundred packets: too few for a port that all transports of a worker share, where a burst to a
// large room leaves at once.
const defaultBufferSize = 2 << 20

// descriptor is a system socket. It is in blocking mode, because it is not in Go's poller (see Poller); each call passes
// MSG_DONTWAIT.
type descriptor struct {
	// mu is held for reading during a call, which never waits, and for writing to close: a descriptor must not be closed
	// while in use, because its number could become another socket's.
	mu     sync.RWMutex
	fd     int // -1 when closed
	poller *Poller
	noGSO  bool
}

// openUDP opens a socket on the given port; 0 lets the system choose.
func openUDP(cfg UDPConfig, port uint16) (*UDPSocket, error) {
	family := unix.AF_INET
	if cfg.Address.Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &UDPSocket{ipv6: family == unix.AF_INET6}
	s.fd = fd
	if err := s.setUp(fd, cfg, port); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return s, nil
}

// use calls f, which must not wait, with the descriptor. It returns false if the socket is closed.
func (d *descriptor) use(f func(fd int)) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.fd < 0 {
		return false
	}
	f(d.fd)
	return true
}

func (d *descriptor) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.poller != nil {
		d.poller.forget(d.fd)
	}
	unix.Close(d.fd)
	d.fd = -1
}

// setUp sets the configured options, binds the socket and reads its address.
func (s *UDPSocket) setUp(fd int, cfg UDPConfig, port uint16) error {
	type option struct {
		level, name, value int
	}
	options := []option{{unix.SOL_SOCKET, unix.SO_BROADCAST, 1}}
	if s.ipv6 {
		options = append(options, option{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, boolToInt(cfg.IPv6Only)})
	}
	if cfg.ReusePort { // with the option that libuv, and so mediasoup, uses: every socket on the port must have it
		options = append(options, option{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1})
	}
	options = append(options,
		option{unix.SOL_SOCKET, unix.SO_SNDBUF, cmp.Or(cfg.SendBufferSize, defaultBufferSize)},
		option{unix.SOL_SOCKET, unix.SO_RCVBUF, cmp.Or(cfg.RecvBufferSize, defaultBufferSize)})
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, sockaddr(cfg.Address, port)); err != nil {
		return os.NewSyscallError("bind", err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	s.local = netip.AddrPortFrom(cfg.Address, portOf(name))
	s.noGSO = lacksGSO(fd)
	return nil
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sockaddr(a netip.Addr, port uint16) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: int(port)}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: int(port), ZoneId: scopeID(a.Zone())}
}

func portOf(name unix.Sockaddr) uint16 {
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		return uint16(name.Port)
	case *unix.SockaddrInet6:
		return uint16(name.Port)
	}
	panic("netio: getsockname returned an address that is neither IPv4 nor IPv6")
}
