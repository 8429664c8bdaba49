package runner

import (
	"slices"

	"gazpacho/engine/data"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// DataFanOut takes the messages of one data producer to its data consumers, shard by shard.
type DataFanOut struct {
	producer *transport.DataProducer
	on       *TransportActor
	shards   []*shardDataFanOut // those with data consumers; control loop only
}

// NewDataFanOut returns the fan-out of a data producer of the given actor's transport.
func NewDataFanOut(p *transport.DataProducer, on *TransportActor) *DataFanOut {
	return &DataFanOut{producer: p, on: on}
}

// shardDataFanOut is the data consumers on one shard, and the subscriber that delivers to them.
type shardDataFanOut struct {
	ctx       *ShardContext
	local     bool                 // the data producer is on the same shard
	consumers []fanOutDataConsumer // with this shard's turn held only
}

type fanOutDataConsumer struct {
	*transport.DataConsumer
	actor *TransportActor
}

func (f *DataFanOut) find(ctx *ShardContext) int {
	return slices.IndexFunc(f.shards, func(s *shardDataFanOut) bool { return s.ctx == ctx })
}

// Add delivers to a data consumer of the given actor's transport too. It takes the turns of both transports, one after the other.
func (f *DataFanOut) Add(c *transport.DataConsumer, on *TransportActor) {
	if i := f.find(on.ctx); i >= 0 {
		s := f.shards[i]
		on.Do("data consumer's subscription", func(unit.Time) { s.consumers = append(s.consumers, fanOutDataConsumer{c, on}) })
		return
	}
	s := &shardDataFanOut{ctx: on.ctx, local: on.ctx == f.on.ctx, consumers: []fanOutDataConsumer{{c, on}}}
	f.shards = append(f.shards, s)
	f.on.Do("data consumer's subscription", func(unit.Time) { f.producer.AddSubscriber(s) })
}

// Remove ends the delivery to a data consumer, and to its shard if that has no other. It takes the same turns as Add.
func (f *DataFanOut) Remove(c *transport.DataConsumer, on *TransportActor) {
	i := f.find(on.ctx)
	s, left := f.shards[i], 0
	on.Do("end of a data consumer's subscription", func(unit.Time) {
		s.consumers = slices.DeleteFunc(s.consumers, func(have fanOutDataConsumer) bool { return have.DataConsumer == c })
		left = len(s.consumers)
	})
	if left == 0 {
		f.on.Do("end of a data consumer's subscription", func(unit.Time) { f.producer.RemoveSubscriber(s) })
		f.shards = slices.Delete(f.shards, i, i+1)
	}
}

// Close ends the delivery to all data consumers, as FanOut.Close does.
func (f *DataFanOut) Close() {
	f.on.Do("end of a data producer's delivery", func(unit.Time) {
		for _, s := range f.shards {
			f.producer.RemoveSubscriber(s)
		}
	})
	for _, s := range f.shards {
		s.ctx.Do(func(unit.Time) { s.consumers = nil })
	}
	f.shards = nil
}

// ForwardData implements transport.DataOutlet.
func (s *shardDataFanOut) ForwardData(now unit.Time, m *data.Message) {
	if s.local {
		s.deliver(now, m)
		return
	}
	s.ctx.shard.PostDroppableSized(&dataMessage{s, *m}, len(m.Data))
}

func (s *shardDataFanOut) deliver(now unit.Time, m *data.Message) {
	for i := range s.consumers {
		s.consumers[i].deliver(now, m)
	}
}

// deliver hands a message to one data consumer. A fault breaks the consumer's transport, not the producer's.
func (c *fanOutDataConsumer) deliver(now unit.Time, m *data.Message) {
	defer c.actor.contain("data")
	if !c.actor.transport.Broken() {
		c.HandleMessage(now, m)
		c.actor.settle(now)
	}
}

// dataMessage carries a message to the data consumers on another shard.
type dataMessage struct {
	to      *shardDataFanOut
	message data.Message
}

// Run implements shard.Message.
func (m *dataMessage) Run(now unit.Time) { m.to.deliver(now, &m.message) }
