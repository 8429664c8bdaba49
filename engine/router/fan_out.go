package router

import (
	"slices"
	"sync"

	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// fanOut is the consumers of one producer on one shard. Its consumers change with that shard's turn held only.
type fanOut struct {
	shard     *shard.Shard
	consumers []fanOutConsumer
}

type fanOutConsumer struct {
	*transport.Consumer
	actor *TransportActor
}

// Forward implements transport.Subscriber for a producer on the same shard.
func (f *fanOut) Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	for _, c := range f.consumers {
		c.forward(now, pkts, updates, scores)
	}
}

// forward hands a batch to one consumer. A fault concerns the consumer's transport, not the producer's.
func (c *fanOutConsumer) forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	defer c.actor.contain("media")
	if c.actor.transport.Broken() {
		return
	}
	c.Consumer.Forward(now, pkts, updates, scores)
	c.actor.settle(now)
}

func (f *fanOut) add(c fanOutConsumer) { f.consumers = append(f.consumers, c) }

func (f *fanOut) remove(c *transport.Consumer) {
	f.consumers = slices.DeleteFunc(f.consumers, func(have fanOutConsumer) bool { return have.Consumer == c })
}

// crossShardFanOut is the subscriber of a producer whose consumers are on another shard: one message per batch, whatever their
// number.
type crossShardFanOut struct {
	*fanOut
}

// Forward implements transport.Subscriber. Stream updates travel in the same message as packets, in order, and are never
// refused; media alone is, when the other shard is too far behind.
func (f *crossShardFanOut) Forward(_ unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	m := packetBatches.Get().(*packetBatch)
	m.fanOut = f.fanOut
	m.pkts = append(m.pkts[:0], pkts...)
	m.updates = append(m.updates[:0], updates...)
	m.scores = scores
	for _, pkt := range pkts {
		pkt.Retain()
	}
	if len(updates) > 0 {
		if !f.shard.Post(m) {
			m.release()
		}
		return
	}
	if !f.shard.PostDroppable(m) {
		m.release()
	}
}

// packetBatch carries one batch of a producer to the fanOut on another shard.
type packetBatch struct {
	fanOut  *fanOut
	pkts    []*packet.Packet
	updates []media.StreamUpdate
	scores  []uint8
}

var packetBatches = sync.Pool{New: func() any { return new(packetBatch) }}

// Run implements shard.Message.
func (m *packetBatch) Run(now unit.Time) {
	m.fanOut.Forward(now, m.pkts, m.updates, m.scores)
	m.release()
}

func (m *packetBatch) release() {
	for i, pkt := range m.pkts {
		pkt.Release()
		m.pkts[i] = nil
	}
	m.fanOut, m.scores = nil, nil
	packetBatches.Put(m)
}

// producerSnapshot tells a consumer of its producer's state. It is posted by the producer's shard, so that it comes before
// every update that follows, and none comes twice.
type producerSnapshot struct {
	actor    *TransportActor
	consumer *transport.Consumer
	paused   bool
	scores   []uint8
	streams  []media.StreamInfo
}

// Run implements shard.Message.
func (m *producerSnapshot) Run(now unit.Time) {
	m.actor.call("attach", now, func(now unit.Time) {
		m.actor.transport.AttachConsumer(now, m.consumer, m.paused, m.scores, m.streams)
	})
}

// source takes the requests of one producer's consumers to the producer's shard. Requests are posted even when it is the
// same shard: nothing is called from within its own call.
type producerFeedback struct {
	actor    *TransportActor
	producer *transport.Producer

	mu     sync.Mutex
	wanted []unit.SSRC      // mapped, each once; those of the message under way
	losses map[lossOf]uint8 // likewise: the newest report of each
}

// lossOf is what a report of loss is about.
type lossOf struct {
	consumerID string
	mapped     unit.SSRC
}

// RequestKeyFrame implements transport.ProducerFeedback. However many consumers ask, and however often, one message is under way.
func (s *producerFeedback) RequestKeyFrame(mapped unit.SSRC) {
	s.mu.Lock()
	known := slices.Contains(s.wanted, mapped)
	first := len(s.wanted) == 0
	if !known {
		s.wanted = append(s.wanted, mapped)
	}
	s.mu.Unlock()
	if first {
		s.actor.shard.Post((*keyFrameRequests)(s))
	}
}

// ReportFractionLost implements transport.ProducerFeedback. However often peers change what they report, one message is under way.
func (s *producerFeedback) ReportFractionLost(consumerID string, mapped unit.SSRC, lost uint8) {
	s.mu.Lock()
	first := len(s.losses) == 0
	if s.losses == nil {
		s.losses = map[lossOf]uint8{}
	}
	s.losses[lossOf{consumerID, mapped}] = lost
	s.mu.Unlock()
	if first {
		s.actor.shard.Post((*lossReports)(s))
	}
}

// keyFrameRequests is the message by which RequestKeyFrame reaches the producer's shard.
type keyFrameRequests producerFeedback

// Run implements shard.Message.
func (m *keyFrameRequests) Run(now unit.Time) {
	m.mu.Lock()
	wanted := m.wanted
	m.wanted = nil
	m.mu.Unlock()
	m.actor.call("key frame request", now, func(now unit.Time) {
		for _, mapped := range wanted {
			m.actor.transport.RequestKeyFrame(now, m.producer, mapped)
		}
	})
}

// lossReports is the message by which ReportFractionLost reaches the producer's shard.
type lossReports producerFeedback

// Run implements shard.Message.
func (m *lossReports) Run(now unit.Time) {
	m.mu.Lock()
	losses := m.losses
	m.losses = nil
	m.mu.Unlock()
	m.actor.call("loss report", now, func(unit.Time) {
		for of, lost := range losses {
			m.actor.transport.ReportFractionLost(m.producer, of.consumerID, of.mapped, lost)
		}
	})
}
