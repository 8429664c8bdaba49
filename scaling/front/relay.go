package front

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

// relay is a producer as it stands on a node that is not its home, with the same id. All consumers and observers on that node use it,
// and so do the relays on other nodes that it feeds.
type relay struct {
	producer   *producer
	node       *node
	source     *relay     // that feeds it; nil if the home does
	pair       *pair      // between its node and the one that feeds it
	consumerID string     // of the pipe consumer on the node that feeds it
	ssrcs      pipe.SSRCs // as they were when it took its own
	users      int

	moving  bool // waits for a pipe to another source, or for what becomes of one
	stuck   bool // has no source at present
	moved   bool // is fed by another source than in the beginning
	pending int  // requests that make it and are not answered yet
	failure error
	waiting []func() // called when pending becomes 0

	carried int // highest encoding that it is sent, -1 for none: as it was asked last
	ended   bool
	cancel  func() bool // of the end that is due
}

// relay returns the relay of a producer on a node; a new one if there is none. wait is what to wait for before.
func (f *Front) relay(p *producer, n *node) (r *relay, wait *gate, err error) {
	for _, r := range p.relays {
		if r.node == n {
			return r, nil, nil
		}
	}
	if p.lost {
		return nil, nil, api.Errorf("the producer is gone [method:%s]", api.MethodTransportConsume.Name())
	}
	for _, side := range []*node{p.node, n} {
		if side.gone != nil {
			return nil, nil, side.errGone(api.MethodTransportConsume)
		}
	}
	s, wait, err := f.source(p, n, nil)
	if wait != nil || err != nil {
		return nil, wait, err
	}
	r = &relay{producer: p, node: n}
	p.relays = append(p.relays, r)
	f.counters.Relays++
	r.feed(s)
	r.linger() // until it is used
	return r, nil, nil
}

// far and near return the ends of its pipe: where it is, and where it is fed.
func (r *relay) far() *end  { here, _ := r.pair.at(r.node); return here }
func (r *relay) near() *end { _, there := r.pair.at(r.node); return there }

func (r *relay) front() *Front { return r.producer.transport.front() }

// make asks both ends for what the relay consists of, the far one first, so that it knows what comes.
func (r *relay) make() {
	f := r.front()
	r.ssrcs = f.ssrcs
	m := r.requests(&f.ssrcs)
	far := r.far()
	r.ask(far, api.MethodTransportProduce, m.Produce).late = func() {
		if r.far() == far { // else another end has taken the producer over meanwhile
			r.closeFar()
		}
	}
	r.askNear(m.Consume)
}

// requests returns what both ends are asked for.
func (r *relay) requests(ssrcs *pipe.SSRCs) pipe.Media {
	p := r.producer
	var m pipe.Media
	if p.imported != nil && r.source == nil {
		m = pipe.NewImport(p.imported.request, p.request, r.consumerID, p.transport.id, p.paused, ssrcs)
	} else {
		m = pipe.NewMedia(p.request, r.consumerID, p.transport.id, p.paused, ssrcs)
	}
	m.Consume.Paused = false // the home's producer is paused, that is enough; r.adjust pauses what nobody wants
	return m
}

// askNear asks the feeding end for its part.
func (r *relay) askNear(consume *api.TransportConsumeRequest) {
	near, consumerID := r.near(), r.consumerID
	r.ask(near, api.MethodTransportConsume, consume).late = func() { closePipeConsumer(near, consumerID) }
}

// ask asks an end for its part of the relay.
func (r *relay) ask(e *end, method api.Method, body api.RequestBody) *call {
	r.pending++
	asked := r.consumerID
	return e.node.ask(method, e.id, body, func(_ api.ResponseBody, err error) {
		if err != nil && r.failure == nil && r.consumerID == asked { // else it has another source meanwhile
			r.failure = api.Errorf("the producer cannot be relayed from node %s to node %s: %v", r.near().node.name, r.node.name, err)
		}
		r.pending--
		if r.pending == 0 {
			r.settle()
		}
	})
}

func (r *relay) settle() {
	if r.failure != nil && r.moved && r.node.gone == nil {
		why := r.failure
		r.failure = nil
		r.suspect(r.near().node, why, false)
		return
	}
	r.release()
	if r.failure != nil {
		r.fail(r.failure)
	}
}

// release calls what waits for the relay.
func (r *relay) release() {
	waiting := r.waiting
	r.waiting = nil
	for _, made := range waiting {
		made()
	}
}

// whenMade calls f when the relay stands or has failed.
func (r *relay) whenMade(f func()) {
	if r.pending == 0 && !r.moving {
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
	r.adjust()
	if r.users == 0 && !r.ended {
		r.linger()
	}
}

// linger ends the relay if nobody uses it for a while.
func (r *relay) linger() {
	r.cancelEnd()
	r.cancel = r.front().after(relayLinger, func() {
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

// end removes the relay, and its pair if that has no other one. What it fed gets another source.
func (r *relay) end() {
	if r.ended {
		return
	}
	r.ended = true
	r.cancelEnd()
	r.producer.relays = without(r.producer.relays, r)
	delete(r.front().hidden, r.consumerID)
	if !r.pair.leave(r) {
		r.closeFar()
		r.closeNear()
	}
	if m := r.producer.imported; m != nil {
		m.trace()
	}
	if r.source != nil {
		r.source.unuse()
	}
	for _, fed := range r.feeds() {
		fed.move()
	}
	if r.pending == 0 {
		r.release()
	}
}

func (r *relay) closeFar() {
	e := r.far()
	e.node.tell(api.MethodTransportCloseProducer, e.id, &api.TransportCloseProducerRequest{ProducerID: r.producer.id})
}

func (r *relay) closeNear() { closePipeConsumer(r.near(), r.consumerID) }

func closePipeConsumer(e *end, id string) {
	e.node.tell(api.MethodTransportCloseConsumer, e.id, &api.TransportCloseConsumerRequest{ConsumerID: id})
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

// adjust has it sent what somebody at the far end may come to forward, and no more.
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
	for _, fed := range r.feeds() {
		highest = max(highest, fed.carried)
	}
	if r.producer.imported != nil && r.producer.paused {
		highest = -1 // the home goes on sending to others
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

// carry asks what feeds the relay to send the encodings up to the given one, which must have them itself.
func (r *relay) carry(highest int) {
	if highest == r.carried || r.ended {
		return
	}
	e, was := r.near(), r.carried
	r.carried = highest
	if r.source != nil {
		r.source.adjust()
	}
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

// handleEvent implements hidden: what is told of the pipe consumer is not the application's business.
func (r *relay) handleEvent(*node, *api.Notification) {}
