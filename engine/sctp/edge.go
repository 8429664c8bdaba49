package sctp

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/wake"
)

// edge is what all connections of an association share, and everything that crosses them. Its lock is the last one taken.
type edge struct {
	a *Association

	signal wake.Signal // that Poll has something new

	mu         sync.Mutex
	changed    sync.Cond // something that Read or Write waits for
	state      api.SCTPState
	closed     bool // nothing is read or written any more
	silent     bool // Close was called: no state changes in the output
	conn       *conn
	next       *conn     // answers a peer that says it restarted; nil otherwise
	nextAt     time.Time // when it was made
	heartbeat  *time.Timer
	heard      bool // a packet of the peer came since the last heartbeat was due
	unheard    int  // intervals in which none came
	negotiated api.SCTPNegotiatedCapabilities
	out        Output
	msgBytes   int
	counters   Counters
}

func (e *edge) init(a *Association, wake func()) {
	e.a = a
	e.signal.Init(wake)
	e.changed.L = &e.mu
	e.conn = &conn{e: e}
}

func (e *edge) currentState() api.SCTPState {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state
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
	tag, c := tagOf(b), e.conn
	switch typ := first.typ(); {
	case typ == chunkInit:
		if tag != 0 {
			return &e.counters.VerificationTag
		}
		if c = e.answering(parseInit(first)); c == nil {
			return &e.counters.UnexpectedInit
		}
	case (typ == chunkAbort || typ == chunkShutdownComplete) && first.flags()&flagT != 0:
		if tag != c.peer.tag || tag == 0 {
			return &e.counters.VerificationTag
		}
	default:
		if c = e.connOf(tag); c == nil {
			return &e.counters.VerificationTag
		}
	}
	if !c.fits(len(pieces), len(b)) {
		return &e.counters.InputFull
	}
	e.heard = e.heard || c == e.conn
	for _, p := range pieces {
		c.enqueue(p)
	}
	return nil
}

// connOf returns the connection that packets with a verification tag belong to; nil if there is none.
func (e *edge) connOf(tag uint32) *conn {
	switch {
	case tag == 0:
		return nil
	case tag == e.conn.localTag:
		return e.conn
	case e.next != nil && tag == e.next.localTag:
		return e.next
	}
	return nil
}

// terminate ends the association for what the peer or the network did. With a reason, the peer is told.
func (e *edge) terminate(reason string) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.finishAndUnlock(reason)
}

// finishAndUnlock is terminate for a caller that holds mu.
func (e *edge) finishAndUnlock(reason string) {
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
	e.signal.Close()
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

// shut ends the connections, which ends pion's goroutines and timers.
func (e *edge) shut(reason string) {
	e.closed = true
	if c := e.conn; reason != "" && c.peer.tag != 0 && c.localTag != 0 {
		e.out.Packets = append(e.out.Packets, abortPacket(e.a.cfg.Port, c.peer.tag, reason))
	}
	e.conn.end()
	e.dropNext()
	if e.heartbeat != nil {
		e.heartbeat.Stop()
	}
}

// setState changes the state and tells it. The caller holds mu.
func (e *edge) setState(s api.SCTPState) {
	e.state = s
	if !e.silent {
		e.out.States = append(e.out.States, s)
	}
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
	e.signal.Seen()
	out.States = wake.Move(out.States, &e.out.States, keptCapacity)
	out.Packets = wake.Move(out.Packets, &e.out.Packets, keptCapacity)
	out.Messages = wake.Move(out.Messages, &e.out.Messages, keptCapacity)
	out.StreamsReset = wake.Move(out.StreamsReset, &e.out.StreamsReset, keptCapacity)
	out.BufferedAmountLow = wake.Move(out.BufferedAmountLow, &e.out.BufferedAmountLow, keptCapacity)
	out.Negotiated = e.negotiated
	e.msgBytes = 0
	e.changed.Broadcast()
}

// unlockAndWake ends a change made by a goroutine of pion: it announces the output, once per Poll.
func (e *edge) unlockAndWake() {
	e.mu.Unlock()
	e.signal.Send()
}
