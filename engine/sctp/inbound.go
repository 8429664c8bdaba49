package sctp

import (
	"container/heap"
	"maps"
	"slices"
)

// inbound puts what is received in order: chunks into messages, messages into the order of their streams.
//
// What waits is bounded by the receive window (cost). Beside that, a stream with ordered messages costs a few bytes, and there
// are 65536 of them at most.
type inbound struct {
	out         *Output
	counters    *Counters
	maxSize     int // of a message
	interleaved bool

	runs     runs                        // messages of DATA that are not complete
	partials map[partialKey]*message     // those of I-DATA
	next     map[uint16]uint32           // number of the next ordered message, of streams that had one
	waiting  map[streamKey]*messageQueue // messages that wait for the rest of them, or for others
	queued   int                         // what the waiting ones cost
}

func (in *inbound) cost() int { return in.runs.cost + in.queued }

// partialKey names a message of I-DATA.
type partialKey struct {
	streamKey
	seq uint32
}

// streamKey is one of the two sequences of messages in a stream (RFC 8260 section 2.1).
type streamKey struct {
	id        uint16
	unordered bool
}

// message is one that waits: for the rest of it (I-DATA), or for those before it.
type message struct {
	seq     uint32
	index   int // in the queue
	partial *partial
	ppid    uint32
	data    []byte // nil: dropped for its size
	cost    int
}

// messageQueue is the messages of a stream that wait, the first one on top.
type messageQueue []*message

func (q messageQueue) Len() int           { return len(q) }
func (q messageQueue) Less(i, j int) bool { return int32(q[i].seq-q[j].seq) < 0 }
func (q messageQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *messageQueue) Push(x any) {
	m := x.(*message)
	m.index = len(*q)
	*q = append(*q, m)
}

func (q *messageQueue) Pop() any {
	last := len(*q) - 1
	m := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return m
}

// handle takes a chunk that did not come before.
func (in *inbound) handle(d *dataChunk) {
	switch {
	case d.begin() && d.end():
		if len(d.payload) > in.maxSize {
			in.arrive(d, nil)
		} else {
			in.arrive(d, slices.Clone(d.payload))
		}
	case in.interleaved:
		in.handlePart(d)
	default:
		in.handleFragment(d)
	}
}

// handleFragment takes a fragment of DATA.
func (in *inbound) handleFragment(d *dataChunk) {
	whole := in.runs.add(d, in.maxSize)
	switch {
	case whole == nil:
		in.counters.Malformed++
	case whole.begin && whole.end:
		in.runs.remove(whole)
		in.arrive(&whole.chunk, whole.data())
	}
}

// handlePart takes a fragment of I-DATA.
func (in *inbound) handlePart(d *dataChunk) {
	key := partialKey{streamKey{d.stream, d.unordered()}, d.seq}
	m := in.partials[key]
	if m == nil {
		if !d.unordered() && int32(d.seq-in.next[d.stream]) < 0 {
			in.counters.Malformed++ // long delivered, or skipped
			return
		}
		m = &message{seq: d.seq, partial: &partial{}}
		if in.partials == nil {
			in.partials = map[partialKey]*message{}
		}
		in.partials[key] = m
		in.wait(key.streamKey, m, messageCost)
	}
	if m.partial == nil {
		in.counters.Malformed++ // it was complete
		return
	}
	more := m.partial.add(d, in.maxSize)
	m.cost += more
	in.queued += more
	if m.partial.complete() {
		in.completePart(key, m)
	}
}

// completePart takes a message of which the last fragment came.
func (in *inbound) completePart(key partialKey, m *message) {
	data, ok := m.partial.data()
	if !ok && !m.partial.dropped {
		in.counters.Malformed++
	}
	m.ppid, m.data, m.partial = m.partial.ppid, data, nil
	if key.unordered {
		in.unqueue(key.streamKey, m)
		in.deliver(key.id, m)
		return
	}
	in.advance(key.id)
}

// arrive takes a complete message; data is nil when it was too large.
func (in *inbound) arrive(d *dataChunk, data []byte) {
	m := message{ppid: d.ppid, data: data}
	if d.unordered() {
		in.deliver(d.stream, &m)
		return
	}
	next := in.next[d.stream]
	if m.seq = d.seq; !in.interleaved {
		m.seq = unwrap(next, d.seq)
	}
	switch after := int32(m.seq - next); {
	case after < 0:
		in.counters.Malformed++ // long delivered, or skipped
	case after > 0:
		queued := m
		in.wait(streamKey{id: d.stream}, &queued, len(data)+messageCost)
	default:
		in.deliver(d.stream, &m)
		in.setNext(d.stream, next+1)
		if len(in.waiting) > 0 {
			in.advance(d.stream)
		}
	}
}

// unwrap makes a number of 16 bits the one of 32 that is nearest to next.
func unwrap(next, seq uint32) uint32 { return next + uint32(int32(int16(uint16(seq)-uint16(next)))) }

func (in *inbound) setNext(stream uint16, next uint32) {
	if in.next == nil {
		in.next = map[uint16]uint32{}
	}
	in.next[stream] = next
}

// deliver hands a message to the owner.
func (in *inbound) deliver(stream uint16, m *message) {
	if m.data == nil {
		in.counters.MessageTooLarge++
		return
	}
	in.out.Messages = append(in.out.Messages, Message{StreamID: stream, PPID: m.ppid, Data: slices.Clip(m.data)})
}

// wait enters a message that cannot be delivered yet.
func (in *inbound) wait(key streamKey, m *message, cost int) {
	q := in.waiting[key]
	if q == nil {
		if in.waiting == nil {
			in.waiting = map[streamKey]*messageQueue{}
		}
		q = &messageQueue{}
		in.waiting[key] = q
	}
	m.cost = cost
	in.queued += cost
	heap.Push(q, m)
}

// unqueue takes a message out.
func (in *inbound) unqueue(key streamKey, m *message) {
	q := in.waiting[key]
	heap.Remove(q, m.index)
	in.queued -= m.cost
	delete(in.partials, partialKey{key, m.seq})
	if len(*q) == 0 {
		delete(in.waiting, key)
	}
}

// first returns the first message of a stream that waits; nil if there is none.
func (in *inbound) first(key streamKey) *message {
	if q := in.waiting[key]; q != nil {
		return (*q)[0]
	}
	return nil
}

// advance delivers the messages of a stream whose turn it is.
func (in *inbound) advance(stream uint16) {
	key := streamKey{id: stream}
	next := in.next[stream]
	for m := in.first(key); m != nil && m.partial == nil && m.seq == next; m = in.first(key) {
		in.unqueue(key, m)
		in.deliver(stream, m)
		next++
	}
	in.setNext(stream, next)
}

// skip ends the wait for messages that the peer gave up (RFC 3758 section 3.6, RFC 8260 section 2.3.1). Those that are
// complete are delivered.
func (in *inbound) skip(s skippedStream) {
	key := streamKey{s.id, s.unordered}
	last := s.seq
	if !in.interleaved {
		last = unwrap(in.next[s.id], s.seq)
	}
	if !s.unordered && int32(last-in.next[s.id]) < 0 {
		return
	}
	for m := in.first(key); m != nil && int32(m.seq-last) <= 0; m = in.first(key) {
		in.unqueue(key, m)
		if m.partial == nil {
			in.deliver(s.id, m)
		}
	}
	if !s.unordered {
		in.setNext(s.id, last+1)
		in.advance(s.id)
	}
}

// reset begins a stream anew (RFC 6525 section 5.2.2). What waits cannot be completed any more.
func (in *inbound) reset(stream uint16) {
	delete(in.next, stream)
	for _, unordered := range []bool{false, true} {
		key := streamKey{stream, unordered}
		for m := in.first(key); m != nil; m = in.first(key) {
			in.unqueue(key, m)
		}
	}
}

// streams returns the streams that have a state, sorted.
func (in *inbound) streams() []uint16 {
	ids := slices.Collect(maps.Keys(in.next))
	for key := range in.waiting {
		ids = append(ids, key.id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
