package remote

import (
	"maps"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/scaling/directory"
)

// homes knows the producers whose home is the guest's worker: those on the application's own transports. A relay is on an internal one, and
// at home elsewhere. The guest's lock guards it.
type homes struct {
	objects   objects // Routers, and what of them belongs here
	producers map[string]*home
	piped     map[string]bool // PipeTransports
	onServers map[string]bool // transports that use WebRtcServers
}

// home is where a producer is.
type home struct {
	router string
	piped  bool // it came by a pipe
}

func newHomes() *homes {
	return &homes{producers: map[string]*home{}, piped: map[string]bool{}, onServers: map[string]bool{}}
}

// enter takes note of what a request creates, if that belongs here, and returns its id.
func (h *homes) enter(req *api.Request) (id string) {
	if !h.concerns(req) {
		return ""
	}
	if id = h.objects.note(req); id == "" {
		return "" // there is one already, and the worker refuses this
	}
	switch req.Method {
	case api.MethodTransportProduce:
		h.producers[id] = &home{h.objects.routerOf(id), h.piped[req.HandlerID]}
	case api.MethodRouterCreatePipeTransport:
		h.piped[id] = true
	case api.MethodRouterCreateWebRtcTransportWithServer:
		h.onServers[id] = true
	}
	return id
}

// concerns reports whether a request creates a Router, a transport of the application, or a producer on one.
func (h *homes) concerns(req *api.Request) bool {
	switch {
	case req.Method == api.MethodWorkerCreateRouter:
		return true
	case !h.objects.has(req.HandlerID):
		return false
	}
	base := baseOf(req)
	return req.Method == api.MethodTransportProduce || base != nil && !base.Internal
}

// remove forgets an object and what belongs to it, and returns which of that were producers.
func (h *homes) remove(id string) (producers []string) {
	for _, gone := range h.objects.remove(id) {
		if h.producers[gone] != nil {
			producers = append(producers, gone)
		}
		delete(h.producers, gone)
		delete(h.piped, gone)
		delete(h.onServers, gone)
	}
	return producers
}

// key is what the guest is called in the directory.
func (g *guest) key() string { return string(g.id[:]) }

// noteHome takes note of what a request creates or closes. settle is called with its outcome; it may be nil.
func (g *guest) noteHome(req *api.Request) (settle func(err error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if closes := req.Closes(); closes != "" {
		g.removeHome(closes)
		return nil
	}
	h := g.homes
	id := h.enter(req)
	entered := h.producers[id]
	if id == "" {
		return nil
	}
	return func(err error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		switch {
		case g.homes != h || h.producers[id] != entered: // closed meanwhile
		case err != nil:
			g.removeHome(id)
		case entered != nil:
			g.register(id, entered)
		}
	}
}

// register has a producer found by others. One that came by a pipe may have the id of its original, which is rather found. The lock is held.
func (g *guest) register(id string, at *home) {
	e := directory.Entry{Key: directory.Key{Tenant: g.tenant, ID: id}, Value: g.server.options.Name, Version: 1}
	if at.piped {
		e.Version = 0
	}
	g.server.index.register(g.key(), e)
}

// removeHome forgets an object and what belongs to it. The lock is held.
func (g *guest) removeHome(id string) {
	for _, producer := range g.homes.remove(id) {
		g.server.index.unregister(g.key(), directory.Key{Tenant: g.tenant, ID: producer})
	}
}

// leaveServer forgets what was on a WebRtcServer that has been closed.
func (g *guest) leaveServer() {
	g.mu.Lock()
	ids := slices.Collect(maps.Keys(g.homes.onServers))
	g.mu.Unlock()
	for _, id := range ids {
		if g.worker.RouterOf(id) == "" {
			g.mu.Lock()
			g.removeHome(id)
			g.mu.Unlock()
		}
	}
}

// leaveHomes forgets all of a conversation that is over. The lock is held.
func (g *guest) leaveHomes() {
	g.homes = newHomes()
	g.server.index.leave(g.key())
}
