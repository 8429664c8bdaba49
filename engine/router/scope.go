package router

import (
	"sync/atomic"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
)

// Scope is what the routers and WebRtcServers of one worker share: the ids of its objects, its settings, and the Runner that
// carries its media, which may carry that of other workers of the process too. It belongs to the worker's control loop.
type Scope struct {
	Registry
	runner      *runner.Runner
	env         transport.WorkerEnv
	certificate *dtls.Certificate
	servers     map[string]*Server
	peerClosed  runner.PeerClosed
}

// NewScope returns the scope of a worker without objects. DTLS peers see the certificate. The environment's
// DataConsumerClosed is set here.
func NewScope(r *runner.Runner, env transport.WorkerEnv, certificate *dtls.Certificate) *Scope {
	s := &Scope{runner: r, env: env, certificate: certificate, servers: map[string]*Server{}}
	s.env.DataConsumerClosed = s.peerClosed.Add
	return s
}

// ForgetPeerClosed removes the data consumers that their peers closed. The control loop calls it before each request and
// notification, so that none finds such a data consumer.
func (s *Scope) ForgetPeerClosed() {
	for _, id := range s.peerClosed.Take() {
		if c, ok := s.Find(id).(*dataConsumerEntry); ok {
			c.close()
		}
	}
}

// Registry finds objects by their ids, which are unique within a worker. All but Count belongs to the control loop.
type Registry struct {
	handlers Table[Handler]
	counts   counts
}

// counts says how many objects of each kind there are.
type counts struct{ routers, transports, producers, consumers, dataProducers, dataConsumers, others atomic.Int64 }

// of returns the count of an object's kind.
func (c *counts) of(h Handler) *atomic.Int64 {
	switch h.(type) {
	case *Router:
		return &c.routers
	case *transportEntry:
		return &c.transports
	case *producerEntry:
		return &c.producers
	case *consumerEntry:
		return &c.consumers
	case *dataProducerEntry:
		return &c.dataProducers
	case *dataConsumerEntry:
		return &c.dataConsumers
	}
	return &c.others
}

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

// notifiable marks the objects that mediasoup registers for notifications too.
type notifiable interface{ takesNotifications() }

// Add enters an object whose id CheckNew allowed.
func (r *Registry) Add(id string, h Handler) {
	r.handlers.Add(id, h)
	r.counts.of(h).Add(1)
}

// Remove forgets an object.
func (r *Registry) Remove(id string) {
	if h, ok := r.handlers.Remove(id); ok {
		r.counts.of(h).Add(-1)
	}
}

// Count enters into l how many objects there are. It may be called from any goroutine.
func (r *Registry) Count(l *api.Load) {
	l.Routers, l.Transports = int(r.counts.routers.Load()), int(r.counts.transports.Load())
	l.Producers, l.Consumers = int(r.counts.producers.Load()), int(r.counts.consumers.Load())
	l.DataProducers, l.DataConsumers = int(r.counts.dataProducers.Load()), int(r.counts.dataConsumers.Load())
}

// CheckNew refuses an id that is taken, in mediasoup's words. These are others if a sibling has the id, an object of the same kind
// with the same parent; what names it, as in "a Router with same routerId".
func CheckNew[O Handler](r *Registry, id string, sibling func(O) bool, what string, method api.Method) error {
	taken := r.Find(id)
	if taken == nil {
		return nil
	}
	if o, ok := taken.(O); ok && sibling(o) {
		return api.Errorf("%s already exists [method:%s]", what, method.Name())
	}
	return api.Errorf("Channel request handler with ID %s already exists", id)
}
