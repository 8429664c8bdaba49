package remote

import (
	"gazpacho/engine/api"
	"gazpacho/scaling/directory"
)

// homes knows the producers whose home is the guest's worker: those on the application's own transports. A relay is on an internal one, and
// at home elsewhere. The guest's lock guards it.
type homes struct{ objects }

// newHomes returns those of a conversation that begins. Each producer that is closed is taken out of the directory.
func (g *guest) newHomes() *homes {
	h := &homes{}
	h.gone = func(id string, o *object) {
		if o.method == api.MethodTransportProduce {
			g.server.index.unregister(g.key(), directory.Key{Tenant: g.tenant, ID: id})
		}
	}
	return h
}

// note follows a request on its way to the worker, and returns the id of what it enters.
func (h *homes) note(req *api.Request) (creates string) {
	switch {
	case req.Method == api.MethodWorkerCreateRouter, req.Method == api.MethodTransportProduce && h.byID[req.HandlerID] != nil:
	case h.byID[req.HandlerID] != nil && baseOf(req) != nil && !baseOf(req).Internal:
	case req.Closes() != "":
	default:
		return ""
	}
	return h.objects.note(req)
}

// homeOf returns where a producer is, nil for none.
func (h *homes) homeOf(producerID string) *object {
	if o := h.byID[producerID]; o != nil && o.method == api.MethodTransportProduce {
		return o
	}
	return nil
}

// onServers returns the ids of transports that use WebRtcServers.
func (h *homes) onServers() (all []string) {
	for id, o := range h.byID {
		if o.method == api.MethodRouterCreateWebRtcTransportWithServer {
			all = append(all, id)
		}
	}
	return all
}

// key is what the guest is called in the directory.
func (g *guest) key() string { return string(g.id[:]) }

// enter notes what a request creates or closes. settle is called with its outcome; it may be nil.
func (g *guest) enter(req *api.Request) (settle func(err error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.homes
	id := h.note(req)
	if id == "" {
		return nil
	}
	entered := h.byID[id]
	return func(err error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		switch {
		case g.homes != h || h.byID[id] != entered: // closed meanwhile
		case err != nil:
			h.remove(id)
		case req.Method == api.MethodTransportProduce:
			g.register(id, entered)
		}
	}
}

// register has a producer found by others. One that came by a pipe may have the id of its original, which is rather found. The lock is held.
func (g *guest) register(id string, o *object) {
	e := directory.Entry{Key: directory.Key{Tenant: g.tenant, ID: id}, Value: g.server.options.Name}
	if o.parent.method != api.MethodRouterCreatePipeTransport {
		e.Version = 1
	}
	g.server.index.register(g.key(), e)
}

// leaveServer forgets what was on a WebRtcServer that has been closed.
func (g *guest) leaveServer() {
	g.mu.Lock()
	ids := g.homes.onServers()
	g.mu.Unlock()
	for _, id := range ids {
		if g.worker.RouterOf(id) == "" {
			g.mu.Lock()
			g.homes.remove(id)
			g.mu.Unlock()
		}
	}
}

// leaveHomes forgets all of a conversation that is over. The lock is held.
func (g *guest) leaveHomes() {
	g.homes = g.newHomes()
	g.server.index.leave(g.key())
}
