package front

import (
	"maps"
	"slices"

	"gazpacho/engine/api"
)

// router is a Router. It exists on a node from the first use of that node on.
type router struct {
	entry
	lane       *lane
	transports []*transport
	observers  []*observer
	nodes      map[*node]bool // that have the Router
	pairs      map[[2]*node]*pair
	dataEnds   map[*node]string // ids of the transports of data relays

	reconciling, reconcileAgain bool
	prepared                    []*relay // for what is being restored
}

// on makes sure that a node has the Router, before it is asked for anything that belongs to it.
func (r *router) on(n *node) {
	if r.nodes[n] {
		return
	}
	r.nodes[n] = true
	n.tell(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: r.id})
}

func createRouter(o *operation) *gate {
	body, err := api.BodyOf[api.WorkerCreateRouterRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	wait, err := f.checkID(body.RouterID, isA[*router], "a Router with same routerId", o.req.Method)
	if wait != nil || err != nil {
		return o.waitOrRefuse(wait, err)
	}
	r := &router{
		entry: entry{id: body.RouterID}, lane: newLane(f),
		nodes: map[*node]bool{}, pairs: map[[2]*node]*pair{}, dataEnds: map[*node]string{},
	}
	r.router = r
	o.enter(r)
	f.routers = append(f.routers, r)
	return o.answer(nil, nil)
}

// isA says whether an object is of the given type.
func isA[O object](obj object) bool {
	_, is := obj.(O)
	return is
}

// waitOrRefuse is for functions that return either something to wait for or an error.
func (o *operation) waitOrRefuse(wait *gate, err error) *gate {
	if err != nil {
		return o.refuse(err)
	}
	return wait
}

func closeRouter(o *operation) *gate {
	body, err := api.BodyOf[api.WorkerCloseRouterRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	r, ok := f.objects[body.RouterID].(*router)
	if !ok {
		return o.refuse(api.NotFoundErrorf("Router not found [method:worker.closeRouter]"))
	}
	rest := r.forget(o)
	part := join(len(r.nodes)+1, func() { o.answer(nil, nil) })
	for n := range r.nodes {
		n.ask(o.req.Method, "", body, func(api.ResponseBody, error) { part() })
	}
	part()
	for _, later := range rest {
		f.dispatch(later)
	}
	return nil
}

// forget removes the Router and all that it holds from the tables, and returns the operations that waited behind o in its lane:
// they find nothing any more.
func (r *router) forget(o *operation) (rest []*operation) {
	f := o.front
	for _, t := range slices.Clone(r.transports) {
		t.forget()
	}
	r.endImports()
	for _, w := range r.observers {
		f.remove(w)
	}
	for _, p := range r.pairs {
		p.forget()
	}
	for id, h := range f.hidden {
		if h.of() == r {
			delete(f.hidden, id)
		}
	}
	f.remove(r)
	f.routers = without(f.routers, r)
	l := r.lane
	rest = append(rest, l.queue[1:]...)
	l.queue, l.media = l.queue[:0], 0
	maps.DeleteFunc(f.expected, func(_ string, in *lane) bool { return in == l })
	return rest
}

func dumpRouter(o *operation, r *router) *gate {
	if r.lane.begun > 1 { // o is one
		return &r.lane.idle
	}
	d := &api.RouterDumpResponse{ID: r.id, TransportIDs: ids(r.transports), RTPObserverIDs: ids(r.observers)}
	for _, t := range r.transports {
		for _, p := range t.producers {
			d.MapProducerIDConsumerIDs = append(d.MapProducerIDConsumerIDs, api.StringStringArray{Key: p.id, Values: ids(p.consumers)})
			d.MapProducerIDObserverIDs = append(d.MapProducerIDObserverIDs, api.StringStringArray{Key: p.id, Values: ids(p.observers)})
		}
		for _, c := range t.consumers {
			d.MapConsumerIDProducerID = append(d.MapConsumerIDProducerID, api.StringString{Key: c.id, Value: c.producer.id})
		}
		for _, p := range t.dataProducers {
			d.MapDataProducerIDDataConsumerIDs = append(d.MapDataProducerIDDataConsumerIDs,
				api.StringStringArray{Key: p.id, Values: ids(p.consumers)})
		}
		for _, c := range t.dataConsumers {
			d.MapDataConsumerIDDataProducerID = append(d.MapDataConsumerIDDataProducerID,
				api.StringString{Key: c.id, Value: c.producer.id})
		}
	}
	return o.answer(d, nil)
}
