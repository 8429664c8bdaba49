package router

import (
	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/transport"
)

// maxSorted is how many datagrams are sorted at a time, ours: as many as a poller reads at once.
const maxSorted = 16

// sorting is datagrams from one port on their way to their transports.
type sorting struct {
	seats     [maxSorted]*Seat // of the datagrams; nil when delivered
	datagrams [maxSorted]netio.Datagram
	n         int
	run       [maxSorted]netio.Datagram // those for one seat
}

func (s *sorting) add(seat *Seat, d *netio.Datagram) {
	s.seats[s.n], s.datagrams[s.n] = seat, *d
	s.n++
}

// deliver hands on all datagrams, first those that other shards may begin with at once. A TCP connection's goroutine serves one
// transport and always takes the turn: its peer is to wait when that is busy.
func (s *sorting) deliver(link *transport.Link) {
	if s.n == 0 {
		return
	}
	own := s.seats[s.n-1].shard
	for i, seat := range s.seats[:s.n] {
		if seat != nil && seat.shard != own {
			seat.postDatagrams(link, s.take(i))
		}
	}
	for i, seat := range s.seats[:s.n] {
		switch {
		case seat == nil:
		case link.Protocol == api.ProtocolTCP:
			seat.handleDatagrams(link, s.take(i))
		default:
			seat.offerDatagrams(link, s.take(i))
		}
	}
}

// take returns the datagrams of the same seat as the i-th, which is the first of them.
func (s *sorting) take(i int) []netio.Datagram {
	seat, run := s.seats[i], s.run[:0]
	for j := i; j < s.n; j++ {
		if s.seats[j] == seat {
			run = append(run, s.datagrams[j])
			s.seats[j] = nil
		}
	}
	return run
}
