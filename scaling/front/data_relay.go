package front

import (
	"crypto/rand"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

// dataRelay is a data producer as it stands on a node that is not its home, with the same id. A data consumer at home takes its
// messages out there. They travel by a link of the two nodes, or else the front passes them on, in order, as they travel through its
// queue. That bounds how many bytes wait, and what does not fit is dropped and counted.
type dataRelay struct {
	producer   *dataProducer
	node       *node  // the far end
	consumerID string // of the data consumer at home
	homeEnd    string // id of the transport that has it
	farEnd     string // id of the transport that has the data producer at the far end
	by         *pipe.Link
	cutOff     bool // the data consumer at home is to be made again, since the home has come back
	making     making
	users      int
	cancel     func() bool // of the end that is due
	ended      bool
}

// making is requests whose answers something is waiting for.
type making struct {
	pending int
	failure error
	waiting []func()
}

// ask makes a request that is a part of it. If it is refused, failed is called, which may be nil.
func (m *making) ask(n *node, method api.Method, handlerID string, body api.RequestBody, failed func()) *call {
	m.pending++
	return n.ask(method, handlerID, body, func(_ api.ResponseBody, err error) {
		if err != nil && m.failure == nil {
			m.failure = err
		}
		if err != nil && failed != nil {
			failed()
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
	m.ask(n, api.MethodRouterCreateDirectTransport, r.id, pipe.NewDataTransport(id), func() {
		if r.dataEnds[n] == id { // the next one tries again
			delete(r.dataEnds, n)
		}
	})
	return id
}

// relayTo returns the relay on a node; a new one if there is none. All that it consists of is asked for at once.
func (p *dataProducer) relayTo(n *node) *dataRelay {
	if i := slices.IndexFunc(p.relays, func(r *dataRelay) bool { return r.node == n }); i >= 0 {
		return p.relays[i]
	}
	f := p.transport.front()
	r := &dataRelay{producer: p, node: n, consumerID: f.newID("datarelay")}
	p.relays = append(p.relays, r)
	f.hidden[r.consumerID] = r
	f.counters.DataRelays++
	r.by = p.node.linkTo(n)
	if r.by != nil {
		f.counters.Links++
	}
	r.farEnd, r.homeEnd = p.router.dataEnd(n, &r.making), p.router.dataEnd(p.node, &r.making)
	r.making.ask(n, api.MethodTransportProduceData, r.farEnd, pipe.ProduceData(p.request, p.paused, r.by), nil).late = r.closeFar
	r.askHome()
	r.whenMade(func() {
		if r.failure() != nil {
			r.fail()
		}
	})
	return r
}

// askHome has the messages taken out of the home. Those of an import that is paused stay there.
func (r *dataRelay) askHome() {
	p := r.producer
	consume := pipe.ConsumeData(r.consumerID, p.request, r.by)
	consume.Paused = p.imported != nil && p.paused
	r.making.ask(p.node, api.MethodTransportConsumeData, r.homeEnd, consume, nil).late = r.closeHome
}

// linkTo returns the link by which data goes to another node, nil if it goes through the front, as it does when the two are known not
// to reach each other.
func (n *node) linkTo(far *node) *pipe.Link {
	if !n.links(far) {
		return nil
	}
	by := &pipe.Link{Address: far.options.Link}
	rand.Read(by.Token[:])
	return by
}

// links reports whether data can go by a link to another node.
func (n *node) links(far *node) bool {
	from, to := &n.place().options, &far.options
	return from.Link != "" && to.Link != "" && from.SameHost == to.SameHost && !n.front.severed(n, far)
}

// failure returns why the relay cannot carry anything, nil if it can.
func (r *dataRelay) failure() error {
	if err := r.making.failure; err != nil {
		return api.Errorf("the data producer cannot be relayed from node %s to node %s: %v", r.producer.node.name, r.node.name, err)
	}
	return nil
}

func (r *dataRelay) whenMade(f func()) { r.making.when(f) }

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
	r.cancel = r.producer.transport.front().after(relayLinger, func() {
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

// end removes the relay.
func (r *dataRelay) end() {
	if r.ended {
		return
	}
	r.ended = true
	r.cancelEnd()
	r.producer.relays = without(r.producer.relays, r)
	delete(r.producer.transport.front().hidden, r.consumerID)
	r.closeHome()
	r.closeFar()
}

// fail ends the relay with the data consumers that depend on it.
func (r *dataRelay) fail() {
	for _, c := range r.consumers() {
		c.closeForProducer()
	}
	r.end()
}

// consumers returns the data consumers behind the relay.
func (r *dataRelay) consumers() (all []*dataConsumer) {
	for _, c := range r.producer.consumers {
		if c.relay == r {
			all = append(all, c)
		}
	}
	return all
}

func (r *dataRelay) closeFar() {
	r.node.tell(api.MethodTransportCloseDataProducer, r.farEnd, &api.TransportCloseDataProducerRequest{DataProducerID: r.producer.id})
}

func (r *dataRelay) closeHome() {
	r.producer.node.tell(api.MethodTransportCloseDataConsumer, r.homeEnd,
		&api.TransportCloseDataConsumerRequest{DataConsumerID: r.consumerID})
}

func (r *dataRelay) of() *router { return r.producer.router }

// handleEvent implements hidden: it passes messages on, and notices what becomes of the link.
func (r *dataRelay) handleEvent(_ *node, e *api.Notification) {
	switch e.Event {
	case api.EventDataConsumerMessage:
		if body, ok := e.Body.(*api.DataConsumerMessageNotification); ok && body != nil {
			r.node.notify(pipe.SendData(r.producer.id, body))
		}
	case api.EventDataConsumerSCTPSendBufferFull:
		for _, c := range r.consumers() {
			r.producer.transport.front().emit(c.id, e.Event, nil)
		}
	case api.EventDataConsumerClosedByPeer:
		// If the far node has restarted, the relay ends with it, and is made anew for the data consumers that come back.
		r.producer.transport.front().after(linkDoubt, func() {
			if !r.ended {
				r.fail()
			}
		})
	}
}
