package router

import (
	"sync"
	"sync/atomic"
)

// departures are the data consumers that their peers closed. Shards report them; the tables belong to the control loop, which
// clears them up before it looks at the next request, so that none finds them there.
type departures struct {
	any atomic.Bool
	mu  sync.Mutex
	ids []string
}

// report is called by a transport's shard.
func (d *departures) report(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = append(d.ids, id)
	d.any.Store(true)
}

// take returns what was reported since the last call.
func (d *departures) take() []string {
	if !d.any.Load() {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.any.Store(false)
	ids := d.ids
	d.ids = nil
	return ids
}

// ForgetDeparted removes the data consumers that their peers closed.
func (h *House) ForgetDeparted(registry *Registry) {
	for _, id := range h.departures.take() {
		if c, ok := registry.Find(id).(*dataConsumer); ok {
			c.close()
		}
	}
}
