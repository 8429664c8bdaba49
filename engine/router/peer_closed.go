package router

import (
	"sync"
	"sync/atomic"
)

// peerClosed are the data consumers that their peers closed. Shards report them; the tables belong to the control loop, which
// clears them up before it looks at the next request, so that none finds them there.
type peerClosed struct {
	any atomic.Bool
	mu  sync.Mutex
	ids []string
}

// report is called by a transport's shard.
func (d *peerClosed) report(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = append(d.ids, id)
	d.any.Store(true)
}

// take returns what was reported since the last call.
func (d *peerClosed) take() []string {
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

// ForgetPeerClosed removes the data consumers that their peers closed.
func (h *Runner) ForgetPeerClosed(registry *Registry) {
	for _, id := range h.peerClosed.take() {
		if c, ok := registry.Find(id).(*dataConsumerEntry); ok {
			c.close()
		}
	}
}
