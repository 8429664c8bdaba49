package sctp

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"gazpacho/engine/api"
)

// edge is the connection that pion is given, and everything that crosses it. Its lock is the last one taken.
type edge struct {
	a *Association

	wakeMu sync.Mutex // held during wake, so that Close can promise that none follows
	wake   func()     // nil once closed

	mu         sync.Mutex
	changed    sync.Cond // something that Read or Write waits for
	state      api.SCTPState
	closed     bool // the connection: nothing is read or written any more
	silent     bool // Close was called: no state changes in the output
	woken      bool // Poll has been announced and not called since
	early      []piece
	in         []piece
	inBytes    int
	localTag   uint32
	peer       initInfo
	lastTSN    uint32 // of the peer's, as far as we acknowledged
	tiny       int    // small fragments received and not yet part of a message
	negotiated api.SCTPNegotiatedCapabilities
	out        Output
	msgBytes   int
	counters   Counters
}

// piece is a packet, or a part of one, for pion; its checksum is not set yet.
type piece struct {
	b     []byte
	inner bool // made by the edge itself: stream ids are pion's
}

func (e *edge) init(a *Association, wake func()) {
	e.a, e.wake = a, wake
	e.changed.L = &e.mu
}

func (e *edge) currentState() api.SCTPState {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state
}

// peerTSN returns the first sequence number of the peer's data.
func (e *edge) peerTSN() uint32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peer.initialTSN
}

// handlePacket checks a packet and queues it. start says that it is the first one of an association that has not begun.
func (e *edge) handlePacket(b []byte) (start bool) {
	pieces, fault := e.parse(b)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return false
	case fault == nil:
		fault = e.admit(b, pieces)
	}
	if fault != nil {
		*fault++
		return false
	}
	start = e.state == api.SCTPStateNew
	e.changed.Broadcast()
	return start
}

// parse cuts a packet into pieces. fault is the counter of the reason for which it is dropped.
func (e *edge) parse(b []byte) (pieces []piece, fault *uint64) {
	if len(b) < minPacketLen || len(b) > maxPacketLen ||
		binary.BigEndian.Uint16(b) != e.a.cfg.Port || binary.BigEndian.Uint16(b[2:]) != e.a.cfg.Port {
		return nil, &e.counters.Malformed
	}
	if !validChecksum(b) {
		return nil, &e.counters.Checksum
	}
	var p []byte
	ok := eachChunk(b, func(c chunk) bool {
		if !known(c.typ()) {
			return c.typ()&0x80 != 0 // RFC 9260 section 3.2: the highest bit says whether to go on
		}
		if p == nil {
			p = make([]byte, headerLen, len(b))
			copy(p, b[:8])
			setPorts(p, pionPort)
		}
		p = appendChunk(p, c)
		if endsPiece(c.typ()) {
			pieces, p = append(pieces, piece{b: p}), nil
		}
		return true
	})
	if p != nil {
		pieces = append(pieces, piece{b: p})
	}
	if !ok || len(pieces) == 0 {
		return nil, &e.counters.Malformed
	}
	return pieces, nil
}

// endsPiece names the chunks after which pion must come back before it sees more: what follows may need streams that exist
// only then.
func endsPiece(typ byte) bool {
	return typ == chunkCookieEcho || typ == chunkCookieAck || typ == chunkReconfig
}

// admit checks the verification tag (RFC 9260 section 8.5) and queues the pieces.
func (e *edge) admit(b []byte, pieces []piece) (fault *uint64) {
	first := chunk(pieces[0].b[headerLen:])
	tag := tagOf(b)
	switch typ := first.typ(); {
	case typ == chunkInit:
		if tag != 0 {
			return &e.counters.VerificationTag
		}
		if e.state != api.SCTPStateNew && e.state != api.SCTPStateConnecting {
			return &e.counters.UnexpectedInit
		}
	case (typ == chunkAbort || typ == chunkShutdownComplete) && first.flags()&flagT != 0:
		if tag != e.peer.tag || tag == 0 {
			return &e.counters.VerificationTag
		}
	case tag != e.localTag || tag == 0:
		return &e.counters.VerificationTag
	}
	if len(e.in)+len(e.early)+len(pieces) > maxInPackets || e.inBytes+len(b) > maxInBytes {
		return &e.counters.InputFull
	}
	for _, p := range pieces {
		e.enqueue(p)
	}
	return nil
}

// enqueue sorts a piece: what belongs to the handshake is read at once, all else waits until the association is connected,
// because pion would drop data that comes between its handshake and our knowing of it.
func (e *edge) enqueue(p piece) {
	e.inBytes += len(p.b)
	switch c := chunk(p.b[headerLen:]); c.typ() {
	case chunkInit, chunkInitAck:
		if e.state == api.SCTPStateNew || e.state == api.SCTPStateConnecting {
			e.peer = parseInit(c)
			e.lastTSN = e.peer.initialTSN - 1
		}
		e.early = append(e.early, p)
	case chunkCookieEcho, chunkCookieAck:
		e.early = append(e.early, p)
	case chunkAbort, chunkError:
		if e.state == api.SCTPStateConnected {
			e.in = append(e.in, p)
		} else {
			e.early = append(e.early, p)
		}
	default:
		e.in = append(e.in, p)
	}
}

// next waits for a piece that pion may read. It gives none while too many messages wait to be drained.
func (e *edge) next() (piece, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case e.closed:
			return piece{}, false
		case e.msgBytes >= maxMessageBytes || len(e.out.Messages) >= maxMessages:
		case len(e.early) > 0:
			return e.take(&e.early), true
		case e.state == api.SCTPStateConnected && len(e.in) > 0:
			return e.take(&e.in), true
		}
		e.changed.Wait()
	}
}

func (e *edge) take(queue *[]piece) piece {
	p := (*queue)[0]
	(*queue)[0] = piece{}
	*queue = (*queue)[1:]
	if len(*queue) == 0 {
		*queue = nil
	}
	e.inBytes -= len(p.b)
	return p
}

// Read is called by pion's reading goroutine, which holds no lock, after it has done all that the last packet asked for.
func (e *edge) Read(b []byte) (int, error) {
	for {
		e.a.settle()
		p, ok := e.next()
		if !ok {
			return 0, io.EOF
		}
		if !p.inner && !e.a.translateIn(p.b) {
			continue
		}
		setChecksum(p.b)
		return copy(b, p.b), nil
	}
}

// Write is called by pion's writing goroutine, which holds no lock. The packet is ours to keep: pion makes one for each call.
// It waits while the output is full; the shard drains it or closes.
func (e *edge) Write(b []byte) (int, error) {
	if !e.a.translateOut(b) {
		return len(b), nil
	}
	setPorts(b, e.a.cfg.Port)
	setChecksum(b)
	e.mu.Lock()
	for len(e.out.Packets) >= maxOutPackets && !e.closed {
		e.changed.Wait()
	}
	if e.closed {
		e.mu.Unlock()
		return 0, io.EOF
	}
	e.out.Packets = append(e.out.Packets, b)
	e.unlockAndWake()
	return len(b), nil
}

// Close is called by pion when the association is over, with its lock held.
func (e *edge) Close() error {
	e.terminate("")
	return nil
}

// terminate ends the association for what the peer or the network did. With a reason, the peer is told.
func (e *edge) terminate(reason string) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	state := api.SCTPStateClosed
	if e.state == api.SCTPStateConnecting {
		state = api.SCTPStateFailed
	}
	e.shut(reason)
	e.setState(state)
	e.unlockAndWake()
}

// close ends the association for the caller.
func (e *edge) close() {
	e.wakeMu.Lock()
	e.wake = nil
	e.wakeMu.Unlock()

	e.mu.Lock()
	defer e.mu.Unlock()
	if e.silent {
		return
	}
	e.silent = true
	if !e.closed {
		e.shut("closed by the application")
	}
	e.out.States, e.out.Messages, e.out.StreamsReset, e.out.BufferedAmountLow = nil, nil, nil, nil
	e.state = api.SCTPStateClosed
}

// shut closes the connection, which ends pion's goroutines and timers.
func (e *edge) shut(reason string) {
	e.closed = true
	e.early, e.in, e.inBytes = nil, nil, 0
	if reason != "" && e.peer.tag != 0 && e.localTag != 0 {
		e.out.Packets = append(e.out.Packets, abortPacket(e.a.cfg.Port, e.peer.tag, reason))
	}
	e.changed.Broadcast()
}

// setState changes the state and tells it. The caller holds mu.
func (e *edge) setState(s api.SCTPState) {
	e.state = s
	if !e.silent {
		e.out.States = append(e.out.States, s)
	}
}

// connected tells that the handshake is done.
func (e *edge) connected() {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.negotiated = api.SCTPNegotiatedCapabilities{
		NegotiatedMaxOutboundStreams: e.peer.in, NegotiatedMaxInboundStreams: e.peer.out,
	}
	e.out.Negotiated = e.negotiated
	e.setState(api.SCTPStateConnected)
	e.changed.Broadcast()
	e.unlockAndWake()
}

// low tells that a stream's buffered amount fell to its threshold.
func (e *edge) low(id uint16) {
	e.mu.Lock()
	if e.silent || slices.Contains(e.out.BufferedAmountLow, id) {
		e.mu.Unlock()
		return
	}
	e.out.BufferedAmountLow = append(e.out.BufferedAmountLow, id)
	e.unlockAndWake()
}

func (e *edge) poll(out *Output) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.woken = false
	out.States = move(out.States, &e.out.States)
	out.Packets = move(out.Packets, &e.out.Packets)
	out.Messages = move(out.Messages, &e.out.Messages)
	out.StreamsReset = move(out.StreamsReset, &e.out.StreamsReset)
	out.BufferedAmountLow = move(out.BufferedAmountLow, &e.out.BufferedAmountLow)
	out.Negotiated = e.negotiated
	e.msgBytes = 0
	e.changed.Broadcast()
}

// move replaces the contents of dst by those of src. src keeps only a little memory, since it is one of thousands.
func move[T any](dst []T, src *[]T) []T {
	clear(dst)
	dst = append(dst[:0], *src...)
	clear(*src)
	*src = (*src)[:0]
	if cap(*src) > keptCapacity {
		*src = nil
	}
	return dst
}

// unlockAndWake ends a change made by a goroutine of pion: it announces the output, once per Poll.
func (e *edge) unlockAndWake() {
	announce := !e.woken && !e.silent
	e.woken = true
	e.mu.Unlock()
	if !announce {
		return
	}
	e.wakeMu.Lock()
	defer e.wakeMu.Unlock()
	if e.wake != nil {
		e.wake()
	}
}

// address is that of a connection that has only one.
type address struct{}

func (address) Network() string { return "sctp" }
func (address) String() string  { return "peer" }

func (*edge) LocalAddr() net.Addr              { return address{} }
func (*edge) RemoteAddr() net.Addr             { return address{} }
func (*edge) SetDeadline(time.Time) error      { return nil }
func (*edge) SetReadDeadline(time.Time) error  { return nil }
func (*edge) SetWriteDeadline(time.Time) error { return nil }
