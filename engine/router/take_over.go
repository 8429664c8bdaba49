package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// takeOver answers TRANSPORT_PRODUCE on an internal transport for a producer that another one has received until now: a relay whose
// source changes. Its consumers and observers stay, and it remains paused or not.
func (m *transportEntry) takeOver(p *producerEntry, req *api.TransportProduceRequest) (api.ResponseBody, error) {
	machine, old := p.machine.Producer, p.entry
	var next *media.Producer
	if err := m.do("transport.produce", func(unit.Time) (err error) {
		next, err = m.transport.Successor(p.machine, req)
		return err
	}); err != nil {
		return nil, err
	}
	// A producer of a transport that is out of service cannot be relied on.
	if err := old.do("take-over", func(unit.Time) error { return nil }); err != nil {
		return nil, err
	}
	p.fanOut.Close()
	for _, o := range p.rtpObservers {
		o.taps[p].Close()
	}
	old.actor.Do("take-over", func(unit.Time) { old.transport.CloseProducer(p.machine) })
	err := m.do("take-over", func(now unit.Time) (err error) {
		var taken *transport.Producer
		if taken, err = m.transport.TakeOver(now, machine, next); err == nil {
			p.machine = taken
		}
		return err
	})
	if err != nil { // an internal error: nothing feeds the producer any more
		p.close()
		return nil, err
	}
	old.producers = slices.DeleteFunc(old.producers, func(o *producerEntry) bool { return o == p })
	m.producers = append(m.producers, p)
	p.entry = m
	p.feedback, p.fanOut = runner.NewProducerFeedback(p.machine, m.actor), runner.NewFanOut(p.machine, m.actor)
	for _, c := range p.consumers {
		c.follow("take-over", func(_ *transport.Transport, _ unit.Time, machine *transport.Consumer) {
			machine.Follow(p.feedback)
			p.fanOut.Add(machine, c.entry.actor)
		})
		p.fanOut.Attach(c.machine, c.entry.actor)
	}
	for _, o := range p.rtpObservers {
		o.taps[p] = o.actor.Tap(p.machine, m.actor)
	}
	return &api.TransportProduceResponse{Type: machine.Type()}, nil
}
