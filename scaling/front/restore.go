package front

import (
	"slices"
	"time"

	"gazpacho/engine/api"
)

// Restoring compares the tables, which are what the application wants, with the nodes that have come back, which hold nothing. It is
// the same whether a node was away for a moment or was given up meanwhile.

// round is requests that are made together.
type round struct {
	pending int
	then    func()
}

// newRound returns a round that calls then when end was called, and all its requests are answered.
func newRound(then func()) *round { return &round{1, then} }

func (r *round) begin() { r.pending++ }

func (r *round) end() {
	if r.pending--; r.pending == 0 {
		r.then()
	}
}

// ask makes a request of the round. done may add others. It is not called if the node ends or is silent: what was asked for is then
// still missing, and is tried again.
func (r *round) ask(n *node, m api.Method, handlerID string, body api.RequestBody, done func(api.ResponseBody, error)) *call {
	r.begin()
	return n.ask(m, handlerID, body, func(answer api.ResponseBody, err error) {
		if err == nil {
			done(answer, nil)
			r.end()
			return
		}
		// A worker that ends refuses all that it has not answered, before it is known to have ended.
		n.ask(api.MethodWorkerDump, "", nil, func(_ api.ResponseBody, ended error) {
			if ended == nil {
				done(nil, err)
			} else {
				n.front.after(retryPause, n.front.reconcileAll)
			}
			r.end()
		})
	})
}

// retryPause is the time before a node that did not answer while it was being restored is asked again, chosen here. If it has ended,
// it is known by then.
const retryPause = time.Second

// set makes the requests again that have changed an object.
func (r *round) set(n *node, e *entry) {
	for _, s := range e.settings {
		r.tell(n, s.method, e.id, s.body)
	}
}

// tell is ask for what the node has no reason to refuse.
func (r *round) tell(n *node, m api.Method, handlerID string, body api.RequestBody) {
	r.ask(n, m, handlerID, body, func(_ api.ResponseBody, err error) {
		if err != nil {
			n.front.log.Warn("a restored object is not quite as it was", "node", n.name, "method", m, "handlerId", handlerID, "error", err)
		}
	})
}

// welcome brings back what was on a node that has come back: first the WebRtcServers, which transports of all Routers may use.
func (f *Front) welcome(n *node) {
	all := newRound(func() {
		if n.gone != nil {
			return
		}
		n.returning = false
		f.log.Warn("a node is back", "node", n.name)
		f.reconcileAll()
		f.retryCuts()
	})
	for _, s := range slices.Clone(f.servers) {
		s.restore(all, n)
	}
	all.end()
}

func (f *Front) reconcileAll() {
	for _, r := range slices.Clone(f.routers) {
		r.reconcile()
	}
}

// reconcile brings back what belongs on nodes that have come back. The Router's requests wait meanwhile; what the application has
// asked for before has effect on all of its nodes.
func (r *router) reconcile() {
	if r.reconciling {
		r.reconcileAgain = true
		return
	}
	r.reconciling = true
	r.lane.hold()
	r.restoreTransports(func() {
		r.restoreRelays(func() {
			r.restoreConsumers(func() {
				r.reconciling = false
				for _, relay := range r.prepared {
					relay.unuse()
				}
				r.prepared = nil
				if r.reconcileAgain {
					r.reconcileAgain = false
					r.reconcile()
				}
				r.lane.release()
			})
		})
	})
}

// restoreTransports makes transports with their producers, and observers.
func (r *router) restoreTransports(then func()) {
	f := r.lane.front
	all := newRound(then)
	for _, t := range r.transports {
		if n := f.successor(t.node); n != nil && !t.lost && !t.creating {
			t.restore(all, n)
		}
	}
	for _, w := range r.observers {
		if n := f.successor(w.node); n != nil && !w.creating {
			w.restore(all, n)
		}
	}
	all.end()
}

func (t *transport) restore(all *round, n *node) {
	t.router.on(n)
	closeAgain := func() {
		n.tell(api.MethodRouterCloseTransport, t.router.id, &api.RouterCloseTransportRequest{TransportID: t.id})
	}
	all.ask(n, t.create.Method, t.router.id, t.again(), func(answer api.ResponseBody, err error) {
		switch {
		case err == nil && !t.closed && t.told.by(answer):
			t.restored(all, n)
		default:
			if err == nil {
				closeAgain()
			}
			if !t.closed {
				t.front().log.Warn("a transport does not come back", "node", n.name, "transportId", t.id, "error", err)
				t.lose()
			}
		}
	}).late = closeAgain
}

// restored makes what the transport has of its own.
func (t *transport) restored(all *round, n *node) {
	t.node.transports--
	t.node = n
	n.transports++
	all.set(n, &t.entry)
	for _, p := range t.producers {
		if p.imported == nil { // else it was never here
			p.restore(all)
		}
	}
	for _, p := range t.dataProducers {
		if p.imported == nil {
			p.restore(all)
		}
	}
}

func (p *producer) restore(all *round) {
	old, t := p.node, p.transport
	p.node = t.node
	body := *p.request
	body.Paused = p.paused
	all.ask(t.node, api.MethodTransportProduce, t.id, &body, func(_ api.ResponseBody, err error) {
		if err != nil && !p.closed {
			p.node, p.lost = old, true
			p.closeElsewhere(old.gone)
		}
	})
	all.set(t.node, &p.entry)
}

func (w *observer) restore(all *round, n *node) {
	w.router.on(n)
	all.ask(n, w.create.Method, w.router.id, w.create.Body, func(_ api.ResponseBody, err error) {
		if err != nil {
			n.front.log.Warn("an RtpObserver does not come back", "node", n.name, "rtpObserverId", w.id, "error", err)
			return
		}
		w.node, w.lacking = n, slices.Clone(w.producers)
		if w.paused {
			all.tell(n, api.MethodRTPObserverPause, w.id, nil)
		}
	}).late = func() {
		n.tell(api.MethodRouterCloseRTPObserver, w.router.id, &api.RouterCloseRTPObserverRequest{RTPObserverID: w.id})
	}
}

// restoreRelays connects the pipes again that lead from producers that are back, and has relays made to consumers and observers that
// come back.
func (r *router) restoreRelays(then func()) {
	all := newRound(then)
	for key, p := range r.pairs {
		if key[0].gone != nil || key[1].gone != nil {
			p.renew(all, key)
		}
	}
	for _, t := range r.transports {
		for _, p := range t.producers {
			p.feedStarving(all)
		}
		for _, p := range t.dataProducers {
			for _, d := range p.relays {
				if d.cutOff && p.node.gone == nil {
					d.renew(all)
				}
			}
		}
		for _, c := range t.consumers {
			if c.missing() && c.producer.node != t.node {
				r.prepareRelay(all, c.producer, t.node)
			}
		}
	}
	for _, w := range r.observers {
		for _, p := range w.lacking {
			if w.node.gone == nil && p.node != w.node {
				r.prepareRelay(all, p, w.node)
			}
		}
	}
	all.end()
}

// renew makes ends of a pipe anew whose nodes have come back, with the relays that have waited. The other end stays.
func (p *pair) renew(all *round, key [2]*node) {
	if slices.ContainsFunc(p.relays, func(r *relay) bool { return r.source == nil && r.producer.node.gone != nil }) {
		return // its node came back a moment ago; the next time
	}
	f := p.router.lane.front
	now := key
	for i, n := range key {
		if n.gone == nil {
			continue
		}
		if now[i] = f.successor(n); now[i] == nil {
			return
		}
	}
	for i := range now {
		if now[i] != key[i] {
			p.setEnd(i, now[i])
		}
	}
	if p.router.pairs[now] == nil {
		delete(p.router.pairs, key)
		p.router.pairs[now] = p
	}
	p.ready = false
	all.begin()
	p.made.then(func() {
		for _, r := range slices.Clone(p.relays) {
			if r.source == nil {
				r.renew(all)
			}
		}
		all.end()
	})
	p.create()
}

// renew asks the home, which has come back, for its part again. The pipe has a fresh key there, so the streams may have the same
// SSRCs: the far end waits for these.
func (r *relay) renew(all *round) {
	all.begin()
	r.carried = len(r.producer.request.RTPMapping.Encodings) - 1
	ssrcs := r.ssrcs // so that it has the same ones as before
	r.askNear(r.requests(&ssrcs).Consume)
	r.adjust()
	r.whenMade(func() {
		if r.failure == nil {
			r.requestKeyFrames() // packets are missing
		}
		all.end()
	})
}

// prepareRelay has a relay made, if the producer is there. It is in use until all is restored, however long that takes.
func (r *router) prepareRelay(all *round, p *producer, n *node) {
	if p.node.gone != nil || n.gone != nil {
		return
	}
	relay, wait, err := r.lane.front.relay(p, n)
	switch {
	case wait != nil:
		all.begin()
		wait.then(func() {
			r.prepareRelay(all, p, n)
			all.end()
		})
	case err == nil:
		relay.use()
		r.prepared = append(r.prepared, relay)
		all.begin()
		relay.whenMade(all.end)
	}
}

// restoreConsumers makes what needs producers.
func (r *router) restoreConsumers(then func()) {
	all := newRound(then)
	for _, t := range r.transports {
		for _, c := range slices.Clone(t.consumers) {
			if c.missing() {
				c.restore(all)
			}
		}
		for _, c := range slices.Clone(t.dataConsumers) {
			if c.missing() {
				c.restore(all)
			}
		}
	}
	for _, w := range r.observers {
		for _, p := range slices.Clone(w.lacking) {
			w.restoreProducer(all, p)
		}
	}
	all.end()
}

// missing reports whether the consumer's transport is back, or has never been away, and the consumer itself is not there.
func (c *consumer) missing() bool { return c.node.gone != nil && c.transport.node.gone == nil }

// giveUp closes a missing consumer, as one whose producer was closed.
func (c *consumer) giveUp() {
	c.node = c.transport.node
	c.closeForProducer()
}

func (c *consumer) restore(all *round) {
	f, p, t := c.transport.front(), c.producer, c.transport
	switch {
	case p.lost || p.transport.lost:
		c.giveUp()
		return
	case p.node.gone != nil:
		return // it waits for that one too
	}
	c.relay = nil
	if p.node != t.node {
		r, wait, err := f.relay(p, t.node)
		if wait != nil || err != nil {
			c.giveUp()
			return
		}
		c.relay = r
		r.use()
		r.adjust()
	}
	c.node, c.spatial = t.node, -1
	body := *c.request
	body.Paused, body.PreferredLayers = c.paused, c.preferred
	all.ask(c.node, api.MethodTransportConsume, t.id, &body, func(answer api.ResponseBody, err error) {
		switch {
		case c.closed:
		case err != nil:
			f.log.Warn("a consumer does not come back", "node", t.node.name, "consumerId", c.id, "error", err)
			c.giveUp()
		default:
			known := c.told
			c.accepted(answer)
			if c.told = known; c.relay != nil && !c.isPipe() {
				c.tellScore()
			}
		}
	})
	all.set(c.node, &c.entry)
}

func (w *observer) restoreProducer(all *round, p *producer) {
	f := w.router.lane.front
	switch {
	case !slices.Contains(w.producers, p) || w.node.gone != nil:
		w.lacking = without(w.lacking, p)
		return
	case p.lost || p.transport.lost:
		w.lacking = without(w.lacking, p)
		w.forgetProducer(p)
		return
	case p.node.gone != nil:
		return
	}
	delete(w.relays, p)
	if p.node != w.node {
		r, wait, err := f.relay(p, w.node)
		if wait != nil || err != nil {
			w.lacking = without(w.lacking, p)
			w.forgetProducer(p)
			return
		}
		r.use()
		w.relays[p] = r
		r.adjust()
	}
	w.lacking = without(w.lacking, p)
	all.tell(w.node, api.MethodRTPObserverAddProducer, w.id, &api.RTPObserverAddProducerRequest{ProducerID: p.id})
}
