package router

import (
	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/transport"
)

// maxDemuxed is how many datagrams are sorted at a time, ours: as many as a poller reads at once.
const maxDemuxed = 16

// demux is datagrams from one port on their way to their transports.
type demux struct {
	actors    [maxDemuxed]*TransportActor // of the datagrams; nil when delivered
	datagrams [maxDemuxed]netio.Datagram
	n         int
	run       [maxDemuxed]netio.Datagram // those for one actor
}

func (s *demux) add(actor *TransportActor, d *netio.Datagram) {
	s.actors[s.n], s.datagrams[s.n] = actor, *d
	s.n++
}

// deliver hands on all datagrams, first those that other shards may begin with at once. A TCP connection's goroutine serves one
// transport and always takes the turn: its peer is to wait when that is busy.
func (s *demux) deliver(link *transport.Link) {
	if s.n == 0 {
		return
	}
	own := s.actors[s.n-1].shard
	for i, actor := range s.actors[:s.n] {
		if actor != nil && actor.shard != own {
			actor.postDatagrams(link, s.take(i))
		}
	}
	for i, actor := range s.actors[:s.n] {
		switch {
		case actor == nil:
		case link.Protocol == api.ProtocolTCP:
			actor.handleDatagrams(link, s.take(i))
		default:
			actor.offerDatagrams(link, s.take(i))
		}
	}
}

// take returns the datagrams of the same actor as the i-th, which is the first of them.
func (s *demux) take(i int) []netio.Datagram {
	actor, run := s.actors[i], s.run[:0]
	for j := i; j < s.n; j++ {
		if s.actors[j] == actor {
			run = append(run, s.datagrams[j])
			s.actors[j] = nil
		}
	}
	return run
}
