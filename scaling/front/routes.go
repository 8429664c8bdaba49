package front

import (
	"sync"

	"gazpacho/engine/api"
)

// routes says which Router an object belongs to, from the call on that asks for it. It is the one table that is not the control
// goroutine's: callers of the front look things up in it.
type routes struct {
	mu      sync.Mutex
	routers map[string]string // by id of the object; empty for the worker's own ones
}

// announce notes the object that a request creates.
func (r *routes) announce(req *api.Request) {
	id := creates(req)
	if id == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.routers[id]; known {
		return // the request will be refused
	}
	if r.routers == nil {
		r.routers = map[string]string{}
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

// remove forgets an object that is gone, or was refused.
func (r *routes) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.routers, id)
}
