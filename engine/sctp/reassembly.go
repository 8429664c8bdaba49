package sctp

import "slices"

// Chosen here: what fragments count for beside their bytes, so that the receive window bounds the memory they take and not
// only what is in them.
const (
	fragmentCost = 128
	messageCost  = 256
)

// segment is a piece of a message: fragments that came in order.
type segment struct {
	data []byte
	next *segment
}

// extend appends to data, whose room doubles when it must grow: large messages come in hundreds of fragments.
func extend(data, more []byte) []byte {
	if n := len(data) + len(more); n > cap(data) {
		data = append(make([]byte, 0, max(n, 2*cap(data))), data...)
	}
	return append(data, more...)
}

// run is a row of fragments of one message whose numbers follow each other: a part of a message, or all of it.
type run struct {
	chunk       dataChunk // of the first fragment, without payload
	first, last tsn
	begin, end  bool
	head, tail  *segment
	size        int // bytes of user data
	cost        int
	dropped     bool // the message is too large: its data is gone
}

// runs assembles messages from DATA chunks. Their fragments have no numbers of their own: they are those with consecutive TSNs
// from one with the B bit to one with the E bit (RFC 9260 section 6.9). A chunk costs a few look-ups, in whatever order they
// come.
//
// A sender that gives a message up begins the next one behind it, so that a row of fragments may meet neighbours of another
// message. What cannot become a message any more is dropped.
type runs struct {
	byFirst, byLast map[tsn]*run
	cost            int
}

// add takes a fragment and returns the run that it belongs to now; nil when it was dropped.
func (r *runs) add(d *dataChunk, maxSize int) *run {
	before, after := r.byLast[d.tsn-1], r.byFirst[d.tsn+1]
	if before != nil && before.end && !d.begin() || after != nil && after.begin && !d.end() {
		return nil
	}
	if before != nil && !before.end && (d.begin() || !before.sameMessage(d)) {
		r.remove(before)
		before = nil
	}
	if after != nil && !after.begin && (d.end() || !after.sameMessage(d)) {
		r.remove(after)
		after = nil
	}
	if d.begin() {
		before = nil
	}
	if d.end() {
		after = nil
	}
	return r.insert(d, before, after, maxSize)
}

// insert puts a fragment between the runs that it continues and is continued by, either of which may be nil.
func (r *runs) insert(d *dataChunk, before, after *run, maxSize int) *run {
	whole := before
	if whole == nil {
		whole = &run{chunk: *d, first: d.tsn, begin: d.begin(), cost: messageCost}
		whole.chunk.payload = nil
	} else {
		r.remove(before)
	}
	whole.push(d.payload)
	whole.last, whole.end = d.tsn, d.end()
	if after != nil {
		r.remove(after)
		whole.join(after)
	}
	if whole.size > maxSize {
		whole.drop()
	}
	r.enter(whole)
	return whole
}

func (r *runs) enter(whole *run) {
	if r.byFirst == nil {
		r.byFirst, r.byLast = map[tsn]*run{}, map[tsn]*run{}
	}
	r.byFirst[whole.first], r.byLast[whole.last] = whole, whole
	r.cost += whole.cost
}

// remove takes a run out.
func (r *runs) remove(whole *run) {
	delete(r.byFirst, whole.first)
	delete(r.byLast, whole.last)
	r.cost -= whole.cost
}

// forget drops the run that t belongs to, if t is its first or last number.
func (r *runs) forget(t tsn) {
	if whole := r.byFirst[t]; whole != nil {
		r.remove(whole)
	}
	if whole := r.byLast[t]; whole != nil {
		r.remove(whole)
	}
}

func (r *run) sameMessage(d *dataChunk) bool {
	return r.chunk.stream == d.stream && r.chunk.unordered() == d.unordered() && (d.unordered() || r.chunk.seq == d.seq)
}

// push appends user data.
func (r *run) push(payload []byte) {
	r.size += len(payload)
	switch {
	case r.dropped:
		return
	case r.tail != nil:
		r.tail.data = extend(r.tail.data, payload)
		r.cost += len(payload)
		return
	}
	r.head = &segment{data: slices.Clone(payload)}
	r.tail = r.head
	r.cost += len(payload) + fragmentCost
}

// join appends the run that follows.
func (r *run) join(after *run) {
	r.last, r.end = after.last, after.end
	r.size += after.size
	r.cost += after.cost
	if r.dropped || after.dropped {
		r.drop()
		return
	}
	r.tail.next, r.tail = after.head, after.tail
}

// drop forgets the data of a message that is too large; the rest of it is only counted.
func (r *run) drop() {
	r.dropped, r.head, r.tail, r.cost = true, nil, nil, messageCost
}

// data returns the message; nil if it was dropped.
func (r *run) data() []byte {
	if r.dropped {
		return nil
	}
	if r.head == r.tail {
		return r.head.data
	}
	b := make([]byte, 0, r.size)
	for s := r.head; s != nil; s = s.next {
		b = append(b, s.data...)
	}
	return b
}
