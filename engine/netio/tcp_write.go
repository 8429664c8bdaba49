package netio

import "sync"

// Chosen here:
const (
	maxWriteQueue = 256 << 10 // bytes that wait for a slow peer before frames are dropped
	flushSize     = 64 << 10  // bytes that the flushing goroutine writes at once
)

// writer is the sending half of a connection. While the kernel takes everything, senders write directly and the queue is
// empty. When it does not, the rest of the write is queued, and a goroutine runs until the queue has been written;
// meanwhile senders only append to the queue.
type writer struct {
	mu       sync.Mutex
	queue    []byte // may begin within a frame, ends at the end of one
	flushing bool
	finished bool // the connection has ended
	direct   directWrite
}

func (w *writer) init() { w.direct.init() }

// write sends the packets of b. It returns how many were taken, and how many were dropped because the queue is full.
func (c *TCPConn) write(b *Batch) (taken, full int) {
	w := &c.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished || c.closed.Load() {
		return 0, 0
	}
	if w.flushing {
		data, n := b.frames(maxWriteQueue - len(w.queue))
		w.queue = append(w.queue, data...)
		return n, b.count - n
	}
	data, n := b.frames(maxWriteQueue) // any batch fits
	written, err := w.direct.write(c.raw, data)
	if err != nil {
		c.Close()
		return 0, 0
	}
	if written < len(data) {
		w.queue = append(w.queue, data[written:]...)
		w.flushing = true
		// The count is not 0 here: the reader goroutine is counted until it has finished the writer.
		c.server.running.Add(1)
		go c.flush()
	}
	return n, 0
}

// flush writes the queue until it is empty or the connection ends.
func (c *TCPConn) flush() {
	defer c.server.running.Done()
	for data := c.writer.next(0); data != nil; data = c.writer.next(len(data)) {
		if _, err := c.conn.Write(data); err != nil {
			c.Close()
			return
		}
	}
}

// next removes what has been written from the queue and returns what to write next, nil if there is nothing.
func (w *writer) next(written int) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return nil
	}
	w.queue = w.queue[written:]
	if len(w.queue) == 0 {
		w.queue, w.flushing = nil, false
		return nil
	}
	return w.queue[:min(len(w.queue), flushSize)]
}

// finish drops the queue and ends writing.
func (w *writer) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finished, w.queue = true, nil
}
