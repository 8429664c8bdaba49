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
	node   *Node
	tenant string
	number uint64 // no other member of the node has it
	front  api.Emitter
	worker api.Worker

	// calls is held while the worker is called: its own front does so, and others.
	calls sync.Mutex

	// The node's lock guards what follows.
	objects  api.Objects
	internal map[string]bool      // transports of the front's own relays
	imports  map[string]*imported // of others, by the id that they have here
	parts    map[string]*part     // in Routers of others, by the id that they have here
	exports  map[string]users     // of this member's producers, by their id
	lent     map[string]*part     // in Routers of this member, by their id in its worker
	left     bool
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
		if body.Options != nil && body.Options.Base != nil && body.Options.Base.Internal {
			m.internal[id] = true
		}
	case *api.TransportProduceRequest:
		if !m.internal[req.HandlerID] { // a relay is no producer's home
			n.enter(m, id)
		}
	}
	return id
}

// enter makes a producer known. The lock is held.
func (n *Node) enter(m *Member, id string) {
	if n.producers == nil {
		n.producers = map[name]*Member{}
	}
	n.producers[name{m.tenant, id}] = m
}

// settle takes the answer to a request of the member's own front, and tells importers what follows from it. created is what the request
// was to create.
func (m *Member) settle(req *api.Request, created string, err error) {
	switch {
	case err != nil:
		m.forget(created)
	case req.Method == api.MethodProducerPause:
		m.tell(req.HandlerID, &api.Notification{Event: api.EventImportPaused})
	case req.Method == api.MethodProducerResume:
		m.tell(req.HandlerID, &api.Notification{Event: api.EventImportResumed})
	default:
		m.forget(req.Closes())
	}
}

// forget takes an object and its parts out of the tables, and tells importers of the producers among them.
func (m *Member) forget(id string) {
	if id == "" {
		return
	}
	n := m.node
	var closed []*imported
	n.mu.Lock()
	for _, gone := range m.objects.Remove(id) {
		delete(m.internal, gone)
		if key := (name{m.tenant, gone}); n.producers[key] == m {
			delete(n.producers, key)
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
	if p != nil && e.Event == api.EventConsumerProducerClose {
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

// RouterOf implements [api.Worker]. Of what the member has of others it knows nothing.
func (m *Member) RouterOf(id string) string {
	if isHidden(id) {
		return ""
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
		if p.consumer {
			load.Consumers = max(load.Consumers-1, 0)
		} else {
			load.Transports = max(load.Transports-1, 0)
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
	lost, transports := m.leave()
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

// leave takes the member out of the tables. It returns the imports of its producers, and the transports that it has in others' Routers.
func (m *Member) leave() (lost []*imported, transports []*part) {
	n := m.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if m.left {
		return nil, nil
	}
	m.left = true
	for key, owner := range n.producers {
		if owner == m {
			delete(n.producers, key)
		}
	}
	for _, im := range m.imports {
		im.unlink()
	}
	for _, users := range m.exports {
		for im := range users {
			im.unlink()
			lost = append(lost, im)
		}
	}
	for _, p := range m.parts {
		p.drop()
		p.owner.objects.Remove(p.hidden)
		if !p.consumer && p.owner != m {
			transports = append(transports, p)
		}
	}
	for _, p := range m.lent {
		p.drop()
	}
	return lost, transports
}
