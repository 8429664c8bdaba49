package front

import (
	"sync"

	"gazpacho/engine/api"
)

// routes says which Router an object belongs to, from the call on that asks for it. It is the one table that is not the control
// goroutine's: callers of the front look things up in it.
type routes struct {
	mu      sync.Mutex
	routers map[string]string // by id of the object; empty for the worker's own ones; nil at the end
	counts  api.Load
}

// announce notes the object that a request creates.
func (r *routes) announce(req *api.Request) {
	id := req.Creates()
	if id == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.routers[id]; known || r.routers == nil {
		return // the request will be refused, or comes after the one that closes the object of that id
	}
	router := r.routers[req.HandlerID]
	if req.Method == api.MethodWorkerCreateRouter {
		router = id
	}
	r.routers[id] = router
}

func (r *routes) routerOf(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.routers[id]
}

func (r *routes) knows(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.routers[id]
	return known
}

// enter notes an object that is being created. It may have been forgotten since it was announced, if the object that had its id
// before was closed by then.
func (r *routes) enter(o object) {
	e := o.base()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.routers == nil {
		return
	}
	r.routers[e.id] = ""
	if e.router != nil {
		r.routers[e.id] = e.router.id
	}
	r.count(o, 1)
}

// leave forgets an object that is gone.
func (r *routes) leave(o object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.routers, o.base().id)
	r.count(o, -1)
}

// count changes the number of objects of a kind.
func (r *routes) count(o object, by int) {
	switch o.(type) {
	case *router:
		r.counts.Routers += by
	case *transport:
		r.counts.Transports += by
	case *producer:
		r.counts.Producers += by
	case *consumer:
		r.counts.Consumers += by
	case *dataProducer:
		r.counts.DataProducers += by
	case *dataConsumer:
		r.counts.DataConsumers += by
	}
}

// load returns how many objects there are.
func (r *routes) load() api.Load {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// clear forgets everything for good.
func (r *routes) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routers = nil
}

// remove forgets an id whose object was refused.
func (r *routes) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.routers, id)
}
