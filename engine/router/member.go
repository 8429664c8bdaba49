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

// member is a transport in its router's tables.
type member struct {
	id        string
	router    *Router
	place     *Place
	seat      *Seat
	producers []*producer
	consumers []*consumer

	dataProducers []*dataProducer
	dataConsumers []*dataConsumer

	server *Server // behind whose ports a WebRtcTransport is, else nil
}

// env returns the environment of the member's transport.
func (m *member) env() transport.Env {
	env := m.place.env
	env.Wake = m.seat.wake
	env.DataConsumerClosed = m.router.house.departures.report
	return env
}

func (m *member) takesNotifications() {}

// do runs f as the member's shard and turns a fault of ours into an error for the application.
func (m *member) do(f func(now unit.Time, t *transport.Transport) (api.ResponseBody, error)) (body api.ResponseBody, err error) {
	ok := m.seat.do(func(now unit.Time) {
		if m.seat.transport.Broken() {
			err = errBroken(m.id)
			return
		}
		body, err = f(now, m.seat.transport)
	})
	if !ok {
		return nil, errBroken(m.id)
	}
	return body, err
}

// always runs f as the member's shard, also when the transport is out of service: for clearing up.
func (m *member) always(f func(now unit.Time)) { m.seat.do(f) }

func errBroken(id string) error {
	return api.Errorf("Transport %s is out of service after an internal error, see the worker's log; close it", id)
}

// HandleRequest implements Handler.
func (m *member) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodTransportDump:
		return m.dump()
	case api.MethodTransportGetStats:
		return m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) { return t.Stats(now), nil })
	case api.MethodPlainTransportConnect:
		if m.seat.plain != nil && m.seat.pipe == nil {
			return with(req, m.connectPlain)
		}
	case api.MethodPipeTransportConnect:
		if m.seat.pipe != nil {
			return with(req, m.connectPipe)
		}
	case api.MethodWebRtcTransportConnect:
		if m.seat.webRtc != nil {
			return with(req, m.connectWebRtc)
		}
	case api.MethodTransportRestartICE:
		if m.seat.webRtc != nil {
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
func (m *member) HandleNotification(n *api.Notification) (bool, error) {
	body, ok := n.Body.(*api.TransportSendRTCPNotification)
	if n.Event != api.EventTransportSendRTCP || !ok || body == nil {
		return false, nil
	}
	_, err := m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		return nil, t.HandleSendRTCP(now, body.Data)
	})
	return true, err
}

func (m *member) dump() (api.ResponseBody, error) {
	return m.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) { return t.Dump(), nil })
}

func (m *member) connectPlain(req *api.PlainTransportConnectRequest) (api.ResponseBody, error) {
	return m.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
		return reply(m.seat.plain.Connect(now, req))
	})
}

func (m *member) connectPipe(req *api.PipeTransportConnectRequest) (api.ResponseBody, error) {
	return m.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
		return reply(m.seat.pipe.Connect(now, req))
	})
}

func (m *member) limit(rate uint64, set func(*transport.Transport, unit.Time, uint64) error) (api.ResponseBody, error) {
	return m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) { return nil, set(t, now, rate) })
}

func (m *member) enableTraceEvents(req *api.TransportEnableTraceEventRequest) (api.ResponseBody, error) {
	return m.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		t.EnableTraceEvents(req.Events)
		return nil, nil
	})
}

// release closes the transport with all that it holds, and forgets it.
func (m *member) release() {
	log, report := m.place.env.Log, ""
	m.always(func(unit.Time) {
		m.seat.transport.Close()
		if log.Enabled(context.Background(), slog.LevelDebug) {
			report = m.seat.transport.Report()
		}
	})
	log.Debug("Transport closed", "transportId", m.id, "counted", report)
	m.leaveServer()
	m.place.transports--
	m.router.registry.Remove(m.id)
}

// produce: the producer's machine, then the tables.
func (m *member) produce(req *api.TransportProduceRequest) (api.ResponseBody, error) {
	if slices.ContainsFunc(m.producers, func(p *producer) bool { return p.id == req.ProducerID }) {
		return nil, api.Errorf("a Producer with same producerId already exists [method:transport.produce]")
	}
	if err := m.router.registry.Check(req.ProducerID); err != nil {
		return nil, err
	}
	p := &producer{id: req.ProducerID, member: m}
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
	p.source = &source{seat: m.seat, producer: p.machine}
	m.producers = append(m.producers, p)
	m.router.producers[p.id] = p
	m.router.registry.Add(p.id, p)
	return body, nil
}

// consume builds the consumer on its own shard, subscribes its shard's feed on the producer's, which sends the
// producer's state in the order of later updates, and answers when that has arrived.
func (m *member) consume(req *api.TransportConsumeRequest) (api.ResponseBody, error) {
	if slices.ContainsFunc(m.consumers, func(c *consumer) bool { return c.id == req.ConsumerID }) {
		return nil, api.Errorf("a Consumer with same consumerId already exists [method:transport.consume]")
	}
	if err := m.router.registry.Check(req.ConsumerID); err != nil {
		return nil, err
	}
	p := m.router.producers[req.ProducerID]
	c := &consumer{id: req.ConsumerID, member: m, producer: p}
	if _, err := m.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		var err error
		if p == nil {
			// Upstream looks at the parameters before the producer: keep the order of its errors.
			if _, err = media.NewConsumer(req, m.place.env.Compat, m.place.env.Rand); err != nil {
				return nil, err
			}
			return nil, api.NotFoundErrorf("Producer not found [producerId:%s]", req.ProducerID)
		}
		if c.machine, err = t.Consume(now, req, p.source); err != nil {
			return nil, err
		}
		p.feedOn(m.place.shard).add(feedConsumer{c.machine, m.seat})
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

func (m *member) closeProducer(req *api.TransportCloseProducerRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(m.producers, func(p *producer) bool { return p.id == req.ProducerID })
	if i < 0 {
		return nil, api.NotFoundErrorf("Producer not found [method:transport.closeProducer]")
	}
	m.producers[i].close()
	return nil, nil
}

func (m *member) closeConsumer(req *api.TransportCloseConsumerRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(m.consumers, func(c *consumer) bool { return c.id == req.ConsumerID })
	if i < 0 {
		return nil, api.NotFoundErrorf("Consumer not found [method:transport.closeConsumer]")
	}
	m.consumers[i].close()
	return nil, nil
}

func (m *member) closeDataProducer(req *api.TransportCloseDataProducerRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(m.dataProducers, func(p *dataProducer) bool { return p.id == req.DataProducerID })
	switch {
	case !m.seat.transport.CarriesData():
		return nil, api.Errorf("cannot close DataProducer, SCTP not enabled and not a direct Transport")
	case i < 0:
		return nil, api.NotFoundErrorf("DataProducer not found [method:transport.closeDataProducer]")
	}
	m.dataProducers[i].close()
	return nil, nil
}

func (m *member) closeDataConsumer(req *api.TransportCloseDataConsumerRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(m.dataConsumers, func(c *dataConsumer) bool { return c.id == req.DataConsumerID })
	switch {
	case !m.seat.transport.CarriesData():
		return nil, api.Errorf("cannot close DataConsumer, SCTP not enabled and not a direct Transport")
	case i < 0:
		return nil, api.NotFoundErrorf("DataConsumer not found [method:transport.closeDataConsumer]")
	}
	m.dataConsumers[i].close()
	return nil, nil
}
