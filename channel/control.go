package channel

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// control is the control loop. It returns the reason for which it ends.
func (c *Channel) control() error {
	for {
		if !c.in.ready() {
			c.outbox.flush(c.tryWrite)
		}
		c.outbox.waitForRoom()
		payload, err := c.in.next()
		if err != nil {
			return c.readError(err)
		}
		c.progress.Add(1)
		if !c.in.ready() {
			c.outbox.attend()
		}
		if !c.handle(payload) {
			return ErrClosedByApplication
		}
		select {
		case <-c.ended:
			return c.reason
		default:
		}
	}
}

// readError turns a reader's error into the reason of the end. A broken connection is what a killed application leaves.
func (c *Channel) readError(err error) error {
	if !errors.Is(err, ErrFrameTooLong) {
		if err != io.EOF {
			c.logger.Error("cannot read from the channel", "error", err)
		}
		return ErrHungUp
	}
	err = fmt.Errorf("the channel is out of step, nothing after this can be understood: %w", err)
	c.logger.Error(err.Error())
	return err
}

// handle decodes a message and hands it on. It returns false when the application asks to close.
func (c *Channel) handle(payload []byte) bool {
	m, err := c.decode(payload)
	switch m := m.(type) {
	case *api.Request:
		if m.Method == api.MethodWorkerClose { // releases before 3.19.18 want an answer
			c.answer(&call{id: m.ID}, nil, nil)
			return false
		}
		c.handleRequest(m)
	case *api.Notification:
		if m.Event == api.EventWorkerClose {
			return false
		}
		c.handleNotification(m)
	default:
		c.handleGarbage(err, len(payload))
	}
	return true
}

// decode reads a message; a decoder's panic is an error like any other.
func (c *Channel) decode(payload []byte) (m api.MessageBody, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("the decoder panicked: %v\n%s", p, debug.Stack())
		}
	}()
	if m, err = c.decoder.DecodeMessage(payload); err != nil {
		return nil, err
	}
	return m, nil
}

// handleGarbage drops what is no message for us. The sender of a request gets an answer if the id can be read: without
// one its promise would wait for ever.
func (c *Channel) handleGarbage(err error, size int) {
	if err == nil {
		err = errors.New("neither a request nor a notification")
	}
	c.logger.Error("message discarded", "bytes", size, "error", err)
	var refused *fbs.RequestError
	if !errors.As(err, &refused) {
		return
	}
	reason := refused.Err
	if refused.UnknownMethod {
		reason = errors.New("unknown method") // mediasoup's text
	}
	c.answer(&call{id: refused.ID}, nil, reason)
}

// handleRequest hands a request to the worker. A panic of the worker refuses this request; the worker lives on.
func (c *Channel) handleRequest(req *api.Request) {
	c.handling.Lock()
	defer c.handling.Unlock()
	if c.closing {
		c.answer(&call{id: req.ID, method: req.Method}, nil, api.Errorf("worker closed [method:%s]", req.Method))
		return
	}
	to := &call{id: req.ID, method: req.Method}
	defer func() {
		if p := recover(); p != nil {
			c.logger.Error("panic while a request was handled", "method", to.method, "id", to.id, "handlerId", req.HandlerID,
				"panic", p, "stack", string(debug.Stack()))
			c.answer(to, nil, fmt.Errorf("internal error: %v [method:%s]", p, to.method))
		}
	}()
	router := c.worker.RouterOf(req.HandlerID)
	if !c.outbox.begin(to, req, router) {
		c.answer(to, nil, api.Errorf("too many unanswered requests for the same Router [method:%s, routerId:%s]",
			to.method.Name(), router))
		return
	}
	c.worker.HandleRequest(req, func(body api.ResponseBody, err error) {
		if !c.answer(to, body, err) {
			c.logger.Error("request answered twice", "method", to.method, "id", to.id)
		}
	})
	if !to.answered.Load() {
		c.outbox.owe(to, req, router)
	}
}

// answer queues the response to a request. It returns false when the request has been answered before.
func (c *Channel) answer(to *call, body api.ResponseBody, err error) bool {
	r := &api.Response{ID: to.id, Accepted: true, Body: body}
	if err != nil {
		c.logger.Debug("request refused", TagKey, "info", "method", to.method, "id", to.id, "error", err)
		r = refusal(to.id, err)
	}
	ok, err := c.outbox.answer(to, r)
	if err != nil {
		c.logger.Error("response lost", "id", to.id, "error", err)
	}
	return ok
}

// handleNotification hands a notification to the worker; what it refuses is only logged, as there is no answer.
func (c *Channel) handleNotification(n *api.Notification) {
	c.handling.Lock()
	defer c.handling.Unlock()
	defer func() {
		if p := recover(); p != nil {
			c.logger.Error("panic while a notification was handled", "event", n.Event, "handlerId", n.HandlerID,
				"panic", p, "stack", string(debug.Stack()))
		}
	}()
	if c.closing {
		return
	}
	if err := c.worker.HandleNotification(n); err != nil {
		c.logger.Error("notification failed", "event", n.Event, "error", err)
	}
}

// refusal is the response that refuses request id: with err's class if it has one, as an Error otherwise.
func refusal(id uint32, err error) *api.Response {
	kind := api.ErrorKindError
	if e, ok := errors.AsType[*api.Error](err); ok {
		kind = e.Kind
	}
	return &api.Response{ID: id, Error: string(kind), Reason: err.Error()}
}
