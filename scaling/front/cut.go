package front

import (
	"slices"
	"time"

	"gazpacho/engine/api"
)

// promptly is how fast a node answers that lives and is not too busy to send, and how long its next sign of life takes to be told at
// most. Chosen here.
const promptly = time.Second

// handleEvent implements hidden: an end tells whether it hears the other one.
func (p *pair) handleEvent(n *node, e *api.Notification) {
	i := slices.IndexFunc(p.ends[:], func(have *end) bool { return have.node.place() == n && have.id == e.HandlerID })
	if i < 0 {
		return // only the node that has an end is believed about it
	}
	switch e.Event {
	case api.EventTransportOutOfService:
		p.fail(api.Errorf("a pipe of node %s is out of service after an internal error", n.name))
	case api.EventPipeTransportSilent:
		p.ends[i].silent = true
		p.doubt(p.ends[1-i])
	case api.EventPipeTransportHeard:
		p.ends[i].silent = false
		if p.isCut && !p.silent() {
			p.heal()
		}
	}
}

// silent reports whether one of the ends does not hear the other one.
func (p *pair) silent() bool { return p.ends[0].silent || p.ends[1].silent }

// doubt finds out whether the node at an end that is not heard lives. Only if it does, has time to send, and is still not heard, is it
// the network that has failed: one that was stopped may have gone on just now. Else the pair is left alone, until the node is heard again
// or gone.
func (p *pair) doubt(e *end) {
	if p.doubting || !p.doubtful(e) {
		return
	}
	f := p.front()
	p.doubting = true
	asked := f.options.Clock.Now()
	e.node.ask(api.MethodTransportGetStats, e.id, nil, func(_ api.ResponseBody, err error) {
		lives := err == nil && f.options.Clock.Now().Sub(asked) <= promptly
		f.after(promptly, func() {
			p.doubting = false
			switch {
			case !p.doubtful(e):
			case lives:
				p.cut()
			default:
				p.doubt(e)
			}
		})
	})
}

// doubtful reports whether it is open why the node at an end is not heard.
func (p *pair) doubtful(e *end) bool {
	return !p.closed && !p.isCut && p.silent() && e.node.gone == nil
}

// cut takes note that two nodes do not reach each other, in one direction or in both. What goes between them goes another way at once;
// where there is none, it waits for a while for the network.
func (p *pair) cut() {
	f := p.front()
	f.log.Warn("two nodes do not reach each other", "routerId", p.router.id, "nodes", []string{p.ends[0].node.name, p.ends[1].node.name})
	p.isCut = true
	f.cuts[p.places()]++
	for _, r := range slices.Clone(p.relays) {
		r.move()
		if r.pair == p { // what it feeds may reach the home, and feed it then
			for _, fed := range r.feeds() {
				fed.move()
			}
		}
	}
	p.cancelCut = f.after(restartTime, func() {
		for _, r := range slices.Clone(p.relays) {
			r.fail(api.Errorf("nodes %s and %s do not reach each other", p.ends[0].node.name, p.ends[1].node.name))
		}
	})
}

// heal takes note that they do again. What has waited goes on, what goes another way stays there.
func (p *pair) heal() {
	p.front().log.Warn("two nodes reach each other again", "routerId", p.router.id, "nodes", []string{p.ends[0].node.name, p.ends[1].node.name})
	p.mend()
	for _, r := range p.relays {
		r.requestKeyFrames()
	}
	if len(p.relays) == 0 {
		p.close()
	}
	p.front().retryCuts()
}

// retryCuts looks whether there is a way now for what waits for the network.
func (f *Front) retryCuts() {
	for _, r := range f.routers {
		for _, t := range r.transports {
			for _, p := range t.producers {
				p.retry()
			}
		}
	}
}

// mend undoes cut.
func (p *pair) mend() {
	if !p.isCut {
		return
	}
	p.isCut = false
	p.cancelCut()
	f, key := p.front(), p.places()
	if f.cuts[key]--; f.cuts[key] == 0 {
		delete(f.cuts, key)
	}
}

// nodes are those at its ends.
func (p *pair) nodes() [2]*node { return [2]*node{p.ends[0].node, p.ends[1].node} }

// places are those that they are on.
func (p *pair) places() [2]*node { return inOrder(p.ends[0].node.place(), p.ends[1].node.place()) }

// severed reports whether two nodes are known not to reach each other, by the pair of any Router.
func (f *Front) severed(a, b *node) bool { return f.cuts[inOrder(a.place(), b.place())] > 0 }

// inOrder is how two nodes are named in tables.
func inOrder(a, b *node) [2]*node {
	if a.index > b.index {
		a, b = b, a
	}
	return [2]*node{a, b}
}
