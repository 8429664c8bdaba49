package dtls

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Chosen here: a running handshake takes some 35 KB while it waits for its peer, up to the handshake's timeout, which makes
// 9 MB in all. A waiting one holds its first datagrams.
const (
	maxRunning = 256
	maxWaiting = 1024
	// maxSilence is how long the peer of a running handshake may be silent while others wait: more than a round trip and the
	// first retransmissions.
	maxSilence = 2 * time.Second
)

// handshakes is the limit of the process: a flood of ClientHellos must not take memory and CPU from the media.
var handshakes = newLimiter(maxRunning, maxWaiting, maxSilence)

// limiter lets some handshakes run at once, queues some in order of arrival, and refuses the rest. Peers that say nothing do not
// keep others waiting: while any wait, the running one whose peer has been silent longest is displaced.
type limiter struct {
	maxRunning, maxWaiting int
	maxSilence             time.Duration

	mu      sync.Mutex
	running list.List // of *association, the one whose peer has been silent longest first
	servers list.List // of *association that wait; their peers sent a ClientHello
	clients list.List // of *association that wait; nobody has heard of their peers yet
	turn    Role      // whose queue the last one was taken from
	alarm   *time.Timer
}

// slot is an association's place in the limiter, under the limiter's lock.
type slot struct {
	element *list.Element // in list; nil when it neither runs nor waits
	list    *list.List
	heard   time.Time // when it began to run, or its peer was last heard
	stop    context.CancelFunc
}

func newLimiter(running, waiting int, silence time.Duration) *limiter {
	return &limiter{maxRunning: running, maxWaiting: waiting, maxSilence: silence}
}

// enter runs a in a goroutine of its own, now or when another one leaves. It returns false if too many wait already. A
// client is never refused: nothing would make it try again, and it holds no memory while it waits.
func (l *limiter) enter(a *association) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.running.Len() < l.maxRunning:
		l.start(a)
		return true
	case a.role == Client:
		a.slot.put(a, &l.clients)
	case l.servers.Len() < l.maxWaiting:
		a.slot.put(a, &l.servers)
	default:
		return false
	}
	l.displace()
	return true
}

func (s *slot) put(a *association, in *list.List) { s.list, s.element = in, in.PushBack(a) }

func (s *slot) remove() {
	s.list.Remove(s.element)
	s.element = nil
}

func (l *limiter) start(a *association) {
	ctx, stop := context.WithTimeout(context.Background(), a.t.config.handshakeTimeout)
	a.slot.heard, a.slot.stop = time.Now(), stop
	a.slot.put(a, &l.running)
	go a.run(ctx, stop)
}

// startNext starts those that wait while there is room. The two queues take turns, so that neither kind keeps the other out.
func (l *limiter) startNext() {
	for l.running.Len() < l.maxRunning {
		queue := &l.servers
		if l.turn == Server && l.clients.Len() > 0 || queue.Len() == 0 {
			queue = &l.clients
		}
		front := queue.Front()
		if front == nil {
			return
		}
		a := front.Value.(*association)
		l.turn = a.role
		a.slot.remove()
		l.start(a)
	}
}

// displace ends handshakes whose peers have been silent for too long, as long as others wait. It looks again when the next one
// will have been.
func (l *limiter) displace() {
	for l.servers.Len()+l.clients.Len() > 0 && l.running.Len() > 0 {
		a := l.running.Front().Value.(*association)
		if left := l.maxSilence - time.Since(a.slot.heard); left > 0 {
			l.lookAgain(left)
			return
		}
		a.displaced.Store(true)
		a.slot.remove()
		a.slot.stop()
		l.startNext()
	}
}

func (l *limiter) lookAgain(after time.Duration) {
	if l.alarm != nil {
		l.alarm.Reset(after)
		return
	}
	l.alarm = time.AfterFunc(after, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.displace()
	})
}

// hear notes that a's peer sent something.
func (l *limiter) hear(a *association) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.slot.element != nil && a.slot.list == &l.running {
		a.slot.heard = time.Now()
		l.running.MoveToBack(a.slot.element)
	}
}

// leave is called when a handshake has ended, in whatever way.
func (l *limiter) leave(a *association) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.slot.element != nil {
		a.slot.remove()
	}
	l.startNext()
}

// remove takes a out of the queue. If a runs, it does nothing.
func (l *limiter) remove(a *association) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.slot.element != nil && a.slot.list != &l.running {
		a.slot.remove()
	}
}
