package remote

import (
	"sync"

	"gazpacho/engine/api"
	"gazpacho/scaling/placement"
)

// busy is the kind of error with which a node refuses a transport for its load. Applications do not see it.
const busy = "Busy"

// outlook is what the node expects, of all its fronts.
type outlook struct {
	mu                  sync.Mutex
	transports, routers int
	placement.Outlook
}

// state takes a front's load, and that it has so many transports and Routers more than before, and returns the node's loads.
func (o *outlook) state(cpu float64, transports, routers, cores int) placement.State {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leave(-transports, -routers)
	o.Measure(clock(), cpu)
	return o.State(clock(), cores)
}

// assumed returns what was placed on the node lately is assumed to add to its load.
func (o *outlook) assumed(cores int) float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.State(clock(), cores).Assumed
}

// leave takes that there are so many transports and Routers less. The lock is held.
func (o *outlook) leave(transports, routers int) {
	o.transports -= transports
	o.routers -= routers
	o.Count(clock(), o.transports, o.routers)
}

// state returns what the node tells of itself, with what the guest has placed until now. The lock is held.
func (g *guest) state() placement.State {
	o, load := &g.server.options, g.loader.Load()
	s := g.server.outlook.state(max(load.CPU, g.server.traffic.share(o.Bandwidth)), load.Transports-g.placed.Transports, load.Routers-g.placed.Routers, o.Cores)
	g.placed = load
	s.Labels, s.Watermark, s.Draining = o.Labels, o.Watermark, g.server.draining.Load()
	return s
}

// leavePlaces takes that the guest has nothing any more. The lock is held.
func (g *guest) leavePlaces() {
	o := &g.server.outlook
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leave(g.placed.Transports, g.placed.Routers)
	g.placed = api.Load{}
}

// takes reports whether the node takes a transport on the terms of the request.
func (g *guest) takes(req *api.Request) bool {
	terms := termsOf(req)
	if terms.Below == 0 {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.state()
	return s.Takes(terms)
}

// termsOf returns the terms of a request for a transport.
func termsOf(req *api.Request) placement.Terms {
	base := &api.TransportOptions{}
	switch body := req.Body.(type) {
	case *api.RouterCreateWebRtcTransportRequest:
		if body != nil && body.Options != nil && body.Options.Base != nil {
			base = body.Options.Base
		}
	case *api.RouterCreatePlainTransportRequest:
		if body != nil && body.Options != nil && body.Options.Base != nil {
			base = body.Options.Base
		}
	case *api.RouterCreatePipeTransportRequest:
		if body != nil && body.Options != nil && body.Options.Base != nil {
			base = body.Options.Base
		}
	}
	return placement.Terms{Below: float64(base.LoadLimit) / 100, New: base.LoadReserved}
}

// createsTransport reports whether a request is for a transport: its answer brings the node's state with it, since others place theirs at
// the same time.
func createsTransport(m api.Method) bool {
	switch m {
	case api.MethodRouterCreateWebRtcTransport, api.MethodRouterCreateWebRtcTransportWithServer, api.MethodRouterCreatePlainTransport,
		api.MethodRouterCreatePipeTransport:
		return true
	}
	return false
}
