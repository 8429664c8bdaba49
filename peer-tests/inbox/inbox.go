// Package inbox stores what a peer received until a test reads it.
package inbox

import (
	"slices"
	"sync"
	"testing"
	"time"

	"gazpacho/peer-tests/app"
)

// Inbox keeps items in the order of arrival. The zero value is empty and ready to use.
type Inbox[T any] struct {
	mu      sync.Mutex
	items   []T
	changed chan struct{} // closed by the next Add; nil if nothing waits for it
}

// Add appends an item.
func (b *Inbox[T]) Add(item T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, item)
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// All returns all items so far.
func (b *Inbox[T]) All() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.items)
}

// find returns the first matching item, or a channel that is closed when another item arrives.
func (b *Inbox[T]) find(match func(T) bool) (item T, found bool, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.IndexFunc(b.items, match); i >= 0 {
		return b.items[i], true, nil
	}
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return item, false, b.changed
}

// Wait returns the first matching item, which may have arrived already. Without one, the test fails after app.Patience.
func (b *Inbox[T]) Wait(t testing.TB, what string, match func(T) bool) T {
	t.Helper()
	item, _ := b.poll(t, what, match, nil)
	return item
}

// Insist is Wait for items that may get lost: it calls again repeatedly until an item matches.
func (b *Inbox[T]) Insist(t testing.TB, what string, again func(), match func(T) bool) T {
	t.Helper()
	item, _ := b.poll(t, what, match, again)
	return item
}

// againAfter is the time between two calls of Insist's again.
const againAfter = 20 * time.Millisecond

func (b *Inbox[T]) poll(t testing.TB, what string, match func(T) bool, again func()) (item T, found bool) {
	t.Helper()
	deadline := time.NewTimer(app.Patience)
	defer deadline.Stop()
	var tick <-chan time.Time
	if again != nil {
		ticker := time.NewTicker(againAfter)
		defer ticker.Stop()
		tick = ticker.C
		again()
	}
	for {
		item, found, more := b.find(match)
		if found {
			return item, true
		}
		select {
		case <-more:
		case <-tick:
			again()
		case <-deadline.C:
			t.Fatalf("timeout waiting for %s; %d items so far", what, len(b.All()))
		}
	}
}
