package front

import (
	"slices"
	"time"

	"gazpacho/engine/api"
)

// handleGone ends what depends on a node that has ended. What the application has there stays in the tables: requests for it are
// refused, and closing it succeeds.
func (f *Front) handleGone(n *node, why error) {
	n.gone = why
	f.log.Error("a node is gone", "node", n.name, "error", why)
	for _, c := range slices.Clone(n.calls) {
		if c.done != nil {
			c.finish(nil, n.errGone(c.method))
		}
	}
	n.calls = nil
	for _, r := range slices.Clone(f.routers) {
		r.loseNode(n)
	}
	if n.options.Again {
		f.after(revivePause, func() { f.revive(n) })
	}
}

// revivePause is the time before a node that has ended is tried again, chosen here: one that ends at once each time costs little.
const revivePause = 200 * time.Millisecond

// revive puts a new node in the place of one that has ended. It holds nothing; what the application had on the old one stays lost.
func (f *Front) revive(old *node) {
	fresh, err := f.newNode(old.options)
	if err != nil {
		f.log.Error("a node cannot come back", "node", old.name, "error", err)
		return
	}
	fresh.index = old.index
	nodes := slices.Clone(f.nodes())
	nodes[slices.Index(nodes, old)] = fresh
	f.setNodes(nodes)
}

// loseNode tells the application what it notices of its peers, and closes the consumers of what was lost.
func (r *router) loseNode(n *node) {
	f := r.lane.front
	delete(r.nodes, n)
	delete(r.dataEnds, n)
	for _, t := range slices.Clone(r.transports) {
		if t.node != n || t.creating {
			continue
		}
		if t.webRtc {
			f.emit(t.id, api.EventWebRtcTransportICEStateChange,
				&api.WebRtcTransportICEStateChangeNotification{ICEState: api.ICEStateDisconnected})
			f.emit(t.id, api.EventWebRtcTransportDTLSStateChange,
				&api.WebRtcTransportDTLSStateChangeNotification{DTLSState: api.DTLSStateClosed})
		}
		for _, p := range t.dataProducers {
			p.loseHome()
		}
		for _, c := range t.dataConsumers {
			if c.relay != nil && !c.relay.ended {
				c.relay.end()
			}
		}
	}
	for key, p := range r.pairs {
		if key[0] == n || key[1] == n {
			p.fail(n.gone)
		}
	}
}

// loseHome closes the data consumers elsewhere.
func (p *dataProducer) loseHome() {
	for _, r := range slices.Clone(p.relays) {
		r.fail()
	}
}
