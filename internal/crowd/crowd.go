// Package crowd bounds how many connections strangers have, so that no stranger keeps others out: a newcomer takes the place of the
// oldest connection of the address that has the most. So a single attacker displaces his own.
package crowd

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Crowd is a bounded set of connections. It may be used from any goroutine.
type Crowd struct {
	most int

	mu      sync.Mutex
	places  []place // the oldest first
	byShare map[netip.Addr]int
	closed  bool
}

// place is a connection, and what counts as its address.
type place struct {
	conn  net.Conn
	share netip.Addr
}

// New returns a crowd of at most so many.
func New(most int) *Crowd { return &Crowd{most: most, byShare: map[netip.Addr]int{}} }

// Enter gives a connection a place. The one that it takes, if there is no other, is closed: displaced says so. It returns false once the
// crowd is closed.
func (c *Crowd) Enter(conn net.Conn) (displaced, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false, false
	}
	if len(c.places) >= c.most {
		c.remove(c.oldest()).Close()
		displaced = true
	}
	p := place{conn, shareOf(conn.RemoteAddr())}
	c.places = append(c.places, p)
	c.byShare[p.share]++
	return displaced, true
}

// Leave takes a connection out. It returns false if it had been displaced.
func (c *Crowd) Leave(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.places, func(p place) bool { return p.conn == conn })
	if i >= 0 {
		c.remove(i)
	}
	return i >= 0
}

// Len returns how many there are.
func (c *Crowd) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.places)
}

// Close closes all connections, and lets no more in.
func (c *Crowd) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for len(c.places) > 0 {
		c.remove(len(c.places) - 1).Close()
	}
}

// oldest returns the oldest of the address that has the most. The lock is held.
func (c *Crowd) oldest() int {
	most := 0
	for _, count := range c.byShare {
		most = max(most, count)
	}
	return slices.IndexFunc(c.places, func(p place) bool { return c.byShare[p.share] == most })
}

// remove takes out a place. The lock is held.
func (c *Crowd) remove(i int) net.Conn {
	p := c.places[i]
	c.places = slices.Delete(c.places, i, i+1)
	if c.byShare[p.share]--; c.byShare[p.share] == 0 {
		delete(c.byShare, p.share)
	}
	return p.conn
}

// shareOf returns what counts as one address: who has an IPv6 address usually has its /64 network, and who comes by a unix socket is on this
// host.
func shareOf(remote net.Addr) netip.Addr {
	at, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr := at.AddrPort().Addr().Unmap()
	if addr.Is6() {
		network, _ := addr.Prefix(64) // no error: the length is right
		return network.Addr()
	}
	return addr
}
