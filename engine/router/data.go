package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// dataProducerEntry is a data producer in its router's tables.
type dataProducerEntry struct {
	id        string
	entry     *transportEntry
	machine   *transport.DataProducer
	fanOut    *runner.DataFanOut
	consumers []*dataConsumerEntry
}

func (m *transportEntry) produceData(req *api.TransportProduceDataRequest) (api.ResponseBody, error) {
	sibling := func(p *dataProducerEntry) bool { return p.entry == m }
	if err := CheckNew(&m.router.scope.Registry, req.DataProducerID, sibling,
		"a DataProducer with same dataProducerId", api.MethodTransportProduceData); err != nil {
		return nil, err
	}
	p := &dataProducerEntry{id: req.DataProducerID, entry: m}
	var response *api.DataProducerDumpResponse
	if err := m.do("transport.produceData", func(now unit.Time) (err error) {
		if p.machine, err = m.transport.ProduceData(now, req); err == nil {
			response = p.machine.Dump()
		}
		return err
	}); err != nil {
		return nil, err
	}
	p.fanOut = runner.NewDataFanOut(p.machine, m.actor)
	m.dataProducers = append(m.dataProducers, p)
	m.router.dataProducers[p.id] = p
	m.router.scope.Add(p.id, p)
	return response, nil
}

func (p *dataProducerEntry) takesNotifications() {}

// RouterID implements Handler.
func (p *dataProducerEntry) RouterID() string { return p.entry.router.id }

// HandleNotification implements Handler.
func (p *dataProducerEntry) HandleNotification(n *api.Notification) (bool, error) {
	body, ok := n.Body.(*api.DataProducerSendNotification)
	if n.Event != api.EventDataProducerSend || !ok || body == nil {
		return false, nil
	}
	return true, p.do("dataProducer.send", func(now unit.Time) error {
		return p.entry.transport.HandleDataProducerSend(now, p.machine, body)
	})
}

// HandleRequest implements Handler.
func (p *dataProducerEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	return dataProducerMethods.Handle(p, req)
}

var dataProducerMethods = Methods[*dataProducerEntry]{
	api.MethodDataProducerDump: inTurn(func(p *dataProducerEntry, _ unit.Time) (api.ResponseBody, error) {
		return p.machine.Dump(), nil
	}),
	api.MethodDataProducerGetStats: inTurn(func(p *dataProducerEntry, now unit.Time) (api.ResponseBody, error) {
		return p.machine.Stats(now), nil
	}),
	api.MethodDataProducerPause: NoBody(func(p *dataProducerEntry) (api.ResponseBody, error) {
		return nil, p.change("dataProducer.pause", (*data.Producer).Pause, (*data.Consumer).HandleProducerPaused)
	}),
	api.MethodDataProducerResume: NoBody(func(p *dataProducerEntry) (api.ResponseBody, error) {
		return nil, p.change("dataProducer.resume", (*data.Producer).Resume, (*data.Consumer).HandleProducerResumed)
	}),
}

// do implements onShard.
func (p *dataProducerEntry) do(what string, f func(now unit.Time) error) error {
	return p.entry.do(what, f)
}

// change pauses or resumes the producer, and if that changed something its consumers, which notify the application.
func (p *dataProducerEntry) change(what string, producer func(*data.Producer) bool, consumer func(*data.Consumer)) error {
	changed := false
	if err := p.do(what, func(unit.Time) error {
		changed = producer(p.machine.Producer)
		return nil
	}); err != nil || !changed {
		return err
	}
	for _, c := range p.consumers {
		c.follow(what, consumer)
	}
	return nil
}

// close closes the producer's consumers, which notifies the application, and then the producer.
func (p *dataProducerEntry) close() {
	p.fanOut.Close()
	for _, c := range p.consumers {
		c.follow("closing of the data producer", (*data.Consumer).HandleProducerClosed)
		c.leave()
	}
	p.consumers = nil
	p.entry.actor.Do("closing of the data producer", func(now unit.Time) { p.entry.transport.CloseDataProducer(now, p.machine) })
	p.entry.dataProducers = slices.DeleteFunc(p.entry.dataProducers, func(o *dataProducerEntry) bool { return o == p })
	delete(p.entry.router.dataProducers, p.id)
	p.entry.router.scope.Remove(p.id)
}

// dataConsumerEntry is a data consumer in its router's tables.
type dataConsumerEntry struct {
	id       string
	entry    *transportEntry
	producer *dataProducerEntry
	machine  *transport.DataConsumer
}

func (m *transportEntry) consumeData(req *api.TransportConsumeDataRequest) (api.ResponseBody, error) {
	sibling := func(c *dataConsumerEntry) bool { return c.entry == m }
	if err := CheckNew(&m.router.scope.Registry, req.DataConsumerID, sibling,
		"a DataConsumer with same dataConsumerId", api.MethodTransportConsumeData); err != nil {
		return nil, err
	}
	p := m.router.dataProducers[req.DataProducerID]
	if p == nil {
		return nil, m.refuseConsumeData(req)
	}
	c := &dataConsumerEntry{id: req.DataConsumerID, entry: m, producer: p}
	paused := p.machine.Paused() // changed by the control loop only
	var response *api.DataConsumerDumpResponse
	if err := m.do("transport.consumeData", func(now unit.Time) (err error) {
		if c.machine, err = m.transport.ConsumeData(now, req); err == nil {
			c.machine.Attach(paused)
			response = c.machine.Dump(m.transport.BufferedAmounts(c.machine))
		}
		return err
	}); err != nil {
		return nil, err
	}
	m.dataConsumers = append(m.dataConsumers, c)
	p.consumers = append(p.consumers, c)
	m.router.scope.Add(c.id, c)
	p.fanOut.Add(c.machine, m.actor)
	return response, nil
}

// refuseConsumeData returns the error for a data producer that does not exist. mediasoup looks at the transport and the
// parameters first.
func (m *transportEntry) refuseConsumeData(req *api.TransportConsumeDataRequest) error {
	return m.do("transport.consumeData", func(unit.Time) error {
		if err := m.transport.CheckConsumeData(req); err != nil {
			return err
		}
		return api.NotFoundErrorf("DataProducer not found [dataProducerId:%s]", req.DataProducerID)
	})
}

// RouterID implements Handler.
func (c *dataConsumerEntry) RouterID() string { return c.entry.router.id }

// HandleNotification implements Handler; data consumers take none.
func (c *dataConsumerEntry) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (c *dataConsumerEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	return dataConsumerMethods.Handle(c, req)
}

var dataConsumerMethods = Methods[*dataConsumerEntry]{
	api.MethodDataConsumerDump: inTurn(func(c *dataConsumerEntry, _ unit.Time) (api.ResponseBody, error) {
		return c.machine.Dump(c.buffered()), nil
	}),
	api.MethodDataConsumerGetStats: inTurn(func(c *dataConsumerEntry, now unit.Time) (api.ResponseBody, error) {
		return c.machine.Stats(now, c.buffered()), nil
	}),
	api.MethodDataConsumerPause: NoBody(func(c *dataConsumerEntry) (api.ResponseBody, error) {
		return nil, c.update("dataConsumer.pause", (*data.Consumer).Pause)
	}),
	api.MethodDataConsumerResume: NoBody(func(c *dataConsumerEntry) (api.ResponseBody, error) {
		return nil, c.update("dataConsumer.resume", (*data.Consumer).Resume)
	}),
	api.MethodDataConsumerGetBufferedAmount: inTurn(func(c *dataConsumerEntry, _ unit.Time) (api.ResponseBody, error) {
		if err := c.machine.RequireSCTP(); err != nil {
			return nil, err
		}
		return &api.DataConsumerGetBufferedAmountResponse{BufferedAmount: c.buffered().Amount}, nil
	}),
	api.MethodDataConsumerSetBufferedAmountLowThreshold: inTurnWith(func(
		c *dataConsumerEntry, now unit.Time, req *api.DataConsumerSetBufferedAmountLowThresholdRequest,
	) (api.ResponseBody, error) {
		return nil, c.entry.transport.SetBufferedAmountLowThreshold(now, c.machine, req.Threshold)
	}),
	api.MethodDataConsumerSend: inTurnWith(func(
		c *dataConsumerEntry, now unit.Time, req *api.DataConsumerSendRequest,
	) (*api.DataConsumerSendResponse, error) {
		return c.entry.transport.SendData(now, c.machine, req)
	}),
	api.MethodDataConsumerSetSubchannels: inTurnWith(func(
		c *dataConsumerEntry, _ unit.Time, req *api.DataConsumerSetSubchannelsRequest,
	) (api.ResponseBody, error) {
		c.machine.SetSubchannels(req.Subchannels)
		return &api.DataConsumerSetSubchannelsResponse{Subchannels: c.machine.Subchannels()}, nil
	}),
	api.MethodDataConsumerAddSubchannel: inTurnWith(func(
		c *dataConsumerEntry, _ unit.Time, req *api.DataConsumerAddSubchannelRequest,
	) (api.ResponseBody, error) {
		c.machine.AddSubchannel(req.Subchannel)
		return &api.DataConsumerAddSubchannelResponse{Subchannels: c.machine.Subchannels()}, nil
	}),
	api.MethodDataConsumerRemoveSubchannel: inTurnWith(func(
		c *dataConsumerEntry, _ unit.Time, req *api.DataConsumerRemoveSubchannelRequest,
	) (api.ResponseBody, error) {
		c.machine.RemoveSubchannel(req.Subchannel)
		return &api.DataConsumerRemoveSubchannelResponse{Subchannels: c.machine.Subchannels()}, nil
	}),
}

// buffered returns what waits on the consumer's stream. The shard's turn is held.
func (c *dataConsumerEntry) buffered() data.BufferedAmounts {
	return c.entry.transport.BufferedAmounts(c.machine)
}

// do implements onShard.
func (c *dataConsumerEntry) do(what string, f func(now unit.Time) error) error {
	return c.entry.do(what, f)
}

// update changes the machine, which may notify the application.
func (c *dataConsumerEntry) update(what string, f func(*data.Consumer)) error {
	return c.do(what, func(now unit.Time) error {
		c.entry.transport.UpdateDataConsumer(now, c.machine, f)
		return nil
	})
}

// follow is update for a change of the data producer. A broken transport needs none.
func (c *dataConsumerEntry) follow(what string, f func(*data.Consumer)) { _ = c.update(what, f) }

// close closes the consumer and removes it from the tables, without a notification.
func (c *dataConsumerEntry) close() {
	c.producer.fanOut.Remove(c.machine, c.entry.actor)
	c.producer.consumers = slices.DeleteFunc(c.producer.consumers, func(o *dataConsumerEntry) bool { return o == c })
	c.leave()
}

// leave closes the consumer and removes it from the tables of its transport and Router.
func (c *dataConsumerEntry) leave() {
	c.entry.actor.Do("closing of the data consumer", func(now unit.Time) { c.entry.transport.CloseDataConsumer(now, c.machine) })
	c.entry.dataConsumers = slices.DeleteFunc(c.entry.dataConsumers, func(o *dataConsumerEntry) bool { return o == c })
	c.entry.router.scope.Remove(c.id)
}
