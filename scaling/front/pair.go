package front

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

// pair is two PipeTransports of a Router that connect two nodes. All relays between these, in both directions, go over it. It exists
// as long as one of them does.
type pair struct {
	router *router
	ends   [2]*end
	made   gate // opens when both ends exist, or cannot
	ready  bool
	failed error
	relays []*relay
	closed bool

	isCut     bool // its nodes live and do not reach each other
	doubting  bool // whether they live is being found out
	cancelCut func() bool
}

// end is one of its PipeTransports.
type end struct {
	node   *node
	id     string
	answer api.ResponseBody // its address and key; nil until the node has made it
	silent bool             // it does not hear the other end
}

// pair returns the pair between two nodes. Unless it is ready, wait is what to wait for.
func (r *router) pair(a, b *node) (p *pair, wait *gate) {
	key := inOrder(a, b)
	p, ok := r.pairs[key]
	if !ok {
		p = &pair{router: r}
		r.pairs[key] = p
		for i, n := range key {
			p.setEnd(i, n)
		}
		p.create()
	}
	if !p.ready && p.failed == nil {
		return p, &p.made
	}
	return p, nil
}

// setEnd puts a new end on a node.
func (p *pair) setEnd(i int, n *node) {
	f := p.front()
	if old := p.ends[i]; old != nil {
		delete(f.hidden, old.id)
	}
	p.ends[i] = &end{node: n, id: f.newID("pipe")}
	f.hidden[p.ends[i].id] = p
}

// create asks for the ends that there are not yet. Each tells its address and key, which the other one must know: this is the one
// round trip that relays have to wait for.
func (p *pair) create() {
	part := join(len(p.ends), func() {
		if !p.closed && p.failed == nil {
			p.connect()
		}
		if !p.closed && p.failed != nil {
			p.unmade() // whoever waits for the pair finds it failed, and forgets it
		}
		p.made.open()
	})
	for _, e := range p.ends {
		if e.answer != nil {
			part()
			continue
		}
		n := e.node
		p.router.on(n)
		c := n.ask(api.MethodRouterCreatePipeTransport, p.router.id, pipe.NewTransport(e.id, &n.pipe), func(body api.ResponseBody, err error) {
			if err != nil {
				p.failed = api.Errorf("node %s cannot open a pipe: %v", n.name, err)
			}
			e.answer = body
			part()
		})
		c.late = func() {
			n.tell(api.MethodRouterCloseTransport, p.router.id, &api.RouterCloseTransportRequest{TransportID: e.id})
		}
	}
}

// unmade ends a pair that could not be made, with the relays that it had before.
func (p *pair) unmade() {
	if len(p.relays) > 0 {
		p.fail(p.failed)
		return
	}
	p.closeEnds()
}

// connect tells each end of the other one. What follows need not wait for the answers. An end that was connected before goes on
// counting its packets.
func (p *pair) connect() {
	var requests [2]*api.PipeTransportConnectRequest
	for i := range requests {
		if requests[i], p.failed = pipe.Connect(p.ends[1-i].answer); p.failed != nil {
			return
		}
	}
	p.ready = true
	for i, e := range p.ends {
		e.node.ask(api.MethodPipeTransportConnect, e.id, requests[i], func(_ api.ResponseBody, err error) {
			e.silent = false // what it told before was of another end
			if err != nil {
				e.node.ifAlive(func() { p.fail(api.Errorf("node %s cannot connect a pipe: %v", e.node.name, err)) })
			}
		})
	}
}

// at returns the end on a node, or on the one before it in its place, and the other one.
func (p *pair) at(n *node) (here, there *end) {
	if p.ends[0].node.index == n.index {
		return p.ends[0], p.ends[1]
	}
	return p.ends[1], p.ends[0]
}

// other returns the node at the other end.
func (p *pair) other(n *node) *node { _, there := p.at(n); return there.node }

// leave takes a relay from the pair. It reports whether the pair is closed now, as it has no other one. One that is cut stays: it
// shows when its nodes reach each other again.
func (p *pair) leave(r *relay) (closed bool) {
	p.relays = without(p.relays, r)
	if len(p.relays) == 0 && !p.isCut {
		p.close()
	}
	return p.closed
}

// fail ends the pair since it can carry nothing any more. The consumers behind it are closed as if their producers were.
func (p *pair) fail(why error) {
	if p.closed {
		return
	}
	p.failed = why
	p.front().log.Warn("a pipe between two nodes has failed", "routerId", p.router.id,
		"nodes", []string{p.ends[0].node.name, p.ends[1].node.name}, "error", why)
	for _, r := range slices.Clone(p.relays) {
		r.fail(why)
	}
	p.close()
}

// close closes both ends.
func (p *pair) close() {
	if p.closed {
		return
	}
	p.forget()
	p.closeEnds()
}

func (p *pair) closeEnds() {
	for _, e := range p.ends {
		e.node.tell(api.MethodRouterCloseTransport, p.router.id, &api.RouterCloseTransportRequest{TransportID: e.id})
	}
}

// forget takes the pair out of the tables.
func (p *pair) forget() {
	p.mend()
	p.closed = true
	for key, have := range p.router.pairs {
		if have == p {
			delete(p.router.pairs, key)
		}
	}
	for _, e := range p.ends {
		delete(p.front().hidden, e.id)
	}
	for _, r := range p.relays {
		r.cancelEnd()
	}
}

func (p *pair) of() *router { return p.router }

func (p *pair) front() *Front { return p.router.lane.front }
