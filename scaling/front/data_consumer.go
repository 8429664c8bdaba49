package front

import "gazpacho/engine/api"

// dataConsumer is a data consumer of the application.
type dataConsumer struct {
	entry
	transport *transport
	producer  *dataProducer
	relay     *dataRelay // nil at the data producer's home
	request   *api.TransportConsumeDataRequest

	paused      bool
	subchannels []uint16
}

func consumeData(o *operation, t *transport) *gate {
	body, err := api.BodyOf[api.TransportConsumeDataRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	wait, err := f.checkID(body.DataConsumerID, func(obj object) bool { c, is := obj.(*dataConsumer); return is && c.transport == t },
		"a DataConsumer with same dataConsumerId", o.req.Method)
	if wait != nil || err != nil {
		return o.waitOrRefuse(wait, err)
	}
	p, _ := f.objects[body.DataProducerID].(*dataProducer)
	switch {
	case p == nil || p.router != t.router:
		return o.pass(t.node) // which refuses it, for this or for another reason
	case p.creating:
		return &p.made
	case p.lost:
		return o.refuse(api.Errorf("the data producer is gone [method:%s]", o.req.Method.Name()))
	case p.node.gone != nil:
		return o.refuse(p.node.errGone(o.req.Method))
	case t.node.gone != nil:
		return o.refuse(t.node.errGone(o.req.Method))
	}
	c := &dataConsumer{
		entry: entry{id: body.DataConsumerID, router: t.router, node: t.node, creating: true}, transport: t, producer: p, request: body,
		paused: body.Paused, subchannels: body.Subchannels,
	}
	if p.node != t.node {
		c.relay = p.relayTo(t.node)
		c.relay.use()
	}
	o.enter(c)
	t.dataConsumers = append(t.dataConsumers, c)
	p.consumers = append(p.consumers, c)
	c.create(o)
	return nil
}

func (c *dataConsumer) create(o *operation) {
	f := o.front
	var answer api.ResponseBody
	var refusal error
	closeAgain := func() {
		c.node.tell(api.MethodTransportCloseDataConsumer, c.transport.id, &api.TransportCloseDataConsumerRequest{DataConsumerID: c.id})
	}
	part := join(2, func() {
		if c.relay != nil && c.relay.failure() != nil {
			if refusal == nil {
				closeAgain()
				c.neverWas()
			}
			refusal = c.relay.failure()
		}
		if refusal != nil {
			o.refuse(refusal)
			return
		}
		o.answer(answer, nil)
		f.settle(c)
	})
	call := c.node.ask(o.req.Method, c.transport.id, c.request, func(body api.ResponseBody, err error) {
		answer, refusal = body, err
		if err != nil { // now, though the relay may be under way for longer
			c.neverWas()
		}
		part()
	})
	call.late = closeAgain
	if c.relay == nil {
		part()
		return
	}
	c.relay.whenMade(part)
}

func closeDataConsumer(o *operation, t *transport) *gate {
	body, err := api.BodyOf[api.TransportCloseDataConsumerRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	c, ok := o.front.objects[body.DataConsumerID].(*dataConsumer)
	switch {
	case !ok || c.transport != t:
		return o.pass(t.node) // which says why not
	case c.creating:
		return &c.made
	}
	c.forget()
	return o.passClose(t.node)
}

// neverWas is forget for a request that was refused: the application hears nothing of what it asked for.
func (c *dataConsumer) neverWas() {
	c.forget()
	c.transport.front().neverWas(c)
}

// forget takes the data consumer out of the tables.
func (c *dataConsumer) forget() {
	if c.closed {
		return
	}
	c.transport.front().remove(c)
	c.transport.dataConsumers = without(c.transport.dataConsumers, c)
	c.producer.consumers = without(c.producer.consumers, c)
	if c.relay != nil {
		c.relay.unuse()
	}
}

// closeForProducer tells the application that the data consumer is closed since its data producer is.
func (c *dataConsumer) closeForProducer() {
	c.transport.front().orphan(c, api.EventDataConsumerDataProducerClose)
	c.forget()
}

func pauseDataConsumer(o *operation, c *dataConsumer) *gate {
	return o.passThen(c.node, func(api.ResponseBody) { c.paused = true })
}

func resumeDataConsumer(o *operation, c *dataConsumer) *gate {
	return o.passThen(c.node, func(api.ResponseBody) { c.paused = false })
}

// changeSubchannels passes on what changes the subchannels; each answer says which ones apply then.
func changeSubchannels(o *operation, c *dataConsumer) *gate {
	return o.passThen(c.node, func(answer api.ResponseBody) {
		switch a := answer.(type) {
		case *api.DataConsumerSetSubchannelsResponse:
			c.subchannels = a.Subchannels
		case *api.DataConsumerAddSubchannelResponse:
			c.subchannels = a.Subchannels
		case *api.DataConsumerRemoveSubchannelResponse:
			c.subchannels = a.Subchannels
		}
	})
}
