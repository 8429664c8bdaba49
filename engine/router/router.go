// Package router holds the routing tables: which transports a router has, which producers they receive and who consumes
// them, and on which shard each lives. It carries out the requests of the protocol that concern more than one transport.
//
// The tables belong to the control loop: requests come one after the other, and nothing here is called from a shard. To
// act on a transport, a request takes the turn of its shard (see TransportActor); it never holds two turns. Media flows past the
// tables: a producer's transport hands its packets to one fanOut per shard, and a fanOut to its consumers.
package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// Handler carries out the requests and notifications that are addressed to one object by its id.
type Handler interface {
	HandleRequest(req *api.Request) (api.ResponseBody, error)
	// HandleNotification reports false when the object takes no notifications.
	HandleNotification(n *api.Notification) (bool, error)
}

// Registry finds objects by their ids, which are unique within a worker.
type Registry struct {
	handlers Table[Handler]
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{} }

// Find returns the object with the given id, or nil.
func (r *Registry) Find(id string) Handler {
	handler, _ := r.handlers.Find(id)
	return handler
}

// IDs returns all ids in the order of creation; with notifications only those that take notifications.
func (r *Registry) IDs(notifications bool) []string {
	ids := make([]string, 0, r.handlers.Len())
	for id, handler := range r.handlers.All() {
		if _, takes := handler.(notifiable); takes || !notifications {
			ids = append(ids, id)
		}
	}
	return ids
}

// notifiable marks the objects that upstream registers for notifications too.
type notifiable interface{ takesNotifications() }

// Check refuses an id that is taken.
func (r *Registry) Check(id string) error {
	if r.handlers.Has(id) {
		return api.Errorf("Channel request handler with ID %s already exists", id)
	}
	return nil
}

// Add enters an object; Check was asked before.
func (r *Registry) Add(id string, h Handler) { r.handlers.Add(id, h) }

// Remove forgets an object.
func (r *Registry) Remove(id string) { r.handlers.Remove(id) }

// Router is one mediasoup router.
type Router struct {
	id            string
	registry      *Registry
	runner        *Runner
	transports    Table[*transportEntry]
	producers     map[string]*producerEntry
	dataProducers map[string]*dataProducerEntry
	rtpObservers  []*rtpObserver
	perShard      map[*ShardContext]int
}

// New returns an empty router. The caller enters it into the registry.
func New(id string, registry *Registry, runner *Runner) *Router {
	return &Router{
		id: id, registry: registry, runner: runner,
		producers: map[string]*producerEntry{}, dataProducers: map[string]*dataProducerEntry{}, perShard: map[*ShardContext]int{},
	}
}

// Close closes all that the router holds, without notifications.
func (r *Router) Close() {
	for _, m := range r.transports.All() {
		for _, p := range m.producers {
			r.registry.Remove(p.id)
		}
		for _, c := range m.consumers {
			r.registry.Remove(c.id)
		}
		for _, p := range m.dataProducers {
			r.registry.Remove(p.id)
		}
		for _, c := range m.dataConsumers {
			r.registry.Remove(c.id)
		}
		m.release()
	}
	for _, w := range r.rtpObservers {
		w.release()
	}
	r.transports, r.producers, r.dataProducers, r.rtpObservers = Table[*transportEntry]{}, nil, nil, nil
	r.registry.Remove(r.id)
}

// HandleNotification implements Handler; routers take none.
func (r *Router) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (r *Router) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodRouterDump:
		return r.dump(), nil
	case api.MethodRouterCreatePlainTransport:
		return with(req, r.createPlainTransport)
	case api.MethodRouterCreatePipeTransport:
		return with(req, r.createPipeTransport)
	case api.MethodRouterCreateWebRtcTransport:
		return with(req, r.createWebRtcTransport)
	case api.MethodRouterCreateWebRtcTransportWithServer:
		return with(req, r.createWebRtcTransportWithServer)
	case api.MethodRouterCreateDirectTransport:
		return with(req, r.createDirectTransport)
	case api.MethodRouterCloseTransport:
		return with(req, r.closeTransport)
	case api.MethodRouterCreateActiveSpeakerObserver:
		return with(req, r.createActiveSpeakerObserver)
	case api.MethodRouterCreateAudioLevelObserver:
		return with(req, r.createAudioLevelObserver)
	case api.MethodRouterCloseRTPObserver:
		return with(req, r.closeRTPObserver)
	}
	return nil, unsupported(req.Method)
}

// with calls f with the request's body if that is of the type which the method wants.
func with[B any](req *api.Request, f func(*B) (api.ResponseBody, error)) (api.ResponseBody, error) {
	body, err := api.BodyOf[B](req)
	if err != nil {
		return nil, err
	}
	return f(body)
}

// unsupported refuses a method that the object addressed does not have.
func unsupported(m api.Method) error { return api.Errorf("unknown method '%s'", m.Name()) }

func (r *Router) createPlainTransport(req *api.RouterCreatePlainTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, "router.createPlainTransport")
	if err != nil {
		return nil, err
	}
	plain, err := transport.NewPlain(req.TransportID, req.Options, m.env())
	if err != nil {
		return nil, err
	}
	m.actor.plain, m.actor.transport = plain, plain.Transport
	if err := m.serve(plain.Sockets()); err != nil {
		return nil, err
	}
	r.enter(m)
	return m.dump()
}

func (r *Router) createPipeTransport(req *api.RouterCreatePipeTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, "router.createPipeTransport")
	if err != nil {
		return nil, err
	}
	pipe, err := transport.NewPipe(req.TransportID, req.Options, m.env())
	if err != nil {
		return nil, err
	}
	m.actor.pipe, m.actor.plain, m.actor.transport = pipe, pipe.Plain, pipe.Transport
	if err := m.serve(pipe.Sockets()); err != nil {
		return nil, err
	}
	r.enter(m)
	return m.dump()
}

func (r *Router) createDirectTransport(req *api.RouterCreateDirectTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, "router.createDirectTransport")
	if err != nil {
		return nil, err
	}
	m.ctx.shard.Do(func(now unit.Time) {
		m.actor.transport, err = transport.NewDirect(now, req.TransportID, req.Options, m.env())
	})
	if err != nil {
		return nil, err
	}
	r.enter(m)
	return m.dump()
}

// newTransportEntry checks a new transport's id and chooses its place. Nothing is entered yet.
func (r *Router) newTransportEntry(id, method string) (*transportEntry, error) {
	if r.transports.Has(id) {
		return nil, api.Errorf("a Transport with same id already exists [method:%s]", method)
	}
	if err := r.registry.Check(id); err != nil {
		return nil, err
	}
	ctx := r.runner.choose(r.perShard)
	return &transportEntry{id: id, router: r, ctx: ctx, actor: newTransportActor(ctx.shard, ctx.env.Log)}, nil
}

// serve has a new transport's sockets read, or closes it.
func (m *transportEntry) serve(sockets []transport.Socket) error {
	for i, socket := range sockets {
		if err := serve(m.ctx.poller, socket, &reader{m.actor, i}); err != nil {
			m.runEvenIfBroken(func(unit.Time) { m.actor.transport.Close() })
			return api.Errorf("cannot read the socket: %v", err)
		}
	}
	return nil
}

// enter commits a new transport.
func (r *Router) enter(m *transportEntry) {
	r.transports.Add(m.id, m)
	r.perShard[m.ctx]++
	m.ctx.transports++
	r.registry.Add(m.id, m)
}

func (r *Router) closeTransport(req *api.RouterCloseTransportRequest) (api.ResponseBody, error) {
	m, ok := r.transports.Find(req.TransportID)
	if !ok {
		return nil, api.NotFoundErrorf("Transport not found [method:router.closeTransport]")
	}
	r.closeTransportEntry(m)
	return nil, nil
}

// closeTransportEntry closes a transport. The consumers of its producers are told of it.
func (r *Router) closeTransportEntry(m *transportEntry) {
	for _, p := range slices.Clone(m.producers) {
		p.close()
	}
	for _, c := range slices.Clone(m.consumers) {
		c.close()
	}
	for _, p := range slices.Clone(m.dataProducers) {
		p.close()
	}
	for _, c := range slices.Clone(m.dataConsumers) {
		c.close()
	}
	r.transports.Remove(m.id)
	r.perShard[m.ctx]--
	m.release()
}

func (r *Router) dump() *api.RouterDumpResponse {
	d := &api.RouterDumpResponse{ID: r.id}
	for _, m := range r.transports.All() {
		d.TransportIDs = append(d.TransportIDs, m.id)
		for _, p := range m.producers {
			row := api.StringStringArray{Key: p.id}
			for _, c := range p.consumers {
				row.Values = append(row.Values, c.id)
			}
			d.MapProducerIDConsumerIDs = append(d.MapProducerIDConsumerIDs, row)
			watched := api.StringStringArray{Key: p.id}
			for _, w := range p.rtpObservers {
				watched.Values = append(watched.Values, w.id)
			}
			d.MapProducerIDObserverIDs = append(d.MapProducerIDObserverIDs, watched)
		}
		for _, c := range m.consumers {
			d.MapConsumerIDProducerID = append(d.MapConsumerIDProducerID, api.StringString{Key: c.id, Value: c.producer.id})
		}
	}
	r.dumpData(d)
	for _, w := range r.rtpObservers {
		d.RTPObserverIDs = append(d.RTPObserverIDs, w.id)
	}
	return d
}

func (r *Router) dumpData(d *api.RouterDumpResponse) {
	for _, m := range r.transports.All() {
		for _, p := range m.dataProducers {
			row := api.StringStringArray{Key: p.id}
			for _, c := range p.consumers {
				row.Values = append(row.Values, c.id)
			}
			d.MapDataProducerIDDataConsumerIDs = append(d.MapDataProducerIDDataConsumerIDs, row)
		}
		for _, c := range m.dataConsumers {
			d.MapDataConsumerIDDataProducerID = append(d.MapDataConsumerIDDataProducerID,
				api.StringString{Key: c.id, Value: c.producer.id})
		}
	}
}
