package front

import "gazpacho/engine/api"

// leaver is an object that is closed. It is not in the tables any more, but what its node told of it before may still be on its way,
// and the application is to hear that.
type leaver struct {
	object object
	// orphaned: it is a consumer or data consumer whose producer was closed, which the application is told by last.
	orphaned bool
	last     api.Event
}

// orphan has the application told that a consumer's producer was closed. The node tells that itself, behind all else that it has to
// tell; when it has answered what it was asked until the present operation is through, the front tells it in its place.
func (f *Front) orphan(o object, last api.Event) { f.leave(&leaver{o, true, last}) }

// leave passes on what the node tells of an object until it has answered what it was asked until the present operation is through.
func (f *Front) leave(l *leaver) {
	e := l.object.base()
	if have := f.leaving[e.id]; have != nil && have.object == l.object {
		return
	}
	f.leaving[e.id] = l
	f.inbox.put(item{do: func() {
		e.node.whenAnswered(func() {
			if f.leaving[e.id] != l {
				return
			}
			delete(f.leaving, e.id)
			if l.orphaned {
				f.emit(e.id, l.last, nil)
			}
		})
	}})
}

// neverWas takes leave back: the application's request for the object was refused.
func (f *Front) neverWas(o object) {
	if l := f.leaving[o.base().id]; l != nil && l.object == o {
		delete(f.leaving, o.base().id)
	}
}

// handleLast passes on what a node tells of an object that leaves.
func (f *Front) handleLast(n *node, e *api.Notification) bool {
	l := f.leaving[e.HandlerID]
	if l == nil || l.object.base().node.place() != n {
		return false
	}
	if l.orphaned && e.Event == l.last {
		delete(f.leaving, e.HandlerID)
	}
	f.options.Emit(e)
	return true
}
