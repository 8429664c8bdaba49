package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// consumerEntry is a consumer in its router's tables.
type consumerEntry struct {
	id       string
	entry    *transportEntry
	producer *producerEntry
	machine  *transport.Consumer
}

// consume makes the consumer on its own shard, attaches it on the producer's, which posts the producer's state ahead of later
// updates, and answers when that has arrived.
func (m *transportEntry) consume(req *api.TransportConsumeRequest) (api.ResponseBody, error) {
	sibling := func(c *consumerEntry) bool { return c.entry == m }
	if err := CheckNew(&m.router.scope.Registry, req.ConsumerID, sibling,
		"a Consumer with same consumerId", api.MethodTransportConsume); err != nil {
		return nil, err
	}
	p := m.router.producers[req.ProducerID]
	if p == nil {
		return nil, m.refuseConsume(req)
	}
	c := &consumerEntry{id: req.ConsumerID, entry: m, producer: p}
	if err := m.do("transport.consume", func(now unit.Time) (err error) {
		if c.machine, err = m.transport.Consume(now, req, p.feedback); err == nil {
			p.fanOut.Add(c.machine, m.actor)
		}
		return err
	}); err != nil {
		return nil, err
	}
	m.consumers = append(m.consumers, c)
	p.consumers = append(p.consumers, c)
	m.router.scope.Add(c.id, c)
	p.fanOut.Attach(c.machine, m.actor)
	var response *api.TransportConsumeResponse
	err := m.do("transport.consume", func(unit.Time) error {
		response = c.machine.Response()
		return nil
	})
	return reply(response, err)
}

// refuseConsume returns the error for a producer that does not exist. mediasoup looks at the parameters first.
func (m *transportEntry) refuseConsume(req *api.TransportConsumeRequest) error {
	return m.do("transport.consume", func(unit.Time) error {
		env := m.actor.Env()
		if _, err := media.NewConsumer(req, env.Compat, env.Rand); err != nil {
			return err
		}
		return api.NotFoundErrorf("Producer not found [producerId:%s]", req.ProducerID)
	})
}

// RouterID implements Handler.
func (c *consumerEntry) RouterID() string { return c.entry.router.id }

// HandleNotification implements Handler; consumers take none.
func (c *consumerEntry) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (c *consumerEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	return consumerMethods.Handle(c, req)
}

var consumerMethods = Methods[*consumerEntry]{
	api.MethodConsumerDump: inTurn(func(c *consumerEntry, _ unit.Time) (api.ResponseBody, error) {
		return c.machine.Dump(), nil
	}),
	api.MethodConsumerGetStats: NoBody((*consumerEntry).stats),
	api.MethodConsumerPause: inTurn(func(c *consumerEntry, now unit.Time) (api.ResponseBody, error) {
		c.machine.Pause(now)
		return nil, nil
	}),
	api.MethodConsumerResume: inTurn(func(c *consumerEntry, now unit.Time) (api.ResponseBody, error) {
		c.machine.Resume(now)
		return nil, nil
	}),
	api.MethodConsumerRequestKeyFrame: inTurn(func(c *consumerEntry, now unit.Time) (api.ResponseBody, error) {
		c.machine.RequestKeyFrame(now)
		return nil, nil
	}),
	api.MethodConsumerSetPreferredLayers: inTurnWith(func(
		c *consumerEntry, now unit.Time, req *api.ConsumerSetPreferredLayersRequest,
	) (api.ResponseBody, error) {
		return c.machine.SetPreferredLayers(now, req), nil
	}),
	api.MethodConsumerSetPriority: inTurnWith(func(
		c *consumerEntry, _ unit.Time, req *api.ConsumerSetPriorityRequest,
	) (*api.ConsumerSetPriorityResponse, error) {
		return c.machine.SetPriority(req)
	}),
	api.MethodConsumerEnableTraceEvent: inTurnWith(func(
		c *consumerEntry, _ unit.Time, req *api.ConsumerEnableTraceEventRequest,
	) (api.ResponseBody, error) {
		c.machine.EnableTraceEvents(req.Events)
		return nil, nil
	}),
}

// do implements onShard, and passes on what f makes the consumer produce.
func (c *consumerEntry) do(what string, f func(now unit.Time) error) error {
	return c.entry.do(what, func(now unit.Time) (err error) {
		c.entry.transport.Update(now, c.machine, func(*media.Consumer) { err = f(now) })
		return err
	})
}

// follow gives the consumer a change of its producer. A broken transport needs none.
func (c *consumerEntry) follow(what string, f func(*transport.Transport, unit.Time, *transport.Consumer)) {
	_ = c.entry.do(what, func(now unit.Time) error {
		f(c.entry.transport, now, c.machine)
		return nil
	})
}

// stats returns the consumer's statistics followed by those of the producer's stream that it forwards, as in mediasoup.
func (c *consumerEntry) stats() (*api.ConsumerGetStatsResponse, error) {
	var mapped unit.SSRC
	var forwards bool
	var own *api.ConsumerGetStatsResponse
	if err := c.do("consumer.getStats", func(now unit.Time) error {
		own = c.machine.Stats(now)
		mapped, forwards = c.machine.ProducerStream()
		return nil
	}); err != nil || !forwards {
		return own, err
	}
	p := c.producer
	// If the producer is broken, the consumer's own statistics are the answer.
	_ = p.do("consumer.getStats", func(now unit.Time) error {
		if s := p.machine.StreamStats(now, mapped); s != nil {
			own.Stats = append(own.Stats, *s)
		}
		return nil
	})
	return own, nil
}

// close closes the consumer at the application's request, without a notification.
func (c *consumerEntry) close() {
	c.follow("closing of the consumer", (*transport.Transport).CloseConsumer)
	c.producer.fanOut.Remove(c.machine, c.entry.actor)
	c.producer.consumers = slices.DeleteFunc(c.producer.consumers, func(o *consumerEntry) bool { return o == c })
	c.leave()
}

// leave removes the consumer from the tables of its transport and Router.
func (c *consumerEntry) leave() {
	c.entry.consumers = slices.DeleteFunc(c.entry.consumers, func(o *consumerEntry) bool { return o == c })
	c.entry.router.scope.Remove(c.id)
}
