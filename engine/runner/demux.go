package runner

import (
	"gazpacho/engine/api"
	"gazpacho/engine/transport"
)

// maxDemuxed is how many datagrams are demultiplexed together. Chosen here: as many as a poller reads at once.
const maxDemuxed = 16

// demux groups the datagrams of one batch by transport.
type demux struct {
	actors [maxDemuxed]*TransportActor // of each datagram; nil when it has none or was delivered
	group  [maxDemuxed]transport.Datagram
}

// deliver hands each actor its datagrams. Those for other shards than the last one's are posted first, so that these shards
// work meanwhile. A TCP connection's goroutine serves one transport and always waits for the turn: so does its peer.
func (d *demux) deliver(link *transport.Link, batch []transport.Datagram) {
	var own *ShardContext
	for _, actor := range d.actors[:len(batch)] {
		if actor != nil {
			own = actor.ctx
		}
	}
	for i, actor := range d.actors[:len(batch)] {
		if actor != nil && actor.ctx != own {
			actor.postDatagrams(link, d.take(i, batch))
		}
	}
	for i, actor := range d.actors[:len(batch)] {
		switch {
		case actor == nil:
		case link.Protocol == api.ProtocolTCP:
			actor.handleDatagrams(link, d.take(i, batch))
		default:
			actor.offerDatagrams(link, d.take(i, batch))
		}
	}
}

// take returns the datagrams of the i-th one's actor, which is the first of them.
func (d *demux) take(i int, batch []transport.Datagram) []transport.Datagram {
	actor, group := d.actors[i], d.group[:0]
	for j := i; j < len(batch); j++ {
		if d.actors[j] == actor {
			group = append(group, batch[j])
			d.actors[j] = nil
		}
	}
	return group
}
