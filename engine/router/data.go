package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// dataProducerEntry is a data producer in its router's tables.
type dataProducerEntry struct {
	id        string
	entry     *transportEntry
	machine   *transport.DataProducer
	consumers []*dataConsumerEntry
	fanOuts   []*dataFeed // one for each shard that has consumers
}

// dataFeed is the data consumers of one data producer on one shard, and the subscriber that leads there. Its consumers change
// with that shard's turn held only.
type dataFeed struct {
	shard     *shard.Shard
	here      bool // producer and consumers are on one shard
	consumers []*dataConsumerEntry
}

// ForwardData implements transport.DataOutlet.
func (f *dataFeed) ForwardData(now unit.Time, m *data.Message) {
	if f.here {
		f.deliver(now, m)
		return
	}
	f.shard.PostDroppableSized(&dataDelivery{f, *m}, len(m.Data))
}

func (f *dataFeed) deliver(now unit.Time, m *data.Message) {
	for _, c := range f.consumers {
		c.deliver(now, m)
	}
}

// deliver hands a message to one consumer. A fault concerns the consumer's transport, not the producer's.
func (c *dataConsumerEntry) deliver(now unit.Time, m *data.Message) {
	actor := c.entry.actor
	defer actor.contain("data")
	if !actor.transport.Broken() {
		c.machine.HandleMessage(now, m)
		actor.settle(now)
	}
}

// dataDelivery carries a message to the fanOut on another shard.
type dataDelivery struct {
	fanOut  *dataFeed
	message data.Message
}

// Run implements shard.Message.
func (m *dataDelivery) Run(now unit.Time) { m.fanOut.deliver(now, &m.message) }

func (m *transportEntry) produceData(req *api.TransportProduceDataRequest) (api.ResponseBody, error) {
	if slices.ContainsFunc(m.dataProducers, func(p *dataProducerEntry) bool { return p.id == req.DataProducerID }) {
		return nil, api.Errorf("a DataProducer with same dataProducerId already exists [method:transport.produceData]")
	}
	if err := m.router.registry.Check(req.DataProducerID); err != nil {
		return nil, err
	}
	p := &dataProducerEntry{id: req.DataProducerID, entry: m}
	body, err := m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		var err error
		if p.machine, err = t.ProduceData(now, req); err != nil {
			return nil, err
		}
		return p.machine.Dump(), nil
	})
	if err != nil {
		return nil, err
	}
	m.dataProducers = append(m.dataProducers, p)
	m.router.dataProducers[p.id] = p
	m.router.registry.Add(p.id, p)
	return body, nil
}

func (m *transportEntry) consumeData(req *api.TransportConsumeDataRequest) (api.ResponseBody, error) {
	if slices.ContainsFunc(m.dataConsumers, func(c *dataConsumerEntry) bool { return c.id == req.DataConsumerID }) {
		return nil, api.Errorf("a DataConsumer with same dataConsumerId already exists [method:transport.consumeData]")
	}
	if err := m.router.registry.Check(req.DataConsumerID); err != nil {
		return nil, err
	}
	p := m.router.dataProducers[req.DataProducerID]
	if p == nil {
		// Upstream looks at the transport and the parameters before the data producer: keep the order of its errors.
		return m.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
			if err := t.CheckConsumeData(req); err != nil {
				return nil, err
			}
			return nil, api.NotFoundErrorf("DataProducer not found [dataProducerId:%s]", req.DataProducerID)
		})
	}
	c := &dataConsumerEntry{id: req.DataConsumerID, entry: m, producer: p}
	paused := p.machine.Paused() // changed by the control loop only
	body, err := m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		var err error
		if c.machine, err = t.ConsumeData(now, req); err != nil {
			return nil, err
		}
		c.machine.Attach(paused)
		return c.machine.Dump(t.BufferedAmounts(c.machine)), nil
	})
	if err != nil {
		return nil, err
	}
	m.dataConsumers = append(m.dataConsumers, c)
	p.consumers = append(p.consumers, c)
	m.router.registry.Add(c.id, c)
	p.subscribe(c)
	return body, nil
}

// subscribe has c's shard fed.
func (p *dataProducerEntry) subscribe(c *dataConsumerEntry) {
	s := c.entry.ctx.shard
	i := slices.IndexFunc(p.fanOuts, func(f *dataFeed) bool { return f.shard == s })
	if i >= 0 {
		f := p.fanOuts[i]
		c.entry.runEvenIfBroken(func(unit.Time) { f.consumers = append(f.consumers, c) })
		return
	}
	f := &dataFeed{shard: s, here: s == p.entry.ctx.shard, consumers: []*dataConsumerEntry{c}}
	p.fanOuts = append(p.fanOuts, f)
	p.entry.runEvenIfBroken(func(unit.Time) { p.machine.AddSubscriber(f) })
}

// unsubscribe forgets c, and its shard's fanOut if that has no consumer left.
func (p *dataProducerEntry) unsubscribe(c *dataConsumerEntry) {
	p.consumers = slices.DeleteFunc(p.consumers, func(o *dataConsumerEntry) bool { return o == c })
	s := c.entry.ctx.shard
	i := slices.IndexFunc(p.fanOuts, func(f *dataFeed) bool { return f.shard == s })
	f, left := p.fanOuts[i], 0
	c.entry.runEvenIfBroken(func(unit.Time) {
		f.consumers = slices.DeleteFunc(f.consumers, func(o *dataConsumerEntry) bool { return o == c })
		left = len(f.consumers)
	})
	if left == 0 {
		p.entry.runEvenIfBroken(func(unit.Time) { p.machine.RemoveSubscriber(f) })
		p.fanOuts = slices.Delete(p.fanOuts, i, i+1)
	}
}

func (p *dataProducerEntry) takesNotifications() {}

// HandleRequest implements Handler.
func (p *dataProducerEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodDataProducerDump:
		return p.do(func(unit.Time, *transport.Transport) (api.ResponseBody, error) { return p.machine.Dump(), nil })
	case api.MethodDataProducerGetStats:
		return p.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
			return p.machine.Stats(now), nil
		})
	case api.MethodDataProducerPause:
		return p.switchTo((*data.Producer).Pause, (*data.Consumer).HandleProducerPaused)
	case api.MethodDataProducerResume:
		return p.switchTo((*data.Producer).Resume, (*data.Consumer).HandleProducerResumed)
	}
	return nil, unsupported(req.Method)
}

// HandleNotification implements Handler.
func (p *dataProducerEntry) HandleNotification(n *api.Notification) (bool, error) {
	body, ok := n.Body.(*api.DataProducerSendNotification)
	if n.Event != api.EventDataProducerSend || !ok || body == nil {
		return false, nil
	}
	_, err := p.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		return nil, t.HandleDataProducerSend(now, p.machine, body)
	})
	return true, err
}

func (p *dataProducerEntry) do(f func(now unit.Time, t *transport.Transport) (api.ResponseBody, error)) (api.ResponseBody, error) {
	return p.entry.do(f)
}

// switchTo pauses or resumes the producer, and tells each consumer if that changed something.
func (p *dataProducerEntry) switchTo(set func(*data.Producer) bool, tell func(*data.Consumer)) (api.ResponseBody, error) {
	changed := false
	if _, err := p.do(func(unit.Time, *transport.Transport) (api.ResponseBody, error) {
		changed = set(p.machine.Producer)
		return nil, nil
	}); err != nil || !changed {
		return nil, err
	}
	for _, c := range p.consumers {
		_ = c.tell(tell) // a transport out of service has nobody to be told
	}
	return nil, nil
}

// close closes the producer's consumers, which notifies the application, and then the producer.
func (p *dataProducerEntry) close() {
	for _, c := range slices.Clone(p.consumers) {
		_ = c.tell((*data.Consumer).HandleProducerClosed) // as above
		c.close()
	}
	p.entry.runEvenIfBroken(func(now unit.Time) { p.entry.actor.transport.CloseDataProducer(now, p.machine) })
	p.entry.dataProducers = slices.DeleteFunc(p.entry.dataProducers, func(o *dataProducerEntry) bool { return o == p })
	delete(p.entry.router.dataProducers, p.id)
	p.entry.router.registry.Remove(p.id)
}

// dataConsumerEntry is a data consumer in its router's tables.
type dataConsumerEntry struct {
	id       string
	entry    *transportEntry
	producer *dataProducerEntry
	machine  *transport.DataConsumer
}

// HandleNotification implements Handler; data consumers take none.
func (c *dataConsumerEntry) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (c *dataConsumerEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodDataConsumerDump:
		return c.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
			return c.machine.Dump(t.BufferedAmounts(c.machine)), nil
		})
	case api.MethodDataConsumerGetStats:
		return c.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
			return c.machine.Stats(now, t.BufferedAmounts(c.machine)), nil
		})
	case api.MethodDataConsumerPause:
		return nil, c.tell((*data.Consumer).Pause)
	case api.MethodDataConsumerResume:
		return nil, c.tell((*data.Consumer).Resume)
	case api.MethodDataConsumerGetBufferedAmount:
		return c.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
			if err := c.machine.RequireSCTP(); err != nil {
				return nil, err
			}
			return &api.DataConsumerGetBufferedAmountResponse{BufferedAmount: t.BufferedAmounts(c.machine).Amount}, nil
		})
	case api.MethodDataConsumerSetBufferedAmountLowThreshold:
		return with(req, func(b *api.DataConsumerSetBufferedAmountLowThresholdRequest) (api.ResponseBody, error) {
			return c.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
				return nil, t.SetBufferedAmountLowThreshold(now, c.machine, b.Threshold)
			})
		})
	case api.MethodDataConsumerSend:
		return with(req, func(b *api.DataConsumerSendRequest) (api.ResponseBody, error) {
			return c.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
				return reply(t.SendData(now, c.machine, b))
			})
		})
	}
	return c.handleSubchannels(req)
}

func (c *dataConsumerEntry) handleSubchannels(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodDataConsumerSetSubchannels:
		return with(req, func(b *api.DataConsumerSetSubchannelsRequest) (api.ResponseBody, error) {
			return c.do(func(unit.Time, *transport.Transport) (api.ResponseBody, error) {
				c.machine.SetSubchannels(b.Subchannels)
				return &api.DataConsumerSetSubchannelsResponse{Subchannels: c.machine.Subchannels()}, nil
			})
		})
	case api.MethodDataConsumerAddSubchannel:
		return with(req, func(b *api.DataConsumerAddSubchannelRequest) (api.ResponseBody, error) {
			return c.do(func(unit.Time, *transport.Transport) (api.ResponseBody, error) {
				c.machine.AddSubchannel(b.Subchannel)
				return &api.DataConsumerAddSubchannelResponse{Subchannels: c.machine.Subchannels()}, nil
			})
		})
	case api.MethodDataConsumerRemoveSubchannel:
		return with(req, func(b *api.DataConsumerRemoveSubchannelRequest) (api.ResponseBody, error) {
			return c.do(func(unit.Time, *transport.Transport) (api.ResponseBody, error) {
				c.machine.RemoveSubchannel(b.Subchannel)
				return &api.DataConsumerRemoveSubchannelResponse{Subchannels: c.machine.Subchannels()}, nil
			})
		})
	}
	return nil, unsupported(req.Method)
}

func (c *dataConsumerEntry) do(f func(now unit.Time, t *transport.Transport) (api.ResponseBody, error)) (api.ResponseBody, error) {
	return c.entry.do(f)
}

// tell changes the machine and hands on what follows.
func (c *dataConsumerEntry) tell(f func(*data.Consumer)) error {
	_, err := c.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		t.UpdateDataConsumer(c.machine, f)
		return nil, nil
	})
	return err
}

// close closes the consumer and removes it from the tables; nobody is notified.
func (c *dataConsumerEntry) close() {
	c.entry.runEvenIfBroken(func(now unit.Time) { c.entry.actor.transport.CloseDataConsumer(now, c.machine) })
	c.producer.unsubscribe(c)
	c.entry.dataConsumers = slices.DeleteFunc(c.entry.dataConsumers, func(o *dataConsumerEntry) bool { return o == c })
	c.entry.router.registry.Remove(c.id)
}
