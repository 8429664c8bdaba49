package sctp

import (
	"encoding/binary"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// connect begins the handshake. This side always sends an INIT and also answers the peer's, so that any two roles meet
// (RFC 9260 section 5.2.1).
func (a *Association) connect(now unit.Time) {
	a.fill(a.key[:])
	a.localTag, a.localTSN = a.random(), tsn(a.random())
	a.giveUpAt = now.Add(initTimeout)
	a.phase, a.timerExpired = phaseCookieWait, 0
	a.setState(api.SCTPStateConnecting)
	a.sendInit(now)
}

// ownInit is our INIT, or the common part of an INIT ACK.
func (a *Association) ownInit(tag uint32, first tsn) initChunk {
	i := initChunk{
		tag: tag, window: a.cfg.MaxReceiverWindowBufferSize, out: maxStreams, in: maxStreams, tsn: first,
		can: canForwardTSN | canReconfig | canInterleave,
	}
	if a.cfg.OverDTLS {
		i.can |= canZeroChecksum
	}
	return i
}

func (a *Association) sendInit(now unit.Time) {
	i := a.ownInit(a.localTag, a.localTSN)
	p := a.newPacket(0)
	p.b = i.append(p.b, typeInit)
	a.finishPacket(&p, true)
	a.armHandshake(now)
}

func (a *Association) sendCookieEcho(now unit.Time) {
	p := a.newPacket(a.peer.tag)
	p.b = appendChunk(p.b, typeCookieEcho, 0, a.echo)
	a.finishPacket(&p, true) // RFC 9653 section 5.2: with a checksum
	a.armHandshake(now)
}

// armHandshake sets the timer T1.
func (a *Association) armHandshake(now unit.Time) {
	a.timerAt = now.Add(min(firstInitTimeout<<min(a.timerExpired, 8), maxInitInterval))
}

// maxShutdownAcks is how often a SHUTDOWN ACK is sent.
const maxShutdownAcks = 8

// handleHandshakeTimeout sends again what the peer did not answer.
func (a *Association) handleHandshakeTimeout(now unit.Time) {
	a.timerExpired++
	switch {
	case a.phase == phaseShutdown:
		if a.timerAt = unit.Never; a.timerExpired > maxShutdownAcks {
			a.terminate()
		}
	case now >= a.giveUpAt:
		a.abort(causeUserAbort, "handshake failed")
	case a.phase == phaseCookieWait:
		a.sendInit(now)
	case a.timerExpired > maxCookieEchoes: // the peer that sent this cookie is not there any more
		a.phase, a.timerExpired = phaseCookieWait, 0
		a.sendInit(now)
	default:
		a.sendCookieEcho(now)
	}
}

// maxCookieEchoes is how often a cookie is echoed before the handshake begins anew, chosen here.
const maxCookieEchoes = 5

// handleInit answers an INIT with a cookie, and remembers nothing (RFC 9260 section 5.1.3).
func (a *Association) handleInit(now unit.Time, c chunk) {
	peer, ok := parseInit(c)
	if !ok {
		a.counters.Malformed++
		return
	}
	k := cookie{
		local: a.localTag, localTSN: a.localTSN, peer: peer.tag, peerTSN: peer.tsn, window: peer.window,
		out: peer.out, in: peer.in, can: peer.can, created: seconds(now),
	}
	if a.connected() { // perhaps the peer restarted: section 5.2.2
		k.local, k.localTSN = a.random(), tsn(a.random())
		k.tieLocal, k.tieTo = a.localTag, a.peer.tag
	}
	ack := a.ownInit(k.local, k.localTSN)
	ack.can &= peer.can // nothing that only one end can, so that a short INIT has a short answer
	ack.cookie, ack.unknowns = k.append(nil, a.key[:]), peer.unknowns
	p := a.newPacket(peer.tag)
	p.b = ack.append(p.b, typeInitAck)
	a.finishPacket(&p, true)
}

// handleInitAck goes on with the cookie.
func (a *Association) handleInitAck(now unit.Time, c chunk) {
	peer, ok := parseInit(c)
	switch {
	case a.phase != phaseCookieWait:
		a.counters.UnexpectedChunk++
		return
	case !ok || len(peer.cookie) == 0:
		a.counters.Malformed++
		return
	case headerLen+chunkHeaderLen+padded(len(peer.cookie)) > int(a.cfg.MTU):
		a.counters.Malformed++ // it cannot be echoed in a packet
		return
	}
	a.echo = append([]byte(nil), peer.cookie...)
	a.setPeer(&peer)
	a.phase, a.timerExpired = phaseCookieEchoed, 0
	a.sendCookieEcho(now)
}

// setPeer remembers what the peer said of itself.
func (a *Association) setPeer(peer *initChunk) {
	a.peer = *peer
	a.peer.cookie, a.peer.unknowns = nil, nil
	a.can = a.ownInit(0, 0).can
	a.can &= peer.can
}

// handleCookieEcho establishes the association, or says again that it is (RFC 9260 sections 5.1.5 and 5.2.4).
func (a *Association) handleCookieEcho(now unit.Time, tag uint32, c chunk) {
	k, ok := parseCookie(c.value, a.key[:])
	if !ok || k.local != tag {
		a.counters.UnexpectedChunk++
		return
	}
	peer := initChunk{tag: k.peer, window: k.window, out: k.out, in: k.in, tsn: k.peerTSN, can: k.can}
	switch {
	case k.local == a.localTag && k.peer == a.peer.tag && a.connected(): // a cookie that came before: D
	case k.stale(now):
		a.counters.UnexpectedChunk++
		p := a.newPacket(k.peer)
		p.b = appendCause(p.b, typeError, causeStaleCookie, []byte{0, 0, 0, 0})
		a.finishPacket(&p, true)
		return
	case !a.connected() && k.local == a.localTag: // B or D, or the first one
		a.setPeer(&peer)
		a.establish(now)
	case a.phase == phaseEstablished && k.local != a.localTag && k.tieLocal == a.localTag && k.tieTo == a.peer.tag: // A
		a.counters.PeerRestarts++
		a.localTag, a.localTSN = k.local, k.localTSN
		a.setPeer(&peer)
		a.restart()
		a.establish(now)
	default: // C, and cookies of a restart that is over
		a.counters.UnexpectedChunk++
		return
	}
	a.replies = appendChunk(a.replies, typeCookieAck, 0, nil)
}

// handleCookieAck ends the handshake.
func (a *Association) handleCookieAck(now unit.Time) {
	if a.phase != phaseCookieEchoed {
		return // RFC 9260 section 5.2.5
	}
	a.establish(now)
}

// establish begins the transfer of data.
func (a *Association) establish(now unit.Time) {
	a.phase, a.echo = phaseEstablished, nil
	a.timerAt, a.timerExpired = unit.Never, 0
	a.got.init(a.peer.tsn)
	a.inbound.interleaved = a.interleaved()
	a.sent.init(a.localTSN)
	a.loss.init()
	a.congestion.init(int(a.cfg.MTU))
	a.resets = outgoingResets{at: unit.Never, seq: uint32(a.localTSN)}
	a.reset = incomingReset{last: uint32(a.peer.tsn) - 1}
	a.peerWindow = int(min(a.peer.window, maxPeerWindow))
	a.startHeartbeat(now)
	a.out.Negotiated = a.negotiated()
	if a.state != api.SCTPStateConnected {
		a.setState(api.SCTPStateConnected)
	}
}

func (a *Association) negotiated() api.SCTPNegotiatedCapabilities {
	return api.SCTPNegotiatedCapabilities{
		NegotiatedMaxOutboundStreams: min(maxStreams, a.peer.in), NegotiatedMaxInboundStreams: min(maxStreams, a.peer.out),
	}
}

// restart forgets what belongs to the peer's past (RFC 9260 section 5.2.4.1): what it sent and did not finish, and what it
// was sent. What waits goes to the new one, of which the caller is not told.
func (a *Association) restart() {
	a.inbound = inbound{out: &a.out, counters: &a.counters, maxSize: a.inbound.maxSize}
	a.round = roundTrip{}
	a.urgent, a.mustForward = false, false
	a.rewind()
}

// handleShutdown takes note that the peer wants to end (RFC 9260 section 9.2): what waits is sent, nothing more is accepted.
func (a *Association) handleShutdown(now unit.Time, c chunk) {
	if !a.connected() || len(c.value) < 4 {
		a.counters.UnexpectedChunk++
		return
	}
	a.phase = phaseShutdown
	a.timerAt = unit.Never
	a.handleSack(now, &sackChunk{
		cumulative: tsn(binary.BigEndian.Uint32(c.value)), window: uint32(a.peerWindow + a.sent.payload),
	})
}
