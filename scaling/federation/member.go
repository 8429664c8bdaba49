package federation

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"gazpacho/engine/api"
)

// Member is the worker of one front, with what the front uses of other members. It implements [api.Worker].
type Member struct {
	// Registry is told of producers; nil: nobody is. It is set before the first request.
	Registry Registry

	node   *Node
	tenant string
	number uint64 // no other member of the node has it
	front  api.Emitter
	worker api.Worker

	// calls is held while the worker is called: its own front does so, and others.
	calls sync.Mutex
	// registering is held while the registry is called, so that it hears things in their order.
	registering sync.Mutex

	// The node's lock guards what follows.
	objects api.Objects
	pipes   map[string]bool      // PipeTransports, and DirectTransports of relays: whether they are of the front's own relays
	homes   map[string]home      // producers and data producers that are at home here
	imports map[string]*imported // of others, by the id that they have here
	parts   map[string]*part     // in Routers of others, by the id that they have here
	exports map[string]users     // of this member's producers, by their id
	lent    map[string]*part     // in Routers of this member, by their id in its worker
	left    bool
}

// users are the imports of one producer.
type users map[*imported]struct{}

// HandleRequest implements [api.Worker].
func (m *Member) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	switch {
	case isHidden(req.HandlerID) || isHidden(req.Creates()) || isHidden(req.Closes()):
		reply(nil, api.NotFoundErrorf("Channel request handler with ID %s not found [method:%s]", req.HandlerID, req.Method.Name()))
	case m.handleImport(req, reply) || m.handleForeign(req, reply):
	default:
		created := m.note(req)
		m.ask(req, func(body api.ResponseBody, err error) {
			m.settle(req, created, err)
			reply(body, err)
		})
	}
}

// ask calls the worker.
func (m *Member) ask(req *api.Request, reply func(api.ResponseBody, error)) {
	m.calls.Lock()
	defer m.calls.Unlock()
	m.worker.HandleRequest(req, reply)
}

// note takes note of what a request of the member's own front creates, before its answer: it exists for the next request. It returns
// the id, empty for none.
func (m *Member) note(req *api.Request) (id string) {
	if req.Creates() == "" {
		return ""
	}
	n := m.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if id = m.objects.Note(req); id == "" {
		return ""
	}
	switch body := req.Body.(type) {
	case *api.RouterCreatePipeTransportRequest:
		m.pipes[id] = body.Options != nil && ofRelays(body.Options.Base)
	case *api.RouterCreateDirectTransportRequest:
		if body.Options != nil && ofRelays(body.Options.Base) {
			m.pipes[id] = true
		}
	case *api.TransportProduceRequest:
		m.enterHome(id, req.HandlerID, false)
	case *api.TransportProduceDataRequest:
		m.enterHome(id, req.HandlerID, true)
	}
	return id
}

func ofRelays(o *api.TransportOptions) bool { return o != nil && o.Internal }

// enterHome takes note of a producer, or data producer, unless it is a relay's: that is no home. The lock is held.
func (m *Member) enterHome(id, transport string, data bool) {
	relay, piped := m.pipes[transport]
	if !relay {
		m.homes[id] = home{piped, data}
		m.node.enter(m, id)
	}
}

// enter makes a producer known. One that has come by a pipe does not hide its original. The lock is held.
func (n *Node) enter(m *Member, id string) {
	if n.producers == nil {
		n.producers = map[name]*Member{}
	}
	key := m.name(id)
	if other := n.producers[key]; other == nil || other.homes[id].piped || !m.homes[id].piped {
		n.producers[key] = m
	}
}

// name returns how others find what is at home here. The lock is held.
func (m *Member) name(id string) name { return name{m.tenant, id, m.homes[id].data} }

// HomeOf returns the Router of a producer, or data producer, that is at home here.
func (m *Member) HomeOf(producerID string) (router string, ok bool) {
	m.node.mu.Lock()
	defer m.node.mu.Unlock()
	if _, ok = m.homes[producerID]; ok {
		router = m.objects.RouterOf(producerID)
	}
	return router, ok
}

// settle takes the answer to a request of the member's own front, and tells importers what follows from it. created is what the request
// was to create.
func (m *Member) settle(req *api.Request, created string, err error) {
	switch {
	case err != nil:
		m.forget(created)
	case req.Method == api.MethodTransportProduce || req.Method == api.MethodTransportProduceData:
		m.register(created)
	case req.Method == api.MethodProducerPause || req.Method == api.MethodDataProducerPause:
		m.tell(req.HandlerID, &api.Notification{Event: api.EventImportPaused})
	case req.Method == api.MethodProducerResume || req.Method == api.MethodDataProducerResume:
		m.tell(req.HandlerID, &api.Notification{Event: api.EventImportResumed})
	default:
		m.forget(req.Closes())
	}
}

// register has a producer that was made found by others.
func (m *Member) register(id string) {
	if m.Registry == nil {
		return
	}
	m.registering.Lock()
	defer m.registering.Unlock()
	m.node.mu.Lock()
	made, ok := m.homes[id]
	m.node.mu.Unlock()
	if ok { // it has not been closed meanwhile
		m.Registry.Enter(id, made.piped)
	}
}

// unregister has producers that are gone found no more.
func (m *Member) unregister(ids []string) {
	if m.Registry == nil || len(ids) == 0 {
		return
	}
	m.registering.Lock()
	defer m.registering.Unlock()
	for _, id := range ids {
		m.Registry.Leave(id)
	}
}

// leaveHome forgets a producer that is at home here, if it is one. The lock is held.
func (m *Member) leaveHome(id string) (was bool) {
	if _, was = m.homes[id]; !was {
		return false
	}
	if key := m.name(id); m.node.producers[key] == m {
		delete(m.node.producers, key)
	}
	delete(m.homes, id)
	return true
}

// forget takes an object and its parts out of the tables, and tells importers of the producers among them.
func (m *Member) forget(id string) {
	if id == "" {
		return
	}
	n := m.node
	var closed []*imported
	var homes []string
	n.mu.Lock()
	for _, gone := range m.objects.Remove(id) {
		delete(m.pipes, gone)
		if m.leaveHome(gone) {
			homes = append(homes, gone)
		}
		for im := range m.exports[gone] {
			im.unlink()
			closed = append(closed, im)
		}
		if p := m.lent[gone]; p != nil {
			p.drop()
		}
	}
	n.mu.Unlock()
	m.unregister(homes)
	for _, im := range closed {
		im.tell(&api.Notification{Event: api.EventImportClosed})
	}
}

// emit takes what the worker notifies of: it may be about what others have here, or for those who use a producer, too.
func (m *Member) emit(e *api.Notification) {
	if isHidden(e.HandlerID) {
		m.emitHidden(e)
		return
	}
	m.front(e)
	switch e.Event {
	case api.EventProducerScore, api.EventProducerVideoOrientationChange:
		m.tell(e.HandlerID, e)
	}
}

func (m *Member) emitHidden(e *api.Notification) {
	n := m.node
	n.mu.Lock()
	p := m.lent[e.HandlerID]
	if p != nil && (e.Event == api.EventConsumerProducerClose || e.Event == api.EventDataConsumerDataProducerClose) {
		p.drop()
		m.objects.Remove(p.hidden)
	}
	n.mu.Unlock()
	if p != nil {
		p.by.front(&api.Notification{HandlerID: p.id, Event: e.Event, Body: e.Body})
	}
}

// tell notifies all who use a producer.
func (m *Member) tell(producer string, e *api.Notification) {
	m.node.mu.Lock()
	users := slices.Collect(maps.Keys(m.exports[producer]))
	m.node.mu.Unlock()
	for _, im := range users {
		im.tell(e)
	}
}

// tell notifies the member that has imported.
func (im *imported) tell(e *api.Notification) {
	im.by.front(&api.Notification{HandlerID: im.id, Event: e.Event, Body: e.Body})
}

// home names the Router of an import among all of the node.
func (im *imported) home() string { return fmt.Sprint(im.owner.number, "/", im.router) }

// unlink separates an import from its producer. It still stands for the Router, in which there may be transports to close. The lock is
// held.
func (im *imported) unlink() {
	im.gone = true
	of := im.owner.exports
	delete(of[im.producer], im)
	if len(of[im.producer]) == 0 {
		delete(of, im.producer)
	}
}

// drop takes a part out of the tables. The lock is held.
func (p *part) drop() {
	delete(p.by.parts, p.id)
	delete(p.owner.lent, p.hidden)
}

// HandleNotification implements [api.Worker].
func (m *Member) HandleNotification(n *api.Notification) error {
	if isHidden(n.HandlerID) {
		return api.NotFoundErrorf("Channel notification handler with ID %s not found", n.HandlerID)
	}
	m.calls.Lock()
	defer m.calls.Unlock()
	return m.worker.HandleNotification(n)
}

// RouterOf implements [api.Worker]. What the member has of others is in Routers of these.
func (m *Member) RouterOf(id string) string {
	if isHidden(id) {
		return ""
	}
	m.node.mu.Lock()
	foreign := m.parts[id]
	m.node.mu.Unlock()
	if foreign != nil {
		return foreign.router
	}
	m.calls.Lock()
	defer m.calls.Unlock()
	return m.worker.RouterOf(id)
}

// Load implements [api.Worker]. What others have here does not count.
func (m *Member) Load() api.Load {
	load := m.worker.Load()
	m.node.mu.Lock()
	defer m.node.mu.Unlock()
	for _, p := range m.lent {
		switch p.kind {
		case partTransport:
			load.Transports = max(load.Transports-1, 0)
		case partConsumer:
			load.Consumers = max(load.Consumers-1, 0)
		case partDataConsumer:
			load.DataConsumers = max(load.DataConsumers-1, 0)
		}
	}
	return load
}

// Done implements [api.Worker].
func (m *Member) Done() <-chan struct{} { return m.worker.Done() }

// Err implements [api.Worker].
func (m *Member) Err() error { return m.worker.Err() }

// Leave is Close when the application has closed what it had, unless the worker has ended by itself before: those who use its producers
// need not expect them back.
func (m *Member) Leave() {
	if m.worker.Err() != nil {
		m.close(api.EventImportLost)
		return
	}
	m.close(api.EventImportClosed)
}

// Close implements [api.Worker].
func (m *Member) Close() { m.close(api.EventImportLost) }

// close takes the member out of the node with all that it has of others, and closes its worker.
func (m *Member) close(event api.Event) {
	lost, transports, homes := m.leave()
	m.unregister(homes)
	for _, im := range lost {
		im.tell(&api.Notification{Event: event})
	}
	for _, p := range transports {
		p.owner.ask(p.closing(), func(api.ResponseBody, error) {})
	}
	m.calls.Lock()
	defer m.calls.Unlock()
	m.worker.Close()
}

// leave takes the member out of the tables. It returns the imports of its producers, the transports that it has in others' Routers, and the
// producers that were at home here.
func (m *Member) leave() (lost []*imported, transports []*part, homes []string) {
	n := m.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if m.left {
		return nil, nil, nil
	}
	m.left = true
	for id := range m.homes {
		m.leaveHome(id)
		homes = append(homes, id)
	}
	for _, im := range m.imports {
		im.unlink()
	}
	clear(m.imports) // its front may not know yet that it has ended, and go on asking
	for _, users := range m.exports {
		for im := range users {
			im.unlink()
			lost = append(lost, im)
		}
	}
	for _, p := range m.parts {
		p.drop()
		p.owner.objects.Remove(p.hidden)
		if p.kind == partTransport && p.owner != m {
			transports = append(transports, p)
		}
	}
	for _, p := range m.lent {
		p.drop()
	}
	return lost, transports, homes
}
