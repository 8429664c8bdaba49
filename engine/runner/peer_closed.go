package runner

import (
	"sync"
	"sync/atomic"
)

// PeerClosed collects the ids of the data consumers of one worker that their peers closed. Shards add to it; the control loop
// takes the ids before it looks at the next request, and removes them from its tables. The zero value is empty.
type PeerClosed struct {
	any atomic.Bool // spares the control loop the lock
	mu  sync.Mutex
	ids []string
}

// Add is called by a transport's shard.
func (c *PeerClosed) Add(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, id)
	c.any.Store(true)
}

// Take returns the ids added since the last call.
func (c *PeerClosed) Take() []string {
	if !c.any.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.any.Store(false)
	ids := c.ids
	c.ids = nil
	return ids
}
