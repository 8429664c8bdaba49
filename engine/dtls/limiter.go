package dtls

import (
	"container/list"
	"sync"
)

// Ours. A running handshake holds some 35 KB while it waits for its peer, up to the handshake's timeout: together 9 MB. A
// waiting one holds its first datagrams.
const (
	maxRunning = 256
	maxWaiting = 1024
)

// handshakes is the process's limit: a flood of ClientHellos must not take its memory and CPU from the media.
var handshakes = newLimiter(maxRunning, maxWaiting)

// limiter lets a number of handshakes run at once, has some wait in order of arrival, and refuses the rest.
type limiter struct {
	mu         sync.Mutex
	running    int
	maxRunning int
	maxWaiting int
	waiting    list.List // of *association
}

func newLimiter(running, waiting int) *limiter {
	return &limiter{maxRunning: running, maxWaiting: waiting}
}

// enter runs a in a goroutine of its own, now or when another one leaves. It refuses with false when too many wait already,
// except a client: nothing would make it try again, and it holds nothing while it waits.
func (l *limiter) enter(a *association) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.running < l.maxRunning:
		l.running++
		go a.run()
	case l.waiting.Len() < l.maxWaiting || a.role == Client:
		a.place = l.waiting.PushBack(a)
	default:
		return false
	}
	return true
}

// leave ends a's turn and begins the next one's.
func (l *limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	front := l.waiting.Front()
	if front == nil {
		l.running--
		return
	}
	next := l.waiting.Remove(front).(*association)
	next.place = nil
	go next.run()
}

// remove takes a out of the queue; it does nothing when a runs.
func (l *limiter) remove(a *association) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.place != nil {
		l.waiting.Remove(a.place)
		a.place = nil
	}
}
