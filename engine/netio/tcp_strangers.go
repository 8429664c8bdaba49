package netio

import (
	"container/list"
	"net/netip"
)

// strangers are the connections that wait to be admitted, oldest first, all together and by address. The zero value is empty.
type strangers struct {
	all    list.List // of *TCPConn
	byAddr map[netip.Addr]*list.List
}

// strangerPlace is where a connection is among the strangers; nil elements when it is none.
type strangerPlace struct{ inAll, inAddr *list.Element }

// shareOf returns what counts as one address: who has an IPv6 address usually has its /64 network.
func shareOf(remote netip.AddrPort) netip.Addr {
	addr := remote.Addr()
	if addr.Is6() {
		network, _ := addr.Prefix(64) // no error: the length is right
		return network.Addr()
	}
	return addr
}

func (s *strangers) add(c *TCPConn) {
	share := shareOf(c.remote)
	if s.byAddr == nil {
		s.byAddr = map[netip.Addr]*list.List{}
	}
	if s.byAddr[share] == nil {
		s.byAddr[share] = list.New()
	}
	c.place = strangerPlace{s.all.PushBack(c), s.byAddr[share].PushBack(c)}
}

// remove takes c out, if it is there.
func (s *strangers) remove(c *TCPConn) {
	if c.place.inAll == nil {
		return
	}
	share := shareOf(c.remote)
	s.all.Remove(c.place.inAll)
	s.byAddr[share].Remove(c.place.inAddr)
	if s.byAddr[share].Len() == 0 {
		delete(s.byAddr, share)
	}
	c.place = strangerPlace{}
}

// of returns how many come from the address.
func (s *strangers) of(remote netip.AddrPort) int {
	if l := s.byAddr[shareOf(remote)]; l != nil {
		return l.Len()
	}
	return 0
}

// oldestOf returns the first of those from the address; there must be one.
func (s *strangers) oldestOf(remote netip.AddrPort) *TCPConn {
	return s.byAddr[shareOf(remote)].Front().Value.(*TCPConn)
}

// oldest returns the first of all, nil if there is none.
func (s *strangers) oldest() *TCPConn {
	if front := s.all.Front(); front != nil {
		return front.Value.(*TCPConn)
	}
	return nil
}
