package engine

import (
	"sync"
	"sync/atomic"

	"gazpacho/engine/api"
)

// replyBarrier is the object that the request in hand creates. Shards may have something to tell of it before the request is
// answered: a packet that comes in, layers that change. The application learns of the object by the answer, and would not
// know what to do with a notification that comes earlier: those are held back until then. Upstream, with its one thread,
// answers first.
type replyBarrier struct {
	emit   api.Emitter
	active atomic.Bool

	mu   sync.Mutex
	id   string
	held []api.Notification
}

// maxHeld is how many notifications are held back, ours; further ones are lost, as they would be without holding them back.
const maxHeld = 1024

// take implements api.Emitter for the shards.
func (c *replyBarrier) take(n *api.Notification) {
	if !c.active.Load() || !c.hold(n) {
		c.emit(n)
	}
}

func (c *replyBarrier) hold(n *api.Notification) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.active.Load() || n.HandlerID != c.id {
		return false
	}
	switch n.Body.(type) {
	case *api.ConsumerRTPNotification, *api.DirectTransportRTCPNotification:
		return true // media is not kept for anybody
	}
	if len(c.held) < maxHeld {
		c.held = append(c.held, *n)
	}
	return true
}

// arrive is called before the request that creates the object with the given id is handled.
func (c *replyBarrier) arrive(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id = id
	c.active.Store(true)
}

// answered is called when the request was answered. What follows from the shards waits until all that was held back is told.
func (c *replyBarrier) answered() {
	if !c.active.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.held {
		c.emit(&c.held[i])
	}
	c.held = nil
	c.active.Store(false)
}

// created returns the id of the object that a request creates, empty for none. Routers and servers tell nothing.
func created(req *api.Request) string {
	switch body := req.Body.(type) {
	case *api.RouterCreatePlainTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *api.RouterCreatePipeTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *api.RouterCreateWebRtcTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *api.RouterCreateDirectTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *api.RouterCreateActiveSpeakerObserverRequest:
		return idOf(body, func() string { return body.RTPObserverID })
	case *api.RouterCreateAudioLevelObserverRequest:
		return idOf(body, func() string { return body.RTPObserverID })
	case *api.TransportProduceRequest:
		return idOf(body, func() string { return body.ProducerID })
	case *api.TransportConsumeRequest:
		return idOf(body, func() string { return body.ConsumerID })
	case *api.TransportProduceDataRequest:
		return idOf(body, func() string { return body.DataProducerID })
	case *api.TransportConsumeDataRequest:
		return idOf(body, func() string { return body.DataConsumerID })
	}
	return ""
}

// idOf returns what id returns, but for a body that is nil.
func idOf[B any](body *B, id func() string) string {
	if body == nil {
		return ""
	}
	return id()
}
