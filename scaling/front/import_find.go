package front

import (
	"cmp"
	"errors"
	"slices"

	"gazpacho/engine/api"
)

// seek finds out which node has the original, and imports it there. It calls either function, once.
func (imp *imported) seek(found func(at *node, o *origin), failed func(*ImportError)) {
	f := imp.front
	if f.options.Find == nil {
		imp.askAll(f.nodes(), found, failed)
		return
	}
	f.options.Find(imp.original, func(name string, err error) {
		f.inbox.put(item{do: func() {
			switch n := f.nodeNamed(name); {
			case imp.ended:
			case err != nil || n == nil: // what finds it may be late, or cannot be asked: the nodes know
				imp.askAll(f.nodes(), found, failed)
			default:
				imp.askAll([]*node{n}, found, func(err *ImportError) {
					if err.Code == ImportProducerNotFound { // it was there, or the node that named this one does not know, or lies
						imp.askAll(f.nodes(), found, failed)
						return
					}
					failed(err)
				})
			}
		}})
	})
}

func (imp *imported) errNotFound() *ImportError {
	return importErrorf(ImportProducerNotFound, "no application of this tenant has a %s with ID %s on a node", imp.as.what(), imp.original)
}

// askAll asks nodes at once for the original.
func (imp *imported) askAll(nodes []*node, found func(at *node, o *origin), failed func(*ImportError)) {
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n.gone != nil })
	has, able := false, false
	var why error
	part := join(len(nodes)+1, func() {
		switch {
		case has || imp.ended:
		case why != nil:
			failed(importErrorf(ImportFailed, "%v", why))
		case !able:
			failed(importErrorf(ImportUnsupported, "producers of other applications are found on the nodes of a cluster, and there is none"))
		default:
			failed(imp.errNotFound())
		}
	})
	for _, n := range nodes {
		imp.ask(n, func(o *origin, err error) {
			refused, _ := errors.AsType[*api.Error](err)
			switch {
			case o != nil && (has || imp.ended):
				n.tell(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: imp.nodeID})
			case o != nil:
				has = true
				found(n, o)
			case err == nil: // an engine that nobody else uses
			case refused != nil && refused.Kind == api.ErrorKindNotFound:
				able = true
			default:
				why = cmp.Or(why, err)
			}
			part()
		})
	}
	part()
}

// ask asks a node for the original. One that knows of no others' producers makes a Router, which is closed again.
func (imp *imported) ask(n *node, done func(*origin, error)) {
	undo := func() { n.tell(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: imp.nodeID}) }
	body := &api.WorkerCreateRouterRequest{RouterID: imp.nodeID}
	imp.as.name(body)
	n.ask(api.MethodWorkerCreateRouter, "", body, func(answer api.ResponseBody, err error) {
		o := imp.as.read(answer)
		if err == nil && o == nil {
			undo()
		}
		done(o, err)
	}).late = undo
}

// seekAgain looks for the original anew, whose node or worker has ended, as long as it may come back.
func (imp *imported) seekAgain() {
	f := imp.front
	imp.deadline = f.options.Clock.Now().Add(restartTime)
	imp.retrySeek(nil)
}

func (imp *imported) retrySeek(why *ImportError) {
	f := imp.front
	if imp.ended || imp.lost {
		return
	}
	if why != nil && !f.options.Clock.Now().Before(imp.deadline) {
		imp.lose(imp.home.node.gone)
		return
	}
	imp.cancel = f.after(seekPause, func() {
		if !imp.ended {
			imp.seek(imp.foundAgain, imp.retrySeek)
		}
	})
}

// foundAgain takes where the original has come back. What consumes it is fed from there.
func (imp *imported) foundAgain(at *node, o *origin) {
	was := imp.paused
	imp.enterHome(at, o)
	imp.paused = was
	imp.setPaused(o.paused)
	switch {
	case !imp.as.produced():
	case !imp.as.feed():
		imp.lose(api.Errorf("the producer has come back as another one"))
	default:
		imp.router.reconcile() // for what has waited for it
	}
}
