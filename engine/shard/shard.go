// Package shard runs the engine's state machines. A shard owns a set of transports with all that belongs to them; only
// code that runs as the shard touches them, so media state needs no lock of its own.
//
// Running as the shard means holding its turn, a lock. A goroutine that has work for a shard takes the turn itself: a poller with
// a batch of datagrams, a control loop with a request, the shard's own goroutine with timers and posted messages. That saves
// passing every batch from goroutine to goroutine. A goroutine never takes a turn while it holds another; shards reach each other
// by posted messages only.
//
// The clock is read once when a turn begins and handed down.
package shard

import (
	"runtime/debug"
	"sync"
	"sync/atomic"

	"gazpacho/engine/unit"
)

// Bounds of the droppable messages that wait for one shard, chosen here. A shard that falls behind loses media, as a full socket
// buffer would, instead of growing. A request may have to wait until all of them have run.
const (
	MaxDroppable      = 1024     // messages
	MaxDroppableBytes = 32 << 20 // bytes that they hold: a message of a data channel has up to megabytes
)

// maxSpare caps the capacity of the recycled mailbox slice, in messages. Chosen here.
const maxSpare = 2 * MaxDroppable

// Message is work posted to a shard. Run is called once, with the shard's turn held, even if the shard is closed before.
type Message interface {
	Run(now unit.Time)
}

// Shard is one unit of parallelism; there is one for each usable core.
type Shard struct {
	index int
	clock Clock
	fault func(fault any, stack []byte)

	turn   sync.Mutex // guards timers and spare, and the state of all machines of the shard
	timers timerHeap

	mailbox struct {
		sync.Mutex
		messages  []Message
		droppable int
		bytes     int       // the sizes that PostDroppableSized was given
		since     unit.Time // when the first of the messages was posted, 0 if that is not measured
		closed    bool
	}
	spare []Message // the mailbox's other slice

	wake    chan struct{} // capacity 1: there are messages to run, or an earlier deadline to wait for
	armed   atomic.Int64  // the deadline that the goroutine waits for
	done    chan struct{}
	dropped atomic.Uint64

	measures atomic.Bool // see Measure
	figures  Figures     // under the turn
}

// New starts a shard. Its number is for logs and figures only. If a message or a timer panics, the shard calls fault with the turn
// held, and goes on.
func New(index int, clock Clock, fault func(fault any, stack []byte)) *Shard {
	s := &Shard{index: index, clock: clock, fault: fault, wake: make(chan struct{}, 1), done: make(chan struct{})}
	s.armed.Store(int64(unit.Never))
	go s.loop()
	return s
}

// Index returns the shard's number.
func (s *Shard) Index() int { return s.index }

// Dropped returns how many droppable messages were refused because the shard was too far behind.
func (s *Shard) Dropped() uint64 { return s.dropped.Load() }

// Enter takes the turn, runs what was posted before, and returns the time of the turn. Leave must follow.
func (s *Shard) Enter() unit.Time {
	s.turn.Lock()
	now := s.clock.Now()
	s.drain(now)
	return now
}

// TryEnter is Enter if the turn is free. Else it returns false, and Leave must not follow.
func (s *Shard) TryEnter() (now unit.Time, ok bool) {
	if !s.turn.TryLock() {
		return 0, false
	}
	now = s.clock.Now()
	s.drain(now)
	return now, true
}

// Leave runs due timers and releases the turn. Messages posted during the turn wait for the next one, which Post has asked for, so
// that a request does not wait for what other shards post meanwhile. Only if a timer is due do they run first, so that it does
// not overtake them.
func (s *Shard) Leave(now unit.Time) {
	if s.timers.next() <= now {
		s.drain(now)
		s.runTimers(now)
	}
	next := s.timers.next()
	s.measureTurn(now)
	s.turn.Unlock()
	if int64(next) < s.armed.Load() {
		s.signal()
	}
}

// Do runs f as the shard and returns when it has run.
func (s *Shard) Do(f func(now unit.Time)) {
	now := s.Enter()
	defer func() { s.Leave(now) }()
	f(now)
}

// Post makes the shard run m soon. Messages of one goroutine run in order. Post never blocks, and may be called with any shard's
// turn held. It reports false if the shard is closed.
func (s *Shard) Post(m Message) bool { return s.post(m, false, 0) }

// PostDroppable is Post for media. It refuses m, reports false and counts it if too many droppable messages wait.
func (s *Shard) PostDroppable(m Message) bool { return s.post(m, true, 0) }

// PostDroppableSized is PostDroppable for a message that holds the given number of bytes.
func (s *Shard) PostDroppableSized(m Message, size int) bool { return s.post(m, true, size) }

func (s *Shard) post(m Message, droppable bool, size int) bool {
	s.mailbox.Lock()
	if s.mailbox.closed {
		s.mailbox.Unlock()
		return false
	}
	if droppable {
		if s.mailbox.droppable >= MaxDroppable || s.mailbox.bytes+size > MaxDroppableBytes {
			s.mailbox.Unlock()
			s.dropped.Add(1)
			return false
		}
		s.mailbox.droppable++
		s.mailbox.bytes += size
	}
	s.mailbox.messages = append(s.mailbox.messages, m)
	first := len(s.mailbox.messages) == 1
	if first && s.measures.Load() {
		s.mailbox.since = s.clock.Now()
	}
	s.mailbox.Unlock()
	if first {
		s.signal()
	}
	return true
}

// Close runs what was posted, ends the shard's goroutine and waits for it. Later messages are refused; nothing may take a turn
// any more.
func (s *Shard) Close() {
	s.mailbox.Lock()
	closed := s.mailbox.closed
	s.mailbox.closed = true
	s.mailbox.Unlock()
	if !closed {
		close(s.wake)
	}
	<-s.done
}

// drain runs the messages in the mailbox. Those that come meanwhile wait for the next turn, which Post has asked for: other shards
// may post as fast as this one runs, and would otherwise keep the turn from all others.
func (s *Shard) drain(now unit.Time) {
	s.mailbox.Lock()
	messages := s.mailbox.messages
	s.mailbox.messages, s.mailbox.droppable, s.mailbox.bytes = s.spare[:0], 0, 0
	since := s.mailbox.since
	s.mailbox.since = 0
	s.mailbox.Unlock()
	if since != 0 {
		s.figures.Delay.Observe(DelayBounds, now.Sub(since).Seconds())
	}
	for left := messages; len(left) > 0; {
		left = s.run(left, now)
	}
	if cap(messages) > maxSpare {
		messages = nil
	}
	s.spare = messages
}

// run runs messages until the first panic, and returns those behind that.
func (s *Shard) run(messages []Message, now unit.Time) (left []Message) {
	defer s.contain()
	for left = messages; len(left) > 0; {
		m := left[0]
		left[0], left = nil, left[1:]
		m.Run(now)
	}
	return left
}

// contain recovers panics of messages and timers that these did not recover themselves, so that the turn is always released.
func (s *Shard) contain() {
	if fault := recover(); fault != nil {
		s.fault(fault, debug.Stack())
	}
}

// signal wakes the shard's goroutine. It holds the mailbox's lock so as not to send on a closed channel.
func (s *Shard) signal() {
	s.mailbox.Lock()
	defer s.mailbox.Unlock()
	if s.mailbox.closed {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
