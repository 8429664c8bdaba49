package front

import (
	"slices"

	"gazpacho/engine/api"
)

// observer is an RtpObserver. It lives on one node, to which the producers that it watches are relayed from elsewhere.
type observer struct {
	entry
	create    *api.Request
	paused    bool
	producers []*producer
	lacking   []*producer // of these, those that its node does not know since it came back
	relays    map[*producer]*relay
}

func createObserver(o *operation, r *router) *gate {
	id, err := observerID(o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	wait, err := f.checkID(id, func(obj object) bool { w, is := obj.(*observer); return is && w.router == r }, "an RtpObserver with same id", o.req.Method)
	if wait != nil || err != nil {
		return o.waitOrRefuse(wait, err)
	}
	n := r.forObserver()
	if n == nil {
		return o.refuse(api.Errorf("no node can take the RtpObserver [method:%s]", o.req.Method.Name()))
	}
	w := &observer{entry: entry{id: id, router: r, node: n, creating: true}, create: o.req, relays: map[*producer]*relay{}}
	o.enter(w)
	r.observers = append(r.observers, w)
	r.on(w.node)
	c := w.node.ask(o.req.Method, r.id, o.req.Body, func(answer api.ResponseBody, err error) {
		if err != nil {
			r.observers = without(r.observers, w)
			f.remove(w)
		}
		o.answer(answer, err)
		f.settle(w)
	})
	c.late = w.closeOnNode
	return nil
}

func observerID(req *api.Request) (string, error) {
	if req.Method == api.MethodRouterCreateAudioLevelObserver {
		body, err := api.BodyOf[api.RouterCreateAudioLevelObserverRequest](req)
		if err != nil {
			return "", err
		}
		return body.RTPObserverID, nil
	}
	body, err := api.BodyOf[api.RouterCreateActiveSpeakerObserverRequest](req)
	if err != nil {
		return "", err
	}
	return body.RTPObserverID, nil
}

func (w *observer) closeOnNode() {
	w.node.tell(api.MethodRouterCloseRTPObserver, w.router.id, &api.RouterCloseRTPObserverRequest{RTPObserverID: w.id})
}

func closeObserver(o *operation, r *router) *gate {
	body, err := api.BodyOf[api.RouterCloseRTPObserverRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	w, ok := o.front.objects[body.RTPObserverID].(*observer)
	switch {
	case !ok || w.router != r:
		return o.refuse(api.NotFoundErrorf("RtpObserver not found [method:router.closeRtpObserver]"))
	case w.creating:
		return &w.made
	}
	for _, p := range slices.Clone(w.producers) {
		w.forgetProducer(p)
	}
	r.observers = without(r.observers, w)
	o.front.remove(w)
	return o.passClose(w.node)
}

func pauseObserver(o *operation, w *observer) *gate {
	return o.passThen(w.node, func(api.ResponseBody) { w.paused = true })
}

func resumeObserver(o *operation, w *observer) *gate {
	return o.passThen(w.node, func(api.ResponseBody) { w.paused = false })
}

func addToObserver(o *operation, w *observer) *gate {
	body, err := api.BodyOf[api.RTPObserverAddProducerRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	p, wait, err := w.find(body.ProducerID)
	switch {
	case wait != nil || err != nil:
		return o.waitOrRefuse(wait, err)
	case slices.Contains(w.producers, p):
		return o.pass(w.node)
	}
	var r *relay
	if p.node != w.node {
		if r, wait, err = o.front.relay(p, w.node); wait != nil || err != nil {
			return o.waitOrRefuse(wait, err)
		}
		r.use()
		w.relays[p] = r
	}
	w.producers = append(w.producers, p)
	p.observers = append(p.observers, w)
	if r != nil {
		r.adjust()
	}
	var refusal error
	part := join(2, func() {
		if r != nil && r.failure != nil {
			refusal = r.failure
		}
		if refusal != nil {
			w.forgetProducer(p)
		}
		o.answer(nil, refusal)
	})
	w.node.ask(o.req.Method, w.id, body, func(_ api.ResponseBody, err error) {
		refusal = err
		part()
	})
	if r == nil {
		part()
		return nil
	}
	r.whenMade(part)
	return nil
}

func removeFromObserver(o *operation, w *observer) *gate {
	body, err := api.BodyOf[api.RTPObserverRemoveProducerRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	p, wait, err := w.find(body.ProducerID)
	switch {
	case wait != nil || err != nil:
		return o.waitOrRefuse(wait, err)
	case !slices.Contains(w.producers, p):
		return o.answer(nil, nil)
	}
	w.forgetProducer(p)
	return o.pass(w.node)
}

// find returns a producer of the observer's Router, or what to wait for.
func (w *observer) find(id string) (*producer, *gate, error) {
	p, ok := w.router.lane.front.objects[id].(*producer)
	switch {
	case !ok || p.router != w.router:
		return nil, nil, api.NotFoundErrorf("Producer not found")
	case p.creating:
		return nil, &p.made, nil
	}
	return p, nil, nil
}

// forgetProducer ends the watching of a producer in the tables.
func (w *observer) forgetProducer(p *producer) {
	w.producers = without(w.producers, p)
	p.observers = without(p.observers, w)
	if r := w.relays[p]; r != nil {
		delete(w.relays, p)
		r.unuse()
	}
}
