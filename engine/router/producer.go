package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// producer is a producer in its router's tables.
type producer struct {
	id        string
	member    *member
	machine   *transport.Producer
	source    *source
	consumers []*consumer
	watchers  []*watcher
	feeds     []*feed // one for each shard that has consumers
	outlets   map[*feed]transport.Outlet
}

func (p *producer) takesNotifications() {}

// HandleRequest implements Handler.
func (p *producer) HandleRequest(req *api.Request) (api.ResponseBody, error) {
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
func (p *producer) HandleNotification(n *api.Notification) (bool, error) {
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

func (p *producer) do(f func(now unit.Time, t *transport.Transport) api.ResponseBody) (api.ResponseBody, error) {
	return p.member.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) { return f(now, t), nil })
}

// pause stops the producer and tells each consumer, which notifies the application.
func (p *producer) pause() (api.ResponseBody, error) {
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
	for _, w := range p.watchers {
		w.tell(func(now unit.Time) { w.machine.ProducerPaused(now, p.id) })
	}
	return nil, nil
}

func (p *producer) resume() (api.ResponseBody, error) {
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
	for _, w := range p.watchers {
		w.tell(func(now unit.Time) { w.machine.ProducerResumed(now, p.id) })
	}
	return nil, nil
}

// close closes the producer's consumers, which notifies the application, and then the producer.
func (p *producer) close() {
	for _, c := range slices.Clone(p.consumers) {
		c.do(func(now unit.Time, t *transport.Transport) { t.ProducerClosed(now, c.machine) })
		c.forget()
	}
	for _, w := range slices.Clone(p.watchers) {
		w.forget(p)
	}
	p.member.always(func(unit.Time) { p.member.seat.transport.CloseProducer(p.machine) })
	p.member.producers = slices.DeleteFunc(p.member.producers, func(o *producer) bool { return o == p })
	delete(p.member.router.producers, p.id)
	p.member.router.registry.Remove(p.id)
}

// feedOn returns the feed for consumers on s. A new one delivers nothing before subscribe.
func (p *producer) feedOn(s *shard.Shard) *feed {
	for _, f := range p.feeds {
		if f.shard == s {
			return f
		}
	}
	f := &feed{shard: s}
	p.feeds = append(p.feeds, f)
	return f
}

// subscribe makes sure that the producer delivers to c's shard, and sends c the producer's state.
func (p *producer) subscribe(c *consumer) {
	f := p.feedOn(c.member.place.shard)
	p.member.do(func(_ unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		p.open(f)
		c.member.place.shard.Post(&attachment{
			seat: c.member.seat, consumer: c.machine,
			paused: p.machine.Paused(), scores: p.machine.Scores(), streams: p.machine.Streams(),
		})
		return nil, nil
	})
}

// open adds f to the machine's outlets if it is not among them. The producer's turn is held.
func (p *producer) open(f *feed) {
	if p.outlets[f] != nil {
		return
	}
	if p.outlets == nil {
		p.outlets = map[*feed]transport.Outlet{}
	}
	if f.shard == p.member.place.shard {
		p.outlets[f] = f
		p.machine.AddOutlet(f)
		return
	}
	p.outlets[f] = &remoteFeed{f}
	p.machine.AddFirstOutlet(p.outlets[f])
}

// unsubscribe forgets c, and its shard's feed if that has no consumer left.
func (p *producer) unsubscribe(c *consumer) {
	p.consumers = slices.DeleteFunc(p.consumers, func(o *consumer) bool { return o == c })
	f := p.feedOn(c.member.place.shard)
	c.member.always(func(unit.Time) { f.remove(c.machine) })
	last := !slices.ContainsFunc(p.consumers, func(o *consumer) bool { return o.member.place == c.member.place })
	p.member.always(func(unit.Time) {
		p.machine.ForgetConsumer(c.id)
		if last && p.outlets[f] != nil {
			p.machine.RemoveOutlet(p.outlets[f])
			delete(p.outlets, f)
		}
	})
	if last {
		p.feeds = slices.DeleteFunc(p.feeds, func(o *feed) bool { return o == f })
	}
}
