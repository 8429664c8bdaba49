package api

// Objects knows the objects of a worker, and to which Router each belongs, from the requests that create and close them. The zero
// value knows none.
type Objects struct {
	byID  map[string]*object
	count Load // how many of each there are
}

type object struct {
	id      string
	router  string // empty for WebRtcServers
	method  Method
	parents []*object          // with which it is closed
	parts   map[string]*object // what is closed with it
}

// Note follows a request on its way to the worker, and returns the id of the object that it enters.
func (o *Objects) Note(req *Request) (creates string) {
	if id := req.Creates(); id != "" && o.byID[id] == nil {
		o.add(id, req)
		return id
	}
	o.Remove(req.Closes())
	return ""
}

func (o *Objects) add(id string, req *Request) {
	if o.byID == nil {
		o.byID = map[string]*object{}
	}
	made := &object{id: id, method: req.Method}
	parent := o.byID[req.HandlerID]
	switch {
	case parent != nil:
		made.router = parent.router
	case req.Method == MethodWorkerCreateRouter:
		made.router = id
	}
	made.join(parent)
	made.join(o.byID[serverOf(req)])
	o.byID[id] = made
	o.tally(req.Method, 1)
}

// join makes the object a part of another one, if that is known.
func (made *object) join(parent *object) {
	if parent == nil {
		return
	}
	made.parents = append(made.parents, parent)
	if parent.parts == nil {
		parent.parts = map[string]*object{}
	}
	parent.parts[made.id] = made
}

// serverOf returns the WebRtcServer that a transport is to use, empty for none.
func serverOf(req *Request) string {
	body, _ := req.Body.(*RouterCreateWebRtcTransportRequest)
	if body == nil || body.Options == nil {
		return ""
	}
	listen, _ := body.Options.Listen.(*ListenServer)
	return idOf(listen, func() string { return listen.WebRtcServerID })
}

// tally counts objects by the method that creates them.
func (o *Objects) tally(m Method, n int) {
	switch m {
	case MethodWorkerCreateRouter:
		o.count.Routers += n
	case MethodRouterCreateWebRtcTransport, MethodRouterCreateWebRtcTransportWithServer, MethodRouterCreatePlainTransport,
		MethodRouterCreatePipeTransport, MethodRouterCreateDirectTransport:
		o.count.Transports += n
	case MethodTransportProduce:
		o.count.Producers += n
	case MethodTransportConsume:
		o.count.Consumers += n
	case MethodTransportProduceData:
		o.count.DataProducers += n
	case MethodTransportConsumeData:
		o.count.DataConsumers += n
	}
}

// Remove forgets an object and its parts, and returns the ids of all that it has forgotten.
func (o *Objects) Remove(id string) (gone []string) {
	found := o.byID[id]
	if found == nil {
		return nil
	}
	return o.forget(found, nil)
}

func (o *Objects) forget(found *object, gone []string) []string {
	delete(o.byID, found.id)
	o.tally(found.method, -1)
	gone = append(gone, found.id)
	for _, parent := range found.parents {
		delete(parent.parts, found.id)
	}
	for _, part := range found.parts {
		gone = o.forget(part, gone)
	}
	return gone
}

// Has reports whether an object is known.
func (o *Objects) Has(id string) bool { return o.byID[id] != nil }

// RouterOf returns the Router of an object, empty for none.
func (o *Objects) RouterOf(id string) string {
	if found := o.byID[id]; found != nil {
		return found.router
	}
	return ""
}

// Load returns how many objects there are of each kind.
func (o *Objects) Load() Load { return o.count }
