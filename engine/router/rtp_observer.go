package router

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
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

// rtpObserver is an RtpObserver in its router's tables, and its actor on a shard. Producers reach it through subscribers that
// carry nothing but audio levels.
type rtpObserver struct {
	id        string
	router    *Router
	ctx       *ShardContext
	producers []*producerEntry
	taps      map[*producerEntry]transport.Subscriber

	// With the shard's turn held only.
	machine observer.Observer
	timer   *shard.Timer
	broken  bool
	log     *slog.Logger
}

func (r *Router) createActiveSpeakerObserver(req *api.RouterCreateActiveSpeakerObserverRequest) (api.ResponseBody, error) {
	return r.newWatcher(req.RTPObserverID, "router.createActiveSpeakerObserver", func(now unit.Time) (observer.Observer, error) {
		return observer.NewActiveSpeaker(now, req.RTPObserverID, req.Options), nil
	})
}

func (r *Router) createAudioLevelObserver(req *api.RouterCreateAudioLevelObserverRequest) (api.ResponseBody, error) {
	return r.newWatcher(req.RTPObserverID, "router.createAudioLevelObserver", func(now unit.Time) (observer.Observer, error) {
		return observer.NewAudioLevel(now, req.RTPObserverID, req.Options)
	})
}

// newWatcher enters a new observer.
func (r *Router) newWatcher(id, method string, build func(unit.Time) (observer.Observer, error)) (api.ResponseBody, error) {
	if slices.ContainsFunc(r.rtpObservers, func(w *rtpObserver) bool { return w.id == id }) {
		return nil, api.Errorf("an RtpObserver with same id already exists [method:%s]", method)
	}
	if err := r.registry.Check(id); err != nil {
		return nil, err
	}
	ctx := r.runner.choose(r.perShard)
	w := &rtpObserver{id: id, router: r, ctx: ctx, taps: map[*producerEntry]transport.Subscriber{}, log: ctx.env.Log}
	w.timer = shard.NewTimer(w.handleTimeout)
	var err error
	ctx.shard.Do(func(now unit.Time) {
		if w.machine, err = build(now); err == nil {
			w.settle()
		}
	})
	if err != nil {
		return nil, err
	}
	r.rtpObservers = append(r.rtpObservers, w)
	r.registry.Add(id, w)
	return nil, nil
}

func (r *Router) closeRTPObserver(req *api.RouterCloseRTPObserverRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(r.rtpObservers, func(w *rtpObserver) bool { return w.id == req.RTPObserverID })
	if i < 0 {
		return nil, api.NotFoundErrorf("RtpObserver not found [method:router.closeRtpObserver]")
	}
	w := r.rtpObservers[i]
	for _, p := range slices.Clone(w.producers) {
		w.forget(p)
	}
	r.rtpObservers = slices.Delete(r.rtpObservers, i, i+1)
	w.release()
	return nil, nil
}

// release ends the observer's timer and forgets its id.
func (w *rtpObserver) release() {
	w.ctx.shard.Do(func(unit.Time) { w.shutDown() })
	w.router.registry.Remove(w.id)
}

func (w *rtpObserver) shutDown() {
	w.broken = true
	w.ctx.shard.Schedule(w.timer, unit.Never)
}

// HandleNotification implements Handler; observers take none.
func (w *rtpObserver) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (w *rtpObserver) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodRTPObserverPause:
		return nil, w.do(func(now unit.Time) error { w.machine.Pause(now); return nil })
	case api.MethodRTPObserverResume:
		return nil, w.do(func(now unit.Time) error { w.machine.Resume(now); return nil })
	case api.MethodRTPObserverAddProducer:
		return with(req, func(b *api.RTPObserverAddProducerRequest) (api.ResponseBody, error) {
			return nil, w.addProducer(b.ProducerID)
		})
	case api.MethodRTPObserverRemoveProducer:
		return with(req, func(b *api.RTPObserverRemoveProducerRequest) (api.ResponseBody, error) {
			p := w.router.producers[b.ProducerID]
			if p == nil {
				return nil, api.NotFoundErrorf("Producer not found")
			}
			w.forget(p)
			return nil, nil
		})
	}
	return nil, unsupported(req.Method)
}

func (w *rtpObserver) addProducer(id string) error {
	p := w.router.producers[id]
	if p == nil {
		return api.NotFoundErrorf("Producer not found")
	}
	if err := w.do(func(now unit.Time) error {
		return w.machine.AddProducer(now, id, p.machine.Kind(), p.machine.Paused())
	}); err != nil || w.taps[p] != nil {
		return err
	}
	tap := &audioLevelForwarder{rtpObserver: w, id: id, here: p.entry.ctx == w.ctx}
	w.taps[p] = tap
	w.producers = append(w.producers, p)
	p.rtpObservers = append(p.rtpObservers, w)
	p.entry.runEvenIfBroken(func(unit.Time) { p.machine.AddSubscriber(tap) })
	return nil
}

// forget ends the watching of a producer.
func (w *rtpObserver) forget(p *producerEntry) {
	tap := w.taps[p]
	if tap == nil {
		return
	}
	delete(w.taps, p)
	w.producers = slices.DeleteFunc(w.producers, func(o *producerEntry) bool { return o == p })
	p.rtpObservers = slices.DeleteFunc(p.rtpObservers, func(o *rtpObserver) bool { return o == w })
	p.entry.runEvenIfBroken(func(unit.Time) { p.machine.RemoveSubscriber(tap) })
	w.tell(func(now unit.Time) { w.machine.RemoveProducer(now, p.id) })
}

// tell is do for what cannot be refused.
func (w *rtpObserver) tell(f func(now unit.Time)) {
	_ = w.do(func(now unit.Time) error { f(now); return nil }) // out of service: nothing to tell
}

// do runs f on the observer's shard.
func (w *rtpObserver) do(f func(now unit.Time) error) (err error) {
	err = api.Errorf("RtpObserver %s is out of service after an internal error, see the worker's log; close it", w.id)
	now := w.ctx.shard.Enter()
	defer w.ctx.shard.Leave(now)
	defer w.contain()
	if !w.broken {
		err = f(now)
		w.settle()
	}
	return err
}

func (w *rtpObserver) handleTimeout(now unit.Time) {
	defer w.contain()
	if !w.broken {
		w.machine.HandleTimeout(now)
		w.settle()
	}
}

// settle hands on the observer's notifications and arms its timer.
func (w *rtpObserver) settle() {
	out := w.machine.Output()
	for i := range out.Notifications {
		w.ctx.env.Emit(&out.Notifications[i])
	}
	out.Reset()
	w.ctx.shard.Schedule(w.timer, w.machine.NextTimeout())
}

// contain is deferred around all code of one observer, as TransportActor.contain is for transports.
func (w *rtpObserver) contain() {
	if fault := recover(); fault != nil {
		w.log.Error(fmt.Sprintf("internal error in RtpObserver %s, taking it out of service: %v\n%s", w.id, fault, debug.Stack()))
		w.shutDown()
	}
}

func (w *rtpObserver) handleLevels(now unit.Time, id string, levels []rtp.AudioLevel) {
	defer w.contain()
	if w.broken {
		return
	}
	for _, level := range levels {
		w.machine.HandleLevel(now, id, level)
	}
	if !w.machine.Output().Empty() {
		w.settle()
	}
}

// audioLevelForwarder is the subscriber of one producer to one observer.
type audioLevelForwarder struct {
	rtpObserver *rtpObserver
	id          string
	here        bool // producer and observer are on one shard
	levels      []rtp.AudioLevel
}

// Forward implements transport.Subscriber.
func (t *audioLevelForwarder) Forward(now unit.Time, pkts []*packet.Packet, _ []media.StreamUpdate, _ []uint8) {
	t.levels = t.levels[:0]
	for _, pkt := range pkts {
		if level, ok := rtp.ParseAudioLevel(pkt.Extensions.AudioLevel); ok {
			t.levels = append(t.levels, level)
		}
	}
	switch {
	case len(t.levels) == 0:
	case t.here:
		t.rtpObserver.handleLevels(now, t.id, t.levels)
	default:
		m := audioLevelReports.Get().(*audioLevelReport)
		m.rtpObserver, m.id, m.levels = t.rtpObserver, t.id, append(m.levels[:0], t.levels...)
		t.rtpObserver.ctx.shard.PostDroppable(m)
	}
}

// audioLevelReport carries levels to an observer on another shard.
type audioLevelReport struct {
	rtpObserver *rtpObserver
	id          string
	levels      []rtp.AudioLevel
}

var audioLevelReports = sync.Pool{New: func() any { return new(audioLevelReport) }}

// Run implements shard.Message.
func (m *audioLevelReport) Run(now unit.Time) {
	m.rtpObserver.handleLevels(now, m.id, m.levels)
	m.rtpObserver = nil
	audioLevelReports.Put(m)
}
