package remote

import "gazpacho/engine/api"

// objects knows the objects of a worker, and to which Router each belongs, from the requests that create and close them.
type objects struct {
	byID  map[string]*object
	count api.Load // how many of each there are
}

type object struct {
	router string // empty for WebRtcServers
	method api.Method
	parent *object
	parts  map[string]*object // what is closed with it
}

// note follows a request on its way to the node, and returns the id of the object that it enters.
func (o *objects) note(req *api.Request) (creates string) {
	if id := req.Creates(); id != "" && o.byID[id] == nil {
		o.add(id, req)
		return id
	}
	o.remove(req.Closes())
	return ""
}

func (o *objects) add(id string, req *api.Request) {
	if o.byID == nil {
		o.byID = map[string]*object{}
	}
	made := &object{method: req.Method}
	switch parent := o.byID[req.HandlerID]; {
	case parent != nil:
		made.router, made.parent = parent.router, parent
		if parent.parts == nil {
			parent.parts = map[string]*object{}
		}
		parent.parts[id] = made
	case req.Method == api.MethodWorkerCreateRouter:
		made.router = id
	}
	o.byID[id] = made
	o.tally(req.Method, 1)
}

// tally counts objects by the method that creates them.
func (o *objects) tally(m api.Method, n int) {
	switch m {
	case api.MethodWorkerCreateRouter:
		o.count.Routers += n
	case api.MethodRouterCreateWebRtcTransport, api.MethodRouterCreateWebRtcTransportWithServer, api.MethodRouterCreatePlainTransport,
		api.MethodRouterCreatePipeTransport, api.MethodRouterCreateDirectTransport:
		o.count.Transports += n
	case api.MethodTransportProduce:
		o.count.Producers += n
	case api.MethodTransportConsume:
		o.count.Consumers += n
	case api.MethodTransportProduceData:
		o.count.DataProducers += n
	case api.MethodTransportConsumeData:
		o.count.DataConsumers += n
	}
}

// remove forgets an object and its parts, and returns the ids of all that it has forgotten.
func (o *objects) remove(id string) (gone []string) {
	found := o.byID[id]
	if found == nil {
		return nil
	}
	if found.parent != nil {
		delete(found.parent.parts, id)
	}
	return o.forget(id, found, nil)
}

func (o *objects) forget(id string, found *object, gone []string) []string {
	delete(o.byID, id)
	o.tally(found.method, -1)
	gone = append(gone, id)
	for part, object := range found.parts {
		gone = o.forget(part, object, gone)
	}
	return gone
}

// has reports whether an object is known.
func (o *objects) has(id string) bool { return o.byID[id] != nil }

// routerOf returns the Router of an object, empty for none.
func (o *objects) routerOf(id string) string {
	if found := o.byID[id]; found != nil {
		return found.router
	}
	return ""
}
