package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// consumerEntry is a consumer in its router's tables.
type consumerEntry struct {
	id       string
	entry    *transportEntry
	producer *producerEntry
	machine  *transport.Consumer
}

// HandleRequest implements Handler.
func (c *consumerEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodConsumerDump:
		return c.update(func(unit.Time, *media.Consumer) (api.ResponseBody, error) { return c.machine.Dump(), nil })
	case api.MethodConsumerGetStats:
		return c.stats()
	case api.MethodConsumerPause:
		return c.update(func(now unit.Time, m *media.Consumer) (api.ResponseBody, error) { m.Pause(now); return nil, nil })
	case api.MethodConsumerResume:
		return c.update(func(now unit.Time, m *media.Consumer) (api.ResponseBody, error) { m.Resume(now); return nil, nil })
	case api.MethodConsumerRequestKeyFrame:
		return c.update(func(now unit.Time, m *media.Consumer) (api.ResponseBody, error) {
			m.RequestKeyFrame(now)
			return nil, nil
		})
	case api.MethodConsumerSetPreferredLayers:
		return with(req, func(b *api.ConsumerSetPreferredLayersRequest) (api.ResponseBody, error) {
			return c.update(func(now unit.Time, m *media.Consumer) (api.ResponseBody, error) {
				return m.SetPreferredLayers(now, b), nil
			})
		})
	case api.MethodConsumerSetPriority:
		return with(req, func(b *api.ConsumerSetPriorityRequest) (api.ResponseBody, error) {
			return c.update(func(_ unit.Time, m *media.Consumer) (api.ResponseBody, error) { return reply(m.SetPriority(b)) })
		})
	case api.MethodConsumerEnableTraceEvent:
		return with(req, func(b *api.ConsumerEnableTraceEventRequest) (api.ResponseBody, error) {
			return c.update(func(_ unit.Time, m *media.Consumer) (api.ResponseBody, error) {
				m.EnableTraceEvents(b.Events)
				return nil, nil
			})
		})
	}
	return nil, unsupported(req.Method)
}

// reply keeps a nil response from becoming an interface that is not nil.
func reply[B api.ResponseBody](body B, err error) (api.ResponseBody, error) {
	if err != nil {
		return nil, err
	}
	return body, nil
}

// HandleNotification implements Handler; consumers take none.
func (c *consumerEntry) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// update runs a request on the machine and hands on what follows from it.
func (c *consumerEntry) update(f func(now unit.Time, m *media.Consumer) (api.ResponseBody, error)) (api.ResponseBody, error) {
	return c.entry.do(func(now unit.Time, t *transport.Transport) (body api.ResponseBody, err error) {
		t.Update(c.machine, func(m *media.Consumer) { body, err = f(now, m) })
		return body, err
	})
}

// do runs f on the consumer's transport. A transport out of service has nothing to be told.
func (c *consumerEntry) do(f func(now unit.Time, t *transport.Transport)) {
	c.entry.do(func(now unit.Time, t *transport.Transport) (api.ResponseBody, error) {
		f(now, t)
		return nil, nil
	})
}

// stats returns the consumer's statistics followed by those of the producer's stream that it forwards, as upstream.
func (c *consumerEntry) stats() (api.ResponseBody, error) {
	var mapped unit.SSRC
	var forwards bool
	var own *api.ConsumerGetStatsResponse
	if _, err := c.update(func(now unit.Time, m *media.Consumer) (api.ResponseBody, error) {
		own = m.Stats(now)
		mapped, forwards = m.ProducerStream()
		return nil, nil
	}); err != nil || !forwards {
		return reply(own, err)
	}
	p := c.producer
	if _, err := p.do(func(now unit.Time, _ *transport.Transport) api.ResponseBody {
		if s := p.machine.StreamStats(now, mapped); s != nil {
			own.Stats = append(own.Stats, *s)
		}
		return nil
	}); err != nil {
		// The producer's transport is out of service; the consumer's own figures are still true.
		return own, nil
	}
	return own, nil
}

// close closes the consumer at the application's request: nobody is notified.
func (c *consumerEntry) close() {
	c.do(func(now unit.Time, t *transport.Transport) { t.CloseConsumer(now, c.machine) })
	c.forget()
}

// forget removes the consumer from the tables and from its producer's fanOut.
func (c *consumerEntry) forget() {
	c.producer.unsubscribe(c)
	c.entry.consumers = slices.DeleteFunc(c.entry.consumers, func(o *consumerEntry) bool { return o == c })
	c.entry.router.registry.Remove(c.id)
}
