package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// producerEntry is a producer in its router's tables.
type producerEntry struct {
	id           string
	entry        *transportEntry
	machine      *transport.Producer
	feedback     *producerFeedback
	consumers    []*consumerEntry
	rtpObservers []*rtpObserver
	fanOuts      []*fanOut // one for each shard that has consumers
	subscribers  map[*fanOut]transport.Subscriber
}

func (p *producerEntry) takesNotifications() {}

// HandleRequest implements Handler.
func (p *producerEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodProducerDump:
		return p.do(func(unit.Time, *transport.Transport) api.ResponseBody { return p.machine.Dump() })
	case api.MethodProducerGetStats:
		return p.do(func(now unit.Time, _ *transport.Transport) api.ResponseBody { return p.machine.Stats(now) })
	case api.MethodProducerPause:
		return p.pause()
	case api.MethodProducerResume:
		return p.resume()
	case api.MethodProducerEnableTraceEvent:
		return with(req, func(b *api.ProducerEnableTraceEventRequest) (api.ResponseBody, error) {
			return p.do(func(unit.Time, *transport.Transport) api.ResponseBody {
				p.machine.EnableTraceEvents(b.Events)
				return nil
			})
		})
	}
	return nil, unsupported(req.Method)
}

// HandleNotification implements Handler.
func (p *producerEntry) HandleNotification(n *api.Notification) (bool, error) {
	body, ok := n.Body.(*api.ProducerSendNotification)
	if n.Event != api.EventProducerSend || !ok || body == nil {
		return false, nil
	}
	_, err := p.do(func(now unit.Time, t *transport.Transport) api.ResponseBody {
		t.HandleProducerSend(now, body.Data)
		return nil
	})
	return true, err
}

func (p *producerEntry) do(f func(now unit.Time, t *transport.Transport) api.ResponseBody) (api.ResponseBody, error) {
	return p.entry.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) { return f(now, t), nil })
}

// pause stops the producer and tells each consumer, which notifies the application.
func (p *producerEntry) pause() (api.ResponseBody, error) {
	if p.machine.Paused() {
		return nil, nil
	}
	if _, err := p.do(func(now unit.Time, t *transport.Transport) api.ResponseBody {
		t.PauseProducer(now, p.machine)
		return nil
	}); err != nil {
		return nil, err
	}
	for _, c := range p.consumers {
		c.do(func(now unit.Time, t *transport.Transport) { t.ProducerPaused(now, c.machine) })
	}
	for _, w := range p.rtpObservers {
		w.tell(func(now unit.Time) { w.machine.ProducerPaused(now, p.id) })
	}
	return nil, nil
}

func (p *producerEntry) resume() (api.ResponseBody, error) {
	if !p.machine.Paused() {
		return nil, nil
	}
	if _, err := p.do(func(now unit.Time, t *transport.Transport) api.ResponseBody {
		t.ResumeProducer(now, p.machine)
		return nil
	}); err != nil {
		return nil, err
	}
	for _, c := range p.consumers {
		c.do(func(now unit.Time, t *transport.Transport) { t.ProducerResumed(now, c.machine) })
	}
	for _, w := range p.rtpObservers {
		w.tell(func(now unit.Time) { w.machine.ProducerResumed(now, p.id) })
	}
	return nil, nil
}

// close closes the producer's consumers, which notifies the application, and then the producer.
func (p *producerEntry) close() {
	for _, c := range slices.Clone(p.consumers) {
		c.do(func(now unit.Time, t *transport.Transport) { t.ProducerClosed(now, c.machine) })
		c.forget()
	}
	for _, w := range slices.Clone(p.rtpObservers) {
		w.forget(p)
	}
	p.entry.runEvenIfBroken(func(unit.Time) { p.entry.actor.transport.CloseProducer(p.machine) })
	p.entry.producers = slices.DeleteFunc(p.entry.producers, func(o *producerEntry) bool { return o == p })
	delete(p.entry.router.producers, p.id)
	p.entry.router.registry.Remove(p.id)
}

// fanOutOn returns the fanOut for consumers on s. A new one delivers nothing before subscribe.
func (p *producerEntry) fanOutOn(s *shard.Shard) *fanOut {
	for _, f := range p.fanOuts {
		if f.shard == s {
			return f
		}
	}
	f := &fanOut{shard: s}
	p.fanOuts = append(p.fanOuts, f)
	return f
}

// subscribe makes sure that the producer delivers to c's shard, and sends c the producer's state.
func (p *producerEntry) subscribe(c *consumerEntry) {
	f := p.fanOutOn(c.entry.ctx.shard)
	p.entry.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		p.open(f)
		c.entry.ctx.shard.Post(&producerSnapshot{
			actor: c.entry.actor, consumer: c.machine,
			paused: p.machine.Paused(), scores: p.machine.Scores(), streams: p.machine.Streams(),
		})
		return nil, nil
	})
}

// open adds f to the machine's subscribers if it is not among them. The producer's turn is held.
func (p *producerEntry) open(f *fanOut) {
	if p.subscribers[f] != nil {
		return
	}
	if p.subscribers == nil {
		p.subscribers = map[*fanOut]transport.Subscriber{}
	}
	if f.shard == p.entry.ctx.shard {
		p.subscribers[f] = f
		p.machine.AddSubscriber(f)
		return
	}
	p.subscribers[f] = &crossShardFanOut{f}
	p.machine.AddFirstSubscriber(p.subscribers[f])
}

// unsubscribe forgets c, and its shard's fanOut if that has no consumer left.
func (p *producerEntry) unsubscribe(c *consumerEntry) {
	p.consumers = slices.DeleteFunc(p.consumers, func(o *consumerEntry) bool { return o == c })
	f := p.fanOutOn(c.entry.ctx.shard)
	c.entry.runEvenIfBroken(func(unit.Time) { f.remove(c.machine) })
	last := !slices.ContainsFunc(p.consumers, func(o *consumerEntry) bool { return o.entry.ctx == c.entry.ctx })
	p.entry.runEvenIfBroken(func(unit.Time) {
		p.machine.ForgetConsumer(c.id)
		if last && p.subscribers[f] != nil {
			p.machine.RemoveSubscriber(p.subscribers[f])
			delete(p.subscribers, f)
		}
	})
	if last {
		p.fanOuts = slices.DeleteFunc(p.fanOuts, func(o *fanOut) bool { return o == f })
	}
}
