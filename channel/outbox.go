package channel

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"gazpacho/engine/api"
)

// DefaultMediaLimit, chosen here, is how many bytes may wait for the application before media is dropped: 25 s of 10 Mbit/s, far more
// than any pause of Node's event loop that a recorder should survive.
const DefaultMediaLimit = 32 << 20

// limits are how many bytes may wait for the application before something stops. Each is below the next one: as media and data stop
// first, the control loop goes on when an application reads too slowly for what it has asked for.
type limits struct{ media, data, highWater, hard int }

// newLimits returns the limits above that of media. The distances between them are chosen here.
func newLimits(media int) limits {
	return limits{media: media, data: media + 15<<20, highWater: media + 19<<20, hard: media + 63<<20}
}

// Chosen here:
const (
	// chunkLen is how many bytes are collected before a further buffer is begun: one for all that may wait would be copied each time
	// it grows.
	chunkLen = 1 << 20

	// writeLen is the most bytes of one write; accounting goes by writes.
	writeLen = 256 << 10

	// flushLen is the most bytes that the control loop writes itself.
	flushLen = 32 << 10

	// keepLen is the largest buffer that is kept for reuse.
	keepLen = 2 << 20
)

// weight says what becomes of a frame when the application reads slowly.
type weight uint8

const (
	weightMedia  weight = iota // dropped above limits.media
	weightData                 // dropped above limits.data: messages that their sender was promised would arrive
	weightState                // dropped above limits.hard
	weightAnswer               // never dropped; the control loop waits above limits.highWater
)

// drops counts what an application that reads slowly has lost, and the notifications that there was no room to hold until
// their object's creation is answered.
type drops struct {
	media, data, logs, state, early uint64
	of                              []string // the first of the objects whose media, data or state was lost
}

// maxNamed is how many objects a report of losses names. Chosen here.
const maxNamed = 4

// slow returns how many messages were lost because the application reads slowly.
func (d *drops) slow() uint64 { return d.media + d.data + d.logs + d.state }

// outbox holds the frames on their way to the application, in order, and knows the requests that have no response yet.
//
// Each response leaves when it exists. Only the notifications of an object wait for the response to the request that
// creates it (see barrier).
type outbox struct {
	encoder Encoder
	maxLen  int // bytes of a frame that the application can receive
	limits  limits

	mu      sync.Mutex
	work    sync.Cond // the writer waits for frames
	room    sync.Cond // the control loop waits for space
	full    [][]byte  // frames that wait for the writer, in buffers of about chunkLen
	fullLen int       // bytes in them
	filling []byte    // the frames behind them
	writing int       // bytes that the writer has taken but not written
	closed  bool      // nothing is taken any more

	// attended says that the control loop will call flush as soon as it has handled the request in hand, so that its
	// response need not wake the writer.
	attended bool

	debts    map[string]*debt    // by Router: its unanswered requests, but for those that close something
	barriers map[string]*barrier // by the ids of the objects that unanswered requests create
	held     int                 // bytes in barriers

	dropped drops   // since the last report
	before  Dropped // until then
}

func newOutbox(e Encoder, maxLen, mediaLimit int) *outbox {
	o := &outbox{encoder: e, maxLen: maxLen, limits: newLimits(mediaLimit), debts: map[string]*debt{}, barriers: map[string]*barrier{}}
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
	size, l := o.size(), &o.limits
	if o.closed || (w == weightMedia && size > l.media) || (w == weightData && size > l.data) || size > l.hard {
		o.count(id, m, w)
		return nil
	}
	o.makeRoom()
	var err error
	o.filling, err = o.encode(o.filling, m)
	o.work.Signal()
	return err
}

// makeRoom begins a further buffer when the present one has its length.
func (o *outbox) makeRoom() {
	if len(o.filling) >= chunkLen {
		o.full, o.fullLen = append(o.full, o.filling), o.fullLen+len(o.filling)
		o.filling = make([]byte, 0, chunkLen+chunkLen/8)
	}
}

// count counts a message that is dropped.
func (o *outbox) count(id string, m api.MessageBody, w weight) {
	_, isLog := m.(*api.Log)
	if d := &o.dropped; !o.closed && !isLog && len(d.of) < maxNamed && !slices.Contains(d.of, id) {
		d.of = append(d.of, id)
	}
	switch {
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

// queued returns the bytes that wait for the writer, and size all that wait; mu is held.
func (o *outbox) queued() int { return o.fullLen + len(o.filling) }

func (o *outbox) size() int { return o.queued() + o.writing }

// waitForRoom returns when another request may be read, or the outbox has been closed.
func (o *outbox) waitForRoom() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.closed && o.size() > o.limits.highWater {
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
	if n := o.queued(); o.writing == 0 && !o.closed && n > 0 && n <= flushLen { // so it is all in filling
		n := try(o.filling)
		o.filling = append(o.filling[:0], o.filling[n:]...)
	}
	if o.queued() > 0 {
		o.work.Signal()
	}
}

// take waits for frames and hands them to the writer, who gives back the buffer that it got before. It returns nil once the
// outbox is closed and empty.
func (o *outbox) take(back []byte) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.queued() == 0 && !o.closed {
		o.work.Wait()
	}
	if o.queued() == 0 {
		return nil
	}
	if len(o.full) > 0 {
		out := o.full[0]
		o.full[0] = nil
		o.full, o.fullLen, o.writing = o.full[1:], o.fullLen-len(out), len(out)
		return out
	}
	o.full = nil
	out := o.filling
	if cap(back) > keepLen {
		back = nil
	}
	o.filling, o.writing = back[:0], len(out)
	return out
}

// written tells that the writer has written n bytes of what it took, and returns what was dropped meanwhile, once there is room
// again to say so: an application that is always a little too slow never catches up.
func (o *outbox) written(n int) drops {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing -= n
	o.room.Signal()
	if o.size() > o.limits.media/2 {
		return drops{}
	}
	d := o.dropped
	o.before, o.dropped = o.allDropped(), drops{}
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
	o.full, o.fullLen, o.filling, o.writing = nil, 0, nil, 0
}
