package media

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
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
	now := c.Counts()
	unit.AddGrowth(sum, &now, c.collected)
}

// Counts returns what the consumer did so far.
func (c *Consumer) Counts() ConsumerCounts {
	counts := ConsumerCounts{Drops: c.drops}
	for i := range c.streams {
		c.streams[i].send.AddCounts(&counts.Sent)
	}
	return counts
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
	now := p.Counts()
	unit.AddGrowth(sum, &now, p.collected)
}

// Counts returns what the producer did so far.
func (p *Producer) Counts() ProducerCounts {
	counts := ProducerCounts{Drops: p.drops}
	for s := range p.live() {
		s.AddCounts(&counts.Received)
	}
	return counts
}

// FractionLost returns the share of packets that is lost on the way from the peer, of the stream that loses most, in 1/256.
func (p *Producer) FractionLost() (worst uint8) {
	for s := range p.live() {
		worst = max(worst, s.FractionLost())
	}
	return worst
}

// Layers returns the layers that are preferred, aimed at and forwarded.
func (c *Consumer) Layers() layer.Layers { return c.selector.Layers() }

// KeyFrameWait returns for how long packets have had to wait for a key frame, 0 if none wait.
func (c *Consumer) KeyFrameWait(now unit.Time) time.Duration {
	if c.keyFrameWaitedSince == 0 {
		return 0
	}
	return now.Sub(c.keyFrameWaitedSince)
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
