package channel

import (
	"sync/atomic"

	"gazpacho/engine/api"
)

// Chosen here:
const (
	// maxUnanswered is how many requests for one Router may be unanswered; further ones are refused at once. The worker's own
	// have a bound of their own. mediasoup's Node library sends without waiting, so a busy room may owe some hundreds.
	maxUnanswered = 1024

	// maxHeldOfObject and maxHeld are the bytes of notifications that wait for the answer which creates their object, and of
	// those of all objects. They are apart from what waits for the application: a Router that cannot be reached takes no room
	// from others.
	maxHeldOfObject = 64 << 10
	maxHeld         = 4 << 20
)

// call is a request from its arrival to its answer.
type call struct {
	id       uint32
	method   api.Method
	answered atomic.Bool
	debt     *debt    // nil unless it is counted
	barrier  *barrier // nil unless it creates an object
}

// debt is what is owed of a Router, or of the worker itself.
type debt struct {
	router   string // empty for the worker itself
	requests int    // unanswered
}

// barrier holds the notifications of an object back whose creation is not answered yet: the application does not know the
// object before, and would take no notice of them.
type barrier struct {
	id     string
	calls  int // unanswered ones that would create the object; all but one will be refused
	frames []byte
}

// begin notes a request as c. It returns false when its Router has too many unanswered requests. Requests that close
// something are not bounded: an object is closed once, and one whose closing was refused would stay for ever.
func (o *outbox) begin(c *call, req *api.Request, router string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d := o.debts[router]; d != nil && d.requests >= maxUnanswered && req.Closes() == "" {
		return false
	}
	if id := req.Creates(); id != "" {
		c.barrier = o.barriers[id]
		if c.barrier == nil {
			c.barrier = &barrier{id: id}
			o.barriers[id] = c.barrier
		}
		c.barrier.calls++
	}
	return true
}

// owe counts c, which the worker has not answered at once, unless it is answered by now. Most workers answer most requests
// at once, and these cost nothing here.
func (o *outbox) owe(c *call, req *api.Request, router string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.answered.Load() || req.Closes() != "" {
		return
	}
	if c.debt = o.debts[router]; c.debt == nil {
		c.debt = &debt{router: router}
		o.debts[router] = c.debt
	}
	c.debt.requests++
}

// answer queues the response to a request, and behind it what was held back for it. When the response cannot be encoded, the
// application gets an Error instead, and the caller the reason. ok is false when the request has been answered before.
func (o *outbox) answer(c *call, r *api.Response) (ok bool, err error) {
	if c.answered.Swap(true) {
		return false, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.debt != nil {
		if c.debt.requests--; c.debt.requests == 0 {
			delete(o.debts, c.debt.router)
		}
	}
	if o.closed {
		return true, nil
	}
	o.makeRoom()
	o.filling, err = o.encodeResponse(o.filling, r)
	o.lift(c.barrier, r.Accepted)
	if !o.attended {
		o.work.Signal()
	}
	return true, err
}

// lift releases what a barrier holds once its object exists, or is created by no request any more: then the notifications are
// those of an older object with this id, which is why the request was refused.
func (o *outbox) lift(b *barrier, created bool) {
	if b == nil {
		return
	}
	b.calls--
	if o.barriers[b.id] != b || !created && b.calls > 0 {
		return
	}
	delete(o.barriers, b.id)
	o.held -= len(b.frames)
	o.filling = append(o.filling, b.frames...)
}

// hold keeps a notification for later. Media does not wait.
func (o *outbox) hold(b *barrier, m api.MessageBody, w weight) error {
	if w == weightMedia {
		return nil
	}
	frames, err := o.encode(b.frames, m)
	if err != nil {
		return err
	}
	size := len(frames) - len(b.frames)
	if len(frames) > maxHeldOfObject || o.held+size > maxHeld {
		o.dropped.early++
		return nil
	}
	o.held += size
	b.frames = frames
	return nil
}
