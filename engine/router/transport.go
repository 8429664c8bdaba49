package router

import (
	"context"
	"log/slog"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// transportEntry is a transport in its router's tables.
type transportEntry struct {
	id        string
	router    *Router
	ctx       *runner.ShardContext
	actor     *runner.TransportActor
	transport *transport.Transport
	// The same transport, if it is of that kind.
	plain   *transport.Plain
	pipe    *transport.Pipe
	webRtc  *transport.WebRtc
	methods Methods[*transportEntry] // that only this kind has

	producers     []*producerEntry
	consumers     []*consumerEntry
	dataProducers []*dataProducerEntry
	dataConsumers []*dataConsumerEntry

	server *Server // the WebRtcServer whose ports a WebRtcTransport uses; else nil
}

// newTransportEntry checks a new transport's id and chooses its shard. Nothing is entered yet.
func (r *Router) newTransportEntry(id string, method api.Method) (*transportEntry, error) {
	sibling := func(m *transportEntry) bool { return m.router == r }
	if err := CheckNew(&r.scope.Registry, id, sibling, "a Transport with same id", method); err != nil {
		return nil, err
	}
	ctx := r.placement.Choose()
	return &transportEntry{id: id, router: r, ctx: ctx, actor: runner.NewTransportActor(ctx, r.scope.env)}, nil
}

func (r *Router) createPlainTransport(req *api.RouterCreatePlainTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, api.MethodRouterCreatePlainTransport)
	if err != nil {
		return nil, err
	}
	if m.plain, err = transport.NewPlain(req.TransportID, req.Options, m.actor.Env()); err != nil {
		return nil, err
	}
	m.run(m.plain.Transport, plainMethods)
	if restore := req.Options.Base.Restore; restore != nil {
		m.actor.Do("restoring", func(now unit.Time) { m.plain.RestorePeers(now, restore) })
	}
	return m.servePlain(m.plain)
}

func (r *Router) createPipeTransport(req *api.RouterCreatePipeTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, api.MethodRouterCreatePipeTransport)
	if err != nil {
		return nil, err
	}
	if m.pipe, err = transport.NewPipe(req.TransportID, req.Options, m.actor.Env()); err != nil {
		return nil, err
	}
	m.run(m.pipe.Transport, pipeMethods)
	return m.servePlain(m.pipe.Plain)
}

func (r *Router) createDirectTransport(req *api.RouterCreateDirectTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, api.MethodRouterCreateDirectTransport)
	if err != nil {
		return nil, err
	}
	var t *transport.Transport
	m.ctx.Do(func(now unit.Time) {
		t, err = transport.NewDirect(now, req.TransportID, req.Options, m.actor.Env())
	})
	if err != nil {
		return nil, err
	}
	m.run(t, nil)
	return m.enter()
}

// run gives the actor its transport, which has methods beside those of all kinds.
func (m *transportEntry) run(t *transport.Transport, own Methods[*transportEntry]) {
	m.transport, m.methods = t, own
	m.actor.Run(t)
}

// servePlain has a new transport's sockets read and enters the transport, or closes it.
func (m *transportEntry) servePlain(p *transport.Plain) (api.ResponseBody, error) {
	if err := m.actor.ServePlain(p); err != nil {
		m.discard()
		return nil, api.Errorf("cannot read the socket: %v", err)
	}
	return m.enter()
}

// discard closes a transport that is in no table yet.
func (m *transportEntry) discard() {
	m.actor.Do("closing", func(unit.Time) { m.transport.Close() })
}

// enter commits a new transport, and answers the request that made it.
func (m *transportEntry) enter() (api.ResponseBody, error) {
	m.router.transports.Add(m.id, m)
	m.router.placement.Add(m.ctx)
	m.actor.Enlist(m.router.id)
	m.router.scope.Add(m.id, m)
	if m.server != nil {
		m.server.transports.Add(m.id, m)
	}
	return transportMethods[api.MethodTransportDump](m, &api.Request{Method: api.MethodTransportDump})
}

// release closes the transport with all that it holds, and forgets it.
func (m *transportEntry) release() {
	log, report := m.router.scope.env.Log, ""
	m.actor.Do("closing", func(unit.Time) {
		m.actor.Delist()
		m.transport.Close()
		if log.Enabled(context.Background(), slog.LevelDebug) {
			report = m.transport.Report()
		}
	})
	log.Debug("Transport closed", "transportId", m.id, "counted", report)
	if m.server != nil {
		m.server.transports.Remove(m.id)
	}
	m.router.placement.Remove(m.ctx)
	m.router.scope.Remove(m.id)
}

// do implements onShard.
func (m *transportEntry) do(what string, f func(now unit.Time) error) (err error) {
	ok := m.actor.Do(what, func(now unit.Time) {
		if m.transport.Broken() {
			err = errBroken(m.id)
			return
		}
		err = f(now)
	})
	if !ok {
		return errBroken(m.id)
	}
	return err
}

func errBroken(id string) error {
	return api.Errorf("Transport %s is out of service after an internal error, see the worker's log; close it", id)
}

func (m *transportEntry) takesNotifications() {}

// RouterID implements Handler.
func (m *transportEntry) RouterID() string { return m.router.id }

// HandleNotification implements Handler.
func (m *transportEntry) HandleNotification(n *api.Notification) (bool, error) {
	body, ok := n.Body.(*api.TransportSendRTCPNotification)
	if n.Event != api.EventTransportSendRTCP || !ok || body == nil {
		return false, nil
	}
	return true, m.do("transport.sendRtcp", func(now unit.Time) error { return m.transport.HandleSendRTCP(now, body.Data) })
}

// HandleRequest implements Handler.
func (m *transportEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	if method := m.methods[req.Method]; method != nil {
		return method(m, req)
	}
	return transportMethods.Handle(m, req)
}

var plainMethods = Methods[*transportEntry]{
	api.MethodPlainTransportConnect: inTurnWith(func(
		m *transportEntry, now unit.Time, req *api.PlainTransportConnectRequest,
	) (*api.PlainTransportConnectResponse, error) {
		return m.plain.Connect(now, req)
	}),
}

var pipeMethods = Methods[*transportEntry]{
	api.MethodPipeTransportConnect: inTurnWith(func(
		m *transportEntry, now unit.Time, req *api.PipeTransportConnectRequest,
	) (*api.PipeTransportConnectResponse, error) {
		return m.pipe.Connect(now, req)
	}),
}

var webRtcMethods = Methods[*transportEntry]{
	api.MethodWebRtcTransportConnect: inTurnWith(func(
		m *transportEntry, now unit.Time, req *api.WebRtcTransportConnectRequest,
	) (*api.WebRtcTransportConnectResponse, error) {
		return m.webRtc.Connect(now, req)
	}),
	api.MethodTransportRestartICE: inTurn(func(m *transportEntry, now unit.Time) (api.ResponseBody, error) {
		return m.webRtc.RestartICE(now), nil
	}),
}

// transportMethods are those of all kinds of transport.
var transportMethods = Methods[*transportEntry]{
	api.MethodTransportDump: inTurn(func(m *transportEntry, _ unit.Time) (api.ResponseBody, error) {
		return m.transport.Dump(), nil
	}),
	api.MethodTransportGetStats: inTurn(func(m *transportEntry, now unit.Time) (api.ResponseBody, error) {
		return m.transport.Stats(now), nil
	}),
	api.MethodTransportSetMaxIncomingBitrate: inTurnWith(func(
		m *transportEntry, now unit.Time, req *api.TransportSetMaxIncomingBitrateRequest,
	) (api.ResponseBody, error) {
		return nil, m.transport.SetMaxIncomingBitrate(now, req.MaxIncomingBitrate)
	}),
	api.MethodTransportSetMaxOutgoingBitrate: inTurnWith(func(
		m *transportEntry, now unit.Time, req *api.TransportSetMaxOutgoingBitrateRequest,
	) (api.ResponseBody, error) {
		return nil, m.transport.SetMaxOutgoingBitrate(now, req.MaxOutgoingBitrate)
	}),
	api.MethodTransportSetMinOutgoingBitrate: inTurnWith(func(
		m *transportEntry, now unit.Time, req *api.TransportSetMinOutgoingBitrateRequest,
	) (api.ResponseBody, error) {
		return nil, m.transport.SetMinOutgoingBitrate(now, req.MinOutgoingBitrate)
	}),
	api.MethodTransportEnableTraceEvent: inTurnWith(func(
		m *transportEntry, _ unit.Time, req *api.TransportEnableTraceEventRequest,
	) (api.ResponseBody, error) {
		m.transport.EnableTraceEvents(req.Events)
		return nil, nil
	}),
	api.MethodTransportProduce:           WithBody((*transportEntry).produce),
	api.MethodTransportConsume:           WithBody((*transportEntry).consume),
	api.MethodTransportCloseProducer:     WithBody((*transportEntry).closeProducer),
	api.MethodTransportCloseConsumer:     WithBody((*transportEntry).closeConsumer),
	api.MethodTransportProduceData:       WithBody((*transportEntry).produceData),
	api.MethodTransportConsumeData:       WithBody((*transportEntry).consumeData),
	api.MethodTransportCloseDataProducer: WithBody((*transportEntry).closeDataProducer),
	api.MethodTransportCloseDataConsumer: WithBody((*transportEntry).closeDataConsumer),
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
	case !m.transport.CarriesData():
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
	case !m.transport.CarriesData():
		return nil, api.Errorf("cannot close DataConsumer, SCTP not enabled and not a direct Transport")
	case i < 0:
		return nil, api.NotFoundErrorf("DataConsumer not found [method:transport.closeDataConsumer]")
	}
	m.dataConsumers[i].close()
	return nil, nil
}
