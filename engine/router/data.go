package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// dataProducer is a data producer in its router's tables.
type dataProducer struct {
	id        string
	member    *member
	machine   *transport.DataProducer
	consumers []*dataConsumer
	feeds     []*dataFeed // one for each shard that has consumers
}

// dataFeed is the data consumers of one data producer on one shard, and the outlet that leads there. Its consumers change
// with that shard's turn held only.
type dataFeed struct {
	shard     *shard.Shard
	here      bool // producer and consumers are on one shard
	consumers []*dataConsumer
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
func (c *dataConsumer) deliver(now unit.Time, m *data.Message) {
	seat := c.member.seat
	defer seat.contain("data")
	if !seat.transport.Broken() {
		c.machine.HandleMessage(now, m)
		seat.settle(now)
	}
}

// dataDelivery carries a message to the feed on another shard.
type dataDelivery struct {
	feed    *dataFeed
	message data.Message
}

// Run implements shard.Message.
func (m *dataDelivery) Run(now unit.Time) { m.feed.deliver(now, &m.message) }

func (m *member) produceData(req *api.TransportProduceDataRequest) (api.ResponseBody, error) {
	if slices.ContainsFunc(m.dataProducers, func(p *dataProducer) bool { return p.id == req.DataProducerID }) {
		return nil, api.Errorf("a DataProducer with same dataProducerId already exists [method:transport.produceData]")
	}
	if err := m.router.registry.Check(req.DataProducerID); err != nil {
		return nil, err
	}
	p := &dataProducer{id: req.DataProducerID, member: m}
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

func (m *member) consumeData(req *api.TransportConsumeDataRequest) (api.ResponseBody, error) {
	if slices.ContainsFunc(m.dataConsumers, func(c *dataConsumer) bool { return c.id == req.DataConsumerID }) {
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
	c := &dataConsumer{id: req.DataConsumerID, member: m, producer: p}
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
func (p *dataProducer) subscribe(c *dataConsumer) {
	s := c.member.place.shard
	i := slices.IndexFunc(p.feeds, func(f *dataFeed) bool { return f.shard == s })
	if i >= 0 {
		f := p.feeds[i]
		c.member.always(func(unit.Time) { f.consumers = append(f.consumers, c) })
		return
	}
	f := &dataFeed{shard: s, here: s == p.member.place.shard, consumers: []*dataConsumer{c}}
	p.feeds = append(p.feeds, f)
	p.member.always(func(unit.Time) { p.machine.AddOutlet(f) })
}

// unsubscribe forgets c, and its shard's feed if that has no consumer left.
func (p *dataProducer) unsubscribe(c *dataConsumer) {
	p.consumers = slices.DeleteFunc(p.consumers, func(o *dataConsumer) bool { return o == c })
	s := c.member.place.shard
	i := slices.IndexFunc(p.feeds, func(f *dataFeed) bool { return f.shard == s })
	f, left := p.feeds[i], 0
	c.member.always(func(unit.Time) {
		f.consumers = slices.DeleteFunc(f.consumers, func(o *dataConsumer) bool { return o == c })
		left = len(f.consumers)
	})
	if left == 0 {
		p.member.always(func(unit.Time) { p.machine.RemoveOutlet(f) })
		p.feeds = slices.Delete(p.feeds, i, i+1)
	}
}

func (p *dataProducer) takesNotifications() {}

// HandleRequest implements Handler.
func (p *dataProducer) HandleRequest(req *api.Request) (api.ResponseBody, error) {
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
func (p *dataProducer) HandleNotification(n *api.Notification) (bool, error) {
	body, ok := n.Body.(*api.DataProducerSendNotification)
	if n.Event != api.EventDataProducerSend || !ok || body == nil {
		return false, nil
	}
	_, err := p.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		return nil, t.HandleDataProducerSend(now, p.machine, body)
	})
	return true, err
}

func (p *dataProducer) do(f func(now unit.Time, t *transport.Transport) (api.ResponseBody, error)) (api.ResponseBody, error) {
	return p.member.do(f)
}

// switchTo pauses or resumes the producer, and tells each consumer if that changed something.
func (p *dataProducer) switchTo(set func(*data.Producer) bool, tell func(*data.Consumer)) (api.ResponseBody, error) {
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
func (p *dataProducer) close() {
	for _, c := range slices.Clone(p.consumers) {
		_ = c.tell((*data.Consumer).HandleProducerClosed) // as above
		c.close()
	}
	p.member.always(func(now unit.Time) { p.member.seat.transport.CloseDataProducer(now, p.machine) })
	p.member.dataProducers = slices.DeleteFunc(p.member.dataProducers, func(o *dataProducer) bool { return o == p })
	delete(p.member.router.dataProducers, p.id)
	p.member.router.registry.Remove(p.id)
}

// dataConsumer is a data consumer in its router's tables.
type dataConsumer struct {
	id       string
	member   *member
	producer *dataProducer
	machine  *transport.DataConsumer
}

// HandleNotification implements Handler; data consumers take none.
func (c *dataConsumer) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (c *dataConsumer) HandleRequest(req *api.Request) (api.ResponseBody, error) {
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

func (c *dataConsumer) handleSubchannels(req *api.Request) (api.ResponseBody, error) {
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

func (c *dataConsumer) do(f func(now unit.Time, t *transport.Transport) (api.ResponseBody, error)) (api.ResponseBody, error) {
	return c.member.do(f)
}

// tell changes the machine and hands on what follows.
func (c *dataConsumer) tell(f func(*data.Consumer)) error {
	_, err := c.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		t.UpdateDataConsumer(c.machine, f)
		return nil, nil
	})
	return err
}

// close closes the consumer and removes it from the tables; nobody is notified.
func (c *dataConsumer) close() {
	c.member.always(func(now unit.Time) { c.member.seat.transport.CloseDataConsumer(now, c.machine) })
	c.producer.unsubscribe(c)
	c.member.dataConsumers = slices.DeleteFunc(c.member.dataConsumers, func(o *dataConsumer) bool { return o == c })
	c.member.router.registry.Remove(c.id)
}
