package remote

import "gazpacho/engine/api"

// objects knows to which Router each object of a worker belongs, from the requests that create and close them.
type objects struct {
	byID map[string]*object
}

type object struct {
	router string // empty for WebRtcServers
	parent *object
	parts  map[string]*object // what is closed with it
}

// note follows a request on its way to the node.
func (o *objects) note(req *api.Request) {
	if id := req.Creates(); id != "" && o.byID[id] == nil {
		o.add(id, req)
	}
	if id := req.Closes(); id != "" {
		o.remove(id)
	}
}

func (o *objects) add(id string, req *api.Request) {
	if o.byID == nil {
		o.byID = map[string]*object{}
	}
	made := &object{}
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
}

// remove forgets an object and its parts.
func (o *objects) remove(id string) {
	gone := o.byID[id]
	if gone == nil {
		return
	}
	delete(o.byID, id)
	if gone.parent != nil {
		delete(gone.parent.parts, id)
	}
	for part := range gone.parts {
		o.remove(part)
	}
}

// routerOf returns the Router of an object, empty for none.
func (o *objects) routerOf(id string) string {
	if found := o.byID[id]; found != nil {
		return found.router
	}
	return ""
}
