package front

import (
	"gazpacho/engine/api"
)

// operation is a request or a notification of the application on its way through the front.
type operation struct {
	front        *Front
	lane         *lane
	req          *api.Request // nil for a notification
	notification *api.Notification
	reply        func(api.ResponseBody, error)
	creates      string // id of the object that the request creates, empty for none
	sequence     uint64 // operations are numbered in their order
	media        int    // bytes that a notification carries
	answered     bool
}

// dispatch puts an operation into its lane.
func (f *Front) dispatch(o *operation) {
	if o.req == nil {
		f.laneOf(o.notification.HandlerID).add(o)
		return
	}
	f.operations++
	o.sequence = f.operations
	f.pending[o] = struct{}{}
	l := f.laneOf(addressed(o.req))
	if o.creates = o.req.Creates(); o.creates != "" {
		f.expected[o.creates] = l
	}
	l.add(o)
}

// addressed returns the id of the object by which a request finds its lane: what closes or creates a Router waits for what that
// Router was asked before.
func addressed(req *api.Request) string {
	switch body := req.Body.(type) {
	case *api.WorkerCreateRouterRequest:
		if req.Method == api.MethodWorkerCreateRouter && body != nil {
			return body.RouterID
		}
	case *api.WorkerCloseRouterRequest:
		if req.Method == api.MethodWorkerCloseRouter && body != nil {
			return body.RouterID
		}
	}
	return req.HandlerID
}

// laneOf returns the lane of the Router that an object belongs to. Objects that requests in a lane will create count.
func (f *Front) laneOf(id string) *lane {
	if o, ok := f.objects[id]; ok {
		if r := o.base().router; r != nil {
			return r.lane
		}
		return f.lane
	}
	if l, ok := f.expected[id]; ok {
		return l
	}
	return f.lane
}

// begin starts the operation. It returns what to wait for before trying again; nothing has happened then.
func (o *operation) begin() *gate {
	if o.req == nil {
		return o.beginNotification()
	}
	o.lane.begun++
	wait := o.beginRequest()
	if wait != nil {
		o.lane.begun--
	}
	return wait
}

func (o *operation) beginRequest() *gate {
	m := o.front.methods[o.req.Method]
	if m.worker != nil {
		return m.worker(o)
	}
	obj, ok := o.front.objects[o.req.HandlerID]
	if !ok {
		return o.refuse(api.NotFoundErrorf("Channel request handler with ID %s not found [method:%s]", o.req.HandlerID, o.req.Method.Name()))
	}
	if e := obj.base(); e.creating {
		return &e.made
	}
	if m.object == nil {
		return o.unsupported()
	}
	return m.object(o, obj)
}

// beginNotification passes a notification on to its object's node.
func (o *operation) beginNotification() *gate {
	n := o.notification
	obj, ok := o.front.objects[n.HandlerID]
	if !ok {
		o.front.log.Error("notification failed", "event", n.Event, "handlerId", n.HandlerID, "error", "no such object")
		return nil
	}
	e := obj.base()
	if e.creating {
		return &e.made
	}
	if e.node == nil {
		o.front.log.Error("notification failed", "event", n.Event, "handlerId", n.HandlerID, "error", "it takes none")
		return nil
	}
	e.node.notify(n)
	return nil
}

// answer replies to the application. It always returns nil, which is what begin returns then.
func (o *operation) answer(body api.ResponseBody, err error) *gate {
	if o.answered {
		return nil
	}
	o.answered = true
	f := o.front
	delete(f.pending, o)
	if o.creates != "" && err != nil && f.objects[o.creates] == nil {
		f.routes.remove(o.creates)
	}
	o.reply(body, err)
	if l := o.lane; l != nil {
		if l.begun--; l.begun == 0 {
			l.idle.open()
		}
	}
	return nil
}

func (o *operation) refuse(err error) *gate { return o.answer(nil, err) }

func (o *operation) unsupported() *gate {
	return o.refuse(api.Errorf("unknown method '%s'", o.req.Method.Name()))
}

// pass has a node carry out the request as it is, and answers with its answer.
func (o *operation) pass(n *node) *gate {
	n.ask(o.req.Method, o.req.HandlerID, o.req.Body, func(body api.ResponseBody, err error) { o.answer(body, err) })
	return nil
}

// passThen is pass with something to do before an answer that accepts.
func (o *operation) passThen(n *node, accepted func(api.ResponseBody)) *gate {
	n.ask(o.req.Method, o.req.HandlerID, o.req.Body, func(body api.ResponseBody, err error) {
		if err == nil {
			accepted(body)
		}
		o.answer(body, err)
	})
	return nil
}

// holdIf keeps the operations behind this one from beginning until end is called with the error to answer with, if needed.
func (o *operation) holdIf(needed bool) (end func(error)) {
	l := o.lane
	if needed {
		l.hold()
	}
	return func(err error) {
		o.answer(nil, err)
		if needed {
			l.release()
		}
	}
}

// join calls then when n parts have reported that they are done.
func join(n int, then func()) (part func()) {
	return func() {
		if n--; n == 0 {
			then()
		}
	}
}
