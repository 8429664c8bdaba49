package front

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

// tap takes the messages of a data producer out of its home, once for all nodes that they are for, and has the front send them into
// its relays there. Messages keep their order, as they travel through the front's queue; that bounds how many bytes wait, and what
// does not fit is dropped and counted.
type tap struct {
	producer   *dataProducer
	consumerID string // of the data consumer at home
	making     making
	relays     []*dataRelay
	ended      bool
}

// dataRelay is a data producer as it stands on a node that is not its home, with the same id.
type dataRelay struct {
	tap    *tap
	node   *node
	making making
	users  int
	cancel func() bool // of the end that is due
	ended  bool
}

// making is requests whose answers something is waiting for.
type making struct {
	pending int
	failure error
	waiting []func()
}

// ask makes a request that is a part of it.
func (m *making) ask(n *node, method api.Method, handlerID string, body api.RequestBody) *call {
	m.pending++
	return n.ask(method, handlerID, body, func(_ api.ResponseBody, err error) {
		if err != nil && m.failure == nil {
			m.failure = err
		}
		m.pending--
		if m.pending == 0 {
			waiting := m.waiting
			m.waiting = nil
			for _, f := range waiting {
				f()
			}
		}
	})
}

// when calls f when all is answered.
func (m *making) when(f func()) {
	if m.pending == 0 {
		f()
		return
	}
	m.waiting = append(m.waiting, f)
}

// dataEnd returns the id of the Router's transport for data relays on a node, and has it made with the first of them.
func (r *router) dataEnd(n *node, m *making) string {
	if id, ok := r.dataEnds[n]; ok {
		return id
	}
	id := r.lane.front.newID("data")
	r.dataEnds[n] = id
	r.on(n)
	m.ask(n, api.MethodRouterCreateDirectTransport, r.id, pipe.NewDataTransport(id))
	m.when(func() {
		if m.failure != nil { // the next one tries again
			delete(r.dataEnds, n)
		}
	})
	return id
}

// relayTo returns the relay on a node; a new one if there is none. All that it consists of is asked for at once.
func (p *dataProducer) relayTo(n *node) *dataRelay {
	f := p.transport.front()
	if p.tap == nil {
		t := &tap{producer: p, consumerID: f.newID("tap")}
		p.tap = t
		f.hidden[t.consumerID] = t
		end := p.router.dataEnd(p.node, &t.making)
		t.making.ask(p.node, api.MethodTransportConsumeData, end, pipe.TapData(t.consumerID, p.id)).late = t.closeHome
	}
	if i := slices.IndexFunc(p.tap.relays, func(r *dataRelay) bool { return r.node == n }); i >= 0 {
		return p.tap.relays[i]
	}
	r := &dataRelay{tap: p.tap, node: n}
	p.tap.relays = append(p.tap.relays, r)
	f.counters.DataRelays++
	end := p.router.dataEnd(n, &r.making)
	r.making.ask(n, api.MethodTransportProduceData, end, pipe.ProduceData(p.request, p.paused)).late = r.closeFar
	r.whenMade(func() {
		if r.failure() != nil {
			r.fail()
		}
	})
	return r
}

// failure returns why the relay cannot carry anything, nil if it can.
func (r *dataRelay) failure() error {
	for _, err := range []error{r.tap.making.failure, r.making.failure} {
		if err != nil {
			return api.Errorf("the data producer cannot be relayed from node %s to node %s: %v", r.tap.producer.node.name, r.node.name, err)
		}
	}
	return nil
}

func (r *dataRelay) whenMade(f func()) { r.tap.making.when(func() { r.making.when(f) }) }

func (r *dataRelay) use() {
	r.users++
	r.cancelEnd()
}

// unuse counts one less. After the last one the relay stays for a while.
func (r *dataRelay) unuse() {
	r.users--
	if r.users > 0 || r.ended {
		return
	}
	r.cancel = r.tap.producer.transport.front().after(relayLinger, func() {
		if r.users == 0 {
			r.end()
		}
	})
}

func (r *dataRelay) cancelEnd() {
	if r.cancel != nil {
		r.cancel()
		r.cancel = nil
	}
}

// end removes the relay, and the tap with the last one.
func (r *dataRelay) end() {
	if r.ended {
		return
	}
	r.ended = true
	r.cancelEnd()
	r.tap.relays = without(r.tap.relays, r)
	r.closeFar()
	if len(r.tap.relays) == 0 {
		r.tap.end()
	}
}

// fail ends the relay with the data consumers that depend on it.
func (r *dataRelay) fail() {
	for _, c := range slices.Clone(r.tap.producer.consumers) {
		if c.relay == r {
			c.closeForProducer()
		}
	}
	r.end()
}

func (r *dataRelay) closeFar() {
	r.node.tell(api.MethodTransportCloseDataProducer, r.tap.producer.router.dataEnds[r.node],
		&api.TransportCloseDataProducerRequest{DataProducerID: r.tap.producer.id})
}

// end removes the tap and its relays.
func (t *tap) end() {
	if t.ended {
		return
	}
	t.ended = true
	p := t.producer
	if p.tap == t {
		p.tap = nil
	}
	delete(p.transport.front().hidden, t.consumerID)
	for _, r := range slices.Clone(t.relays) {
		r.end()
	}
	t.closeHome()
}

func (t *tap) closeHome() {
	p := t.producer
	p.node.tell(api.MethodTransportCloseDataConsumer, p.router.dataEnds[p.node],
		&api.TransportCloseDataConsumerRequest{DataConsumerID: t.consumerID})
}

func (t *tap) of() *router { return t.producer.router }

// handleEvent implements hidden: it sends messages on.
func (t *tap) handleEvent(_ *node, e *api.Notification) {
	body, ok := e.Body.(*api.DataConsumerMessageNotification)
	if !ok || e.Event != api.EventDataConsumerMessage || body == nil {
		return
	}
	for _, r := range t.relays {
		r.node.notify(pipe.SendData(t.producer.id, body))
	}
}
