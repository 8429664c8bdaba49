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

// feed is the consumers of one producer on one shard. Its consumers change with that shard's turn held only.
type feed struct {
	shard     *shard.Shard
	consumers []feedConsumer
}

type feedConsumer struct {
	*transport.Consumer
	seat *Seat
}

// Forward implements transport.Outlet for a producer on the same shard.
func (f *feed) Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	for _, c := range f.consumers {
		c.forward(now, pkts, updates, scores)
	}
}

// forward hands a batch to one consumer. A fault concerns the consumer's transport, not the producer's.
func (c *feedConsumer) forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	defer c.seat.contain("media")
	if c.seat.transport.Broken() {
		return
	}
	c.Consumer.Forward(now, pkts, updates, scores)
	c.seat.settle(now)
}

func (f *feed) add(c feedConsumer) { f.consumers = append(f.consumers, c) }

func (f *feed) remove(c *transport.Consumer) {
	f.consumers = slices.DeleteFunc(f.consumers, func(have feedConsumer) bool { return have.Consumer == c })
}

// remoteFeed is the outlet of a producer whose consumers are on another shard: one message per batch, whatever their
// number.
type remoteFeed struct {
	*feed
}

// Forward implements transport.Outlet. Stream updates travel in the same message as packets, in order, and are never
// refused; media alone is, when the other shard is too far behind.
func (f *remoteFeed) Forward(_ unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	m := deliveries.Get().(*delivery)
	m.feed = f.feed
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

// delivery carries one batch of a producer to the feed on another shard.
type delivery struct {
	feed    *feed
	pkts    []*packet.Packet
	updates []media.StreamUpdate
	scores  []uint8
}

var deliveries = sync.Pool{New: func() any { return new(delivery) }}

// Run implements shard.Message.
func (m *delivery) Run(now unit.Time) {
	m.feed.Forward(now, m.pkts, m.updates, m.scores)
	m.release()
}

func (m *delivery) release() {
	for i, pkt := range m.pkts {
		pkt.Release()
		m.pkts[i] = nil
	}
	m.feed, m.scores = nil, nil
	deliveries.Put(m)
}

// attachment tells a consumer of its producer's state. It is posted by the producer's shard, so that it comes before
// every update that follows, and none comes twice.
type attachment struct {
	seat     *Seat
	consumer *transport.Consumer
	paused   bool
	scores   []uint8
	streams  []media.StreamInfo
}

// Run implements shard.Message.
func (m *attachment) Run(now unit.Time) {
	m.seat.call("attach", now, func(now unit.Time) {
		m.seat.transport.AttachConsumer(now, m.consumer, m.paused, m.scores, m.streams)
	})
}

// source takes the requests of one producer's consumers to the producer's shard. Requests are posted even when it is the
// same shard: nothing is called from within its own call.
type source struct {
	seat     *Seat
	producer *transport.Producer

	mu     sync.Mutex
	wishes []unit.SSRC      // mapped, each once; those of the message under way
	losses map[lossOf]uint8 // likewise: the newest report of each
}

// lossOf is what a report of loss is about.
type lossOf struct {
	consumerID string
	mapped     unit.SSRC
}

// RequestKeyFrame implements transport.Source. However many consumers ask, and however often, one message is under way.
func (s *source) RequestKeyFrame(mapped unit.SSRC) {
	s.mu.Lock()
	known := slices.Contains(s.wishes, mapped)
	first := len(s.wishes) == 0
	if !known {
		s.wishes = append(s.wishes, mapped)
	}
	s.mu.Unlock()
	if first {
		s.seat.shard.Post((*keyFrameRequests)(s))
	}
}

// ReportFractionLost implements transport.Source. However often peers change what they report, one message is under way.
func (s *source) ReportFractionLost(consumerID string, mapped unit.SSRC, lost uint8) {
	s.mu.Lock()
	first := len(s.losses) == 0
	if s.losses == nil {
		s.losses = map[lossOf]uint8{}
	}
	s.losses[lossOf{consumerID, mapped}] = lost
	s.mu.Unlock()
	if first {
		s.seat.shard.Post((*lossReports)(s))
	}
}

// keyFrameRequests is the message by which RequestKeyFrame reaches the producer's shard.
type keyFrameRequests source

// Run implements shard.Message.
func (m *keyFrameRequests) Run(now unit.Time) {
	m.mu.Lock()
	wishes := m.wishes
	m.wishes = nil
	m.mu.Unlock()
	m.seat.call("key frame request", now, func(now unit.Time) {
		for _, mapped := range wishes {
			m.seat.transport.RequestKeyFrame(now, m.producer, mapped)
		}
	})
}

// lossReports is the message by which ReportFractionLost reaches the producer's shard.
type lossReports source

// Run implements shard.Message.
func (m *lossReports) Run(now unit.Time) {
	m.mu.Lock()
	losses := m.losses
	m.losses = nil
	m.mu.Unlock()
	m.seat.call("loss report", now, func(unit.Time) {
		for of, lost := range losses {
			m.seat.transport.ReportFractionLost(m.producer, of.consumerID, of.mapped, lost)
		}
	})
}
