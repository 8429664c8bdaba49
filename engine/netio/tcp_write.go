package netio

import "sync"

// Ours: maxWriteQueue is how many bytes wait for a peer that reads too slowly before frames are dropped; flushSize is how
// many of them the flushing goroutine takes at once.
const (
	maxWriteQueue = 256 << 10
	flushSize     = 64 << 10
)

// writer is the sending half of a connection. As long as the kernel takes everything, senders write themselves and the
// queue is empty. When it does not, the rest of that write goes to the queue, and a goroutine lives until it has been
// written; meanwhile senders only append to the queue.
type writer struct {
	mu       sync.Mutex
	queue    []byte // begins anywhere in a frame, ends with a whole one
	flushing bool
	finished bool // the connection is over
	direct   directWrite
}

func (w *writer) init() { w.direct.init() }

// write sends the packets of b. It returns how many were taken, and how many were not because the queue is full.
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
	data, n := b.frames(maxWriteQueue) // a batch is less than that
	written, err := w.direct.write(c.raw, data)
	if err != nil {
		c.Close()
		return 0, 0
	}
	if written < len(data) {
		w.queue = append(w.queue, data[written:]...)
		w.flushing = true
		c.server.running.Add(1) // the reader goroutine, which finishes the writer before it ends, counts too
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

// next drops what has been written from the queue and returns what is to be written now, nil for nothing.
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

// finish drops the queue; nothing is written any more.
func (w *writer) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finished, w.queue = true, nil
}
