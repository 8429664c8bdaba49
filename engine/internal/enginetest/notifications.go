package enginetest

import (
	"slices"
	"sync"

	"gazpacho/engine/api"
)

// Notifications records what an engine tells its application. The zero value is ready; its methods may be called from
// any goroutine.
type Notifications struct {
	mu     sync.Mutex
	all    []api.Notification
	react  func(*api.Notification)
	coming chan struct{} // closed with the next notification; nil while nothing waits for it
}

// Emit implements api.Emitter. It keeps the bodies, as it may.
func (n *Notifications) Emit(notification *api.Notification) {
	n.mu.Lock()
	n.all = append(n.all, *notification)
	react := n.react
	if n.coming != nil {
		close(n.coming)
		n.coming = nil
	}
	n.mu.Unlock()
	if react != nil {
		react(notification)
	}
}

// OnEmit has f called with each notification, in the goroutine that emits it.
func (n *Notifications) OnEmit(f func(*api.Notification)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.react = f
}

// Reset forgets everything.
func (n *Notifications) Reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = nil
}

// All returns all notifications in order.
func (n *Notifications) All() []api.Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.all)
}

// About returns the notifications about one object: of the given events, or of all if none is given.
func (n *Notifications) About(id string, events ...api.Event) []api.Notification {
	return slices.DeleteFunc(n.All(), func(n api.Notification) bool {
		return n.HandlerID != id || len(events) > 0 && !slices.Contains(events, n.Event)
	})
}

// Of returns the notifications of one event, about whatever object.
func (n *Notifications) Of(event api.Event) []api.Notification {
	return slices.DeleteFunc(n.All(), func(n api.Notification) bool { return n.Event != event })
}

// next returns what is closed with the next notification.
func (n *Notifications) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.coming == nil {
		n.coming = make(chan struct{})
	}
	return n.coming
}

// Bodies returns the bodies of one type among those of notifications.
func Bodies[T api.NotificationBody](notifications []api.Notification) (bodies []T) {
	for _, n := range notifications {
		if b, ok := n.Body.(T); ok {
			bodies = append(bodies, b)
		}
	}
	return bodies
}

// Events returns the events of notifications.
func Events(notifications []api.Notification) (events []api.Event) {
	for _, n := range notifications {
		events = append(events, n.Event)
	}
	return events
}
