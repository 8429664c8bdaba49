package bus

import (
	"sync"
	"time"
)

// Chosen here.
const (
	// maxOutbox is how many bytes wait to be sent: all that a node has to tell of half a million producers.
	maxOutbox = 64 << 20
	// outboxRate is how many bytes a second are sent, beyond a first outboxBurst: a node that has to tell all of these must not fill what
	// may wait for another one at a server (maxPending), which would then take that one for too slow.
	outboxRate  = 8 << 20
	outboxBurst = 1 << 20
)

// letter is a message to a node.
type letter struct {
	to string
	b  []byte
}

// outbox sends messages, one after the other, at a bounded rate. Urgent ones come first, and do not wait for their turn.
type outbox struct {
	send func(to string, b []byte) error
	news chan struct{}
	stop chan struct{}
	done sync.WaitGroup

	mu      sync.Mutex
	urgent  []letter
	waiting []letter
	bytes   int // of both
	dropped uint64
}

func newOutbox(send func(to string, b []byte) error) *outbox {
	o := &outbox{send: send, news: make(chan struct{}, 1), stop: make(chan struct{})}
	o.done.Go(o.run)
	return o
}

// put takes a message, or drops it if too much waits.
func (o *outbox) put(l letter, urgent bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.bytes+len(l.b) > maxOutbox:
		o.dropped++
		return
	case urgent:
		o.urgent = append(o.urgent, l)
	default:
		o.waiting = append(o.waiting, l)
	}
	o.bytes += len(l.b)
	select {
	case o.news <- struct{}{}:
	default:
	}
}

// next returns the message whose turn it is, if there is one.
func (o *outbox) next(bulk bool) (l letter, urgent, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	from := &o.urgent
	if len(*from) == 0 && bulk {
		from = &o.waiting
	}
	if len(*from) == 0 {
		return letter{}, false, false
	}
	l, urgent = (*from)[0], from == &o.urgent
	(*from)[0] = letter{}
	if *from = (*from)[1:]; len(*from) == 0 {
		*from = nil
	}
	o.bytes -= len(l.b)
	return l, urgent, true
}

// run is the outbox's goroutine.
func (o *outbox) run() {
	rest := time.NewTimer(0)
	defer rest.Stop()
	resting := false // until the timer fires, only urgent messages are sent
	free := newBudget(time.Now())
	for {
		select {
		case <-o.stop:
			return
		case <-o.news:
		case <-rest.C:
			resting = false
		}
		for {
			l, urgent, ok := o.next(!resting)
			if !ok {
				break
			}
			o.post(l)
			if urgent {
				continue
			}
			if wait := free.take(time.Now(), len(l.b)); wait > 0 {
				resting = true
				rest.Reset(wait)
			}
		}
	}
}

func (o *outbox) post(l letter) {
	if o.send(l.to, l.b) != nil {
		o.mu.Lock()
		o.dropped++
		o.mu.Unlock()
	}
}

func (o *outbox) lost() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}

// close ends it. What waits is lost: the node leaves, and the others forget what it has told.
func (o *outbox) close() {
	close(o.stop)
	o.done.Wait()
}

// budget says how much may be sent.
type budget struct {
	bytes float64
	at    time.Time
}

func newBudget(now time.Time) budget { return budget{outboxBurst, now} }

// take takes bytes that were sent, and returns for how long nothing more is to be.
func (b *budget) take(now time.Time, bytes int) (wait time.Duration) {
	b.bytes = min(b.bytes+outboxRate*now.Sub(b.at).Seconds(), outboxBurst) - float64(bytes)
	b.at = now
	return max(time.Duration(-b.bytes/outboxRate*float64(time.Second)), 0)
}
