package netio

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
)

// portTable holds the ports that this process uses for one protocol, so that a port of a range is never given out twice,
// not even where the system would allow it (ReusePort).
type portTable struct {
	mu   sync.Mutex
	used map[netip.AddrPort]int // number of sockets
}

var udpPorts = &portTable{used: make(map[netip.AddrPort]int)}

// claim takes a port. With exclusive it fails if the port is in use.
func (t *portTable) claim(a netip.AddrPort, exclusive bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if exclusive && t.used[a] > 0 {
		return false
	}
	t.used[a]++
	return true
}

func (t *portTable) release(a netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.used[a]--; t.used[a] == 0 {
		delete(t.used, a)
	}
}

// portChoice is how to choose a port: one fixed port, or the first free one of a range, counted from a random start.
type portChoice struct {
	protocol       string
	address        netip.Addr
	port, min, max uint16
	random         func(n int) int // in [0, n)
}

// bind chooses a port, claims it and calls open with it, until open succeeds or there is no port left. The caller
// releases the returned claim when it closes the socket.
func bind[S any](t *portTable, c portChoice, open func(port uint16) (S, error)) (S, netip.AddrPort, error) {
	if c.port != 0 || c.max == 0 {
		return bindFixed(t, c, open)
	}
	var none S
	if c.max < c.min {
		return none, netip.AddrPort{}, &BindError{Reason: BindInvalidRange, Protocol: c.protocol, Address: c.address}
	}
	n := int(c.max) - int(c.min) + 1
	start := c.random(n)
	for attempt := 1; attempt <= n; attempt++ {
		claim := netip.AddrPortFrom(c.address, c.min+uint16((start+attempt)%n))
		if !t.claim(claim, true) {
			continue
		}
		socket, err := open(claim.Port())
		if err == nil {
			return socket, claim, nil
		}
		t.release(claim)
		reason := bindReason(err)
		if reason != BindFailed { // the next port would fail too
			return none, netip.AddrPort{}, &BindError{reason, c.protocol, c.address, claim.Port(), attempt, n, err}
		}
	}
	return none, netip.AddrPort{}, &BindError{Reason: BindNoMorePorts, Protocol: c.protocol, Address: c.address, Attempts: n}
}

// bindFixed opens the one port asked for; port 0 lets the system choose.
func bindFixed[S any](t *portTable, c portChoice, open func(port uint16) (S, error)) (S, netip.AddrPort, error) {
	claim := netip.AddrPortFrom(c.address, c.port)
	t.claim(claim, false)
	socket, err := open(c.port)
	if err != nil {
		t.release(claim)
		return socket, netip.AddrPort{}, &BindError{bindReason(err), c.protocol, c.address, c.port, 0, 0, err}
	}
	return socket, claim, nil
}

func bindReason(err error) BindReason {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return BindTooManyOpenFiles
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return BindAddressNotAvailable
	default:
		return BindFailed
	}
}

func randomIndex(n int) int { return rand.IntN(n) }
