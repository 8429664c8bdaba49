// Package shard runs the engine's state machines. A shard owns a set of transports with all that belongs to them; only
// code that runs as the shard touches them, so no media state has a lock of its own.
//
// Running as the shard means holding its turn. Whoever has work for a shard takes the turn itself: the goroutine that
// reads a socket with the batch that has just come, the control loop with a request, the shard's own goroutine with
// timers and posted messages. That saves handing every batch from goroutine to goroutine. A turn must never be taken
// while holding another one; shards talk to each other by posted messages only.
//
// The clock is read once when a turn begins and handed down.
package shard

import (
	"runtime/debug"
	"sync"
	"sync/atomic"

	"gazpacho/engine/unit"
)

// MaxDroppable bounds the droppable messages waiting for one shard, ours: a shard that falls behind loses media, as a
// full socket buffer would, instead of growing. A request may have to wait until all of them ran.
const MaxDroppable = 1024

// MaxDroppableBytes bounds the same by the bytes that they hold, ours: a message of a data channel has up to megabytes.
const MaxDroppableBytes = 32 << 20

// maxSpare is the room for messages that is kept for the next ones, ours. What a rush of requests needed beyond it is given
// back.
const maxSpare = 2 * MaxDroppable

// Message is work posted to a shard. Run is called with the shard's turn held, once; a message that Post took is run even
// when the shard is closed before.
type Message interface {
	Run(now unit.Time)
}

// Shard is one unit of parallelism; there is one for each usable core.
type Shard struct {
	index int
	clock Clock
	fault func(fault any, stack []byte)

	turn   sync.Mutex // held by whoever runs as the shard; guards everything down to mailbox
	timers timerHeap

	mailbox struct {
		sync.Mutex
		messages  []Message
		droppable int
		bytes     int // of those messages, as far as it was told
		closed    bool
	}
	spare []Message // the mailbox's other slice; guarded by turn

	wake    chan struct{} // capacity 1: the goroutine has messages to run or an earlier deadline to wait for
	armed   atomic.Int64  // the deadline that the goroutine waits for
	done    chan struct{}
	dropped atomic.Uint64
}

// New starts the shard with the given number, which is for logs and figures only. It calls fault with the turn held when
// a message or a timer panics; all others run nevertheless.
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

// TryEnter is Enter if nobody has the turn; else it returns false, and Leave must not follow.
func (s *Shard) TryEnter() (now unit.Time, ok bool) {
	if !s.turn.TryLock() {
		return 0, false
	}
	now = s.clock.Now()
	s.drain(now)
	return now, true
}

// Leave runs what is due and gives the turn back. What was posted during the turn is left to the next one, which the
// posting has asked for: a request shall not wait for what other shards posted meanwhile. Only timers wait for it, so that
// what was posted before is not overtaken by what a timer does.
func (s *Shard) Leave(now unit.Time) {
	if s.timers.next() <= now {
		s.drain(now)
		s.runTimers(now)
	}
	next := s.timers.next()
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

// Post has m run as the shard soon, in the order of the posts of one goroutine. It never blocks, and may be called with
// any shard's turn held. It reports false when the shard is closed.
func (s *Shard) Post(m Message) bool { return s.post(m, false, 0) }

// PostDroppable is Post for media: m is refused and counted when too much of it waits already.
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
	s.mailbox.Unlock()
	if first {
		s.signal()
	}
	return true
}

// Close runs what was posted, ends the shard's goroutine and waits for it. Messages posted later are refused; no turn may
// be taken any more.
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

// drain runs the messages that are there. Those that come meanwhile wait for the next turn, which their posting has
// asked for: other shards may post as fast as this one runs, and then nobody else would ever get the turn.
func (s *Shard) drain(now unit.Time) {
	s.mailbox.Lock()
	messages := s.mailbox.messages
	s.mailbox.messages, s.mailbox.droppable, s.mailbox.bytes = s.spare[:0], 0, 0
	s.mailbox.Unlock()
	for left := messages; len(left) > 0; {
		left = s.run(left, now)
	}
	if cap(messages) > maxSpare {
		messages = nil
	}
	s.spare = messages
}

// run runs messages up to the end or to the first that panics, and returns those behind it.
func (s *Shard) run(messages []Message, now unit.Time) (left []Message) {
	defer s.contain()
	for left = messages; len(left) > 0; {
		m := left[0]
		left[0], left = nil, left[1:]
		m.Run(now)
	}
	return left
}

// contain is deferred around what is not the turn holder's own work. Messages and timers see to their faults themselves, so
// that the one who is to blame pays; a fault that they do not see must not leave the turn taken for ever.
func (s *Shard) contain() {
	if fault := recover(); fault != nil {
		s.fault(fault, debug.Stack())
	}
}

// signal wakes the shard's goroutine. The mailbox's lock keeps it from writing to a closed channel.
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
