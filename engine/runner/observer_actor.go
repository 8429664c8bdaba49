package runner

import (
	"fmt"
	"runtime/debug"
	"sync"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/observer"
	"gazpacho/engine/packet"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// ObserverActor runs an RtpObserver on a shard, as a TransportActor runs a transport. AudioTaps bring it the audio levels of
// producers, whatever shards these are on.
type ObserverActor struct {
	id     string
	ctx    *ShardContext
	worker transport.WorkerEnv

	// With the shard's turn held only.
	machine observer.Observer
	timer   *shard.Timer
	broken  bool // also when closed
}

// NewObserverActor makes an observer on ctx. Build is called with the shard's turn held; its error is returned.
func NewObserverActor(
	id string, ctx *ShardContext, worker transport.WorkerEnv, build func(now unit.Time) (observer.Observer, error),
) (*ObserverActor, error) {
	a := &ObserverActor{id: id, ctx: ctx, worker: worker}
	a.timer = shard.NewTimer(a.handleTimeout)
	var err error
	ctx.shard.Do(func(now unit.Time) {
		if a.machine, err = build(now); err == nil {
			a.settle()
		}
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Do runs f with the shard's turn held. A broken observer gets an error for the application instead. What names the work in
// the log, should it panic.
func (a *ObserverActor) Do(what string, f func(now unit.Time, o observer.Observer) error) (err error) {
	err = api.Errorf("RtpObserver %s is out of service after an internal error, see the worker's log; close it", a.id)
	now := a.ctx.shard.Enter()
	defer a.ctx.shard.Leave(now)
	defer a.contain(what)
	if !a.broken {
		err = f(now, a.machine)
		a.settle()
	}
	return err
}

// Close ends the observer's timer and notifications.
func (a *ObserverActor) Close() { a.ctx.shard.Do(func(unit.Time) { a.shutDown() }) }

func (a *ObserverActor) shutDown() {
	a.broken = true
	a.ctx.shard.Schedule(a.timer, unit.Never)
}

func (a *ObserverActor) handleTimeout(now unit.Time) {
	defer a.contain("timeout")
	if !a.broken {
		a.machine.HandleTimeout(now)
		a.settle()
	}
}

// settle emits the observer's notifications and arms its timer.
func (a *ObserverActor) settle() {
	out := a.machine.Output()
	for i := range out.Notifications {
		a.worker.Emit(&out.Notifications[i])
	}
	out.Reset()
	a.ctx.shard.Schedule(a.timer, a.machine.NextTimeout())
}

// contain is deferred around all code of one observer.
func (a *ObserverActor) contain(what string) {
	if fault := recover(); fault != nil {
		a.worker.Log.Error(fmt.Sprintf("internal error in RtpObserver %s while handling %s, taking it out of service: %v\n%s",
			a.id, what, fault, debug.Stack()))
		a.shutDown()
		a.worker.Emit(&api.Notification{HandlerID: a.id, Event: api.EventRTPObserverOutOfService})
	}
}

func (a *ObserverActor) handleLevels(now unit.Time, producerID string, levels []rtp.AudioLevel) {
	defer a.contain("audio levels")
	if a.broken {
		return
	}
	for _, level := range levels {
		a.machine.HandleLevel(now, producerID, level)
	}
	if !a.machine.Output().Empty() {
		a.settle()
	}
}

// AudioTap is the subscriber by which an observer gets one producer's audio levels. It carries nothing else to the observer's
// shard.
type AudioTap struct {
	observer   *ObserverActor
	producer   *transport.Producer
	producerOn *TransportActor
	levels     []rtp.AudioLevel // of the batch at hand; with the producer's turn held only
}

// Tap subscribes the observer to a producer of the given actor's transport. It takes that actor's turn.
func (a *ObserverActor) Tap(p *transport.Producer, on *TransportActor) *AudioTap {
	t := &AudioTap{observer: a, producer: p, producerOn: on}
	on.Do("observer's subscription", func(unit.Time) { p.AddSubscriber(t) })
	return t
}

// Close ends the subscription. It takes the turn of the producer's actor.
func (t *AudioTap) Close() {
	t.producerOn.Do("end of an observer's subscription", func(unit.Time) { t.producer.RemoveSubscriber(t) })
}

// Forward implements transport.Subscriber.
func (t *AudioTap) Forward(now unit.Time, pkts []*packet.Packet, _ []media.StreamUpdate, _ []uint8) {
	t.levels = t.levels[:0]
	for _, pkt := range pkts {
		if level, ok := rtp.ParseAudioLevel(pkt.Extensions.AudioLevel); ok {
			t.levels = append(t.levels, level)
		}
	}
	switch {
	case len(t.levels) == 0:
	case t.producerOn.ctx == t.observer.ctx:
		t.observer.handleLevels(now, t.producer.ID(), t.levels)
	default:
		m := audioLevelBatches.Get().(*audioLevelBatch)
		m.observer, m.producerID, m.levels = t.observer, t.producer.ID(), append(m.levels[:0], t.levels...)
		t.observer.ctx.shard.PostDroppable(m)
	}
}

// audioLevelBatch carries levels to an observer on another shard.
type audioLevelBatch struct {
	observer   *ObserverActor
	producerID string
	levels     []rtp.AudioLevel
}

var audioLevelBatches = sync.Pool{New: func() any { return new(audioLevelBatch) }}

// Run implements shard.Message.
func (m *audioLevelBatch) Run(now unit.Time) {
	m.observer.handleLevels(now, m.producerID, m.levels)
	m.observer = nil
	audioLevelBatches.Put(m)
}
