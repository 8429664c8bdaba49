package sctp

import (
	"encoding/binary"

	"gazpacho/engine/unit"
)

// HandlePacket takes an SCTP packet of the peer. b belongs to the caller again afterwards. In the state NEW a valid packet
// starts the handshake, as in mediasoup.
func (a *Association) HandlePacket(now unit.Time, b []byte) {
	if a.phase == phaseClosed {
		return
	}
	h, ok := parseHeader(b)
	if !ok || h.source != a.cfg.Port || h.destination != a.cfg.Port {
		a.counters.Malformed++
		return
	}
	first, _, ok := parseChunk(b[headerLen:])
	if !ok {
		a.counters.Malformed++
		return
	}
	if !a.intact(b, h, first.typ) {
		a.counters.Checksum++
		return
	}
	if a.phase == phaseNew {
		a.connect(now)
	}
	if !a.belongs(h.tag, first) {
		a.counters.VerificationTag++
		a.flush(now)
		return
	}
	a.handleChunks(now, h.tag, b[headerLen:])
	a.flush(now)
}

// intact checks the checksum. Over DTLS it may be left out, but not where the handshake begins (RFC 9653 section 5.3).
func (a *Association) intact(b []byte, h header, first byte) bool {
	if h.checksum == 0 && a.cfg.OverDTLS && first != typeInit && first != typeCookieEcho {
		return true
	}
	return h.checksum == checksum(b)
}

// belongs checks the verification tag (RFC 9260 section 8.5). A COOKIE ECHO is checked by its cookie, which has the tag.
func (a *Association) belongs(tag uint32, first chunk) bool {
	switch first.typ {
	case typeInit:
		return tag == 0
	case typeAbort, typeShutdownComplete:
		if first.flags&flagTag != 0 {
			return tag != 0 && tag == a.peer.tag
		}
	case typeCookieEcho:
		return tag != 0
	}
	return tag != 0 && tag == a.localTag
}

// handleChunks takes the chunks of a packet.
func (a *Association) handleChunks(now unit.Time, tag uint32, b []byte) {
	var p packetState
	length := headerLen + len(b)
	for len(b) > 0 && a.phase != phaseClosed {
		c, rest, ok := parseChunk(b)
		if !ok {
			a.counters.Malformed++
			break
		}
		// A COOKIE ECHO may come with a tag that becomes ours only now; what follows an INIT may not count.
		if c.typ != typeInit && c.typ != typeCookieEcho && c.typ != typeAbort && c.typ != typeShutdownComplete && tag != a.localTag {
			a.counters.VerificationTag++
			break
		}
		if !a.handleChunk(now, &p, tag, c) {
			break
		}
		b = rest
	}
	if a.phase == phaseClosed {
		return
	}
	a.heartbeat.heard = true
	if p.data {
		a.got.noteData(now, length, p.immediate)
	}
}

// packetState is what the chunks of one packet have in common.
type packetState struct {
	data, immediate     bool
	heartbeat, reported bool // was answered
	reconfigured        bool
}

// handleChunk takes one chunk; more is false when what follows in the packet must not be looked at.
func (a *Association) handleChunk(now unit.Time, p *packetState, tag uint32, c chunk) (more bool) {
	switch c.typ {
	case typeInit:
		a.handleInit(now, c)
		return false // RFC 9260 section 6.10: it comes alone
	case typeInitAck:
		a.handleInitAck(now, c)
		return false
	case typeCookieEcho:
		a.handleCookieEcho(now, tag, c)
	case typeCookieAck:
		a.handleCookieAck(now)
	case typeAbort:
		a.terminate()
	case typeError:
		a.handleError(now, c)
	case typeShutdownComplete:
		if a.phase == phaseShutdown {
			a.terminate()
		}
	default:
		return a.handleTransfer(now, p, c)
	}
	return true
}

// handleTransfer takes the chunks that only an association has that is established.
func (a *Association) handleTransfer(now unit.Time, p *packetState, c chunk) (more bool) {
	if !a.connected() {
		a.counters.UnexpectedChunk++
		return true
	}
	switch c.typ {
	case typeData, typeIData:
		a.handleData(p, c)
	case typeSack:
		if s, ok := parseSack(c); ok {
			a.handleSack(now, &s)
		} else {
			a.counters.Malformed++
		}
	case typeHeartbeat:
		if !p.heartbeat { // one is answered
			p.heartbeat = true
			a.replies = appendChunk(a.replies, typeHeartbeatAck, 0, c.value)
		}
	case typeHeartbeatAck:
		a.handleHeartbeatAck(now, c)
	case typeShutdown:
		a.handleShutdown(now, c)
	case typeForwardTSN, typeIForwardTSN:
		a.handleForward(c)
	case typeReconfig:
		a.handleReconfig(now, p, c)
	case typeShutdownAck:
		a.counters.UnexpectedChunk++ // we never began to shut down
	default:
		return a.handleUnknown(p, c)
	}
	return true
}

// handleUnknown does what the highest bits of the type ask for (RFC 9260 section 3.2).
func (a *Association) handleUnknown(p *packetState, c chunk) (more bool) {
	a.counters.UnexpectedChunk++
	if c.typ&reportUnknownChunk != 0 && !p.reported { // one is reported
		p.reported = true
		quote := appendChunk(nil, c.typ, c.flags, c.value[:min(len(c.value), maxQuoted)])
		a.replies = appendCause(a.replies, typeError, causeUnrecognizedChunk, quote)
	}
	return c.typ&skipUnknownChunk != 0
}

// handleError looks for the one error that has to be acted on: the cookie that we echoed came too late, so we ask for another
// one (RFC 9260 section 5.2.6).
func (a *Association) handleError(now unit.Time, c chunk) {
	for cause := range params(c.value) {
		if cause == causeStaleCookie && a.phase == phaseCookieEchoed {
			a.phase, a.timerExpired = phaseCookieWait, 0
			a.sendInit(now)
			return
		}
	}
}

// handleData takes DATA or I-DATA (RFC 9260 section 6.2).
func (a *Association) handleData(p *packetState, c chunk) {
	if (c.typ == typeIData) != a.interleaved() {
		a.counters.UnexpectedChunk++
		return
	}
	d, ok := parseData(c, a.interleaved())
	if !ok {
		a.violate(causeProtocolViolation, "DATA without user data") // section 6.2: "No User Data"
		return
	}
	p.data = true
	p.immediate = p.immediate || d.flags&flagImmediate != 0
	switch ahead := a.got.ahead(d.tsn); {
	case ahead >= maxTSNs:
		a.counters.WindowExceeded++
	case a.got.has(d.tsn):
		a.got.addDuplicate(d.tsn)
	case a.reset.holds(&d):
		a.counters.WindowExceeded++ // its stream is about to be reset: the peer sends it again
	case ahead > 1 && a.window() == 0:
		a.counters.WindowExceeded++
		a.got.soon = true
	case a.inbound.cost() > int(a.cfg.MaxReceiverWindowBufferSize)+a.inbound.maxSize+messageCost:
		a.violate(causeOutOfResource, "more than the receive window") // all that came is in order, and still nothing is complete
	default:
		a.got.add(d.tsn)
		a.inbound.handle(&d)
		a.finishIncomingReset()
	}
}

// window returns how many bytes we have room for, a_rwnd.
func (a *Association) window() uint32 {
	return uint32(max(0, int(a.cfg.MaxReceiverWindowBufferSize)-a.inbound.cost()))
}

// handleForward skips what the peer gave up (RFC 3758 section 3.6, RFC 8260 section 2.3.1).
func (a *Association) handleForward(c chunk) {
	f, ok := parseForward(c)
	if !ok || (c.typ == typeIForwardTSN) != a.interleaved() || !a.peerCan(canForwardTSN) {
		a.counters.Malformed++
		return
	}
	if ahead := a.got.ahead(f.cumulative); ahead == 0 || ahead >= maxTSNs {
		a.got.soon = true // an old one: the SACK for it may have been lost
		return
	}
	a.inbound.runs.forget(a.got.cumulative) // a message of which the next part will not come
	a.got.forward(f.cumulative, a.inbound.runs.forget)
	for s := range f.skipped(a.interleaved()) {
		a.inbound.skip(s)
	}
	a.finishIncomingReset()
}

// heartbeat watches whether the peer is there (RFC 9260 section 8.3).
type heartbeat struct {
	at      unit.Time
	heard   bool // a packet of the peer came since the last interval
	unheard int  // intervals in which none came
	nonce   uint32
	sentAt  unit.Time
}

func (a *Association) startHeartbeat(now unit.Time) {
	a.heartbeat = heartbeat{at: now.Add(heartbeatInterval)}
}

// handleHeartbeatTimer is due once in each interval. A peer that was silent gets a HEARTBEAT, which it must answer; one that
// stays silent is gone.
func (a *Association) handleHeartbeatTimer(now unit.Time) {
	h := &a.heartbeat
	if now < h.at || a.phase == phaseClosed {
		return
	}
	h.at = now.Add(heartbeatInterval)
	h.unheard++
	if h.heard {
		h.heard, h.unheard = false, 0
		return
	}
	if h.unheard > maxUnheard {
		a.abort(causeUserAbort, "the peer does not answer")
		return
	}
	h.nonce, h.sentAt = a.random(), now
	info := binary.BigEndian.AppendUint32(nil, h.nonce)
	a.replies = appendChunk(a.replies, typeHeartbeat, 0, appendParam(nil, paramHeartbeatInfo, info))
}

const paramHeartbeatInfo = 1

// handleHeartbeatAck measures the round trip, if it answers the last HEARTBEAT.
func (a *Association) handleHeartbeatAck(now unit.Time, c chunk) {
	h := &a.heartbeat
	for typ, value := range params(c.value) {
		if typ == paramHeartbeatInfo && len(value) == 4 && h.nonce != 0 && binary.BigEndian.Uint32(value) == h.nonce {
			a.round.measure(now, now.Sub(h.sentAt))
			h.nonce = 0
			return
		}
	}
	a.counters.UnexpectedChunk++
}
