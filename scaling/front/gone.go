package front

import (
	"maps"
	"slices"
	"time"

	"gazpacho/engine/api"
)

// Chosen here.
const (
	// revivePause is the time before a node that has ended is tried again: one that ends at once each time costs little.
	revivePause = 200 * time.Millisecond
	// restartTime is how long what may come back with a node is kept from the application as if nothing had happened. A process that
	// its host starts again is there in a few seconds.
	restartTime = 10 * time.Second
)

// handleGone takes the end of a node. What cannot come back with it ends at once, as far as the application sees. The rest waits for
// the node, for a while. All of it stays in the tables: requests for it are refused, and closing it succeeds.
func (f *Front) handleGone(n *node, why error) {
	f.log.Error("a node is gone", "node", n.name, "error", why)
	f.endCalls(n, why)
	for _, r := range slices.Clone(f.routers) {
		r.loseNode(n)
	}
	for _, h := range slices.Clone(f.homes) {
		if h.at == n {
			f.loseHome(h, why)
		}
	}
	if !n.options.Again {
		f.giveUp(n)
		return
	}
	f.after(revivePause, func() { f.revive(n) })
	f.after(restartTime, func() { f.giveUp(n) })
}

// endCalls marks a node as gone, and refuses what it has not answered.
func (f *Front) endCalls(n *node, why error) {
	n.gone = why
	for _, c := range slices.Clone(n.calls) {
		if c.done != nil {
			c.finish(nil, n.errGone(c.method))
		}
	}
	n.calls = nil
}

// revive puts a new node in the place of one that has ended. It holds nothing yet.
func (f *Front) revive(old *node) {
	if old.removed || !slices.Contains(f.nodes(), old) {
		return // it is not expected, or another one has taken its place already
	}
	fresh, err := f.newNode(old.options)
	if err != nil {
		f.log.Error("a node cannot come back", "node", old.name, "error", err)
		return
	}
	fresh.index, fresh.returning = old.index, true
	nodes := slices.Clone(f.nodes())
	nodes[slices.Index(nodes, old)] = fresh
	f.setNodes(nodes)
	// Any answer will do: a conversation that has just begun holds nothing, whatever the node holds for others.
	c := fresh.ask(api.MethodWorkerDump, "", nil, func(_ api.ResponseBody, err error) {
		if err == nil {
			f.welcome(fresh)
		}
	})
	c.late = func() { f.welcome(fresh) }
}

// successor returns the node that is in the place of one that has ended, nil as long as there is none.
func (f *Front) successor(n *node) *node {
	if n.gone == nil || n.index == 0 {
		return nil
	}
	now := f.nodeWhere(func(now *node) bool { return now.index == n.index })
	if now == nil || now.gone != nil || now.returning {
		return nil
	}
	return now
}

// loseNode ends what cannot come back with a node, and the relays to it, which are made anew for the consumers that come back. Relays
// from it stay if their producers may come back: their consumers wait. What the node was fed and has fed on, others feed.
func (r *router) loseNode(n *node) {
	delete(r.nodes, n)
	delete(r.dataEnds, n)
	for _, t := range slices.Clone(r.transports) {
		if t.node != n || t.creating {
			continue
		}
		if !t.mayReturn() {
			t.lose()
		}
		for _, c := range t.dataConsumers {
			if c.relay != nil && !c.relay.ended {
				c.relay.end()
			}
		}
	}
	for _, p := range slices.Collect(maps.Values(r.pairs)) {
		if nodes := p.nodes(); !p.closed && (nodes[0] == n || nodes[1] == n) {
			p.loseEnd(n)
		}
	}
	for _, t := range r.transports {
		for _, p := range t.producers {
			for _, relay := range slices.Clone(p.relays) {
				relay.moveIfStuck()
			}
		}
	}
}

// loseEnd is loseNode for a pair.
func (p *pair) loseEnd(n *node) {
	if !p.ready {
		p.fail(n.gone)
		return
	}
	p.mend()
	for _, r := range slices.Clone(p.relays) {
		switch {
		case r.node == n:
			r.end()
		case r.failure != nil && r.moved:
			r.failure = nil // what it was moved to has ended before it had answered: it is moved again, or waits
		case r.failure != nil:
			r.fail(r.failure)
		}
	}
	if len(p.relays) == 0 {
		p.close()
	}
}

// giveUp ends what waits for a node that has not come back yet, as far as the application sees. Transports for whose state it has no
// word are still brought back if the node comes later. What had come back, and waits again since that one has ended too, waits for its own
// time.
func (f *Front) giveUp(n *node) {
	defer f.dropRemoved()
	if f.successor(n) != nil {
		return
	}
	for _, r := range slices.Clone(f.routers) {
		for _, t := range slices.Clone(r.transports) {
			switch {
			case t.lost || t.creating || t.node != n:
			case t.webRtc:
				t.lose()
			default:
				t.closeElsewhere()
			}
		}
	}
}

// lose tells the application of a transport that does not come back what it would hear if the peer were gone.
func (t *transport) lose() {
	f := t.front()
	t.lost = true
	if t.webRtc {
		f.emit(t.id, api.EventWebRtcTransportICEStateChange,
			&api.WebRtcTransportICEStateChangeNotification{ICEState: api.ICEStateDisconnected})
		f.emit(t.id, api.EventWebRtcTransportDTLSStateChange,
			&api.WebRtcTransportDTLSStateChangeNotification{DTLSState: api.DTLSStateClosed})
	}
	t.closeElsewhere()
}

// closeElsewhere closes the consumers, on other transports that live, of what the transport holds.
func (t *transport) closeElsewhere() {
	for _, p := range t.producers {
		p.closeElsewhere(t.node.gone)
	}
	for _, p := range t.dataProducers {
		p.closeElsewhere()
	}
}

func (p *producer) closeElsewhere(why error) {
	for _, r := range p.lastFirst() {
		r.fail(why)
	}
	for _, c := range slices.Clone(p.consumers) {
		if c.missing() {
			c.giveUp()
		}
	}
	for _, w := range slices.Clone(p.observers) {
		if slices.Contains(w.lacking, p) {
			w.forgetProducer(p)
		}
	}
}

func (p *dataProducer) closeElsewhere() {
	for _, r := range slices.Clone(p.relays) {
		r.fail()
	}
	for _, c := range slices.Clone(p.consumers) {
		if c.missing() {
			c.giveUp()
		}
	}
}
