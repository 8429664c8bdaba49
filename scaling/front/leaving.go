package front

import "gazpacho/engine/api"

// leaver is a consumer or data consumer that is gone since its producer is. It is not in the tables any more, but what its node
// told of it before may still be on its way, and the application is to hear that first.
type leaver struct {
	object object
	last   api.Event // that its producer was closed
}

// leave has the application told that an object's producer was closed. The node tells that itself, behind all else that it has to
// tell; when it has answered what it was asked until the present operation is through, the front tells it in its place.
func (f *Front) leave(o object, last api.Event) {
	l := &leaver{o, last}
	id := o.base().id
	f.leaving[id] = l
	f.inbox.put(item{do: func() {
		o.base().node.whenAnswered(func() {
			if f.leaving[id] == l {
				delete(f.leaving, id)
				f.emit(id, last, nil)
			}
		})
	}})
}

// stay takes leave back: the application does not know the object.
func (f *Front) stay(o object) {
	if l := f.leaving[o.base().id]; l != nil && l.object == o {
		delete(f.leaving, o.base().id)
	}
}

// handleLast passes on what a node tells of an object that leaves.
func (f *Front) handleLast(n *node, e *api.Notification) bool {
	l := f.leaving[e.HandlerID]
	if l == nil || l.object.base().node != n {
		return false
	}
	if e.Event == l.last {
		delete(f.leaving, e.HandlerID)
	}
	f.options.Emit(e)
	return true
}
