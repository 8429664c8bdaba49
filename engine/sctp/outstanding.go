package sctp

import (
	"gazpacho/engine/unit"
)

// chunkState says where a chunk under way is.
type chunkState uint8

const (
	stateInFlight  chunkState = iota // sent, and neither acknowledged nor lost
	stateLost                        // to be sent again
	stateAcked                       // by a gap block; the cumulative number has not come there
	stateAbandoned                   // given up; the peer has to skip it
)

// sentChunk is a chunk under way: its number was assigned, and the peer has not acknowledged all before it.
type sentChunk struct {
	message       *outMessage
	payload       []byte // of the message; nil once acknowledged
	sentAt        unit.Time
	order         uint32 // of its last transmission among all transmissions
	fsn           uint32
	before, after tsn // in the list of its state: in flight, or lost
	nextOfMessage tsn
	transmissions uint16
	flags         byte
	state         chunkState
}

// chunkList is a list through the chunks under way.
type chunkList struct {
	first, last tsn
	n           int
}

// maxOutstanding is how many chunks may be under way, chosen here: 15,000 are 100,000 messages in a second over 150 ms. They
// take about 1.5 MB.
const maxOutstanding = 1 << 14

// outstanding is what is under way, by number. Chunks in flight are listed in the order in which they were sent last, so that
// the oldest is found at once; lost ones in the order in which they are to be sent again.
//
// What a gap block acknowledges counts as delivered: its data is gone. (RFC 9260 section 6.2.1 allows peers to take it back,
// which none of those that speak WebRTC does.)
type outstanding struct {
	cumulative tsn         // acknowledged
	next       tsn         // number of the next chunk
	ring       []sentChunk // a power of two
	open       tsnSet      // those not acknowledged by gap blocks
	inFlight   chunkList
	lost       chunkList
	flight     int // bytes in flight, headers included
	payload    int // bytes of user data in flight
	acked      int // chunks acknowledged by gap blocks
	abandoned  int // chunks given up
	order      uint32
	passed     tsn  // findSkip has looked up to here
	skipTo     tsn  // the last chunk that the peer has to skip
	told       tsn  // up to where it was told so
	cut        bool // the packet had no room to tell more: the rest has to wait until the peer has come to told
}

func (o *outstanding) init(first tsn) {
	*o = outstanding{cumulative: first - 1, next: first, passed: first - 1, skipTo: first - 1, told: first - 1}
}

func (o *outstanding) count() int { return int(o.next - 1 - o.cumulative) }

func (o *outstanding) at(t tsn) *sentChunk { return &o.ring[uint32(t)&uint32(len(o.ring)-1)] }

// add assigns the next number. The chunk is in no list.
func (o *outstanding) add() (t tsn, c *sentChunk) {
	if o.count() == len(o.ring) {
		o.grow()
	}
	t = o.next
	o.next++
	o.open.reserve(o.cumulative+1, o.count())
	o.open.add(t)
	c = o.at(t)
	*c = sentChunk{}
	return t, c
}

func (o *outstanding) grow() {
	old := *o
	o.ring = make([]sentChunk, max(keptRing, 4*len(o.ring)))
	for t := o.cumulative + 1; t != o.next; t++ {
		*o.at(t) = *old.at(t)
	}
}

// keptRing is how large the ring stays when nothing is under way.
const keptRing = 4

// pop takes the oldest chunk out, which is acknowledged.
func (o *outstanding) pop() {
	o.cumulative++
	o.acked--
	c := o.at(o.cumulative)
	if m := c.message; m != nil {
		m.chunks--
		m.first = c.nextOfMessage
	}
	o.open.remove(o.cumulative)
	*c = sentChunk{}
	if o.count() == 0 && len(o.ring) > keptRing {
		o.ring, o.open = nil, tsnSet{}
	}
}

// push puts a chunk at the end of a list.
func (o *outstanding) push(l *chunkList, t tsn) {
	c := o.at(t)
	if l.n == 0 {
		l.first = t
	} else {
		c.before = l.last
		o.at(l.last).after = t
	}
	l.last = t
	l.n++
}

// unlink takes a chunk out of a list.
func (o *outstanding) unlink(l *chunkList, t tsn) {
	c := o.at(t)
	if t == l.first {
		l.first = c.after
	} else {
		o.at(c.before).after = c.after
	}
	if t == l.last {
		l.last = c.before
	} else {
		o.at(c.after).before = c.before
	}
	l.n--
}

// wireSize returns how many bytes a chunk takes in a packet.
func (a *Association) wireSize(c *sentChunk) int {
	return padded(a.dataHeader() + len(c.payload))
}

// launch enters a chunk as sent now.
func (a *Association) launch(now unit.Time, t tsn) {
	o := &a.sent
	c := o.at(t)
	c.state, c.sentAt, c.order = stateInFlight, now, o.order
	o.order++
	c.transmissions++
	o.push(&o.inFlight, t)
	o.flight += a.wireSize(c)
	o.payload += len(c.payload)
}

// land takes a chunk out of the list that it is in.
func (a *Association) land(t tsn) {
	o := &a.sent
	switch c := o.at(t); c.state {
	case stateInFlight:
		o.unlink(&o.inFlight, t)
		o.flight -= a.wireSize(c)
		o.payload -= len(c.payload)
	case stateLost:
		o.unlink(&o.lost, t)
	}
}

// lose marks a chunk in flight as lost: it is sent again, or its message is given up.
func (a *Association) lose(now unit.Time, t tsn) {
	c := a.sent.at(t)
	if a.isLast(now, c) {
		a.abandon(c.message)
		return
	}
	a.land(t)
	c.state = stateLost
	a.sent.push(&a.sent.lost, t)
}

// isLast tells whether a chunk must not be sent any more.
func (a *Association) isLast(now unit.Time, c *sentChunk) bool {
	m := c.message
	return a.peerCan(canForwardTSN) && (m.limit != 0 && uint32(c.transmissions) >= m.limit || m.expired(now))
}

// abandon gives a message up (RFC 3758 section 3.5): all of it.
func (a *Association) abandon(m *outMessage) {
	a.counters.MessagesExpired++
	if m.begun() && m.offset < len(m.data) {
		a.addEnd(m)
	}
	a.discard(m)
	o := &a.sent
	for t, n := m.first, m.chunks; n > 0; n-- {
		c := o.at(t)
		if c.state == stateInFlight || c.state == stateLost {
			a.land(t)
			c.state, c.payload = stateAbandoned, nil
			o.abandoned++
		}
		t = c.nextOfMessage
	}
}

// addEnd assigns a number to the rest of a message that is given up, and does not send it. The peer may have all that was sent
// and would not see that the message ends there; skipping the number tells it.
func (a *Association) addEnd(m *outMessage) {
	t, c := a.sent.add()
	c.message, c.flags = m, flagEnd
	if m.unordered {
		c.flags |= flagUnordered
	}
	c.state = stateAbandoned
	a.sent.abandoned++
	a.enlist(m, t)
}

// enlist makes a chunk the last one of its message.
func (a *Association) enlist(m *outMessage, t tsn) {
	if m.chunks == 0 {
		m.first = t
	} else {
		a.sent.at(m.last).nextOfMessage = t
	}
	m.last = t
	m.chunks++
	m.stream.lastTSN, m.stream.used = t, true
}

// findSkip moves skipTo over what was given up. Between the abandoned chunks may be some that the peer has (RFC 3758
// section 3.5, by which every row of abandoned chunks costs a round trip, is stricter than it needs to be). Each chunk is
// passed once.
func (o *outstanding) findSkip() {
	if o.passed.before(o.cumulative) {
		o.passed = o.cumulative
	}
	for ; o.passed+1 != o.next; o.passed++ {
		switch o.at(o.passed + 1).state {
		case stateAcked:
		case stateAbandoned:
			o.skipTo = o.passed + 1
		default:
			return
		}
	}
}

// mustSkip tells whether the peer has something to skip.
func (o *outstanding) mustSkip() bool { return o.abandoned > 0 && o.skipTo.after(o.cumulative) }

// skipped returns up to which number the peer has to skip now, and which streams up to which message, limit of them at most.
func (o *outstanding) skipped(limit int, interleaved bool) (to tsn, streams []skippedStream) {
	known := map[streamKey]int{}
	for to = o.cumulative; to != o.skipTo; to++ {
		c := o.at(to + 1)
		unordered := c.flags&flagUnordered != 0
		if c.state != stateAbandoned || unordered && !interleaved {
			continue
		}
		key := streamKey{c.message.stream.id, unordered}
		i, have := known[key]
		switch {
		case have:
			streams[i].seq = c.message.seq
		case len(streams) == limit:
			return to, streams
		default:
			known[key] = len(streams)
			streams = append(streams, skippedStream{key.id, unordered, c.message.seq})
		}
	}
	return to, streams
}
