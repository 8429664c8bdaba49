package media

import (
	"gazpacho/engine/api"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// ConsumerCounts is what consumers did so far.
type ConsumerCounts struct {
	Sent  rtpstream.SendCounts
	Drops ConsumerDrops
}

// CollectCounts adds to sum what the consumer did since the last call.
func (c *Consumer) CollectCounts(sum *ConsumerCounts) {
	if c.collected == nil {
		c.collected = new(ConsumerCounts)
	}
	now := ConsumerCounts{Drops: c.drops}
	for i := range c.streams {
		c.streams[i].send.AddCounts(&now.Sent)
	}
	unit.AddGrowth(sum, &now, c.collected)
}

// ProducerCounts is what producers did so far.
type ProducerCounts struct {
	Received rtpstream.RecvCounts
	Drops    ProducerDrops
}

// CollectCounts adds to sum what the producer did since the last call.
func (p *Producer) CollectCounts(sum *ProducerCounts) {
	if p.collected == nil {
		p.collected = new(ProducerCounts)
	}
	now := ProducerCounts{Drops: p.drops}
	for s := range p.live() {
		s.AddCounts(&now.Received)
	}
	unit.AddGrowth(sum, &now, p.collected)
}

// CurrentLayers returns the layers that are forwarded, -1 for none. Those of a consumer without layers are 0, of a pipe none.
func (c *Consumer) CurrentLayers() (spatial, temporal int) {
	current := c.selector.Layers().Current
	return int(current.Spatial), int(current.Temporal)
}

// waitForKeyFrame notes that a packet has to wait for a key frame. Where another layer is forwarded meanwhile, nothing stands still.
func (c *Consumer) waitForKeyFrame(now unit.Time) {
	still := c.typ != api.RTPTypeSimulcast || c.selector.Layers().Current.Spatial < 0
	if still && c.keyFrameWaitedSince == 0 && len(c.streams) == 1 {
		c.keyFrameWaitedSince = now
	}
}

// endKeyFrameWait tells how long the key frame that is forwarded in s was waited for.
func (c *Consumer) endKeyFrameWait(now unit.Time, s *sentStream) {
	if c.keyFrameWaitedSince != 0 {
		c.out.KeyFrameWait, c.out.Interrupted = now.Sub(c.keyFrameWaitedSince), s.started
		c.keyFrameWaitedSince = 0
	}
}
