package front

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

// relay is a producer as it stands on a node that is not its home, with the same id. All consumers and observers on that node use it.
type relay struct {
	producer   *producer
	pair       *pair
	consumerID string // of the pipe consumer at home
	consume    *api.TransportConsumeRequest
	users      int

	pending int // requests that make it and are not answered yet
	failure error
	waiting []func() // called when pending becomes 0

	carried int // highest encoding that the home sends, -1 for none: as it was asked last
	ended   bool
	cancel  func() bool // of the end that is due
}

// relay returns the relay of a producer on a node; a new one if there is none. wait is what to wait for before.
func (f *Front) relay(p *producer, n *node) (r *relay, wait *gate, err error) {
	for _, r := range p.relays {
		if r.far().node == n {
			return r, nil, nil
		}
	}
	for _, side := range []*node{p.node, n} {
		if side.gone != nil {
			return nil, nil, side.errGone(api.MethodTransportConsume)
		}
	}
	pair, wait := p.router.pair(p.node, n)
	switch {
	case wait != nil:
		return nil, wait, nil
	case pair.failed != nil:
		pair.forget()
		return nil, nil, pair.failed
	}
	r = &relay{producer: p, pair: pair, consumerID: f.newID("relay"), carried: len(p.request.RTPMapping.Encodings) - 1}
	p.relays = append(p.relays, r)
	pair.relays = append(pair.relays, r)
	f.hidden[r.consumerID] = r
	f.counters.Relays++
	r.make(f)
	return r, nil, nil
}

func (r *relay) home() *end { here, _ := r.pair.at(r.producer.node); return here }
func (r *relay) far() *end  { _, there := r.pair.at(r.producer.node); return there }

// make asks both ends for what the relay consists of, the far one first, so that it knows what comes.
func (r *relay) make(f *Front) {
	p := r.producer
	m := pipe.NewMedia(p.request, r.consumerID, p.transport.id, p.paused, &f.ssrcs)
	m.Consume.Paused = false // the home's producer is paused, that is enough; r.adjust pauses what nobody wants
	r.consume = m.Consume
	r.ask(r.far(), api.MethodTransportProduce, m.Produce).late = r.closeFar
	r.ask(r.home(), api.MethodTransportConsume, m.Consume).late = r.closeHome
}

// ask asks an end for its part of the relay.
func (r *relay) ask(e *end, method api.Method, body api.RequestBody) *call {
	r.pending++
	return e.node.ask(method, e.id, body, func(_ api.ResponseBody, err error) {
		if err != nil && r.failure == nil {
			r.failure = api.Errorf("the producer cannot be relayed from node %s to node %s: %v", r.home().node.name, r.far().node.name, err)
		}
		r.pending--
		if r.pending == 0 {
			r.settle()
		}
	})
}

func (r *relay) settle() {
	waiting := r.waiting
	r.waiting = nil
	for _, made := range waiting {
		made()
	}
	if r.failure != nil {
		r.fail(r.failure)
	}
}

// whenMade calls f when the relay stands or has failed.
func (r *relay) whenMade(f func()) {
	if r.pending == 0 {
		f()
		return
	}
	r.waiting = append(r.waiting, f)
}

// use counts a consumer or observer more.
func (r *relay) use() {
	r.users++
	r.cancelEnd()
}

// unuse counts one less. After the last one the relay stays for a while.
func (r *relay) unuse() {
	r.users--
	if r.users > 0 || r.ended {
		r.adjust()
		return
	}
	r.adjust()
	r.cancel = r.producer.transport.front().after(relayLinger, func() {
		if r.users == 0 {
			r.end()
		}
	})
}

func (r *relay) cancelEnd() {
	if r.cancel != nil {
		r.cancel()
		r.cancel = nil
	}
}

// end removes the relay, and its pair if that has no other one.
func (r *relay) end() {
	if r.ended {
		return
	}
	r.ended = true
	r.cancelEnd()
	r.producer.relays = without(r.producer.relays, r)
	r.pair.relays = without(r.pair.relays, r)
	delete(r.producer.transport.front().hidden, r.consumerID)
	if len(r.pair.relays) == 0 {
		r.pair.close()
		return
	}
	r.closeFar()
	r.closeHome()
}

func (r *relay) closeFar() {
	e := r.far()
	e.node.tell(api.MethodTransportCloseProducer, e.id, &api.TransportCloseProducerRequest{ProducerID: r.producer.id})
}

func (r *relay) closeHome() {
	e := r.home()
	e.node.tell(api.MethodTransportCloseConsumer, e.id, &api.TransportCloseConsumerRequest{ConsumerID: r.consumerID})
}

// fail ends the relay with all that depends on it.
func (r *relay) fail(why error) {
	if r.ended {
		return
	}
	r.failure = why
	for _, c := range slices.Clone(r.producer.consumers) {
		if c.relay == r && c.node.gone == nil { // the application sees a lost node by its transports
			c.closeForProducer()
		}
	}
	for _, w := range slices.Clone(r.producer.observers) {
		if w.relays[r.producer] == r {
			w.forgetProducer(r.producer)
		}
	}
	r.end()
}

// adjust has the home send what somebody at the far end may come to forward, and no more.
func (r *relay) adjust() {
	highest := -1
	for _, c := range r.producer.consumers {
		if c.relay == r {
			highest = max(highest, c.wants())
		}
	}
	for _, w := range r.producer.observers {
		if w.relays[r.producer] == r {
			highest = max(highest, 0)
		}
	}
	r.carry(highest)
}

// raise is adjust before a consumer wants other layers: more is sent at once, less when it has left them.
func (r *relay) raise(to *api.ConsumerLayers) {
	last := len(r.producer.request.RTPMapping.Encodings) - 1
	if to != nil {
		last = min(last, int(to.SpatialLayer))
	}
	if r.carried >= 0 && last > r.carried {
		r.carry(last)
	}
}

// carry asks the home to send the encodings up to the given one.
func (r *relay) carry(highest int) {
	if highest == r.carried || r.ended {
		return
	}
	e, was := r.home(), r.carried
	r.carried = highest
	if highest < 0 {
		e.node.tell(api.MethodConsumerPause, r.consumerID, nil)
		return
	}
	e.node.tell(api.MethodConsumerSetPreferredLayers, r.consumerID, &api.ConsumerSetPreferredLayersRequest{
		PreferredLayers: &api.ConsumerLayers{SpatialLayer: uint8(min(highest, 255))},
	})
	if was < 0 {
		e.node.tell(api.MethodConsumerResume, r.consumerID, nil)
	}
}

func (r *relay) of() *router { return r.producer.router }

// handleEvent implements hidden: what the home tells of the pipe consumer is not the application's business.
func (r *relay) handleEvent(*node, *api.Notification) {}
