package remote

import (
	"runtime"
	"sync"

	"gazpacho/engine/api"
	"gazpacho/scaling/placement"
)

// busy is the kind of error with which a node refuses a transport for its load. Applications do not see it.
const busy = "Busy"

// growth counts what all fronts have placed on the node lately.
type growth struct {
	mu                  sync.Mutex
	transports, routers int
	lately              placement.Growth
}

// young takes that a front has more transports and Routers than before, and returns for how many transports the load is not expected to
// show yet.
func (g *growth) young(transports, routers int) float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := clock()
	g.transports += transports
	g.routers += routers
	g.lately.Count(now, g.transports, g.routers)
	return g.lately.Young(now)
}

// state returns what the node tells of itself, with what the guest has placed until now. The lock is held.
func (g *guest) state() placement.State {
	o, load := &g.server.options, g.loader.Load()
	young := g.server.growth.young(load.Transports-g.placed.Transports, load.Routers-g.placed.Routers)
	g.placed = load
	cores := o.Cores
	if cores == 0 {
		cores = runtime.GOMAXPROCS(0)
	}
	share := placement.Share(cores)
	return placement.State{
		Labels: o.Labels, Load: load.CPU, Assumed: young * share, Share: share, Watermark: o.Watermark, Draining: g.server.draining.Load(),
	}
}

// leavePlaces takes that the guest has nothing any more. The lock is held.
func (g *guest) leavePlaces() {
	g.server.growth.young(-g.placed.Transports, -g.placed.Routers)
	g.placed = api.Load{}
}

// isBusy reports whether the node's load is above what a request for a transport sets as the limit.
func (g *guest) isBusy(req *api.Request) bool {
	limit := loadLimit(req)
	if limit == 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state().Expected()*100 >= float64(limit)
}

// loadLimit returns the load in per cent from which on the node is to refuse the transport that is asked for, 0 for none.
func loadLimit(req *api.Request) uint8 {
	var base *api.TransportOptions
	switch body := req.Body.(type) {
	case *api.RouterCreateWebRtcTransportRequest:
		if body != nil && body.Options != nil {
			base = body.Options.Base
		}
	case *api.RouterCreatePlainTransportRequest:
		if body != nil && body.Options != nil {
			base = body.Options.Base
		}
	case *api.RouterCreatePipeTransportRequest:
		if body != nil && body.Options != nil {
			base = body.Options.Base
		}
	}
	if base == nil {
		return 0
	}
	return base.LoadLimit
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
