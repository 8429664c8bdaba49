// Package wake is what a machine needs that holds goroutines of a library, engine/dtls: output comes between two calls of the
// owner. A goroutine adds to the machine's output under the machine's lock, lets go of the
// lock, and sends a Signal. The owner, who must only be told and cannot be called, drains the output soon after.
package wake

import (
	"sync"
	"sync/atomic"
)

// Signal tells the owner of a machine that there is output, once until the owner looks. It may be used by any goroutine, with
// or without the machine's lock, but for Send.
type Signal struct {
	sent atomic.Bool // and not seen yet

	mu   sync.Mutex // held during wake, so that Close can promise that none follows
	wake func()     // nil once closed
}

// Init says what Send calls: wake must return at once, and neither call the machine nor Close.
func (s *Signal) Init(wake func()) { s.wake = wake }

// Send calls wake, unless it did and the owner has not looked since. Call it without the machine's lock, after the output was
// added.
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

// Seen belongs into the verb by which the owner takes all output, under the machine's lock.
func (s *Signal) Seen() { s.sent.Store(false) }

// Close ends the signals: once it has returned, wake is not called again. It waits for a call of wake that is going on.
func (s *Signal) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake = nil
}

// Move replaces the contents of dst by those of src and returns it. src is empty then, and keeps room for a few elements only
// (kept), since it is one of thousands.
func Move[T any](dst []T, src *[]T, kept int) []T {
	clear(dst)
	dst = append(dst[:0], *src...)
	clear(*src)
	*src = (*src)[:0]
	if cap(*src) > kept {
		*src = nil
	}
	return dst
}
