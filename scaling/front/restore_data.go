package front

import "gazpacho/engine/api"

func (p *dataProducer) restore(all *round) {
	old, t := p.node, p.transport
	p.node = t.node
	for _, r := range p.relays {
		r.cutOff = true
	}
	body := *p.request
	body.Paused = p.paused
	all.ask(t.node, api.MethodTransportProduceData, t.id, &body, func(_ api.ResponseBody, err error) {
		if err != nil && !p.closed {
			p.node, p.lost = old, true
			p.closeElsewhere()
		}
	})
}

// renew has the messages taken out of a home again that has come back. The far end has stayed, and takes them by the same token.
func (r *dataRelay) renew(all *round) {
	p := r.producer
	r.cutOff, r.making = false, making{}
	r.homeEnd = p.router.dataEnd(p.node, &r.making)
	if !p.node.links(r.node) { // an import may come back on another node
		r.by = nil
	}
	r.askHome()
	all.begin()
	r.making.when(func() {
		if r.making.failure != nil {
			r.fail()
		}
		all.end()
	})
}

// missing is as for consumers.
func (c *dataConsumer) missing() bool { return c.node.gone != nil && c.transport.node.gone == nil }

// giveUp closes a missing data consumer, as one whose data producer was closed.
func (c *dataConsumer) giveUp() {
	c.node = c.transport.node
	c.closeForProducer()
}

func (c *dataConsumer) restore(all *round) {
	p, t := c.producer, c.transport
	switch {
	case p.lost || p.transport.lost:
		c.giveUp()
		return
	case p.node.gone != nil:
		return // it waits for that one too
	}
	c.relay = nil
	if p.node != t.node {
		c.relay = p.relayTo(t.node)
		c.relay.use()
	}
	c.node = t.node
	body := *c.request
	body.Paused, body.Subchannels = c.paused, c.subchannels
	all.ask(c.node, api.MethodTransportConsumeData, t.id, &body, func(_ api.ResponseBody, err error) {
		if err != nil && !c.closed {
			t.front().log.Warn("a data consumer does not come back", "node", t.node.name, "dataConsumerId", c.id, "error", err)
			c.giveUp()
		}
	})
	all.set(c.node, &c.entry)
}
