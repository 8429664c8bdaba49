package shard

import (
	"container/heap"
	"time"

	"gazpacho/engine/unit"
)

// loop is the shard's goroutine. It takes a turn whenever something was posted or is due.
func (s *Shard) loop() {
	defer close(s.done)
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	set := unit.Never // what the alarm is set for, if it has not gone off
	for {
		select {
		case _, open := <-s.wake:
			if !open {
				s.Enter()
				s.turn.Unlock()
				return
			}
		case <-alarm.C:
			set = 0
		}
		// The deadlines of turns that end before this one begins are seen here, even if they did not signal. A turn that ends
		// later signals if its deadline is earlier than the one armed below.
		now := s.Enter()
		s.runTimers(now)
		next := s.timers.next()
		s.armed.Store(int64(next))
		s.measureTurn(now)
		s.turn.Unlock()
		if next != set {
			alarm.Reset(untilAlarm(next, now))
			set = next
		}
	}
}

// untilAlarm returns how long to sleep for a deadline; an hour is as good as never.
func untilAlarm(next, now unit.Time) time.Duration {
	if next == unit.Never {
		return time.Hour
	}
	return max(next.Sub(now), 0)
}

// Timer calls a function with the shard's turn held when its deadline has come.
type Timer struct {
	at    unit.Time
	index int // place in the heap plus one; 0 when not armed
	fire  func(now unit.Time)
}

// NewTimer returns a timer that is not armed.
func NewTimer(fire func(now unit.Time)) *Timer { return &Timer{fire: fire} }

// Schedule arms t for a new deadline, or disarms it with unit.Never. The shard's turn must be held.
func (s *Shard) Schedule(t *Timer, at unit.Time) {
	switch {
	case t.index != 0 && at == t.at:
	case t.index != 0 && at == unit.Never:
		heap.Remove(&s.timers, t.index-1)
	case t.index != 0:
		t.at = at
		heap.Fix(&s.timers, t.index-1)
	case at != unit.Never:
		t.at = at
		heap.Push(&s.timers, t)
	}
}

// ArmedTimers returns how many timers are armed. It takes the turn.
func (s *Shard) ArmedTimers() (n int) {
	s.Do(func(unit.Time) { n = len(s.timers) })
	return n
}

// runTimers fires due timers. A timer is disarmed before it fires, so that it may arm itself again; for the present instant it
// then fires in the next turn. So do the timers behind one that panics.
func (s *Shard) runTimers(now unit.Time) {
	defer s.contain()
	for n := len(s.timers); n > 0 && s.timers.next() <= now; n-- {
		t := heap.Pop(&s.timers).(*Timer)
		t.fire(now)
	}
}

type timerHeap []*Timer

func (h timerHeap) next() unit.Time {
	if len(h) == 0 {
		return unit.Never
	}
	return h[0].at
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at < h[j].at }

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

// Push adds a timer at the end.
func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	*h = append(*h, t)
	t.index = len(*h)
}

// Pop takes the last timer.
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = 0
	return t
}
