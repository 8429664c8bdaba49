package front

import (
	"slices"
	"time"

	"gazpacho/engine/api"
	"gazpacho/scaling/placement"
)

// node is a worker that carries a part of what the application has.
type node struct {
	front    *Front
	options  NodeOptions
	name     string
	index    int // of its place, which one that comes back takes again; the front's own engine comes first
	worker   api.Worker
	pipe     api.ListenInfo
	sameHost bool
	on       *node // of the home of imports: what it is on, else nil

	transports int // of the application
	asked      int // of these, those that it was asked for and has not answered yet

	gone error // why it has ended; nil while it lives
	// returning: it is in the place of one that has ended, and has not answered yet.
	returning bool
	removed   bool // nothing new of that name is tried, until it is added again
	lastID    uint32
	calls     []*call // unanswered, in the order in which they were made
	watched   bool    // a timer for the oldest of them is running

	refusing bool // notifications were refused lately, which is logged from time to time
	refused  int  // how many since the last time
}

// call is a request of the front to a node.
type call struct {
	node   *node
	method api.Method
	done   func(api.ResponseBody, error) // nil once it was called
	// late is called when an acceptance comes after done was called with an error, to take back what was done. It may be nil.
	late     func()
	deadline time.Time
	then     []func() // called after done
}

func (f *Front) newNode(o NodeOptions) (*node, error) {
	n := &node{front: f, options: o, name: o.Name, pipe: o.Pipe, sameHost: o.SameHost}
	var err error
	if n.worker, err = o.Worker(n.emit); err != nil {
		return nil, err
	}
	go func() {
		<-n.worker.Done()
		f.inbox.put(item{do: func() { f.handleGone(n, n.worker.Err()) }})
	}()
	return n, nil
}

// emit is the node's api.Emitter. It may run with locks of the worker held.
func (n *node) emit(notification *api.Notification) {
	kept := *notification
	n.front.inbox.put(item{do: func() { n.front.handleEvent(n, &kept) }, media: sizeOf(&kept)})
}

// sizeOf returns how many bytes of media or data a notification carries, which may be lost. It is 0 for all others.
func sizeOf(n *api.Notification) int {
	const overhead = 64 // so that empty ones count too
	switch body := n.Body.(type) {
	case *api.ConsumerRTPNotification:
		return len(body.Data) + overhead
	case *api.DirectTransportRTCPNotification:
		return len(body.Data) + overhead
	case *api.DataConsumerMessageNotification:
		return len(body.Data) + overhead
	case *api.DataProducerSendNotification:
		return len(body.Data) + overhead
	case *api.ProducerSendNotification:
		return len(body.Data) + overhead
	case *api.TransportSendRTCPNotification:
		return len(body.Data) + overhead
	}
	return 0
}

// ask sends a request. done is called once, later and never from within ask: with the answer, or with an error when none has come
// for too long.
func (n *node) ask(method api.Method, handlerID string, body api.RequestBody, done func(api.ResponseBody, error)) *call {
	f := n.front
	c := &call{node: n, method: method, done: done, deadline: f.options.Clock.Now().Add(f.options.Silence)}
	if n.gone != nil {
		f.inbox.put(item{do: func() { c.finish(nil, n.errGone(method)) }})
		return c
	}
	n.calls = append(n.calls, c)
	n.lastID++
	n.worker.HandleRequest(&api.Request{ID: n.lastID, Method: method, HandlerID: handlerID, Body: body},
		func(body api.ResponseBody, err error) { f.inbox.put(item{do: func() { c.answer(body, err) }}) })
	n.startWatch()
	return c
}

// tell is ask for what cannot be refused, or need not be known.
func (n *node) tell(method api.Method, handlerID string, body api.RequestBody) {
	n.ask(method, handlerID, body, func(_ api.ResponseBody, err error) {
		if err != nil && n.gone == nil {
			n.front.log.Debug("a node refuses what it should not", "node", n.name, "method", method, "handlerId", handlerID, "error", err)
		}
	})
}

// ifAlive calls f if the node, which has refused something, goes on answering. A worker that ends refuses what it has not answered
// before it is known to have ended.
func (n *node) ifAlive(f func()) {
	n.ask(api.MethodWorkerDump, "", nil, func(_ api.ResponseBody, err error) {
		if err == nil {
			f()
		}
	})
}

// refusalsPause is how often refused notifications are logged. Chosen here: a node that is reached slowly may refuse thousands of
// messages a second.
const refusalsPause = 10 * time.Second

// notify passes on a notification of the application. The first one that the node refuses is logged, then how many others were.
func (n *node) notify(notification *api.Notification) {
	if n.gone != nil {
		return
	}
	err := n.worker.HandleNotification(notification)
	switch {
	case err == nil:
	case n.refusing:
		n.refused++
	default:
		n.front.log.Error("notification failed", "node", n.name, "event", notification.Event, "handlerId", notification.HandlerID, "error", err)
		n.refusing = true
		n.front.after(refusalsPause, n.logRefused)
	}
}

// logRefused logs how many notifications were refused since the last line. If none was, the next one is logged again.
func (n *node) logRefused() {
	if n.refused == 0 {
		n.refusing = false
		return
	}
	n.front.log.Error("more notifications failed", "node", n.name, "count", n.refused)
	n.refused = 0
	n.front.after(refusalsPause, n.logRefused)
}

// answer takes the node's answer.
func (c *call) answer(body api.ResponseBody, err error) {
	if i := slices.Index(c.node.calls, c); i >= 0 {
		c.node.calls = slices.Delete(c.node.calls, i, i+1)
	}
	switch {
	case c.done != nil:
		c.finish(body, err)
	case err == nil && c.late != nil:
		c.late()
	}
}

func (c *call) finish(body api.ResponseBody, err error) {
	done, then := c.done, c.then
	c.done, c.then = nil, nil
	done(body, err)
	for _, f := range then {
		f()
	}
}

// whenAnswered calls f when the node has answered, or failed to answer, all that it was asked until now.
func (n *node) whenAnswered(f func()) {
	part := join(len(n.calls)+1, f)
	for _, c := range n.calls {
		if c.done == nil {
			part()
		} else {
			c.then = append(c.then, part)
		}
	}
	part()
}

// silent reports whether the node owes the answer to a request that was given up.
func (n *node) silent() bool {
	return slices.ContainsFunc(n.calls, func(c *call) bool { return c.done == nil })
}

// startWatch has the oldest unanswered call looked at when its time is over, unless a timer is running.
func (n *node) startWatch() {
	if n.watched {
		return
	}
	for _, c := range n.calls {
		if c.done != nil {
			n.watched = true
			n.front.after(c.deadline.Sub(n.front.options.Clock.Now()), n.endWatch)
			return
		}
	}
}

// endWatch gives up the calls whose time is over.
func (n *node) endWatch() {
	n.watched = false
	now := n.front.options.Clock.Now()
	for _, c := range slices.Clone(n.calls) {
		if c.done != nil && !c.deadline.After(now) {
			n.front.log.Warn("a node does not answer", "node", n.name, "method", c.method)
			c.finish(nil, api.Errorf("node %s does not answer [method:%s]", n.name, c.method.Name()))
		}
	}
	n.startWatch()
}

func (n *node) errGone(m api.Method) error {
	return api.Errorf("node %s is gone: %v [method:%s]", n.name, n.gone, m.Name())
}

// place returns the node itself, for the home of imports the one that it is on: there is where it tells something, and what it reaches.
func (n *node) place() *node {
	if n.on != nil {
		return n.on
	}
	return n
}

// state returns what the node tells of itself. An engine of this process tells its load, and nothing is assumed of it.
func (n *node) state() placement.State {
	if w, ok := n.worker.(interface{ State() placement.State }); ok {
		return w.State()
	}
	return placement.State{Load: n.worker.Load().CPU}
}

// load returns how busy the node is, from 0 to 1.
func (n *node) load() float64 { return n.worker.Load().CPU }

// ended reports whether the node's worker has ended, which the front hears of a moment later.
func (n *node) ended() bool {
	select {
	case <-n.worker.Done():
		return true
	default:
		return n.gone != nil
	}
}

// available reports whether something new may be placed on the node: it is reached, and not about to end.
func (n *node) available() bool {
	w, ok := n.worker.(interface{ Available() bool })
	return n.gone == nil && !n.returning && (!ok || w.Available())
}
