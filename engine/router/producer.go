package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/observer"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// producerEntry is a producer in its router's tables.
type producerEntry struct {
	id           string
	entry        *transportEntry
	machine      *transport.Producer
	feedback     *runner.ProducerFeedback
	fanOut       *runner.FanOut
	consumers    []*consumerEntry
	rtpObservers []*rtpObserverEntry
}

// produce makes a producer on the transport's shard, and then enters it.
func (m *transportEntry) produce(req *api.TransportProduceRequest) (api.ResponseBody, error) {
	if p := m.router.producers[req.ProducerID]; p != nil && m.transport.Internal() && p.entry.transport.Internal() {
		return m.takeOver(p, req)
	}
	sibling := func(p *producerEntry) bool { return p.entry == m }
	if err := CheckNew(&m.router.scope.Registry, req.ProducerID, sibling,
		"a Producer with same producerId", api.MethodTransportProduce); err != nil {
		return nil, err
	}
	p := &producerEntry{id: req.ProducerID, entry: m}
	response := &api.TransportProduceResponse{}
	if err := m.do("transport.produce", func(now unit.Time) (err error) {
		if p.machine, err = m.transport.Produce(now, req); err == nil {
			response.Type = p.machine.Type()
		}
		return err
	}); err != nil {
		return nil, err
	}
	p.feedback, p.fanOut = runner.NewProducerFeedback(p.machine, m.actor), runner.NewFanOut(p.machine, m.actor)
	m.producers = append(m.producers, p)
	m.router.producers[p.id] = p
	m.router.scope.Add(p.id, p)
	return response, nil
}

func (p *producerEntry) takesNotifications() {}

// RouterID implements Handler.
func (p *producerEntry) RouterID() string { return p.entry.router.id }

// HandleNotification implements Handler.
func (p *producerEntry) HandleNotification(n *api.Notification) (bool, error) {
	body, ok := n.Body.(*api.ProducerSendNotification)
	if n.Event != api.EventProducerSend || !ok || body == nil {
		return false, nil
	}
	return true, p.do("producer.send", func(now unit.Time) error {
		p.entry.transport.HandleProducerSend(now, body.Data)
		return nil
	})
}

// HandleRequest implements Handler.
func (p *producerEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	return producerMethods.Handle(p, req)
}

var producerMethods = Methods[*producerEntry]{
	api.MethodProducerDump: inTurn(func(p *producerEntry, _ unit.Time) (api.ResponseBody, error) {
		return p.machine.Dump(), nil
	}),
	api.MethodProducerGetStats: inTurn(func(p *producerEntry, now unit.Time) (api.ResponseBody, error) {
		return p.machine.Stats(now), nil
	}),
	api.MethodProducerPause:  NoBody((*producerEntry).pause),
	api.MethodProducerResume: NoBody((*producerEntry).resume),
	api.MethodProducerEnableTraceEvent: inTurnWith(func(
		p *producerEntry, _ unit.Time, req *api.ProducerEnableTraceEventRequest,
	) (api.ResponseBody, error) {
		p.machine.EnableTraceEvents(req.Events)
		return nil, nil
	}),
}

// do implements onShard.
func (p *producerEntry) do(what string, f func(now unit.Time) error) error {
	return p.entry.do(what, f)
}

func (p *producerEntry) pause() (api.ResponseBody, error) {
	if p.machine.Paused() {
		return nil, nil
	}
	return nil, p.change("producer.pause",
		(*transport.Transport).PauseProducer, (*transport.Transport).ProducerPaused, observer.Observer.ProducerPaused)
}

func (p *producerEntry) resume() (api.ResponseBody, error) {
	if !p.machine.Paused() {
		return nil, nil
	}
	return nil, p.change("producer.resume",
		(*transport.Transport).ResumeProducer, (*transport.Transport).ProducerResumed, observer.Observer.ProducerResumed)
}

// change pauses or resumes the producer, then its consumers, which notify the application, and then its observers.
func (p *producerEntry) change(
	what string,
	producer func(*transport.Transport, unit.Time, *transport.Producer),
	consumer func(*transport.Transport, unit.Time, *transport.Consumer),
	rtpObserver func(observer.Observer, unit.Time, string),
) error {
	if err := p.do(what, func(now unit.Time) error {
		producer(p.entry.transport, now, p.machine)
		return nil
	}); err != nil {
		return err
	}
	for _, c := range p.consumers {
		c.follow(what, consumer)
	}
	for _, o := range p.rtpObservers {
		o.follow(what, p, rtpObserver)
	}
	return nil
}

// close closes the producer's consumers, which notifies the application, and then the producer.
func (p *producerEntry) close() {
	p.fanOut.Close()
	for _, c := range p.consumers {
		c.follow("closing of the producer", (*transport.Transport).ProducerClosed)
		c.leave()
	}
	p.consumers = nil
	for _, o := range slices.Clone(p.rtpObservers) {
		o.forget(p)
	}
	p.entry.actor.Do("closing of the producer", func(unit.Time) { p.entry.transport.CloseProducer(p.machine) })
	p.entry.producers = slices.DeleteFunc(p.entry.producers, func(o *producerEntry) bool { return o == p })
	delete(p.entry.router.producers, p.id)
	p.entry.router.scope.Remove(p.id)
}
