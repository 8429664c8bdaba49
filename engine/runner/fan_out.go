package runner

import (
	"slices"
	"sync"

	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// FanOut takes the packets of one producer to its consumers, shard by shard.
type FanOut struct {
	producer *transport.Producer
	on       *TransportActor
	shards   []*shardFanOut // those with consumers; control loop only
}

// NewFanOut returns the fan-out of a producer of the given actor's transport.
func NewFanOut(p *transport.Producer, on *TransportActor) *FanOut {
	return &FanOut{producer: p, on: on}
}

// shardFanOut is a producer's consumers on one shard.
type shardFanOut struct {
	ctx        *ShardContext
	attached   int                  // consumers that Attach was called for and Remove was not; control loop only
	subscriber transport.Subscriber // nil until the producer delivers here; with the producer's turn held only
	consumers  []fanOutConsumer     // with this shard's turn held only
}

type fanOutConsumer struct {
	*transport.Consumer
	actor *TransportActor
}

// shard returns the consumers on a shard; the list is new and empty when there was none.
func (f *FanOut) shard(ctx *ShardContext) *shardFanOut {
	for _, s := range f.shards {
		if s.ctx == ctx {
			return s
		}
	}
	s := &shardFanOut{ctx: ctx}
	f.shards = append(f.shards, s)
	return s
}

// Add enters a consumer of the given actor's transport, whose turn is held. It gets nothing before Attach.
func (f *FanOut) Add(c *transport.Consumer, on *TransportActor) {
	s := f.shard(on.ctx)
	s.consumers = append(s.consumers, fanOutConsumer{c, on})
}

// Attach makes the producer deliver to a consumer's shard, and posts the producer's state to the consumer: it arrives before
// all updates that follow. It takes the turn of the producer's actor. A broken producer leaves its consumers without state.
func (f *FanOut) Attach(c *transport.Consumer, on *TransportActor) {
	s := f.shard(on.ctx)
	s.attached++
	f.on.Do("consumer's subscription", func(unit.Time) {
		if f.on.transport.Broken() {
			return
		}
		f.open(s)
		s.ctx.shard.Post(&producerSnapshot{
			actor: on, consumer: c,
			paused: f.producer.Paused(), scores: f.producer.Scores(), streams: f.producer.Streams(),
		})
	})
}

// open makes the producer deliver to a shard. Other shards come first, so that they work while this one does.
func (f *FanOut) open(s *shardFanOut) {
	switch {
	case s.subscriber != nil:
	case s.ctx == f.on.ctx:
		s.subscriber = s
		f.producer.AddSubscriber(s.subscriber)
	default:
		s.subscriber = &crossShardFanOut{to: s}
		f.producer.AddFirstSubscriber(s.subscriber)
	}
}

// Remove ends the delivery to a consumer, and to its shard if that has no other. It takes the turns of the consumer's and then
// of the producer's actor.
func (f *FanOut) Remove(c *transport.Consumer, on *TransportActor) {
	s := f.shard(on.ctx)
	s.attached--
	on.Do("end of a consumer's subscription", func(unit.Time) {
		s.consumers = slices.DeleteFunc(s.consumers, func(have fanOutConsumer) bool { return have.Consumer == c })
	})
	f.on.Do("end of a consumer's subscription", func(unit.Time) {
		f.producer.ForgetConsumer(c.ID())
		if s.attached == 0 && s.subscriber != nil {
			f.producer.RemoveSubscriber(s.subscriber)
			s.subscriber = nil
		}
	})
	if s.attached == 0 {
		f.shards = slices.DeleteFunc(f.shards, func(have *shardFanOut) bool { return have == s })
	}
}

// Close ends the delivery to all consumers, before they are closed one by one because the producer closes. Each takes a turn of its
// own then, and none of these turns begins with packets of the producer for all the others, however many are under way.
func (f *FanOut) Close() {
	f.on.Do("end of a producer's delivery", func(unit.Time) {
		for _, s := range f.shards {
			if s.subscriber != nil {
				f.producer.RemoveSubscriber(s.subscriber)
			}
		}
	})
	for _, s := range f.shards {
		s.ctx.Do(func(unit.Time) { s.consumers = nil })
	}
	f.shards = nil
}

// Forward implements transport.Subscriber for a producer on the same shard.
func (s *shardFanOut) Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	for i := range s.consumers {
		s.consumers[i].forward(now, pkts, updates, scores)
	}
}

// forward hands a batch to one consumer. A fault breaks the consumer's transport, not the producer's.
func (c *fanOutConsumer) forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	defer c.actor.contain("media")
	if c.actor.transport.Broken() {
		return
	}
	if len(updates) > 0 {
		c.HandleStreamUpdates(now, updates, scores)
		if len(pkts) > 0 {
			c.actor.settle(now) // the packets need their share of the bandwidth
		}
	}
	c.Consumer.Forward(now, pkts)
	c.actor.settle(now)
}

// crossShardFanOut delivers to the consumers on another shard than the producer's: one message per batch, however many they are.
type crossShardFanOut struct {
	to *shardFanOut

	mu      sync.Mutex
	waiting bool // a streamState is under way
	updates []media.StreamUpdate
	scores  []uint8
}

// Forward implements transport.Subscriber. A batch is refused when the other shard is too far behind. Its stream updates are not
// lost: one small message, which is never refused, takes them and all that follow until it arrives.
func (f *crossShardFanOut) Forward(_ unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	// The message that is under way is ahead of this batch: updates behind it could arrive in the wrong order.
	if len(updates) > 0 && f.merge(updates, scores, false) {
		updates = nil
	}
	if len(pkts)+len(updates) > 0 && !f.post(pkts, updates, scores) && len(updates) > 0 {
		f.merge(updates, scores, true)
	}
}

func (f *crossShardFanOut) post(pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) bool {
	m := packetBatches.Get().(*packetBatch)
	m.to = f.to
	m.pkts = append(m.pkts[:0], pkts...)
	m.updates = append(m.updates[:0], updates...)
	m.scores = scores
	for _, pkt := range pkts {
		pkt.Retain()
	}
	if !f.to.ctx.shard.PostDroppable(m) {
		m.release()
		return false
	}
	return true
}

// merge gives updates to the message that is under way, or to a new one if begin is set. It reports whether there is one. Of several
// updates of one kind about one stream, the last remains, so that the message stays small.
func (f *crossShardFanOut) merge(updates []media.StreamUpdate, scores []uint8, begin bool) bool {
	f.mu.Lock()
	if !f.waiting && !begin {
		f.mu.Unlock()
		return false
	}
	first := !f.waiting
	f.waiting, f.scores = true, scores
	for _, u := range updates {
		i := slices.IndexFunc(f.updates, func(have media.StreamUpdate) bool {
			return have.Kind == u.Kind && have.Stream.MappedSSRC == u.Stream.MappedSSRC
		})
		if i >= 0 {
			u.PreviousScore = f.updates[i].PreviousScore
			f.updates = slices.Delete(f.updates, i, i+1)
		}
		f.updates = append(f.updates, u)
	}
	f.mu.Unlock()
	if first {
		f.to.ctx.shard.Post((*streamState)(f))
	}
	return true
}

// streamState is the message that merge posts.
type streamState crossShardFanOut

// Run implements shard.Message.
func (m *streamState) Run(now unit.Time) {
	m.mu.Lock()
	updates, scores := m.updates, m.scores
	m.waiting, m.updates, m.scores = false, nil, nil
	m.mu.Unlock()
	m.to.Forward(now, nil, updates, scores)
}

// packetBatch carries one batch of a producer to its consumers on another shard.
type packetBatch struct {
	to      *shardFanOut
	pkts    []*packet.Packet
	updates []media.StreamUpdate
	scores  []uint8
}

var packetBatches = sync.Pool{New: func() any { return new(packetBatch) }}

// Run implements shard.Message.
func (m *packetBatch) Run(now unit.Time) {
	m.to.Forward(now, m.pkts, m.updates, m.scores)
	m.release()
}

func (m *packetBatch) release() {
	for i, pkt := range m.pkts {
		pkt.Release()
		m.pkts[i] = nil
	}
	m.to, m.scores = nil, nil
	packetBatches.Put(m)
}

// producerSnapshot brings a new consumer its producer's state. The producer's shard posts it, so that it comes before every
// update that follows, and no update comes twice.
type producerSnapshot struct {
	actor    *TransportActor
	consumer *transport.Consumer
	paused   bool
	scores   []uint8
	streams  []media.StreamInfo
}

// Run implements shard.Message.
func (m *producerSnapshot) Run(now unit.Time) {
	m.actor.call("producer's state", now, func(now unit.Time) {
		m.actor.transport.AttachConsumer(now, m.consumer, m.paused, m.scores, m.streams)
	})
}
