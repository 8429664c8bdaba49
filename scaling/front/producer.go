package front

import (
	"slices"

	"gazpacho/engine/api"
)

// producer is a producer of the application.
type producer struct {
	entry
	transport *transport
	request   *api.TransportProduceRequest // that created it
	paused    bool
	scores    []uint8 // of its encodings, as its home told last
	consumers []*consumer
	observers []*observer
	relays    []*relay
	imported  *importedMedia // if it is another application's, else nil
}

func produce(o *operation, t *transport) *gate {
	body, err := api.BodyOf[api.TransportProduceRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	wait, err := f.checkID(body.ProducerID, func(obj object) bool { p, is := obj.(*producer); return is && p.transport == t },
		"a Producer with same producerId", o.req.Method)
	if wait != nil || err != nil {
		return o.waitOrRefuse(wait, err)
	}
	if f.isImport(body.ProducerID) {
		return produceImported(o, t, body)
	}
	p := &producer{
		entry: entry{id: body.ProducerID, router: t.router, node: t.node, creating: true}, transport: t, request: body,
		paused: body.Paused, scores: make([]uint8, len(body.RTPParameters.Encodings)),
	}
	o.enter(p)
	t.producers = append(t.producers, p)
	c := t.node.ask(o.req.Method, t.id, body, func(answer api.ResponseBody, err error) {
		if err != nil {
			t.producers = without(t.producers, p)
			f.remove(p)
		}
		o.answer(answer, err)
		f.settle(p)
	})
	c.late = func() {
		t.node.tell(api.MethodTransportCloseProducer, t.id, &api.TransportCloseProducerRequest{ProducerID: p.id})
	}
	return nil
}

func closeProducer(o *operation, t *transport) *gate {
	body, err := api.BodyOf[api.TransportCloseProducerRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	p, ok := o.front.objects[body.ProducerID].(*producer)
	if !ok || p.transport != t {
		return o.refuse(api.NotFoundErrorf("Producer not found [method:transport.closeProducer]"))
	}
	if p.creating {
		return &p.made
	}
	p.close()
	if p.imported != nil {
		return o.answer(nil, nil)
	}
	return o.passClose(t.node)
}

// close tells the application that the producer's consumers are closed, ends its relays, and forgets it. Its home is told by the
// caller.
func (p *producer) close() {
	f := p.transport.front()
	for _, c := range slices.Clone(p.consumers) {
		c.closeForProducer()
	}
	for _, w := range slices.Clone(p.observers) {
		w.forgetProducer(p)
	}
	for _, r := range p.lastFirst() {
		r.end()
	}
	p.transport.producers = without(p.transport.producers, p)
	f.remove(p)
}

// lastFirst returns the relays, those that are fed by others before these: so none gets another source while all of them end.
func (p *producer) lastFirst() []*relay {
	all := slices.Clone(p.relays)
	slices.SortStableFunc(all, func(a, b *relay) int { return b.depth() - a.depth() })
	return all
}

// pauseProducer pauses at home, and then at the far ends of relays, which tells the consumers there.
func pauseProducer(o *operation, p *producer) *gate {
	end := o.holdIf(len(p.relays) > 0)
	was := p.paused
	p.paused = true // for relays that are made meanwhile
	p.askHome(o.req.Method, func(err error) {
		if err != nil {
			p.paused = was
			end(err)
			return
		}
		p.askRelays(o.req.Method, func() {
			p.adjustRelays()
			end(nil)
		})
	})
	return nil
}

// askHome makes a request of the producer at its home. An import is paused and resumed for this application only.
func (p *producer) askHome(method api.Method, done func(error)) {
	if p.imported != nil {
		done(nil)
		return
	}
	p.node.ask(method, p.id, nil, func(_ api.ResponseBody, err error) { done(err) })
}

// adjustRelays has an import sent while it is not paused.
func (p *producer) adjustRelays() {
	if p.imported == nil {
		return
	}
	for _, r := range p.lastFirst() {
		r.adjust()
	}
}

// resumeProducer goes the other way round: what the home sends finds the far ends ready.
func resumeProducer(o *operation, p *producer) *gate {
	end := o.holdIf(len(p.relays) > 0)
	was := p.paused
	p.paused = false // for relays that are made meanwhile
	p.askRelays(o.req.Method, func() {
		p.adjustRelays()
		p.askHome(o.req.Method, func(err error) {
			if err != nil {
				p.paused = was
			}
			end(err)
		})
	})
	return nil
}

// askRelays makes a request of the producer at the far ends of its relays, and calls then when all have answered: at once if there
// are none.
func (p *producer) askRelays(method api.Method, then func()) {
	part := join(len(p.relays)+1, then)
	for _, r := range p.relays {
		r.node.ask(method, p.id, nil, func(api.ResponseBody, error) { part() })
	}
	part()
}
