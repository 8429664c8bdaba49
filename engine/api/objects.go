package api

// Objects knows the objects of a worker, and to which Router each belongs, from the requests that create and close them. The zero
// value knows none.
type Objects struct {
	byID  map[string]*object
	count Load // how many of each there are
}

type object struct {
	id     string
	router string // empty for WebRtcServers
	method Method
	parent *object
	parts  map[string]*object // what is closed with it
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
	switch parent := o.byID[req.HandlerID]; {
	case parent != nil:
		made.router, made.parent = parent.router, parent
		if parent.parts == nil {
			parent.parts = map[string]*object{}
		}
		parent.parts[id] = made
	case req.Method == MethodWorkerCreateRouter:
		made.router = id
	}
	o.byID[id] = made
	o.tally(req.Method, 1)
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
	if found.parent != nil {
		delete(found.parent.parts, id)
	}
	return o.forget(found, nil)
}

func (o *Objects) forget(found *object, gone []string) []string {
	delete(o.byID, found.id)
	o.tally(found.method, -1)
	gone = append(gone, found.id)
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
