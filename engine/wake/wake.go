// Package wake is for a machine that contains goroutines of a library, engine/dtls: its output can
// appear between two calls of the owner. A goroutine appends to the machine's output under the machine's lock, releases
// the lock and sends a Signal. The signal only wakes the owner, which drains the output soon after in its own turn.
package wake

import (
	"sync"
	"sync/atomic"
)

// Signal wakes the owner of a machine when there is output, once until the owner drains it. Any goroutine may use it, with
// or without the machine's lock; Send must be called without.
type Signal struct {
	sent atomic.Bool // and not seen yet

	mu   sync.Mutex // held during wake, so that no call follows Close
	wake func()     // nil once closed
}

// Init sets the function that Send calls. wake must return at once, and must call neither the machine nor Close.
func (s *Signal) Init(wake func()) { s.wake = wake }

// Send calls wake, unless it already did since the last call of Seen. Call it after adding the output, without the
// machine's lock.
func (s *Signal) Send() {
	if s.sent.Swap(true) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wake != nil {
		s.wake()
	}
}

// Seen allows the next Send to call wake. The method that drains the output calls it under the machine's lock.
func (s *Signal) Seen() { s.sent.Store(false) }

// Close ends the signals. It waits for a running call of wake; after it returns, wake is not called again.
func (s *Signal) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake = nil
}

// Move replaces the contents of dst by those of src, empties src and returns dst. src keeps its capacity up to maxCap
// elements only, since there are thousands of machines.
func Move[T any](dst []T, src *[]T, maxCap int) []T {
	clear(dst)
	dst = append(dst[:0], *src...)
	clear(*src)
	*src = (*src)[:0]
	if cap(*src) > maxCap {
		*src = nil
	}
	return dst
}
