package front

import (
	"cmp"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/scaling/placement"
)

// source is where a relay gets its producer from.
type source struct {
	relay *relay // nil: the producer's home
	pair  *pair  // that leads there
}

// source finds what is to feed a producer to a node: of is the relay there, nil for one that is to be made. It is the home, or another
// relay (see placement.Source), and if neither reaches the node, a new relay on a node that does. wait is what to wait for before
// asking again.
func (f *Front) source(p *producer, n *node, of *relay) (s source, wait *gate, err error) {
	best, found := f.bestSource(p, n, of)
	at := p.node
	switch {
	case best != nil:
		at = best.node
	case !found:
		if at = f.third(p, n); at == nil {
			return s, nil, api.Errorf("nodes %s and %s do not reach each other", p.node.name, n.name)
		}
	}
	s.pair, wait = p.router.pair(at, n)
	switch {
	case wait != nil:
	case s.pair.failed != nil:
		s.pair.forget()
		err = s.pair.failed
	case found:
		s.relay = best
	default:
		s.relay, wait, err = f.relay(p, at)
	}
	return s, wait, err
}

// bestSource chooses among the home, for which relay is nil, and the relays that there are.
func (f *Front) bestSource(p *producer, n *node, of *relay) (best *relay, found bool) {
	region := n.state().Region
	var choices []*relay
	var feeders []placement.Feeder
	add := func(r *relay, at *node, depth int) {
		choices = append(choices, r)
		there := at.state()
		feeders = append(feeders, placement.Feeder{
			Load: there.Load, Far: there.Region != region, Feeds: len(p.fedBy(r, of)), Depth: depth,
		})
	}
	if p.node.gone == nil && !f.severed(p.node, n) {
		add(nil, p.node, 0)
	}
	for _, r := range p.relays {
		if r.feeding() && !r.under(of) && r.node != f.own && r.node.available() && !f.severed(r.node, n) {
			add(r, r.node, r.depth())
		}
	}
	i := placement.Source(feeders, cmp.Or(f.options.FanOut, placement.FanOut), of.height())
	if i < 0 {
		return nil, false
	}
	return choices[i], true
}

// third returns a node without the producer that reaches both its home and another node, nil for none: one that has the Router if
// possible, and the least loaded.
func (f *Front) third(p *producer, n *node) (best *node) {
	if p.node.gone != nil {
		return nil
	}
	for _, via := range f.nodes() {
		switch {
		case via == p.node || via == n || !via.available() || f.severed(p.node, via) || f.severed(via, n):
		case slices.ContainsFunc(p.relays, func(r *relay) bool { return r.node == via }):
		case best == nil, p.router.nodes[via] && !p.router.nodes[best]:
			best = via
		case p.router.nodes[via] == p.router.nodes[best] && via.load() < best.load():
			best = via
		}
	}
	return best
}

// fedBy returns the relays that a relay feeds, or for nil the home, but one.
func (p *producer) fedBy(source, but *relay) (fed []*relay) {
	for _, r := range p.relays {
		if r.source == source && r != but {
			fed = append(fed, r)
		}
	}
	return fed
}

// feeds returns the relays that it feeds.
func (r *relay) feeds() []*relay { return r.producer.fedBy(r, nil) }

// depth is how many relays lie between the home and the consumers here.
func (r *relay) depth() int {
	if r.source == nil {
		return 1
	}
	return r.source.depth() + 1
}

// height is how many relays lie behind it, one after the other. That of no relay is 0.
func (r *relay) height() (most int) {
	if r == nil {
		return 0
	}
	for _, fed := range r.feeds() {
		most = max(most, fed.height()+1)
	}
	return most
}

// under reports whether it is another relay, or fed by that.
func (r *relay) under(other *relay) bool {
	return other != nil && (r == other || r.source != nil && r.source.under(other))
}

// feeding reports whether another relay can be fed from it: it gets what it needs itself.
func (r *relay) feeding() bool {
	return !r.ended && !r.moving && r.failure == nil && !r.pair.closed && !r.pair.isCut && r.node.gone == nil &&
		(r.source == nil || r.source.feeding())
}

// feed makes the relay, fed by a source. If there was another one, its producer is taken over: consumers stay.
func (r *relay) feed(s source) {
	f := r.front()
	r.source, r.pair, r.consumerID = s.relay, s.pair, f.newID("relay")
	r.carried = len(r.producer.request.RTPMapping.Encodings) - 1
	s.pair.relays = append(s.pair.relays, r)
	f.hidden[r.consumerID] = r
	if s.relay != nil {
		s.relay.use()
		s.relay.adjust()
	}
	r.make()
	if m := r.producer.imported; m != nil {
		m.traceAgain(r)
	}
}

// move changes the source, since the old one is gone or does not reach the relay any more. Where there is no other one, the relay keeps
// what may work again, and ends if nothing may.
func (r *relay) move() {
	if r.ended || r.moving || r.producer.closed {
		return // a Router that closes forgets its producers, and nothing more
	}
	if r.users == 0 {
		r.end()
		return
	}
	f := r.front()
	r.stuck = false
	s, wait, err := f.source(r.producer, r.node, r)
	switch {
	case wait != nil:
		r.moving = true
		wait.then(func() {
			r.moving = false
			r.move()
		})
	case err != nil && s.pair != nil:
		r.suspect(s.pair.other(r.node), err, r.mayGoOn())
	case err == nil:
		f.log.Info("a relay changes its source", "producerId", r.producer.id, "node", r.node.name, "source", s.pair.other(r.node).name)
		r.moveTo(s)
	case !r.mayGoOn():
		r.fail(err)
	}
	if !r.moving && r.pending == 0 {
		r.release()
	}
}

// suspect finds out whether a node that refuses to feed the relay is about to end: it refuses what it has not answered before it is known
// to have ended. Then another one is to feed the relay; else it ends, unless it may keep what it has. Silence is no refusal: the node is
// asked again.
func (r *relay) suspect(n *node, why error, keep bool) {
	f := r.front()
	r.moving = true
	silent := n.silent() || r.node.silent()
	n.ask(api.MethodWorkerDump, "", nil, func(_ api.ResponseBody, ended error) {
		r.moving = false
		switch {
		case ended == nil && silent:
			r.move()
		case ended == nil && keep:
		case ended == nil:
			r.fail(why)
		case n.gone != nil:
			r.move()
		default:
			r.stuck = true
			f.after(retryPause, r.moveIfStuck)
		}
		if !r.moving && r.pending == 0 {
			r.release()
		}
	})
}

func (r *relay) moveIfStuck() {
	if r.stuck {
		r.move()
	}
}

// mayGoOn reports whether the source that the relay has may feed it again, or the home when it is back.
func (r *relay) mayGoOn() bool {
	p := r.producer
	return r.pair.isCut || r.source != nil && !r.source.ended || p.node.gone != nil && !p.lost && !p.transport.lost
}

// feedStarving has the relays fed again whose source has ended while the home was away.
func (p *producer) feedStarving(all *round) {
	for _, r := range slices.Clone(p.relays) {
		if r.source != nil && r.source.ended {
			r.move()
			all.begin()
			r.whenMade(all.end)
		}
	}
}

func (r *relay) moveTo(s source) {
	old, near, consumerID := source{r.source, r.pair}, r.near(), r.consumerID
	delete(r.front().hidden, consumerID)
	r.moved, r.failure = true, nil
	r.feed(s)
	r.adjust()
	if !old.pair.leave(r) {
		closePipeConsumer(near, consumerID)
	}
	if old.relay != nil {
		old.relay.unuse()
	}
	r.whenMade(func() {
		if r.failure == nil {
			r.requestKeyFrames()
			r.producer.retry()
		}
	})
}

// retry moves the relays that wait for the network: there may be a way for them now.
func (p *producer) retry() {
	for _, r := range slices.Clone(p.relays) {
		if r.pair.isCut {
			r.move()
		}
	}
}

// requestKeyFrames has the consumers behind the relay go on with a key frame, since packets are missing. However many ask, the
// publisher is asked for one of each encoding that they forward.
func (r *relay) requestKeyFrames() {
	if r.producer.request.Kind != api.MediaKindVideo {
		return
	}
	for _, c := range r.producer.consumers {
		if c.relay != nil && c.relay.under(r) && !c.creating && c.node.gone == nil {
			c.node.tell(api.MethodConsumerRequestKeyFrame, c.id, nil)
		}
	}
}
