package router

import (
	"context"
	"log/slog"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// transportEntry is a transport in its router's tables.
type transportEntry struct {
	id        string
	router    *Router
	ctx       *ShardContext
	actor     *TransportActor
	producers []*producerEntry
	consumers []*consumerEntry

	dataProducers []*dataProducerEntry
	dataConsumers []*dataConsumerEntry

	server *Server // behind whose ports a WebRtcTransport is, else nil
}

// env returns the environment of the member's transport.
func (m *transportEntry) env() transport.Env {
	env := m.ctx.env
	env.Wake = m.actor.wake
	env.DataConsumerClosed = m.router.runner.peerClosed.report
	return env
}

func (m *transportEntry) takesNotifications() {}

// do runs f as the member's shard and turns a fault of ours into an error for the application.
func (m *transportEntry) do(f func(now unit.Time, t *transport.Transport) (api.ResponseBody, error)) (body api.ResponseBody, err error) {
	ok := m.actor.do(func(now unit.Time) {
		if m.actor.transport.Broken() {
			err = errBroken(m.id)
			return
		}
		body, err = f(now, m.actor.transport)
	})
	if !ok {
		return nil, errBroken(m.id)
	}
	return body, err
}

// runEvenIfBroken runs f as the member's shard, also when the transport is out of service: for clearing up.
func (m *transportEntry) runEvenIfBroken(f func(now unit.Time)) { m.actor.do(f) }

func errBroken(id string) error {
	return api.Errorf("Transport %s is out of service after an internal error, see the worker's log; close it", id)
}

// HandleRequest implements Handler.
func (m *transportEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodTransportDump:
		return m.dump()
	case api.MethodTransportGetStats:
		return m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) { return t.Stats(now), nil })
	case api.MethodPlainTransportConnect:
		if m.actor.plain != nil && m.actor.pipe == nil {
			return with(req, m.connectPlain)
		}
	case api.MethodPipeTransportConnect:
		if m.actor.pipe != nil {
			return with(req, m.connectPipe)
		}
	case api.MethodWebRtcTransportConnect:
		if m.actor.webRtc != nil {
			return with(req, m.connectWebRtc)
		}
	case api.MethodTransportRestartICE:
		if m.actor.webRtc != nil {
			return m.restartICE()
		}
	case api.MethodTransportSetMaxIncomingBitrate:
		return with(req, func(b *api.TransportSetMaxIncomingBitrateRequest) (api.ResponseBody, error) {
			return m.limit(b.MaxIncomingBitrate, (*transport.Transport).SetMaxIncomingBitrate)
		})
	case api.MethodTransportSetMaxOutgoingBitrate:
		return with(req, func(b *api.TransportSetMaxOutgoingBitrateRequest) (api.ResponseBody, error) {
			return m.limit(b.MaxOutgoingBitrate, (*transport.Transport).SetMaxOutgoingBitrate)
		})
	case api.MethodTransportSetMinOutgoingBitrate:
		return with(req, func(b *api.TransportSetMinOutgoingBitrateRequest) (api.ResponseBody, error) {
			return m.limit(b.MinOutgoingBitrate, (*transport.Transport).SetMinOutgoingBitrate)
		})
	case api.MethodTransportEnableTraceEvent:
		return with(req, m.enableTraceEvents)
	case api.MethodTransportProduce:
		return with(req, m.produce)
	case api.MethodTransportConsume:
		return with(req, m.consume)
	case api.MethodTransportCloseProducer:
		return with(req, m.closeProducer)
	case api.MethodTransportCloseConsumer:
		return with(req, m.closeConsumer)
	case api.MethodTransportProduceData:
		return with(req, m.produceData)
	case api.MethodTransportConsumeData:
		return with(req, m.consumeData)
	case api.MethodTransportCloseDataProducer:
		return with(req, m.closeDataProducer)
	case api.MethodTransportCloseDataConsumer:
		return with(req, m.closeDataConsumer)
	}
	return nil, unsupported(req.Method)
}

// HandleNotification implements Handler.
func (m *transportEntry) HandleNotification(n *api.Notification) (bool, error) {
	body, ok := n.Body.(*api.TransportSendRTCPNotification)
	if n.Event != api.EventTransportSendRTCP || !ok || body == nil {
		return false, nil
	}
	_, err := m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		return nil, t.HandleSendRTCP(now, body.Data)
	})
	return true, err
}

func (m *transportEntry) dump() (api.ResponseBody, error) {
	return m.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) { return t.Dump(), nil })
}

func (m *transportEntry) connectPlain(req *api.PlainTransportConnectRequest) (api.ResponseBody, error) {
	return m.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
		return reply(m.actor.plain.Connect(now, req))
	})
}

func (m *transportEntry) connectPipe(req *api.PipeTransportConnectRequest) (api.ResponseBody, error) {
	return m.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
		return reply(m.actor.pipe.Connect(now, req))
	})
}

func (m *transportEntry) limit(rate uint64, set func(*transport.Transport, unit.Time, uint64) error) (api.ResponseBody, error) {
	return m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) { return nil, set(t, now, rate) })
}

func (m *transportEntry) enableTraceEvents(req *api.TransportEnableTraceEventRequest) (api.ResponseBody, error) {
	return m.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		t.EnableTraceEvents(req.Events)
		return nil, nil
	})
}

// release closes the transport with all that it holds, and forgets it.
func (m *transportEntry) release() {
	log, report := m.ctx.env.Log, ""
	m.runEvenIfBroken(func(unit.Time) {
		m.actor.transport.Close()
		if log.Enabled(context.Background(), slog.LevelDebug) {
			report = m.actor.transport.Report()
		}
	})
	log.Debug("Transport closed", "transportId", m.id, "counted", report)
	m.leaveServer()
	m.ctx.transports--
	m.router.registry.Remove(m.id)
}

// produce: the producer's machine, then the tables.
func (m *transportEntry) produce(req *api.TransportProduceRequest) (api.ResponseBody, error) {
	if slices.ContainsFunc(m.producers, func(p *producerEntry) bool { return p.id == req.ProducerID }) {
		return nil, api.Errorf("a Producer with same producerId already exists [method:transport.produce]")
	}
	if err := m.router.registry.Check(req.ProducerID); err != nil {
		return nil, err
	}
	p := &producerEntry{id: req.ProducerID, entry: m}
	body, err := m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		var err error
		if p.machine, err = t.Produce(now, req); err != nil {
			return nil, err
		}
		return &api.TransportProduceResponse{Type: p.machine.Type()}, nil
	})
	if err != nil {
		return nil, err
	}
	p.feedback = &producerFeedback{actor: m.actor, producer: p.machine}
	m.producers = append(m.producers, p)
	m.router.producers[p.id] = p
	m.router.registry.Add(p.id, p)
	return body, nil
}

// consume builds the consumer on its own shard, subscribes its shard's fanOut on the producer's, which sends the
// producer's state in the order of later updates, and answers when that has arrived.
func (m *transportEntry) consume(req *api.TransportConsumeRequest) (api.ResponseBody, error) {
	if slices.ContainsFunc(m.consumers, func(c *consumerEntry) bool { return c.id == req.ConsumerID }) {
		return nil, api.Errorf("a Consumer with same consumerId already exists [method:transport.consume]")
	}
	if err := m.router.registry.Check(req.ConsumerID); err != nil {
		return nil, err
	}
	p := m.router.producers[req.ProducerID]
	c := &consumerEntry{id: req.ConsumerID, entry: m, producer: p}
	if _, err := m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		var err error
		if p == nil {
			// Upstream looks at the parameters before the producer: keep the order of its errors.
			if _, err = media.NewConsumer(req, m.ctx.env.Compat, m.ctx.env.Rand); err != nil {
				return nil, err
			}
			return nil, api.NotFoundErrorf("Producer not found [producerId:%s]", req.ProducerID)
		}
		if c.machine, err = t.Consume(now, req, p.feedback); err != nil {
			return nil, err
		}
		p.fanOutOn(m.ctx.shard).add(fanOutConsumer{c.machine, m.actor})
		return nil, nil
	}); err != nil {
		return nil, err
	}
	m.consumers = append(m.consumers, c)
	p.consumers = append(p.consumers, c)
	m.router.registry.Add(c.id, c)
	p.subscribe(c)
	return m.do(func(unit.Time, *transport.Transport) (api.ResponseBody, error) { return c.machine.Response(), nil })
}

func (m *transportEntry) closeProducer(req *api.TransportCloseProducerRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(m.producers, func(p *producerEntry) bool { return p.id == req.ProducerID })
	if i < 0 {
		return nil, api.NotFoundErrorf("Producer not found [method:transport.closeProducer]")
	}
	m.producers[i].close()
	return nil, nil
}

func (m *transportEntry) closeConsumer(req *api.TransportCloseConsumerRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(m.consumers, func(c *consumerEntry) bool { return c.id == req.ConsumerID })
	if i < 0 {
		return nil, api.NotFoundErrorf("Consumer not found [method:transport.closeConsumer]")
	}
	m.consumers[i].close()
	return nil, nil
}

func (m *transportEntry) closeDataProducer(req *api.TransportCloseDataProducerRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(m.dataProducers, func(p *dataProducerEntry) bool { return p.id == req.DataProducerID })
	switch {
	case !m.actor.transport.CarriesData():
		return nil, api.Errorf("cannot close DataProducer, SCTP not enabled and not a direct Transport")
	case i < 0:
		return nil, api.NotFoundErrorf("DataProducer not found [method:transport.closeDataProducer]")
	}
	m.dataProducers[i].close()
	return nil, nil
}

func (m *transportEntry) closeDataConsumer(req *api.TransportCloseDataConsumerRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(m.dataConsumers, func(c *dataConsumerEntry) bool { return c.id == req.DataConsumerID })
	switch {
	case !m.actor.transport.CarriesData():
		return nil, api.Errorf("cannot close DataConsumer, SCTP not enabled and not a direct Transport")
	case i < 0:
		return nil, api.NotFoundErrorf("DataConsumer not found [method:transport.closeDataConsumer]")
	}
	m.dataConsumers[i].close()
	return nil, nil
}
