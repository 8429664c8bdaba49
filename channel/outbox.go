package channel

import (
	"errors"
	"fmt"
	"sync"

	"gazpacho/engine/api"
)

// Chosen here: bytes that wait for the application. Each limit is below the next one: as media and data stop first, the
// control loop goes on when an application reads too slowly for what it has asked for.
const (
	mediaLimit = 1 << 20
	dataLimit  = 16 << 20
	highWater  = 20 << 20
	hardLimit  = 64 << 20

	// writeLen is the most bytes of one write; accounting goes by writes.
	writeLen = 256 << 10

	// flushLen is the most bytes that the control loop writes itself.
	flushLen = 32 << 10

	// keepLen is the largest buffer that is kept for reuse.
	keepLen = 1 << 20
)

// weight says what becomes of a frame when the application reads slowly.
type weight uint8

const (
	weightMedia  weight = iota // dropped above mediaLimit
	weightData                 // dropped above dataLimit: messages that their sender was promised would arrive
	weightState                // dropped above hardLimit
	weightAnswer               // never dropped; the control loop waits above highWater
)

// drops counts what an application that reads slowly has lost, and the notifications that there was no room to hold until
// their object's creation is answered.
type drops struct{ media, data, logs, state, early uint64 }

// outbox holds the frames on their way to the application, in order, and knows the requests that have no response yet.
//
// Each response leaves when it exists. Only the notifications of an object wait for the response to the request that
// creates it (see barrier).
type outbox struct {
	encoder Encoder
	maxLen  int // bytes of a frame that the application can receive

	mu      sync.Mutex
	work    sync.Cond // the writer waits for frames
	room    sync.Cond // the control loop waits for space
	filling []byte    // frames that wait for the writer
	writing int       // bytes that the writer has taken but not written
	closed  bool      // nothing is taken any more

	// attended says that the control loop will call flush as soon as it has handled the request in hand, so that its
	// response need not wake the writer.
	attended bool

	debts    map[string]*debt    // by Router: its unanswered requests, but for those that close something
	barriers map[string]*barrier // by the ids of the objects that unanswered requests create
	held     int                 // bytes in barriers

	dropped drops
}

func newOutbox(e Encoder, maxLen int) *outbox {
	o := &outbox{encoder: e, maxLen: maxLen, debts: map[string]*debt{}, barriers: map[string]*barrier{}}
	o.work.L, o.room.L = &o.mu, &o.mu
	return o
}

// post queues a notification of the object with the given id, or a log. The error tells that it cannot be encoded; what is
// dropped for lack of space is counted.
func (o *outbox) post(id string, m api.MessageBody, w weight) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := o.barriers[id]; b != nil && !o.closed {
		return o.hold(b, m, w)
	}
	size := o.size()
	if o.closed || (w == weightMedia && size > mediaLimit) || (w == weightData && size > dataLimit) || size > hardLimit {
		o.count(m, w)
		return nil
	}
	var err error
	o.filling, err = o.encode(o.filling, m)
	o.work.Signal()
	return err
}

func (o *outbox) count(m api.MessageBody, w weight) {
	switch _, isLog := m.(*api.Log); {
	case o.closed:
	case isLog:
		o.dropped.logs++
	case w == weightMedia:
		o.dropped.media++
	case w == weightData:
		o.dropped.data++
	default:
		o.dropped.state++
	}
}

// encodeResponse appends r or, when that is impossible, an Error that says why.
func (o *outbox) encodeResponse(dst []byte, r *api.Response) ([]byte, error) {
	out, err := o.encode(dst, r)
	if err == nil {
		return out, nil
	}
	out, again := o.encode(dst, refusal(r.ID, fmt.Errorf("internal error: response cannot be sent: %w", err)))
	return out, errors.Join(err, again)
}

// encode appends m's frame to dst. On error, also when the encoder panics, dst is returned as it was.
func (o *outbox) encode(dst []byte, m api.MessageBody) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = dst, fmt.Errorf("the encoder panicked: %v", p)
		}
	}()
	out, err = o.encoder.AppendMessage(dst, m)
	if err == nil && len(out)-len(dst) > o.maxLen {
		err = fmt.Errorf("message longer than %d bytes", o.maxLen)
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// size returns the bytes that wait; mu is held.
func (o *outbox) size() int { return len(o.filling) + o.writing }

// waitForRoom returns when another request may be read, or the outbox has been closed.
func (o *outbox) waitForRoom() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.closed && o.size() > highWater {
		o.room.Wait()
	}
}

// attend announces that flush will be called after the request in hand.
func (o *outbox) attend() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attended = true
}

// flush writes what waits by try, which does not block and returns how many bytes it wrote, and leaves the rest to the writer.
// A lone request is then answered by the thread that has handled it; waking another one would cost more than the answer.
func (o *outbox) flush(try func([]byte) int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attended = false
	if o.writing == 0 && !o.closed && len(o.filling) > 0 && len(o.filling) <= flushLen {
		n := try(o.filling)
		o.filling = append(o.filling[:0], o.filling[n:]...)
	}
	if len(o.filling) > 0 {
		o.work.Signal()
	}
}

// take waits for frames and hands them to the writer, who gives back the buffer that it got before. It returns nil once the
// outbox is closed and empty.
func (o *outbox) take(back []byte) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.filling) == 0 && !o.closed {
		o.work.Wait()
	}
	if len(o.filling) == 0 {
		return nil
	}
	out := o.filling
	if cap(back) > keepLen {
		back = nil
	}
	o.filling, o.writing = back[:0], len(out)
	return out
}

// written tells that the writer has written n bytes of what it took, and returns what was dropped meanwhile, once the
// application has caught up.
func (o *outbox) written(n int) drops {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing -= n
	o.room.Signal()
	if len(o.filling)+o.writing > 0 {
		return drops{}
	}
	d := o.dropped
	o.dropped = drops{}
	return d
}

// close takes nothing any more. The writer finishes with what is queued.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.work.Broadcast()
	o.room.Broadcast()
}

// fail closes the outbox and forgets what is queued: there is nobody to read it.
func (o *outbox) fail() {
	o.close()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.filling, o.writing = nil, 0
}
