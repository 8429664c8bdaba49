package channel

import (
	"errors"
	"fmt"
	"sync"

	"gazpacho/engine/api"
)

// Ours: bytes that wait for the application, and requests that wait for the worker. Each limit is below the next one: as
// media and data stop first, the control loop goes on when an application reads too slowly for what it has asked for.
const (
	mediaLimit = 1 << 20
	dataLimit  = 16 << 20
	highWater  = 20 << 20
	hardLimit  = 64 << 20

	// maxUnanswered is how many requests the worker may leave unanswered before the control loop waits for it.
	maxUnanswered = 4096

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

// drops counts what an application that reads slowly has lost.
type drops struct{ media, data, logs, state uint64 }

// outbox holds the frames on their way to the application, in order, and the requests that have no response yet.
//
// A response that comes before those of earlier requests is held back; then so are the notifications that follow it, as
// they may speak of what the response announces.
type outbox struct {
	encoder Encoder
	maxLen  int // bytes of a frame that the application can receive

	mu      sync.Mutex
	work    sync.Cond // the writer waits for frames
	room    sync.Cond // the control loop waits for space
	filling []byte    // frames that wait for the writer
	writing int       // bytes that the writer has taken but not written
	held    int       // bytes in slots
	closed  bool      // nothing is taken any more

	// attended says that the control loop will call flush as soon as it has handled the request in hand, so that its
	// response need not wake the writer.
	attended bool

	slots    []slot // of unanswered requests, and of those held back, in order; slots[head] is the oldest
	head     int
	first    uint64 // number of the request in slots[head]
	lastHeld uint64 // number of the youngest request whose response is held back; valid while held > 0

	dropped drops
}

// slot is the place of a request's response.
type slot struct {
	answered bool
	frames   []byte // the response and the notifications after it
}

func newOutbox(e Encoder, maxLen int) *outbox {
	o := &outbox{encoder: e, maxLen: maxLen, first: 1}
	o.work.L, o.room.L = &o.mu, &o.mu
	return o
}

// expect notes a request and returns its number.
func (o *outbox) expect() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.slots = append(o.slots, slot{})
	return o.first + uint64(len(o.slots)-o.head) - 1
}

// answer queues the response to request number n. When it cannot be encoded, the application gets an Error response
// instead, and the caller the reason. ok is false when the request has been answered before.
func (o *outbox) answer(n uint64, r *api.Response) (ok bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n < o.first || o.slots[o.head+int(n-o.first)].answered {
		return false, nil
	}
	s := &o.slots[o.head+int(n-o.first)]
	s.answered = true
	if o.closed {
		return true, nil
	}
	if n == o.first {
		o.filling, err = o.encodeResponse(o.filling, r)
		o.release()
		if !o.attended {
			o.work.Signal()
		}
		return true, err
	}
	s.frames, err = o.encodeResponse(nil, r)
	o.held += len(s.frames)
	o.lastHeld = max(o.lastHeld, n)
	return true, err
}

// release takes answered requests off the front, with what was held back behind them.
func (o *outbox) release() {
	for o.head < len(o.slots) && o.slots[o.head].answered {
		s := &o.slots[o.head]
		o.filling = append(o.filling, s.frames...)
		o.held -= len(s.frames)
		*s = slot{}
		o.head++
		o.first++
	}
	switch {
	case o.head == len(o.slots):
		o.slots, o.head = o.slots[:0], 0
	case o.head >= maxUnanswered:
		o.slots = append(o.slots[:0], o.slots[o.head:]...)
		o.head = 0
	}
	o.room.Signal()
}

// post queues a notification or a log. The error tells that it cannot be encoded; what is dropped for lack of space is
// counted.
func (o *outbox) post(m api.MessageBody, w weight) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := o.size()
	if o.closed || (w == weightMedia && size > mediaLimit) || (w == weightData && size > dataLimit) || size > hardLimit {
		o.count(m, w)
		return nil
	}
	if o.held > 0 {
		s := &o.slots[o.head+int(o.lastHeld-o.first)]
		before := len(s.frames)
		var err error
		s.frames, err = o.encode(s.frames, m)
		o.held += len(s.frames) - before
		return err
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
func (o *outbox) size() int { return len(o.filling) + o.writing + o.held }

// waitForRoom returns when another request may be read, or the outbox has been closed.
func (o *outbox) waitForRoom() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.closed && (o.size() > highWater || len(o.slots)-o.head >= maxUnanswered) {
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
