package front

import "sync"

// maxMediaWaiting is how many bytes of media and data of the nodes may wait for the control goroutine, chosen here. It is as much as
// a channel keeps for an application that reads slowly.
const maxMediaWaiting = 16 << 20

// inbox is what waits for the control goroutine, in order. Putting something in never blocks.
type inbox struct {
	mu      sync.Mutex
	items   []item
	media   int    // bytes of media and data among them
	dropped uint64 // messages of media and data for which there was no room
	closed  bool
	room    sync.Cond // media became 0

	news chan struct{} // has room for one
}

// item is something to do.
type item struct {
	do     func()
	refuse func() // takes the place of do when the front ends before; nil for nothing
	media  int    // bytes of media or data that it carries
	own    bool   // it is the application's: the caller waits rather than losing it
}

func newInbox() *inbox {
	b := &inbox{news: make(chan struct{}, 1)}
	b.room.L = &b.mu
	return b
}

// put adds something to do. Media and data of nodes are dropped, and counted, when too much of them waits already;
// those of the application wait for the control goroutine. After close nothing is
// added, and refuse is called.
func (b *inbox) put(i item) {
	b.mu.Lock()
	for i.own && i.media > 0 && b.media+i.media > maxMediaWaiting && b.media > 0 && !b.closed {
		b.room.Wait()
	}
	if b.closed {
		b.mu.Unlock()
		if i.refuse != nil {
			i.refuse()
		}
		return
	}
	if !i.own && i.media > 0 && b.media+i.media > maxMediaWaiting {
		b.dropped++
		b.mu.Unlock()
		return
	}
	b.media += i.media
	b.items = append(b.items, i)
	b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// take returns all that waits, in order, into the memory of spare; empty if there is nothing.
func (b *inbox) take(spare []item) []item {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.items
	b.items, b.media = spare[:0], 0
	b.room.Broadcast()
	return items
}

// lost returns how many messages were dropped.
func (b *inbox) lost() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}

// close takes nothing any more, and refuses what waits.
func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.room.Broadcast()
	items := b.items
	b.items = nil
	b.mu.Unlock()
	for _, i := range items {
		if i.refuse != nil {
			i.refuse()
		}
	}
}
