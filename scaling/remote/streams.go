package remote

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/pipe"
	"gazpacho/scaling/link"
	"gazpacho/scaling/session"
)

// streams are the ends of data relays by links that a guest has: its data consumers whose messages go to other nodes, and its data
// producers whose messages come from there. The guest's lock guards them.
type streams struct {
	out map[string]*outStream // by id of the data consumer
	in  map[string]link.Token // by id of the data producer
}

// openStreams opens what a request that creates the end of a relay asks for. undo, which may be nil, takes it back.
func (g *guest) openStreams(req *api.Request) (undo func(), err error) {
	switch body := req.Body.(type) {
	case *api.TransportConsumeDataRequest:
		if body != nil && len(body.LinkToken) > 0 {
			return g.openOut(body)
		}
	case *api.TransportProduceDataRequest:
		if body != nil && len(body.LinkToken) > 0 {
			return g.openIn(body)
		}
	}
	return nil, nil
}

var errToken = errors.New("a link's token has 16 bytes")

func (g *guest) openOut(body *api.TransportConsumeDataRequest) (undo func(), _ error) {
	o := &outStream{
		guest: g, page: g.current, consumerID: body.DataConsumerID, producerID: cmp.Or(body.LinkProducerID, body.DataProducerID),
	}
	if copy(o.token[:], body.LinkToken) != len(body.LinkToken) || len(body.LinkToken) != len(o.token) {
		return nil, errToken
	}
	g.mu.Lock()
	taken := g.streams.out[o.consumerID] != nil
	if !taken {
		g.streams.out[o.consumerID] = o
	}
	g.mu.Unlock()
	if taken {
		return nil, nil // the worker refuses the id
	}
	if err := g.server.openStream(o, body.LinkAddress, body.LinkUnreliable); err != nil {
		g.forgetOut(o)
		return nil, err
	}
	return func() { g.closeOut(o.consumerID) }, nil
}

func (g *guest) forgetOut(o *outStream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.streams.out[o.consumerID] == o {
		delete(g.streams.out, o.consumerID)
	}
}

func (g *guest) openIn(body *api.TransportProduceDataRequest) (undo func(), err error) {
	if len(body.LinkToken) != len(link.Token{}) {
		return nil, errToken
	}
	token := link.Token(body.LinkToken)
	g.mu.Lock()
	_, taken := g.streams.in[body.DataProducerID]
	g.mu.Unlock()
	switch {
	case taken:
		return nil, nil // the worker refuses the id
	case !g.server.expect(token, &target{g, g.current, body.DataProducerID}):
		return nil, errors.New("a link's token is there once only")
	}
	g.mu.Lock()
	g.streams.in[body.DataProducerID] = token
	g.mu.Unlock()
	return func() { g.closeIn(body.DataProducerID) }, nil
}

func (g *guest) closeOut(consumerID string) {
	g.mu.Lock()
	o := g.streams.out[consumerID]
	delete(g.streams.out, consumerID)
	g.mu.Unlock()
	if o != nil {
		o.link.close(o)
	}
}

func (g *guest) closeIn(producerID string) {
	g.mu.Lock()
	token, ok := g.streams.in[producerID]
	delete(g.streams.in, producerID)
	g.mu.Unlock()
	if ok {
		g.server.expectNoMore(token)
	}
}

// closeStreams closes the streams of what a request has closed.
func (g *guest) closeStreams(req *api.Request) {
	switch req.Method {
	case api.MethodTransportCloseDataConsumer:
		g.closeOut(req.Closes())
	case api.MethodTransportCloseDataProducer:
		g.closeIn(req.Closes())
	case api.MethodRouterCloseTransport, api.MethodWorkerCloseRouter:
		g.closeStreamsIf(func(id string) bool { return g.worker.RouterOf(id) == "" })
	}
}

// closeStreamsIf closes the streams of all objects of which closed is true.
func (g *guest) closeStreamsIf(closed func(id string) bool) {
	g.mu.Lock()
	out, in := slices.Collect(maps.Keys(g.streams.out)), slices.Collect(maps.Keys(g.streams.in))
	g.mu.Unlock()
	for _, id := range out {
		if closed(id) {
			g.closeOut(id)
		}
	}
	for _, id := range in {
		if closed(id) {
			g.closeIn(id)
		}
	}
}

// sendByLink sends a message that a data consumer notifies of by its link, if it has one.
func (g *guest) sendByLink(page int, n *api.Notification) bool {
	body, ok := n.Body.(*api.DataConsumerMessageNotification)
	if !ok || body == nil {
		return false
	}
	g.mu.Lock()
	o := g.streams.out[n.HandlerID]
	if o == nil || o.page != page {
		g.mu.Unlock()
		return false
	}
	message, err := g.codec.encode(pipe.SendData(o.producerID, body))
	g.mu.Unlock()
	if err != nil {
		g.server.options.Log.Error("message cannot be sent", "who", g.who, "error", err)
	}
	if err != nil || o.link.send(o, message) == link.Full {
		g.notify(page, &api.Notification{HandlerID: o.consumerID, Event: api.EventDataConsumerSCTPSendBufferFull})
	}
	return true
}

// streamBroken tells the front that a relay has lost its link: to its data consumer at home, that is as if its peer had closed it.
func (g *guest) streamBroken(o *outStream) {
	g.forgetOut(o)
	g.notify(o.page, &api.Notification{HandlerID: o.consumerID, Event: api.EventDataConsumerClosedByPeer})
}

// deliver queues a message of another node for the worker; false if nothing waits for it any more. It waits while too much is queued.
func (g *guest) deliver(t *target, payload []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.waiting > maxWaiting && !g.ended && t.page == g.live {
		g.room.Wait()
	}
	if g.ended || t.page != g.live {
		return false
	}
	g.waiting += len(payload)
	g.events = append(g.events, input{Event: session.Event{Payload: payload}, to: t})
	g.work.Signal()
	return true
}

// receiveData gives a message of another node to the worker.
func (g *guest) receiveData(in *input) {
	if g.worker == nil || in.to.page != g.current {
		return
	}
	m, _, err := g.decoder.decode(in.Payload)
	n, ok := m.(*api.Notification)
	if !ok || n.Event != api.EventDataProducerSend || n.HandlerID != in.to.producerID {
		g.server.options.Log.Error("another node sends what is no message of its data producer", "who", g.who, "error", err)
		return
	}
	g.pass(n)
}

// pass gives a notification to the worker.
func (g *guest) pass(n *api.Notification) {
	if err := g.worker.HandleNotification(n); err != nil {
		g.server.options.Log.Debug("notification failed", "who", g.who, "event", n.Event, "error", err)
	}
}
