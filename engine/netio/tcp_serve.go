package netio

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"gazpacho/engine/packet"
)

// Chosen here:
const (
	readSize       = 32 << 10              // bytes per read
	framesPerBatch = 32                    // frames passed to the handler at once, at most
	acceptPause    = 50 * time.Millisecond // before accepting again, after the system had no descriptor or memory for a connection
)

// readArea is the memory for one read. Connections share areas: a connection takes one when there is something to read,
// and holds none while it is idle.
type readArea struct {
	data  [readSize]byte
	batch [framesPerBatch]Datagram
}

var readAreas = sync.Pool{New: func() any { return new(readArea) }}

// Serve accepts connections until the server is closed, and passes what they receive to h. It blocks: give it a goroutine
// of its own. When it returns, all connections are closed, their goroutines have ended and h is not called again.
func (s *TCPServer) Serve(h TCPHandler) {
	defer s.running.Wait()
	for {
		conn, err := s.listener.AcceptTCP()
		switch {
		case err == nil:
			s.take(conn, h)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			s.stats.acceptErrors.Add(1)
			select {
			case <-s.done:
			case <-time.After(acceptPause):
			}
		}
	}
}

// take serves an accepted connection, or resets it when there are too many.
func (s *TCPServer) take(conn *net.TCPConn, h TCPHandler) {
	c, err := newTCPConn(s, conn)
	if err != nil || !s.add(c) {
		s.stats.refused.Add(1)
		conn.SetLinger(0) // leave no TIME_WAIT behind
		conn.Close()
		return
	}
	s.stats.accepted.Add(1)
	s.running.Add(1)
	go c.serve(h)
}

// add registers an open connection. It returns false if there are too many, or if the server is closed.
func (s *TCPServer) add(c *TCPConn) bool {
	s.mu.Lock()
	var displaced *TCPConn
	switch {
	case s.closed:
		s.mu.Unlock()
		return false
	case s.strangers.of(c.remote) >= s.config.MaxStrangers:
		displaced = s.strangers.oldestOf(c.remote)
	case len(s.conns) >= s.config.MaxConnections:
		if displaced = s.strangers.oldest(); displaced == nil {
			s.mu.Unlock()
			return false
		}
	}
	if displaced != nil {
		s.strangers.remove(displaced)
		delete(s.conns, displaced)
	}
	s.conns[c] = struct{}{}
	s.strangers.add(c)
	s.mu.Unlock()
	if displaced != nil {
		s.stats.displaced.Add(1)
		displaced.Close()
	}
	return true
}

func (s *TCPServer) remove(c *TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strangers.remove(c)
	delete(s.conns, c)
}

func (s *TCPServer) admitted(c *TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strangers.remove(c)
}

// serve reads until either side closes the connection.
func (c *TCPConn) serve(h TCPHandler) {
	defer c.server.running.Done()
	for !c.closed.Load() {
		area, n, err := c.receiver.receive(c)
		if err == nil {
			err = c.deliver(h, area, area.data[:n])
			clear(area.batch[:])
			readAreas.Put(area)
		}
		if c.ends(err) {
			break
		}
	}
	c.Close()
	c.writer.finish()
	c.deframer.release()
	c.server.remove(c)
	h.HandleClosed(c)
}

// ends reports whether the result of a read ends the connection.
func (c *TCPConn) ends(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if c.admitted.Load() { // the deadline passed just before Admit lifted it
			return false
		}
		c.server.stats.expired.Add(1)
	}
	return err != nil
}

// deliver passes the frames that data completes to h.
func (c *TCPConn) deliver(h TCPHandler, area *readArea, data []byte) error {
	for len(data) > 0 && !c.closed.Load() {
		batch := area.batch[:0]
		var err error
		for len(data) > 0 && len(batch) < framesPerBatch && err == nil {
			var frame *packet.Buffer
			if frame, data, err = c.deframer.next(data, c.frameLimit()); frame != nil {
				batch = append(batch, Datagram{frame, c.remote})
			}
		}
		if c.deframer.runts > 0 {
			c.server.stats.runts.Add(uint64(c.deframer.runts))
			c.deframer.runts = 0
		}
		if len(batch) > 0 {
			c.server.stats.received.Add(uint64(len(batch)))
			h.HandleFrames(c, batch)
		}
		if err != nil {
			c.server.stats.oversized.Add(1)
			return err
		}
	}
	return nil
}

// frameLimit returns the largest frame allowed now. Before Admit only STUN is expected, which is small.
func (c *TCPConn) frameLimit() int {
	if c.admitted.Load() {
		return maxFrame
	}
	return packet.SmallSize
}
