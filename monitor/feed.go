package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// Chosen here.
const (
	maxFeeds   = 64  // different things that are looked at
	maxReaders = 128 // streams of events
)

// view makes what a page shows; its error is for the page.
type view func(ctx context.Context) (any, error)

// feeds are what pages look at now. Any number of pages that look at the same cost what one does.
type feeds struct {
	mu      sync.Mutex
	open    map[string]*feed
	readers int
}

// feed makes one thing again and again while somebody reads it.
type feed struct {
	readers int
	cancel  context.CancelFunc

	mu      sync.Mutex
	latest  []byte        // the newest message
	changed chan struct{} // closed when there is a newer one
}

// errCrowded refuses a reader.
var errCrowded = errors.New("too many pages look at once")

// read begins to read a thing of a name, made by produce. done must be called.
func (f *feeds) read(name string, produce view) (it *feed, done func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	it = f.open[name]
	if f.readers >= maxReaders || it == nil && len(f.open) >= maxFeeds {
		return nil, nil, errCrowded
	}
	if it == nil {
		it = newFeed(produce)
		f.open[name] = it
	}
	it.readers++
	f.readers++
	return it, sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.readers--
		if it.readers--; it.readers == 0 {
			it.cancel()
			delete(f.open, name)
		}
	}), nil
}

func newFeed(produce view) *feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &feed{cancel: cancel, changed: make(chan struct{})}
	go func() {
		for ctx.Err() == nil {
			b, _ := encode(ctx, produce) // it says so if there is an error
			f.publish(b)
			select {
			case <-ctx.Done():
			case <-time.After(period):
			}
		}
	}()
	return f
}

// message is what a page gets: a thing or an error.
type message struct {
	Data  any    `json:"data,omitempty"`
	Error string `json:"error,omitempty"`
}

// encode makes a thing once. The message also has the error that it returns.
func encode(ctx context.Context, produce view) ([]byte, error) {
	data, err := produce(ctx)
	m := message{Data: data}
	if err != nil {
		m = message{Error: err.Error()}
	}
	b, failure := json.Marshal(m)
	if failure != nil {
		panic("monitor: a view cannot be encoded: " + failure.Error()) // it is made of strings and numbers
	}
	return b, err
}

// publish takes a newer message.
func (f *feed) publish(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if bytes.Equal(b, f.latest) {
		return
	}
	f.latest = b
	close(f.changed)
	f.changed = make(chan struct{})
}

// newest returns the newest message, nil if there is none yet, and what is closed when there is a newer one.
func (f *feed) newest() ([]byte, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.latest, f.changed
}
