package transport

import (
	"slices"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// Producer is a producer in its transport: the machine, and the subscribers to its media.
type Producer struct {
	*media.Producer
	subscribers []Subscriber
	pending     []*packet.Packet // for Settle to forward, with one reference each
	losses      losses
	learned     int // how many SSRCs the listener learned from its packets
	dirty       bool
	closed      bool
}

// Produce answers TRANSPORT_PRODUCE. The id must be new.
func (t *Transport) Produce(now unit.Time, req *api.TransportProduceRequest) (*Producer, error) {
	machine, err := media.NewProducer(req)
	if err != nil {
		return nil, err
	}
	return t.enter(now, machine)
}

// Successor makes of a request what takes over a producer of this or of another transport; see TakeOver.
func (t *Transport) Successor(of *Producer, req *api.TransportProduceRequest) (*media.Producer, error) {
	next, err := media.NewProducer(req)
	if err != nil {
		return nil, err
	}
	if err := of.CheckTakeOver(next); err != nil {
		return nil, err
	}
	return next, t.listener.check(next.RTPParameters())
}

// TakeOver receives what another transport received before, as its successor says: see [media.Producer.TakeOver]. That transport's
// CloseProducer was called, and its Producer is not used any more.
func (t *Transport) TakeOver(now unit.Time, machine, next *media.Producer) (*Producer, error) {
	machine.TakeOver(next)
	return t.enter(now, machine)
}

// enter adds a producer.
func (t *Transport) enter(now unit.Time, machine *media.Producer) (*Producer, error) {
	p := &Producer{Producer: machine}
	if err := t.listener.add(p); err != nil {
		return nil, err
	}
	p.shareClock(t.producers)
	t.producers = append(t.producers, p)
	t.recvIDs = mergeExtensionIDs(t.recvIDs, p.ExtensionIDs())
	t.estimateIncoming(now, p)
	return p, nil
}

func (p *Producer) shareClock(others []*Producer) {
	for _, o := range others {
		if p.ShareClock(o.Producer) { // which all others of this CNAME share too
			return
		}
	}
}

// restartProducers has the producers receive from a peer that was made anew: see [media.Producer.Restart].
func (t *Transport) restartProducers() {
	for i, p := range t.producers {
		p.Restart()
		p.shareClock(t.producers[:i])
	}
}

// mergeExtensionIDs returns the header extension ids of received packets: those of the newest producer count, as in mediasoup.
func mergeExtensionIDs(ids, own media.ExtensionIDs) media.ExtensionIDs {
	for _, f := range []struct{ to, from *uint8 }{
		{&ids.MID, &own.MID},
		{&ids.RID, &own.RID},
		{&ids.RRID, &own.RRID},
		{&ids.AbsSendTime, &own.AbsSendTime},
		{&ids.TransportCC, &own.TransportCC},
	} {
		if *f.from != 0 {
			*f.to = *f.from
		}
	}
	return ids
}

// CloseProducer removes p. The owner closed its consumers before.
func (t *Transport) CloseProducer(p *Producer) {
	t.producers = slices.DeleteFunc(t.producers, func(o *Producer) bool { return o == p })
	t.news.forget(p.ID())
	p.CollectCounts(&t.env.Figures.Producers)
	t.dirty = slices.DeleteFunc(t.dirty, func(o *Producer) bool { return o == p })
	t.listener.remove(p)
	p.dropPending()
	p.subscribers, p.closed = nil, true
}

// AddSubscriber delivers p's media to o too, after all others.
func (p *Producer) AddSubscriber(o Subscriber) { p.subscribers = append(p.subscribers, o) }

// AddFirstSubscriber delivers p's media to o too, before all others: for one that posts it to another shard, to work meanwhile.
func (p *Producer) AddFirstSubscriber(o Subscriber) {
	p.subscribers = slices.Insert(p.subscribers, 0, o)
}

// RemoveSubscriber ends the delivery to o.
func (p *Producer) RemoveSubscriber(o Subscriber) {
	p.subscribers = slices.DeleteFunc(p.subscribers, func(have Subscriber) bool { return have == o })
}

func (p *Producer) dropPending() {
	for _, pkt := range p.pending {
		pkt.Release()
	}
	p.pending = nil
}

// RequestKeyFrame takes a consumer's request, which may arrive after the producer was closed.
func (t *Transport) RequestKeyFrame(now unit.Time, p *Producer, mapped unit.SSRC) {
	if p.closed || t.isBroken {
		return
	}
	p.Producer.RequestKeyFrame(now, mapped)
	t.changed(p)
}

// ReportFractionLost takes the share of a stream that a consumer's peer reports as lost (RFC 3550 section 6.4.1). If the
// producer's peer protects its stream with in-band FEC, the worst of all consumers is reported to it.
func (t *Transport) ReportFractionLost(p *Producer, consumerID string, mapped unit.SSRC, lost uint8) {
	if !p.closed && !t.isBroken && p.UsesInBandFEC() {
		p.losses.report(mapped, consumerID, lost)
	}
}

// ForgetConsumer forgets what a closed consumer reported.
func (p *Producer) ForgetConsumer(consumerID string) { p.losses.forget(consumerID) }

// appendRTCP appends the reports that are due. The worst loss is computed here, not with each consumer's report: there may be
// thousands of those.
func (p *Producer) appendRTCP(now unit.Time, pkts []rtcp.Packet) []rtcp.Packet {
	for mapped, byConsumer := range p.losses.byStream {
		var worst uint8
		for _, lost := range byConsumer {
			worst = max(worst, lost)
		}
		p.SetFractionLost(mapped, worst)
	}
	return p.AppendRTCP(now, pkts)
}

// PauseProducer answers PRODUCER_PAUSE.
func (t *Transport) PauseProducer(now unit.Time, p *Producer) {
	p.Pause(now)
	t.changed(p)
}

// ResumeProducer answers PRODUCER_RESUME.
func (t *Transport) ResumeProducer(now unit.Time, p *Producer) {
	p.Resume(now)
	t.changed(p)
}

// changed follows each call of p, which may have made output or a new deadline.
func (t *Transport) changed(p *Producer) {
	t.lowerDeadline(p.NextTimeout())
	t.markDirty(p)
}

// settleProducer passes on what p produced.
func (t *Transport) settleProducer(now unit.Time, p *Producer) {
	var updates []media.StreamUpdate
	if out := p.Output(); !out.Empty() {
		t.sendFeedback(now, t.withinBudget(now, out.RTCP))
		for i := range out.Notifications {
			t.news.emit(now, t, &out.Notifications[i])
		}
		updates = out.Streams
		out.Reset()
	}
	if len(p.pending) == 0 && len(updates) == 0 {
		return
	}
	var scores []uint8
	if len(updates) > 0 {
		scores = p.Scores()
	}
	for _, o := range p.subscribers {
		o.Forward(now, p.pending, updates, scores)
	}
	for i, pkt := range p.pending {
		pkt.Release()
		p.pending[i] = nil
	}
	p.pending = p.pending[:0]
}

// losses keeps each consumer's last report of loss by mapped SSRC.
type losses struct {
	byStream map[unit.SSRC]map[string]uint8
}

func (l *losses) report(mapped unit.SSRC, consumerID string, lost uint8) {
	if l.byStream == nil {
		l.byStream = map[unit.SSRC]map[string]uint8{}
	}
	if l.byStream[mapped] == nil {
		l.byStream[mapped] = map[string]uint8{}
	}
	l.byStream[mapped][consumerID] = lost
}

func (l *losses) forget(consumerID string) {
	for _, byConsumer := range l.byStream {
		delete(byConsumer, consumerID)
	}
}
