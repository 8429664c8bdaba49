package front

import (
	"slices"

	"gazpacho/engine/api"
)

// dataProducer is a data producer of the application.
type dataProducer struct {
	entry
	transport *transport
	request   *api.TransportProduceDataRequest
	paused    bool
	consumers []*dataConsumer
	relays    []*dataRelay
	imported  *importedData // if it is another application's, else nil
}

func produceData(o *operation, t *transport) *gate {
	body, err := api.BodyOf[api.TransportProduceDataRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	wait, err := f.checkID(body.DataProducerID, func(obj object) bool { p, is := obj.(*dataProducer); return is && p.transport == t },
		"a DataProducer with same dataProducerId", o.req.Method)
	if wait != nil || err != nil {
		return o.waitOrRefuse(wait, err)
	}
	if f.isImport(body.DataProducerID) {
		return produceImportedData(o, t, body)
	}
	p := &dataProducer{
		entry: entry{id: body.DataProducerID, router: t.router, node: t.node, creating: true}, transport: t, request: body,
		paused: body.Paused,
	}
	o.enter(p)
	t.dataProducers = append(t.dataProducers, p)
	c := t.node.ask(o.req.Method, t.id, body, func(answer api.ResponseBody, err error) {
		if err != nil {
			t.dataProducers = without(t.dataProducers, p)
			f.remove(p)
		}
		o.answer(answer, err)
		f.settle(p)
	})
	c.late = func() {
		t.node.tell(api.MethodTransportCloseDataProducer, t.id, &api.TransportCloseDataProducerRequest{DataProducerID: p.id})
	}
	return nil
}

func closeDataProducer(o *operation, t *transport) *gate {
	body, err := api.BodyOf[api.TransportCloseDataProducerRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	p, ok := o.front.objects[body.DataProducerID].(*dataProducer)
	switch {
	case !ok || p.transport != t:
		return o.pass(t.node) // which says why not
	case p.creating:
		return &p.made
	}
	p.close()
	if p.imported != nil {
		return o.answer(nil, nil)
	}
	return o.passClose(t.node)
}

// close tells the application that the data consumers are closed, ends the relays, and forgets the data producer. Its home is told by
// the caller.
func (p *dataProducer) close() {
	for _, c := range slices.Clone(p.consumers) {
		c.closeForProducer()
	}
	for _, r := range slices.Clone(p.relays) {
		r.end()
	}
	p.transport.dataProducers = without(p.transport.dataProducers, p)
	p.transport.front().remove(p)
}

// pauseDataProducer pauses at home first, and at the far ends of relays first to resume, so that no message is lost between them.
func pauseDataProducer(o *operation, p *dataProducer) *gate {
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
			p.adjustRelays(api.MethodDataConsumerPause)
			end(nil)
		})
	})
	return nil
}

func resumeDataProducer(o *operation, p *dataProducer) *gate {
	end := o.holdIf(len(p.relays) > 0)
	was := p.paused
	p.paused = false
	p.askRelays(o.req.Method, func() {
		p.adjustRelays(api.MethodDataConsumerResume)
		p.askHome(o.req.Method, func(err error) {
			if err != nil {
				p.paused = was
			}
			end(err)
		})
	})
	return nil
}

// askHome makes a request of the data producer at its home. An import is paused and resumed for this application only.
func (p *dataProducer) askHome(method api.Method, done func(error)) {
	if p.imported != nil {
		done(nil)
		return
	}
	p.node.ask(method, p.id, nil, func(_ api.ResponseBody, err error) { done(err) })
}

// adjustRelays has an import sent while it is not paused.
func (p *dataProducer) adjustRelays(method api.Method) {
	if p.imported == nil {
		return
	}
	for _, r := range p.relays {
		p.node.tell(method, r.consumerID, nil)
	}
}

// askRelays makes a request of the data producer at the far ends of its relays, and calls then when all have answered: at once if
// there are none.
func (p *dataProducer) askRelays(method api.Method, then func()) {
	part := join(len(p.relays)+1, then)
	for _, r := range p.relays {
		r.node.ask(method, p.id, nil, func(api.ResponseBody, error) { part() })
	}
	part()
}
