package front

import (
	"slices"

	"gazpacho/engine/api"
)

// object is something that the application has created.
type object interface{ base() *entry }

// entry is what objects have in common.
type entry struct {
	id       string
	router   *router // nil for a WebRtcServer
	node     *node   // where it lives; nil for what lives on several or nowhere
	sequence uint64  // of the request that created it
	creating bool    // its node has not accepted it yet
	made     gate    // opens when it has, or refuses
	closed   bool
	lost     bool // it was on a node that has ended, and does not come back
	settings settings
}

func (e *entry) base() *entry { return e }

// checkID finds out whether an object may be created with an id. inList says that the list which it is to go into has it already,
// for which mediasoup has a text of its own. If the object of that id is still being created, wait is what to wait for.
func (f *Front) checkID(id string, inList func(object) bool, text string, method api.Method) (wait *gate, err error) {
	obj, taken := f.objects[id]
	switch {
	case !taken:
		return nil, nil
	case obj.base().creating:
		return &obj.base().made, nil
	case inList(obj):
		return nil, api.Errorf("%s already exists [method:%s]", text, method.Name())
	default:
		return nil, api.Errorf("Channel request handler with ID %s already exists", id)
	}
}

// enter puts the object that an operation creates into the table.
func (o *operation) enter(obj object) {
	e := obj.base()
	e.sequence = o.sequence
	o.front.objects[e.id] = obj
	o.front.routes.enter(obj)
}

// settle ends an object's creation.
func (f *Front) settle(o object) {
	e := o.base()
	e.creating = false
	e.made.open()
}

// remove takes an object out of the table.
func (f *Front) remove(o object) {
	e := o.base()
	if e.closed {
		return
	}
	e.closed = true
	delete(f.objects, e.id)
	f.routes.leave(o)
	switch imp := importOf(o); {
	case imp != nil: // what nodes still tell under its id is of relays
		imp.end()
	case e.node != nil:
		f.leave(&leaver{object: o})
	}
	f.settle(o)
}

// without returns list without o.
func without[O comparable](list []O, o O) []O {
	if i := slices.Index(list, o); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// ids returns the ids of objects.
func ids[O object](list []O) (all []string) {
	for _, o := range list {
		all = append(all, o.base().id)
	}
	return all
}

// emit tells the application something.
func (f *Front) emit(id string, event api.Event, body api.NotificationBody) {
	f.options.Emit(&api.Notification{HandlerID: id, Event: event, Body: body})
}
