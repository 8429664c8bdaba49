package sctp

import "gazpacho/engine/unit"

// flush sends what may be sent: first what answers the peer, then data. Each verb ends with it.
func (a *Association) flush(now unit.Time) {
	if !a.connected() {
		a.replies = nil
		return
	}
	for range maxBurst {
		p := a.newPacket(a.peer.tag)
		a.addControl(now, &p)
		a.addData(now, &p)
		if !a.mayRequestReset(now) && p.empty() && !a.forwardDue() { // addData may have given something up
			break
		}
		a.finishPacket(&p, false)
		a.urgent = false
	}
	a.urgent = false
	a.mayShutdown(now)
	a.setTimers(now)
}

// addControl adds answers, acknowledgements and requests, as far as they fit.
func (a *Association) addControl(now unit.Time, p *builder) {
	if len(a.replies) <= p.room() { // larger ones answer a packet that was larger than any of ours
		p.b = append(p.b, a.replies...)
	}
	a.replies = nil
	forward := a.forwardDue()
	request := a.takeRequest(now)
	if a.got.mustAcknowledge(now) || a.got.mayAcknowledge() && (forward || request != nil || !p.empty() || a.hasData(now)) {
		p.b = a.got.appendSack(p.b, a.window(), min(p.room(), a.got.maxSack()))
	}
	if forward {
		a.addForward(now, p)
	}
	if request != nil && len(request) <= p.room() {
		p.b = append(p.b, request...)
	}
}

// forwardDue tells whether the peer has to be told to skip something. Each FORWARD-TSN begins at the acknowledged number, so if one
// packet cannot name all streams, the second must not leave before the first is acknowledged: it would be the same.
func (a *Association) forwardDue() bool {
	o := &a.sent
	o.findSkip()
	more := o.skipTo.after(o.told) && !(o.cut && o.told.after(o.cumulative))
	return o.mustSkip() && (a.mustForward || more)
}

func (a *Association) addForward(now unit.Time, p *builder) {
	entry := forwardEntry
	if a.interleaved() {
		entry = iForwardEntry
	}
	to, streams := a.sent.skipped((p.room()-chunkHeaderLen-forwardLen)/entry, a.interleaved())
	p.b = appendForward(p.b, to, streams, a.interleaved())
	a.sent.told, a.sent.cut, a.mustForward = to, to != a.sent.skipTo, false
	a.loss.lastSent, a.forwardAt = now, now
}

// hasData tells whether data can be sent now.
func (a *Association) hasData(now unit.Time) bool {
	return a.sent.lost.n > 0 && a.mayTransmit(0) || a.mayStart(now)
}

// mayTransmit tells whether the windows let a chunk with size bytes of user data go. Whatever they say, one chunk may be in
// flight (RFC 9260 section 6.1, rule A), and what is urgent goes.
func (a *Association) mayTransmit(size int) bool {
	o := &a.sent
	if o.inFlight.n == 0 {
		return true
	}
	return size <= a.peerWindow && (a.urgent || o.flight < a.congestion.window)
}

// mayStart tells whether a new chunk may be sent.
func (a *Association) mayStart(now unit.Time) bool {
	return a.sent.lost.n == 0 && a.sent.count() < maxOutstanding && a.mayTransmit(1) && a.nextMessage(now) != nil
}

// addData fills a packet with chunks: first those that are sent again, then new ones.
func (a *Association) addData(now unit.Time, p *builder) {
	sent := false
	for a.sent.lost.n > 0 && a.addLost(now, p) {
		sent = true
	}
	for a.mayStart(now) && a.addNew(now, p) {
		sent = true
	}
	if !sent {
		return
	}
	a.loss.lastSent = now
	a.markImmediate(now, p)
}

// addLost adds the first chunk that is to be sent again; false when it cannot go now.
func (a *Association) addLost(now unit.Time, p *builder) bool {
	o := &a.sent
	t := o.lost.first
	c := o.at(t)
	switch {
	case a.isLast(now, c):
		a.abandon(c.message)
		return true
	case a.wireSize(c) > p.room() || !a.mayTransmit(len(c.payload)):
		return false
	}
	a.land(t)
	a.write(now, p, t)
	return true
}

// minFragment is what a fragment has at least, chosen here: what fits no more into a packet begins the next one.
const minFragment = 256

// addNew adds a chunk of the message whose turn it is; false when it cannot go now.
func (a *Association) addNew(now unit.Time, p *builder) bool {
	m := a.nextMessage(now)
	rest := len(m.data) - m.offset
	most := int(a.cfg.MTU)&^3 - headerLen - a.dataHeader()
	size := min(rest, most, p.room()-a.dataHeader())
	if size < min(rest, minFragment) || !p.empty() && rest <= most && size < rest {
		return false
	}
	if a.sent.inFlight.n > 0 && size > a.peerWindow {
		return false
	}
	payload, flags := a.cut(m, size)
	t, c := a.sent.add()
	c.message, c.payload, c.flags, c.fsn = m, payload, flags, m.fsn
	m.fsn++
	a.enlist(m, t)
	a.write(now, p, t)
	return true
}

// write puts a chunk into a packet and in flight.
func (a *Association) write(now unit.Time, p *builder, t tsn) {
	c := a.sent.at(t)
	m := c.message
	d := dataChunk{tsn: t, stream: m.stream.id, flags: c.flags, seq: m.seq, fsn: c.fsn, ppid: m.ppid, payload: c.payload}
	if d.unordered() && !a.interleaved() {
		d.seq = 0
	}
	p.lastChunk = len(p.b)
	p.b = d.append(p.b, a.interleaved())
	a.launch(now, t)
	a.peerWindow = max(0, a.peerWindow-len(c.payload))
}

// markImmediate asks for an acknowledgement at once (RFC 7053) where a delayed one would cost time: at the end of what is to be
// sent, and while the window is small.
func (a *Association) markImmediate(now unit.Time, p *builder) {
	if a.congestion.window < initialPackets*a.congestion.mtu || !a.hasData(now) {
		p.b[p.lastChunk+1] |= flagImmediate
	}
}

// mayShutdown answers a SHUTDOWN when all is acknowledged (RFC 9260 section 9.2).
func (a *Association) mayShutdown(now unit.Time) {
	if a.phase != phaseShutdown || a.timerAt != unit.Never || a.sent.count() > 0 || a.nextMessage(now) != nil {
		return
	}
	p := a.newPacket(a.peer.tag)
	p.b = appendChunk(p.b, typeShutdownAck, 0, nil)
	a.finishPacket(&p, false)
	a.timerAt = now.Add(a.round.timeout())
}
