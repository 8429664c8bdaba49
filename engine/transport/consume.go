package transport

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// Consumer is a consumer in its transport: the machine, and the way of its requests to the producer.
type Consumer struct {
	*media.Consumer
	transport *Transport
	feedback  ProducerFeedback
	attached  bool
	// holdsOutput is set from HandleStreamUpdates to the end of Forward, which drains the output.
	holdsOutput bool
}

// Consume answers TRANSPORT_CONSUME. The id must be new. The consumer forwards nothing before AttachConsumer.
func (t *Transport) Consume(now unit.Time, req *api.TransportConsumeRequest, feedback ProducerFeedback) (*Consumer, error) {
	machine, err := media.NewConsumer(req, t.env.Compat, t.env.Rand)
	if err != nil {
		return nil, err
	}
	if t.options.Internal && machine.Type() == api.RTPTypePipe {
		machine.Relay()
	}
	c := &Consumer{Consumer: machine, transport: t, feedback: feedback}
	if err := t.checkSSRCs(c); err != nil {
		machine.Close()
		return nil, err
	}
	t.consumers = append(t.consumers, c)
	for _, ssrc := range c.MediaSSRCs() {
		t.bySSRC[ssrc] = c
	}
	for _, ssrc := range c.RTXSSRCs() {
		t.byRTXSSRC[ssrc] = c
	}
	t.estimateOutgoing(now, c)
	return c, nil
}

// checkSSRCs refuses SSRCs that another consumer sends with, or the probation stream, or another stream of the same consumer. Two
// streams with one SSRC under one key would use a nonce twice (RFC 7714 section 8.4).
//
// For the same reason a secured transport refuses the SSRC of a closed consumer: the new one would begin at another sequence number
// and come to those that were used. mediasoup refuses none of these; its applications draw SSRCs at random.
func (t *Transport) checkSSRCs(c *Consumer) error {
	own := map[unit.SSRC]bool{}
	for _, ssrc := range append(c.MediaSSRCs(), c.RTXSSRCs()...) {
		switch {
		case ssrc == probationSSRC:
			return api.TypeErrorf("ssrc reserved for the probation stream [ssrc:%d]", ssrc)
		case own[ssrc]:
			return api.TypeErrorf("ssrc used twice in rtpParameters.encodings [ssrc:%d]", ssrc)
		case t.bySSRC[ssrc] != nil, t.byRTXSSRC[ssrc] != nil:
			return api.Errorf("ssrc already used by another Consumer of the Transport [ssrc:%d]", ssrc)
		case t.spentSSRCs[ssrc]:
			return api.Errorf("ssrc already used by a closed Consumer of the Transport [ssrc:%d]", ssrc)
		}
		own[ssrc] = true
	}
	return nil
}

// Follow makes c ask something else than before, since its producer is on another transport now.
func (c *Consumer) Follow(feedback ProducerFeedback) { c.feedback = feedback }

// AttachConsumer gives c its producer's state and starts forwarding.
func (t *Transport) AttachConsumer(now unit.Time, c *Consumer, paused bool, scores []uint8, streams []media.StreamInfo) {
	c.attached = true
	c.Attach(now, paused, scores, streams)
	if t.backend.connected() {
		c.TransportConnected(now)
	}
	t.drainConsumer(now, c)
}

// CloseConsumer removes c without a notification.
func (t *Transport) CloseConsumer(now unit.Time, c *Consumer) {
	t.consumers = slices.DeleteFunc(t.consumers, func(o *Consumer) bool { return o == c })
	for _, ssrc := range c.MediaSSRCs() {
		if t.bySSRC[ssrc] == c {
			delete(t.bySSRC, ssrc)
		}
	}
	for _, ssrc := range c.RTXSSRCs() {
		if t.byRTXSSRC[ssrc] == c {
			delete(t.byRTXSSRC, ssrc)
		}
	}
	if t.backend.secured() {
		for _, ssrc := range append(c.MediaSSRCs(), c.RTXSSRCs()...) {
			t.spentSSRCs[ssrc] = true
		}
	}
	c.attached = false
	t.pacer.forget(c)
	t.news.forget(c.ID())
	c.CollectCounts(&t.env.Figures.Consumers)
	c.Close()
	t.redistribute(now, true)
}

// ProducerClosed removes c because its producer closed, and notifies the application.
func (t *Transport) ProducerClosed(now unit.Time, c *Consumer) {
	c.Consumer.ProducerClosed(now)
	t.drainConsumer(now, c)
	t.CloseConsumer(now, c)
}

// Update calls f, which may change c, and passes on what c then produced.
func (t *Transport) Update(now unit.Time, c *Consumer, f func(c *media.Consumer)) {
	f(c.Consumer)
	t.drainConsumer(now, c)
}

// HandleStreamUpdates gives c the changes in its producer's streams that precede the packets of the next Forward, which must
// follow. Call Settle between the two, so that a consumer whose layers depend on the bandwidth has its share before the packets:
// a new stream comes with its first packet, which usually begins a key frame. For the same reason c's other requests wait until
// Forward has seen the packets: they may be the key frame that c asks for.
func (c *Consumer) HandleStreamUpdates(now unit.Time, updates []media.StreamUpdate, scores []uint8) {
	if !c.attached {
		return
	}
	c.holdsOutput = true
	for i := range updates {
		c.HandleStreamUpdate(now, updates[i], scores)
	}
	if out := c.Output(); out.BitrateChangeNeeded {
		out.BitrateChangeNeeded = false
		c.transport.reallocate = true
	}
}

// Forward sends packets of the producer to c's peer, all in one batch. Pkts is empty after stream updates without packets.
func (c *Consumer) Forward(now unit.Time, pkts []*packet.Packet) {
	if !c.attached {
		return
	}
	c.holdsOutput = true
	if len(pkts) > 0 {
		c.deliver(now, pkts)
	}
	c.holdsOutput = false
	c.transport.drainConsumer(now, c)
}

func (c *Consumer) deliver(now unit.Time, pkts []*packet.Packet) {
	t := c.transport
	if !c.Active() || !t.backend.connected() {
		return
	}
	t.followCongestion(now)
	t.pace(now, c, pkts)
}

// forward gives c its packets, all in one batch. If limited, it ends where the pacer allows no more. It returns how many it gave.
func (t *Transport) forward(now unit.Time, c *Consumer, pkts []*packet.Packet, limited bool) (n int) {
	t.mustBeEmpty("media")
	for ; n < len(pkts) && !(limited && t.pacer.left <= 0); n++ {
		t.forwardOne(now, c, pkts[n])
	}
	t.backend.flush()
	return n
}

func (t *Transport) forwardOne(now unit.Time, c *Consumer, pkt *packet.Packet) {
	if len(pkt.Data) > maxRTPLen {
		t.drops.TooLarge++
		return
	}
	t.largest = max(t.largest, len(pkt.Data))
	b := t.space(len(pkt.Data))
	o := c.WritePacket(now, pkt, b)
	t.sendMedia(now, c, b, o)
	for o.More {
		b = t.space(t.largest)
		o = c.WriteHeldBack(now, b)
		t.sendMedia(now, c, b, o)
	}
}

// retransmit sends the packets that a NACK asked c for.
func (t *Transport) retransmit(now unit.Time, c *Consumer) {
	t.mustBeEmpty("a retransmission")
	least := int64(minResendBurst)
	if t.bweOut != nil {
		least = minEstimatedBurst
	}
	t.resending.refill(now, t.resendRate(now), least)
	for {
		if t.resending.left <= 0 {
			t.drops.OverBudget++
			c.DropRetransmissions()
			break
		}
		b := t.space(t.largest)
		o := c.WriteRetransmission(now, b)
		if o.Len == 0 {
			break
		}
		t.resending.left -= o.Len
		t.pacer.left -= o.Len
		t.counters.rtxSent.Update(now, o.Len, o.Len-o.HeaderLen)
		t.assignTransportSeq(now, b, o)
		t.backend.sendRTP(now, c, b, o)
	}
	t.backend.flush()
}

// sendMedia sends what c wrote into b, if anything.
func (t *Transport) sendMedia(now unit.Time, c *Consumer, b []byte, o media.Outgoing) {
	if o.Len == 0 {
		return
	}
	t.pacer.left -= o.Len
	t.counters.rtpSent.Update(now, o.Len, o.Len-o.HeaderLen)
	if seq, ok := t.assignTransportSeq(now, b, o); ok {
		c.SetTransportCC(seq)
	}
	t.backend.sendRTP(now, c, b, o)
}

// drainConsumer passes on what c produced.
func (t *Transport) drainConsumer(now unit.Time, c *Consumer) {
	out := c.Output()
	if c.holdsOutput || out.Empty() {
		return
	}
	for i := range out.Notifications {
		t.news.emit(now, t, &out.Notifications[i])
	}
	for _, mapped := range out.KeyFrameRequests {
		c.feedback.RequestKeyFrame(mapped)
	}
	if out.FractionLostChanged {
		for _, mapped := range c.MappedSSRCs() {
			c.feedback.ReportFractionLost(c.ID(), mapped, c.FractionLost())
		}
	}
	if out.KeyFrameWait > 0 {
		t.env.Figures.keyFrameWaited(out.KeyFrameWait, out.Interrupted)
	}
	t.reallocate = t.reallocate || out.BitrateChangeNeeded || out.ZeroBitrateNeeded
	t.giveUp = t.giveUp || out.ZeroBitrateNeeded
	out.Reset()
}

// ProducerPaused takes the pausing of c's producer, and notifies the application.
func (t *Transport) ProducerPaused(now unit.Time, c *Consumer) {
	c.Consumer.ProducerPaused(now)
	t.drainConsumer(now, c)
}

// ProducerResumed takes the resuming of c's producer, and notifies the application.
func (t *Transport) ProducerResumed(now unit.Time, c *Consumer) {
	c.Consumer.ProducerResumed(now)
	t.drainConsumer(now, c)
}
