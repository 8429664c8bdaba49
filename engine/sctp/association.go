package sctp

import (
	"encoding/binary"
	"io"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// phase is where the association stands (RFC 9260 section 4).
type phase uint8

const (
	phaseNew          phase = iota
	phaseCookieWait         // an INIT was sent
	phaseCookieEchoed       // a COOKIE ECHO was sent
	phaseEstablished
	phaseShutdown // the peer wants no more: SHUTDOWN-RECEIVED and SHUTDOWN-ACK-SENT
	phaseClosed
)

// Association is one SCTP association. It has one owner and does nothing by itself: call a verb, then drain it with Poll, and
// call HandleTimeout when NextTimeout says so.
type Association struct {
	cfg      Config
	phase    phase
	state    api.SCTPState
	silent   bool // Close was called: no more states
	counters Counters
	out      Output

	key      [32]byte // of cookies
	localTag uint32
	localTSN tsn       // of the first chunk
	peer     initChunk // what the peer said of itself; its cookie and unknowns are not kept
	can      capabilities

	// The handshake, and shutting down.
	echo         []byte // the cookie to be echoed
	timerAt      unit.Time
	timerExpired int // times in a row
	giveUpAt     unit.Time

	// Receiving.
	got     received
	inbound inbound
	reset   incomingReset

	// Sending.
	queue       queue
	sent        outstanding
	loss        recovery
	round       roundTrip
	congestion  congestion
	resets      outgoingResets
	peerWindow  int       // bytes that the peer has room for
	urgent      bool      // one packet goes whatever the congestion window says
	mustForward bool      // tell the peer again what to skip
	forwardAt   unit.Time // when it was told last

	heartbeat heartbeat
	replies   []byte // chunks that answer the packet at hand
}

// New makes an association in the state NEW that does nothing before MayConnect or the first valid packet.
func New(cfg Config) *Association {
	a := &Association{cfg: cfg.withDefaults(), timerAt: unit.Never}
	a.inbound = inbound{out: &a.out, counters: &a.counters, maxSize: int(a.cfg.MaxReceiveMessageSize)}
	a.got.init(0)
	a.sent.init(0)
	a.loss.init()
	a.resets.at, a.heartbeat.at = unit.Never, unit.Never
	return a
}

// MayConnect starts the handshake, if it has not begun. mediasoup calls it when the transport is connected and holds at least
// one data producer or data consumer; both ends start.
func (a *Association) MayConnect(now unit.Time) {
	if a.phase == phaseNew {
		a.connect(now)
		a.flush(now)
	}
}

// State returns the present state. NEW becomes CONNECTING, then CONNECTED or FAILED, then CLOSED; there is no way back.
func (a *Association) State() api.SCTPState { return a.state }

// NegotiatedStreams returns how many streams each direction may use; zeros until connected.
func (a *Association) NegotiatedStreams() (out, in uint16) {
	return a.out.Negotiated.NegotiatedMaxOutboundStreams, a.out.Negotiated.NegotiatedMaxInboundStreams
}

// Parameters returns what mediasoup's dumps tell of the association.
func (a *Association) Parameters() *api.SCTPParameters {
	return &api.SCTPParameters{
		Port:                        a.cfg.Port,
		MaxSendMessageSize:          a.cfg.MaxSendMessageSize,
		MaxReceiveMessageSize:       a.cfg.MaxReceiveMessageSize,
		SendBufferSize:              a.cfg.SendBufferSize,
		PerStreamSendQueueLimit:     a.cfg.PerStreamSendQueueLimit,
		MaxReceiverWindowBufferSize: a.cfg.MaxReceiverWindowBufferSize,
		IsDataChannel:               a.cfg.IsDataChannel,
	}
}

// Counters returns what was dropped so far.
func (a *Association) Counters() Counters { return a.counters }

// Poll moves everything new into out, which the machine fills with what it did since the last Poll.
func (a *Association) Poll(out *Output) {
	out.release()
	*out, a.out = a.out, Output{Negotiated: a.out.Negotiated}
	if out.packets != nil {
		out.Packets = out.packets.slices()
	}
}

// Close ends the association. A peer that is known gets an ABORT, which the next Poll returns, as in mediasoup. There is no
// state change in the output, since the caller knows. Close twice is allowed.
func (a *Association) Close() {
	if a.silent {
		return
	}
	a.silent = true
	a.abort(causeUserAbort, "closed by the application")
	a.out.States, a.out.Messages, a.out.StreamsReset, a.out.BufferedAmountLow = nil, nil, nil, nil
	a.state = api.SCTPStateClosed
}

// NextTimeout returns when HandleTimeout wants to be called.
func (a *Association) NextTimeout() unit.Time {
	switch a.phase {
	case phaseNew, phaseClosed:
		return unit.Never
	case phaseCookieWait, phaseCookieEchoed:
		return a.timerAt
	}
	r := &a.loss
	return min(a.timerAt, a.got.sackAt, r.lossAt, r.probeAt, r.timeoutAt, a.resets.at, a.heartbeat.at)
}

// HandleTimeout does what is due.
func (a *Association) HandleTimeout(now unit.Time) {
	if now < a.NextTimeout() {
		return
	}
	if a.timerAt <= now {
		a.handleHandshakeTimeout(now)
	}
	if a.connected() {
		a.handleLossTimers(now)
		a.handleResetTimer(now)
		a.handleHeartbeatTimer(now)
	}
	a.flush(now)
}

// connected tells whether data may travel.
func (a *Association) connected() bool {
	return a.phase == phaseEstablished || a.phase == phaseShutdown
}

// peerCan tells what both ends support.
func (a *Association) peerCan(what capabilities) bool { return a.can.has(what) }

func (a *Association) interleaved() bool { return a.can.has(canInterleave) }

// dataHeader returns the length of the header of DATA or I-DATA.
func (a *Association) dataHeader() int {
	if a.interleaved() {
		return chunkHeaderLen + iDataLen
	}
	return chunkHeaderLen + dataLen
}

func (a *Association) setState(s api.SCTPState) {
	a.state = s
	if !a.silent {
		a.out.States = append(a.out.States, s)
	}
}

// terminate ends the association for what the peer or the network did.
func (a *Association) terminate() {
	if a.phase == phaseClosed {
		return
	}
	state := api.SCTPStateClosed
	if a.state == api.SCTPStateConnecting {
		state = api.SCTPStateFailed
	}
	a.release()
	a.setState(state)
}

// abort tells the peer, if it is known, and ends the association.
func (a *Association) abort(cause uint16, reason string) {
	if a.phase == phaseClosed {
		return
	}
	if a.peer.tag != 0 {
		p := a.newPacket(a.peer.tag)
		p.b = appendCause(p.b, typeAbort, cause, []byte(reason))
		a.finishPacket(&p, true)
	}
	a.terminate()
}

// violate ends the association for what no honest peer does.
func (a *Association) violate(cause uint16, reason string) {
	a.counters.ProtocolViolated++
	a.abort(cause, reason)
}

// release forgets what only a living association needs.
func (a *Association) release() {
	a.phase = phaseClosed
	a.timerAt = unit.Never
	a.echo, a.replies = nil, nil
	a.queue = queue{}
	a.sent.init(0)
	a.loss.init()
	a.got.init(0)
	a.resets = outgoingResets{at: unit.Never}
	a.reset = incomingReset{}
	a.inbound = inbound{out: &a.out, counters: &a.counters, maxSize: a.inbound.maxSize}
}

// random returns four bytes of chance that are not all 0.
func (a *Association) random() uint32 {
	for {
		var b [4]byte
		a.fill(b[:])
		if v := binary.BigEndian.Uint32(b[:]); v != 0 {
			return v
		}
	}
}

func (a *Association) fill(b []byte) {
	if _, err := io.ReadFull(a.cfg.Random, b); err != nil {
		panic("sctp: the source of random bytes failed: " + err.Error())
	}
}
