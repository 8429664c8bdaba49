package sctp

import (
	"slices"
	"time"

	"gazpacho/engine/unit"
)

// outMessage is a message to be sent, or the place in the queue where its stream is reset.
type outMessage struct {
	stream    *outStream
	next      *outMessage // in the stream's queue
	data      []byte
	ppid      uint32
	seq       uint32 // assigned with the first fragment
	fsn       uint32 // of the next fragment
	offset    int    // bytes of data that were sent
	limit     uint32 // transmissions of each chunk; 0: any number
	waited    uint32 // timeouts that it has waited
	expires   unit.Time
	unordered bool
	abandoned bool
	reset     bool
	first     tsn // the first and last chunk under way, if any is
	last      tsn
	chunks    int // under way
}

func (m *outMessage) expired(now unit.Time) bool { return now > m.expires }

// begun tells whether a part of it was sent.
func (m *outMessage) begun() bool { return m.offset > 0 }

// outStream is an outgoing stream.
type outStream struct {
	id        uint16
	ordered   uint32 // number of the next ordered message
	unordered uint32
	head      *outMessage
	tail      *outMessage
	buffered  uint32 // bytes that wait
	threshold uint32
	inTurn    bool
	resetting bool // until the peer has answered
	lastTSN   tsn  // of its chunks
	used      bool // lastTSN is one
	nextTurn  *outStream
}

func (s *outStream) push(m *outMessage) {
	if s.tail == nil {
		s.head = m
	} else {
		s.tail.next = m
	}
	s.tail = m
}

func (s *outStream) pop() {
	s.head = s.head.next
	if s.head == nil {
		s.tail = nil
	}
}

// queue is what waits to be sent. Streams take turns of a packet's size, so that a large transfer does not hold up a chat. If
// chunks of different messages may be mixed, a turn ends within a message, too (RFC 8260 section 3.5.1).
type queue struct {
	streams    map[uint16]*outStream
	head, tail *outStream // streams with something to send
	turn       int        // bytes that the first one has sent in its turn, headers included
	bytes      uint32
}

// stream finds or makes a stream.
func (q *queue) stream(id uint16, threshold uint32) *outStream {
	s := q.streams[id]
	if s == nil {
		if q.streams == nil {
			q.streams = map[uint16]*outStream{}
		}
		s = &outStream{id: id, threshold: threshold}
		q.streams[id] = s
	}
	return s
}

// enroll lets a stream take turns, if it has something to send.
func (q *queue) enroll(s *outStream) {
	if s.inTurn || s.resetting || s.head == nil {
		return
	}
	s.inTurn = true
	if q.tail == nil {
		q.head = s
	} else {
		q.tail.nextTurn = s
	}
	q.tail = s
}

// endTurn has the next stream go on; the first one goes to the end if it has more.
func (q *queue) endTurn() {
	s := q.head
	q.head, s.nextTurn, s.inTurn = s.nextTurn, nil, false
	q.turn = 0
	if q.head == nil {
		q.tail = nil
	}
	q.enroll(s)
}

// Send queues a message. Before the association is connected messages wait, as in mediasoup. The data is kept and must not be
// modified any more.
// Errors: ErrEmpty, ErrTooLarge, ErrSendBufferFull, ErrNotConnected.
func (a *Association) Send(now unit.Time, m Message, o SendOptions) error {
	switch {
	case len(m.Data) == 0:
		return ErrEmpty
	case len(m.Data) > int(a.cfg.MaxSendMessageSize):
		return ErrTooLarge
	case a.phase == phaseClosed || a.phase == phaseShutdown:
		return ErrNotConnected
	case a.queue.bytes >= a.cfg.SendBufferSize || a.BufferedAmount(m.StreamID) >= a.cfg.PerStreamSendQueueLimit:
		return ErrSendBufferFull // the last message may exceed the limit, as in mediasoup
	}
	s := a.outStream(m.StreamID)
	queued := &outMessage{stream: s, data: m.Data, ppid: m.PPID, unordered: !o.Ordered, expires: unit.Never}
	if o.MaxPacketLifeTime != nil {
		queued.expires = now.Add(time.Duration(*o.MaxPacketLifeTime) * time.Millisecond)
	}
	if o.MaxRetransmits != nil {
		queued.limit = uint32(*o.MaxRetransmits) + 1
	}
	s.push(queued)
	s.buffered += uint32(len(m.Data))
	a.queue.bytes += uint32(len(m.Data))
	a.queue.enroll(s)
	a.flush(now)
	return nil
}

func (a *Association) outStream(id uint16) *outStream {
	return a.queue.stream(id, a.cfg.DefaultStreamBufferedAmountLowThreshold)
}

// BufferedAmount returns how many bytes of a stream wait to be sent; those that were sent do not count.
func (a *Association) BufferedAmount(streamID uint16) uint32 {
	if s := a.queue.streams[streamID]; s != nil {
		return s.buffered
	}
	return 0
}

// BufferedAmountLowThreshold returns the threshold in bytes.
func (a *Association) BufferedAmountLowThreshold(streamID uint16) uint32 {
	if s := a.queue.streams[streamID]; s != nil {
		return s.threshold
	}
	return a.cfg.DefaultStreamBufferedAmountLowThreshold
}

// SetBufferedAmountLowThreshold sets the amount at which a stream's buffered data count as low (bytes).
func (a *Association) SetBufferedAmountLowThreshold(streamID uint16, v uint32) {
	s := a.outStream(streamID)
	if s.buffered > s.threshold && s.buffered <= v {
		a.tellLow(s)
	}
	s.threshold = v
}

// unbuffer takes bytes off the amounts that wait.
func (a *Association) unbuffer(s *outStream, n int) {
	before := s.buffered
	s.buffered -= uint32(n)
	a.queue.bytes -= uint32(n)
	if before > s.threshold && s.buffered <= s.threshold {
		a.tellLow(s)
	}
}

func (a *Association) tellLow(s *outStream) {
	if !slices.Contains(a.out.BufferedAmountLow, s.id) {
		a.out.BufferedAmountLow = append(a.out.BufferedAmountLow, s.id)
	}
}

// nextMessage returns the message of which a chunk is to be sent next; nil if nothing waits. On the way it drops what is too
// late, and takes streams out whose reset has come.
func (a *Association) nextMessage(now unit.Time) *outMessage {
	q := &a.queue
	for s := q.head; s != nil; s = q.head {
		m := s.head
		switch {
		case m == nil: // its last message was given up
			q.endTurn()
		case m.reset:
			a.reachReset(s)
		case m.expired(now) && a.peerCan(canForwardTSN):
			a.abandon(m)
		default:
			return m
		}
	}
	return nil
}

// reachReset takes a stream out of the turns: all before its reset was sent.
func (a *Association) reachReset(s *outStream) {
	s.pop()
	s.resetting = true
	a.queue.endTurn()
	a.resets.ready = append(a.resets.ready, s)
}

// cut takes the next fragment of a message, which may hold up to size bytes of user data.
func (a *Association) cut(m *outMessage, size int) (payload []byte, flags byte) {
	s := m.stream
	if !m.begun() {
		flags = flagBegin
		if m.unordered {
			m.seq = s.unordered
			s.unordered++
		} else {
			m.seq = s.ordered
			s.ordered++
		}
	}
	if m.unordered {
		flags |= flagUnordered
	}
	payload = m.data[m.offset:min(m.offset+size, len(m.data))]
	m.offset += len(payload)
	ended := m.offset == len(m.data)
	if ended {
		flags |= flagEnd
		s.pop()
	}
	a.queue.turn += a.dataHeader() + len(payload)
	if s.head == nil || (ended || a.interleaved()) && a.queue.turn >= int(a.cfg.MTU)/2 {
		a.queue.endTurn()
	}
	a.unbuffer(s, len(payload))
	return payload, flags
}

// discard drops what waits of a message.
func (a *Association) discard(m *outMessage) {
	if m.offset == len(m.data) {
		return
	}
	s := m.stream
	if s.head != m {
		panic("sctp: a message that was cut is not the first of its stream")
	}
	rest := len(m.data) - m.offset
	m.offset = len(m.data)
	s.pop()
	a.unbuffer(s, rest)
}

// age is called when the peer let a timeout pass. A message that waits behind it, and may be sent a few times only, has lost
// one of them: it could have been sent meanwhile, and would have been lost. So nothing stale is sent when the network is back.
func (a *Association) age() {
	if !a.peerCan(canForwardTSN) {
		return
	}
	for s := a.queue.head; s != nil; s = s.nextTurn {
		link := &s.head
		s.tail = nil
		for m := s.head; m != nil; m = *link {
			m.waited++
			if m.limit != 0 && m.waited > m.limit && !m.begun() {
				*link = m.next
				a.counters.MessagesExpired++
				a.unbuffer(s, len(m.data))
				continue
			}
			s.tail, link = m, &m.next
		}
	}
}

// rewind makes the queue as it was before anything was sent, for a peer that begins anew: a message of which only a part was
// sent waits as a whole, and what was sent as a whole is gone. Streams need no reset any more.
func (a *Association) rewind() {
	for s := a.queue.head; s != nil; s = a.queue.head { // begin with no one's turn
		a.queue.head, s.nextTurn, s.inTurn = s.nextTurn, nil, false
	}
	a.queue.tail, a.queue.turn = nil, 0
	for _, s := range a.queue.streams {
		s.ordered, s.unordered, s.resetting, s.used = 0, 0, false, false
		if m := s.head; m != nil && m.begun() {
			s.buffered += uint32(m.offset)
			a.queue.bytes += uint32(m.offset)
			m.offset, m.fsn, m.chunks = 0, 0, 0
		}
		a.queue.enroll(s)
	}
}
