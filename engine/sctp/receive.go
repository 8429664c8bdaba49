package sctp

import (
	"errors"
	"io"
	"slices"
	"sync"
)

// buffers are what messages are read into before they are copied to their size. Each read gives its buffer back.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// firstBuffer is enough for most messages (bytes); the buffer grows to the largest one allowed.
const firstBuffer = 16 << 10

// settle does what a packet that pion has dealt with made possible: reads messages, ends resets, sends more.
func (a *Association) settle(c *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != c {
		return
	}
	s := &a.streams
	for _, in := range s.touched {
		a.read(in)
	}
	clear(s.touched)
	s.touched = s.touched[:0]
	s.resetting = slices.DeleteFunc(s.resetting, a.read)
	a.finishResets()
	a.pump()
}

// read takes all complete messages of a stream. It reports whether the stream has ended.
func (a *Association) read(in *inStream) (ended bool) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	if *buffer == nil {
		*buffer = make([]byte, firstBuffer)
	}
	limit := int(a.cfg.MaxReceiveMessageSize)
	for {
		n, ppid, err := in.stream.ReadSCTP((*buffer)[:min(len(*buffer), limit)])
		switch {
		case err == nil:
			a.deliver(in, uint32(ppid), (*buffer)[:n])
		case errors.Is(err, io.ErrShortBuffer) && n <= limit:
			*buffer = make([]byte, max(n, min(limit, 2*len(*buffer))))
		case errors.Is(err, io.ErrShortBuffer):
			a.discard(in, n)
		default:
			return in.closing && errors.Is(err, io.EOF) && a.ended(in)
		}
	}
}

// discard reads a message that is too large away.
func (a *Association) discard(in *inStream, n int) {
	_, _, _ = in.stream.ReadSCTP(make([]byte, n)) // complete, and this time it fits
	a.edge.mu.Lock()
	a.edge.counters.MessageTooLarge++
	a.edge.mu.Unlock()
}

func (a *Association) deliver(in *inStream, ppid uint32, data []byte) {
	if len(data) == 0 {
		return // RFC 9260 section 3.3.1: there are no empty messages
	}
	e := &a.edge
	e.mu.Lock()
	if in == a.streams.sink {
		e.counters.TooManyStreams++
	}
	if e.closed || in == a.streams.sink {
		e.mu.Unlock()
		return
	}
	if len(data) > int(a.cfg.MTU)-headerLen-dataHeadLen && a.conn.tiny > 0 {
		a.conn.tiny-- // the message's last fragment may have been small
	}
	e.msgBytes += len(data)
	e.out.Messages = append(e.out.Messages, Message{StreamID: in.id, PPID: ppid, Data: slices.Clone(data)})
	e.unlockAndWake()
}

// ended tells the caller that the peer closed a stream.
func (a *Association) ended(in *inStream) bool {
	if a.streams.in[in.id] != in {
		return true
	}
	a.streams.removeIn(in)
	a.edge.mu.Lock()
	a.edge.out.StreamsReset = append(a.edge.out.StreamsReset, in.id)
	a.edge.unlockAndWake()
	return true
}
