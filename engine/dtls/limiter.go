package dtls

import (
	"container/list"
	"sync"
)

// Chosen here: a running handshake takes some 35 KB while it waits for its peer, up to the handshake's timeout, which makes
// 9 MB in all. A waiting one holds its first datagrams.
const (
	maxRunning = 256
	maxWaiting = 1024
)

// handshakes is the limit of the process: a flood of ClientHellos must not take memory and CPU from the media.
var handshakes = newLimiter(maxRunning, maxWaiting)

// limiter lets some handshakes run at once, queues some in order of arrival, and refuses the rest.
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

// enter runs a in a goroutine of its own, now or when another one leaves. It returns false if too many wait already. A
// client is never refused: nothing would make it try again, and it holds no memory while it waits.
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

// leave is called when a handshake has ended; it starts the next one.
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

// remove takes a out of the queue. If a runs, it does nothing.
func (l *limiter) remove(a *association) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.place != nil {
		l.waiting.Remove(a.place)
		a.place = nil
	}
}
