package remote

import (
	"net"
	"sync"
	"time"
)

// Chosen here.
const (
	readLen       = 64 << 10
	keepBuffer    = 1 << 20         // the largest buffer that is kept between writes
	maxUnwritten  = 8 << 20         // for an other side that does not read, beyond one more message; a session has 1 MiB under way
	flushTime     = 5 * time.Second // for what is written before a connection is closed: a busy machine needs more than one
	keepAliveTime = 5 * time.Second // TCP's own probes find connections whose host is gone
)

// connection writes without blocking its caller: bytes wait until its own goroutine has written them.
type connection struct {
	net.Conn

	mu      sync.Mutex
	work    sync.Cond
	waiting []byte
	closing bool // nothing more comes: close when all is written
	closed  bool
	ended   chan struct{} // closed with the writer
}

// newConnection starts the writer.
func newConnection(c net.Conn) *connection {
	w := &connection{Conn: c, ended: make(chan struct{})}
	w.work.L = &w.mu
	go w.write()
	return w
}

// send queues bytes. Who goes on asking for what it does not read loses the connection.
func (c *connection) send(b []byte) {
	if len(b) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing || c.closed:
		return
	case len(c.waiting) > maxUnwritten:
		c.drop()
		go c.Close() // which may have to say goodbye
		return
	}
	c.waiting = append(c.waiting, b...)
	c.work.Signal()
}

// finish closes the connection when all is written, or soon.
func (c *connection) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	c.SetWriteDeadline(time.Now().Add(flushTime))
	c.work.Signal()
}

// abort closes the connection at once.
func (c *connection) abort() {
	c.mu.Lock()
	c.drop()
	c.mu.Unlock()
	c.Close()
}

// drop drops what waits, and lets nothing more in. The lock is held.
func (c *connection) drop() {
	c.closed = true
	c.waiting = nil
	c.work.Signal()
}

// write is the writer's goroutine.
func (c *connection) write() {
	defer close(c.ended)
	defer c.abort()
	var spare []byte
	for {
		c.mu.Lock()
		for len(c.waiting) == 0 && !c.closing && !c.closed {
			c.work.Wait()
		}
		b := c.waiting
		c.waiting = spare[:0]
		ended := c.closed || len(b) == 0
		c.mu.Unlock()
		if ended {
			return
		}
		if _, err := c.Conn.Write(b); err != nil {
			return
		}
		if spare = b; cap(spare) > keepBuffer {
			spare = nil
		}
	}
}

// read calls take with what arrives until the connection ends.
func (c *connection) read(take func([]byte)) {
	b := make([]byte, readLen)
	for {
		n, err := c.Conn.Read(b)
		if n > 0 {
			take(b[:n])
		}
		if err != nil {
			c.abort()
			return
		}
	}
}
