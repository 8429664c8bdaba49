package sctp

import (
	"encoding/binary"
	"math"
	"time"

	pion "github.com/pion/sctp"
)

// nobody is an id inside pion that is never given to a stream.
const nobody = math.MaxUint16

// streams maps stream ids on the wire to ids inside pion, for each direction: even ones are outgoing, odd ones incoming.
type streams struct {
	in       map[uint16]*inStream  // by id on the wire
	inInner  map[uint16]*inStream  // by id inside pion
	out      map[uint16]*outStream // by id on the wire
	outInner map[uint16]*outStream // by id inside pion; until the peer has answered a reset
	sink     *inStream             // takes what comes on too many incoming streams; nil until that happens
	nextIn   uint16
	nextOut  uint16

	touched   []*inStream         // those that the packet which pion reads may complete messages of
	resetting []*inStream         // those that the peer is closing
	window    *tsnWindow          // nil until connected
	lastReset *uint32             // sequence number of the peer's last request that was performed
	requests  map[uint32][]uint16 // our reset requests by sequence number: ids inside pion
	answered  []uint16            // ids inside pion whose reset was answered by the packet which pion reads
}

type inStream struct {
	id, inner uint16
	stream    *pion.Stream
	closing   bool
}

// longAgo makes reads return at once when there is nothing to read.
var longAgo = time.Unix(1, 0)

// inStream finds or opens an incoming stream; nil when there are too many.
func (a *Association) inStream(id uint16) *inStream {
	s := &a.streams
	if in := s.in[id]; in != nil {
		return in
	}
	if len(s.in) >= maxInStreams {
		return nil
	}
	in := a.openIn(id)
	if in == nil {
		return nil
	}
	if s.in == nil {
		s.in = map[uint16]*inStream{}
	}
	s.in[id] = in
	return in
}

// openIn gives an incoming stream its counterpart inside pion; nil when the association is over.
func (a *Association) openIn(id uint16) *inStream {
	s := &a.streams
	for s.inInner[2*s.nextIn+1] != nil || 2*s.nextIn+1 == nobody {
		s.nextIn++
	}
	inner := 2*s.nextIn + 1
	s.nextIn++
	stream, err := a.pion.OpenStream(inner, pion.PayloadTypeUnknown)
	if err != nil {
		return nil
	}
	_ = stream.SetReadDeadline(longAgo) // cannot fail on a new stream
	in := &inStream{id: id, inner: inner, stream: stream}
	if s.inInner == nil {
		s.inInner = map[uint16]*inStream{}
	}
	s.inInner[inner] = in
	return in
}

func (s *streams) removeIn(in *inStream) {
	delete(s.in, in.id)
	delete(s.inInner, in.inner)
}

// openOut gives an outgoing stream its counterpart inside pion.
func (a *Association) openOut(o *outStream) bool {
	s := &a.streams
	if len(s.outInner) >= math.MaxUint16/2 {
		return false
	}
	for s.outInner[2*s.nextOut] != nil {
		s.nextOut++
	}
	inner := 2 * s.nextOut
	s.nextOut++
	stream, err := a.pion.OpenStream(inner, pion.PayloadTypeUnknown)
	if err != nil {
		return false // the association is over
	}
	o.stream, o.inner, o.reliability = stream, inner, reliability{}
	if s.outInner == nil {
		s.outInner = map[uint16]*outStream{}
	}
	s.outInner[inner] = o
	return true
}

// translateIn replaces stream ids in a piece that comes in, and notes which streams it concerns. It returns false when the
// piece must be dropped.
func (a *Association) translateIn(from *conn, p []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != from {
		return true // the handshake's chunks name no streams
	}
	ok := true
	eachChunk(p, func(c chunk) bool {
		switch c.typ() {
		case chunkData:
			ok = a.translateData(c)
		case chunkForwardTSN:
			a.streams.window.forward(binary.BigEndian.Uint32(c[4:]))
			forwardedIDs(c, func(id uint16) uint16 {
				in := a.streams.in[id]
				if in == nil {
					return nobody
				}
				a.streams.touched = append(a.streams.touched, in)
				return in.inner
			})
		case chunkReconfig:
			a.translateReconfigIn(c)
		}
		return ok
	})
	return ok
}

func (a *Association) translateData(c chunk) bool {
	e := &a.edge
	if !a.streams.window.accept(binary.BigEndian.Uint32(c[4:])) {
		e.mu.Lock()
		e.counters.BeyondGap++
		e.mu.Unlock()
		return false
	}
	in := a.inStream(c.sid())
	if in == nil {
		if in = a.drain(c); in == nil {
			return false
		}
	}
	binary.BigEndian.PutUint16(c[8:], in.inner)
	a.streams.touched = append(a.streams.touched, in)
	if c.flags()&(flagBegin|flagEnd) != flagBegin|flagEnd && len(c.payload()) < tinyFragment {
		e.mu.Lock()
		a.conn.tiny++
		flood := a.conn.tiny > maxTinyFragments
		e.mu.Unlock()
		if flood { // RFC 9260 section 6.9: fragments are as large as packets allow
			a.violated("fragments too small")
			return false
		}
	}
	return true
}

// drain has data of too many streams acknowledged, but not delivered: what is not acknowledged would hold up all the rest in
// the end. Their numbers within their streams mean nothing on the one that takes them all, so the order is not kept.
func (a *Association) drain(c chunk) *inStream {
	if a.streams.sink == nil {
		a.streams.sink = a.openIn(nobody)
	}
	c[1] |= flagUnordered
	return a.streams.sink
}

// violated ends the association of a peer that makes us hold what can never become a message.
func (a *Association) violated(reason string) {
	a.edge.mu.Lock()
	a.edge.counters.ProtocolViolated++
	a.edge.mu.Unlock()
	a.edge.terminate(reason)
}

func (a *Association) translateReconfigIn(c chunk) {
	s := &a.streams
	eachParam(c, chunkHeadLen, func(typ uint16, param []byte) {
		switch {
		case typ == paramOutgoingReset && len(param) >= resetHeadLen:
			sequence := binary.BigEndian.Uint32(param[4:])
			repeated := s.lastReset != nil && *s.lastReset == sequence
			ids := resetIDs(param)
			for i := range ids.len() {
				ids.set(i, a.closeIn(ids.at(i), repeated))
			}
			s.lastReset = &sequence
		case typ == paramResetResponse && len(param) >= 12:
			sequence := binary.BigEndian.Uint32(param[4:])
			if binary.BigEndian.Uint32(param[8:]) != resultInProgress {
				s.answered = append(s.answered, s.requests[sequence]...)
				delete(s.requests, sequence)
			}
		}
	})
}

// closeIn prepares an incoming stream for the peer's reset. Also one that never carried data is told to the caller; it is
// opened so that pion reports it. A request that was repeated because our answer was lost must not close what the id has
// become since.
func (a *Association) closeIn(id uint16, repeated bool) (inner uint16) {
	in := a.streams.in[id]
	if in == nil && !repeated {
		in = a.inStream(id)
	}
	if in == nil {
		return nobody
	}
	if !in.closing {
		if repeated {
			return nobody
		}
		in.closing = true
		a.streams.resetting = append(a.streams.resetting, in)
	}
	return in.inner
}

// translateOut replaces stream ids in a packet that goes out, and learns from it. It returns false when the packet must not
// leave.
func (a *Association) translateOut(to *conn, p []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != to { // in its handshake, or given up
		if first := chunk(p[headerLen:]); first.typ() == chunkInit || first.typ() == chunkInitAck {
			a.edge.mu.Lock()
			to.localTag = binary.BigEndian.Uint32(first[4:])
			a.edge.mu.Unlock()
		}
		return true
	}
	leaves := true
	eachChunk(p, func(c chunk) bool {
		switch c.typ() {
		case chunkData:
			binary.BigEndian.PutUint16(c[8:], a.outID(c.sid()))
		case chunkForwardTSN:
			forwardedIDs(c, a.outID)
		case chunkSack:
			a.handleOwnSack(c)
		case chunkReconfig:
			leaves = a.translateReconfigOut(c)
		case chunkHeartbeat:
			// pion forgets the information that the chunk must have (RFC 9260 section 3.3.5), and peers are known which
			// stumble over that. It only measures the round trip with it, and can do without.
			leaves = len(c) > chunkHeadLen
		}
		return true
	})
	return leaves
}

func (a *Association) outID(inner uint16) uint16 {
	if o := a.streams.outInner[inner]; o != nil {
		return o.id
	}
	return nobody
}

func (a *Association) translateReconfigOut(c chunk) (leaves bool) {
	s := &a.streams
	leaves = true
	eachParam(c, chunkHeadLen, func(typ uint16, param []byte) {
		switch {
		case typ == paramOutgoingReset:
			ids := resetIDs(param)
			inner := make([]uint16, ids.len())
			for i := range inner {
				inner[i] = ids.at(i)
				ids.set(i, a.outID(inner[i]))
			}
			if s.requests == nil {
				s.requests = map[uint32][]uint16{}
			}
			s.requests[binary.BigEndian.Uint32(param[4:])] = inner
		case typ == paramResetResponse && len(param) >= 8:
			leaves = binary.BigEndian.Uint32(param[4:]) != a.ownSequence()
		}
	})
	return leaves
}

// ownSequence is the sequence number of the resets that the edge shows pion: half the number space away from the peer's.
func (a *Association) ownSequence() uint32 {
	a.edge.mu.Lock()
	defer a.edge.mu.Unlock()
	return a.conn.peer.initialTSN ^ 1<<31
}

// handleOwnSack looks at what we tell the peer. A closed window without a gap means that the window is full of a message which
// can never be complete, since everything complete has been read: nothing would ever move again.
func (a *Association) handleOwnSack(c chunk) {
	e := &a.edge
	window, gaps := binary.BigEndian.Uint32(c[8:]), binary.BigEndian.Uint16(c[12:])
	e.mu.Lock()
	a.conn.lastTSN = binary.BigEndian.Uint32(c[4:])
	if window == a.cfg.MaxReceiverWindowBufferSize {
		a.conn.tiny = 0
	}
	e.mu.Unlock()
	if window == 0 && gaps == 0 {
		a.violated("message larger than the receive window")
	}
}

// finishResets ends the resets of outgoing streams that the peer answered.
func (a *Association) finishResets() {
	s := &a.streams
	for _, inner := range s.answered {
		o := s.outInner[inner]
		if o == nil {
			continue
		}
		delete(s.outInner, inner)
		a.forget(inner)
		o.stream, o.resetting = nil, false
		if len(o.queue) == 0 && !o.closing {
			delete(s.out, o.id)
		}
		a.enroll(o)
	}
	s.answered = s.answered[:0]
}

// forget makes pion drop a stream that it would keep for a reset of the peer, which need not come: to pion it looks as if it
// came.
func (a *Association) forget(inner uint16) {
	sequence := a.ownSequence()
	e := &a.edge
	e.mu.Lock()
	defer e.mu.Unlock()
	c := a.conn
	if c.over {
		return
	}
	p := piece{b: resetPacket(c.localTag, sequence, c.lastTSN, inner), inner: true}
	c.inBytes += len(p.b)
	c.in = append(c.in, p)
}
