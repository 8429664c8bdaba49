package router

import (
	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Handler carries out the requests and notifications that are addressed to one object by its id.
type Handler interface {
	HandleRequest(req *api.Request) (api.ResponseBody, error)
	// HandleNotification reports false when the object takes no notifications.
	HandleNotification(n *api.Notification) (bool, error)
	// RouterID returns the id of the Router that the object is or belongs to, empty for none.
	RouterID() string
}

// Method carries out a request to an object of type O.
type Method[O any] func(o O, req *api.Request) (api.ResponseBody, error)

// Methods are the methods that objects of type O have.
type Methods[O any] map[api.Method]Method[O]

// Handle carries out a request to o.
func (m Methods[O]) Handle(o O, req *api.Request) (api.ResponseBody, error) {
	if method := m[req.Method]; method != nil {
		return method(o, req)
	}
	return nil, api.Errorf("unknown method '%s'", req.Method.Name())
}

// NoBody makes a method of a function that needs no body.
func NoBody[O any, R api.ResponseBody](f func(O) (R, error)) Method[O] {
	return func(o O, _ *api.Request) (api.ResponseBody, error) { return reply(f(o)) }
}

// WithBody makes a method of a function that takes the request's body. A body of another type is refused.
func WithBody[O, B any, R api.ResponseBody](f func(O, *B) (R, error)) Method[O] {
	return func(o O, req *api.Request) (api.ResponseBody, error) {
		body, err := api.BodyOf[B](req)
		if err != nil {
			return nil, err
		}
		return reply(f(o, body))
	}
}

// reply keeps a nil pointer beside an error from becoming a body that is not nil.
func reply[R api.ResponseBody](body R, err error) (api.ResponseBody, error) {
	if err != nil {
		return nil, err
	}
	return body, nil
}

// onShard is an object that lives on a shard: do runs f with that shard's turn held; it fails when the object is out of
// service. What names the work in the log, should it panic.
type onShard interface {
	do(what string, f func(now unit.Time) error) error
}

// inTurn makes a method of a function that runs on the object's shard.
func inTurn[O onShard, R api.ResponseBody](f func(o O, now unit.Time) (R, error)) Method[O] {
	return func(o O, req *api.Request) (api.ResponseBody, error) {
		var body R
		err := o.do(req.Method.Name(), func(now unit.Time) (err error) {
			body, err = f(o, now)
			return err
		})
		return reply(body, err)
	}
}

// inTurnWith is inTurn for a function that takes the request's body.
func inTurnWith[O onShard, B any, R api.ResponseBody](f func(o O, now unit.Time, body *B) (R, error)) Method[O] {
	return func(o O, req *api.Request) (api.ResponseBody, error) {
		body, err := api.BodyOf[B](req)
		if err != nil {
			return nil, err
		}
		return inTurn(func(o O, now unit.Time) (R, error) { return f(o, now, body) })(o, req)
	}
}
