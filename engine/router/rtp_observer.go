package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/observer"
	"gazpacho/engine/runner"
	"gazpacho/engine/unit"
)

// rtpObserverEntry is an RtpObserver in its router's tables.
type rtpObserverEntry struct {
	id        string
	router    *Router
	actor     *runner.ObserverActor
	producers []*producerEntry
	taps      map[*producerEntry]*runner.AudioTap
}

func (r *Router) createActiveSpeakerObserver(req *api.RouterCreateActiveSpeakerObserverRequest) (api.ResponseBody, error) {
	return r.createRTPObserver(req.RTPObserverID, api.MethodRouterCreateActiveSpeakerObserver,
		func(now unit.Time) (observer.Observer, error) {
			return observer.NewActiveSpeaker(now, req.RTPObserverID, req.Options), nil
		})
}

func (r *Router) createAudioLevelObserver(req *api.RouterCreateAudioLevelObserverRequest) (api.ResponseBody, error) {
	return r.createRTPObserver(req.RTPObserverID, api.MethodRouterCreateAudioLevelObserver,
		func(now unit.Time) (observer.Observer, error) {
			return observer.NewAudioLevel(now, req.RTPObserverID, req.Options)
		})
}

func (r *Router) createRTPObserver(
	id string, method api.Method, build func(now unit.Time) (observer.Observer, error),
) (api.ResponseBody, error) {
	sibling := func(o *rtpObserverEntry) bool { return o.router == r }
	if err := CheckNew(&r.scope.Registry, id, sibling, "an RtpObserver with same id", method); err != nil {
		return nil, err
	}
	actor, err := runner.NewObserverActor(id, r.placement.Choose(), r.scope.env, build)
	if err != nil {
		return nil, err
	}
	o := &rtpObserverEntry{id: id, router: r, actor: actor, taps: map[*producerEntry]*runner.AudioTap{}}
	r.rtpObservers = append(r.rtpObservers, o)
	r.scope.Add(id, o)
	return nil, nil
}

func (r *Router) closeRTPObserver(req *api.RouterCloseRTPObserverRequest) (api.ResponseBody, error) {
	i := slices.IndexFunc(r.rtpObservers, func(o *rtpObserverEntry) bool { return o.id == req.RTPObserverID })
	if i < 0 {
		return nil, api.NotFoundErrorf("RtpObserver not found [method:router.closeRtpObserver]")
	}
	o := r.rtpObservers[i]
	for _, p := range slices.Clone(o.producers) {
		o.forget(p)
	}
	r.rtpObservers = slices.Delete(r.rtpObservers, i, i+1)
	o.release()
	return nil, nil
}

// release closes the observer and forgets its id.
func (o *rtpObserverEntry) release() {
	o.actor.Close()
	o.router.scope.Remove(o.id)
}

// RouterID implements Handler.
func (o *rtpObserverEntry) RouterID() string { return o.router.id }

// HandleNotification implements Handler; observers take none.
func (o *rtpObserverEntry) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (o *rtpObserverEntry) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	return rtpObserverMethods.Handle(o, req)
}

var rtpObserverMethods = Methods[*rtpObserverEntry]{
	api.MethodRTPObserverPause: NoBody(func(o *rtpObserverEntry) (api.ResponseBody, error) {
		return nil, o.update("rtpObserver.pause", observer.Observer.Pause)
	}),
	api.MethodRTPObserverResume: NoBody(func(o *rtpObserverEntry) (api.ResponseBody, error) {
		return nil, o.update("rtpObserver.resume", observer.Observer.Resume)
	}),
	api.MethodRTPObserverAddProducer:    WithBody((*rtpObserverEntry).addProducer),
	api.MethodRTPObserverRemoveProducer: WithBody((*rtpObserverEntry).removeProducer),
}

func (o *rtpObserverEntry) addProducer(req *api.RTPObserverAddProducerRequest) (api.ResponseBody, error) {
	p := o.router.producers[req.ProducerID]
	if p == nil {
		return nil, api.NotFoundErrorf("Producer not found")
	}
	if err := o.actor.Do("rtpObserver.addProducer", func(now unit.Time, machine observer.Observer) error {
		return machine.AddProducer(now, p.id, p.machine.Kind(), p.machine.Paused())
	}); err != nil || o.taps[p] != nil {
		return nil, err
	}
	o.producers = append(o.producers, p)
	p.rtpObservers = append(p.rtpObservers, o)
	o.taps[p] = o.actor.Tap(p.machine, p.entry.actor)
	return nil, nil
}

func (o *rtpObserverEntry) removeProducer(req *api.RTPObserverRemoveProducerRequest) (api.ResponseBody, error) {
	p := o.router.producers[req.ProducerID]
	if p == nil {
		return nil, api.NotFoundErrorf("Producer not found")
	}
	o.forget(p)
	return nil, nil
}

// forget ends the observation of a producer, if there is one.
func (o *rtpObserverEntry) forget(p *producerEntry) {
	tap := o.taps[p]
	if tap == nil {
		return
	}
	delete(o.taps, p)
	o.producers = slices.DeleteFunc(o.producers, func(other *producerEntry) bool { return other == p })
	p.rtpObservers = slices.DeleteFunc(p.rtpObservers, func(other *rtpObserverEntry) bool { return other == o })
	tap.Close()
	o.follow("rtpObserver.removeProducer", p, observer.Observer.RemoveProducer)
}

// update calls f on the observer's shard.
func (o *rtpObserverEntry) update(what string, f func(observer.Observer, unit.Time)) error {
	return o.actor.Do(what, func(now unit.Time, machine observer.Observer) error {
		f(machine, now)
		return nil
	})
}

// follow gives the observer a change of one of its producers. A broken observer needs none.
func (o *rtpObserverEntry) follow(what string, p *producerEntry, f func(observer.Observer, unit.Time, string)) {
	_ = o.update(what, func(machine observer.Observer, now unit.Time) { f(machine, now, p.id) })
}
