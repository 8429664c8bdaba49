package dtls

import (
	"encoding/binary"
	"slices"

	"gazpacho/engine/api"
)

// startHandshake runs or queues a handshake. It returns false if too many wait already.
func (t *Transport) startHandshake() bool {
	a := newAssociation(t)
	if !t.config.limiter.enter(a) {
		t.counters.Overload++
		return false
	}
	t.assoc = a
	return true
}

// handshakeDatagram delivers the records of a datagram that the handshake may read. A server's handshake begins with the
// first ClientHello; before that, no other record has an effect.
func (t *Transport) handshakeDatagram(b []byte) {
	var delivered []byte
	for r, ok := range records(b) {
		switch {
		case !ok, t.assoc == nil && !opensHandshake(r):
			t.counters.Malformed++
		case t.assoc == nil && !t.startHandshake():
			return
		default:
			delivered = t.handshakeRecord(r, delivered)
		}
	}
	if len(delivered) > 0 {
		t.assoc.deliver(delivered)
	}
}

// handshakeRecord does with a record what classify decides, and appends one to deliver to datagram.
func (t *Transport) handshakeRecord(r record, datagram []byte) []byte {
	switch classify(r, t.role) {
	case actionDeliver:
		start := len(datagram)
		datagram = append(datagram, r.raw...)
		t.assoc.renumber(datagram[start:])
		if t.role == Client {
			t.assoc.secrets.readServerHello(r)
		}
	case actionBuffer:
		t.assoc.buffer(r)
	case actionDefer:
		t.assoc.deferUntilEstablished(r.raw)
	case actionDrop:
		t.counters.Malformed++
	}
	return datagram
}

// deliver queues a datagram for the handshake.
func (a *association) deliver(b []byte) {
	if len(a.in) >= maxInDatagrams || !a.reserve(len(b)) {
		a.t.counters.InputFull++
		return
	}
	a.in = append(a.in, b)
	a.readable.Broadcast()
	a.t.config.limiter.hear(a)
}

// buffer queues a ChangeCipherSpec or Finished record until the handshake has its keys, in whatever order the datagrams
// arrive: pion would keep it in a buffer that its next read overwrites. Forged records cannot keep the real ones out: one
// ChangeCipherSpec is as good as another, and a later Finished replaces an earlier one.
func (a *association) buffer(r record) {
	again := r.typ == typeChangeCipherSpec && slices.ContainsFunc(a.buffered, func(b []byte) bool { return b[0] == r.typ })
	if again {
		return
	}
	if !a.reserve(len(r.raw)) {
		a.t.counters.InputFull++
		return
	}
	if len(a.buffered) >= maxBuffered {
		oldest := slices.IndexFunc(a.buffered, func(b []byte) bool { return b[0] == typeHandshake })
		a.buffered = slices.Delete(a.buffered, oldest, oldest+1)
		a.t.counters.InputFull++
	}
	a.buffered = append(a.buffered, a.renumber(slices.Clone(r.raw)))
	a.readable.Broadcast()
}

// reserve takes n bytes of the total that may be delivered to the handshake. It returns false if they exceed it.
func (a *association) reserve(n int) bool {
	if a.delivered+n > maxHandshakeIn {
		return false
	}
	a.delivered += n
	return true
}

// renumber gives a plaintext record (epoch 0, RFC 6347 section 4.1) the next sequence number, in place. The received number
// is not authenticated: a forged high one would make pion's replay window refuse all records after it.
func (a *association) renumber(raw []byte) []byte {
	if binary.BigEndian.Uint16(raw[3:]) == 0 {
		a.sequence++
		binary.BigEndian.PutUint64(raw[3:], a.sequence)
	}
	return raw
}

// deferUntilEstablished queues a record for the session: application data may overtake the end of the handshake.
func (a *association) deferUntilEstablished(b []byte) {
	if len(a.deferred) >= maxDeferred {
		a.t.counters.InputFull++
		return
	}
	a.deferred = append(a.deferred, slices.Clone(b))
}

// handshakeDisplaced begins anew: a client at the end of the queue, a server with the peer's next ClientHello.
func (t *Transport) handshakeDisplaced(a *association) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.assoc != a {
		return
	}
	t.counters.Displaced++
	t.assoc = nil
	if a.role == Client {
		t.startHandshake()
	}
}

// handshakeDone handles the result of a handshake, unless it was abandoned.
func (t *Transport) handshakeDone(a *association, e *established, err error) {
	t.mu.Lock()
	if t.assoc != a {
		t.mu.Unlock()
		return
	}
	t.assoc = nil
	if err != nil {
		t.setState(StateChange{State: api.DTLSStateFailed, Reason: err})
		t.unlockAndWake()
		return
	}
	t.session = e.session
	t.setState(StateChange{State: api.DTLSStateConnected, RemoteCertificate: e.pem, SRTP: e.srtp})
	for _, b := range slices.Concat(a.in, a.buffered, a.deferred) {
		t.sessionDatagram(b)
	}
	t.unlockAndWake()
}

// sessionDatagram opens the records of a datagram for the established association. Only authentic records have an effect; it
// reports whether there was one.
func (t *Transport) sessionDatagram(b []byte) (authentic bool) {
	for r, ok := range records(b) {
		switch {
		case t.session == nil: // an earlier record closed the association
			return authentic
		case !ok || r.epoch != 1 || r.typ == typeChangeCipherSpec:
			t.counters.Malformed++
		default:
			authentic = t.sessionRecord(r) || authentic
		}
	}
	return authentic
}

func (t *Transport) sessionRecord(r record) (authentic bool) {
	plain, ok := t.session.open(r)
	if !ok {
		t.counters.Unauthentic++
		return false
	}
	t.handlePlain(r.typ, plain)
	return true
}

func (t *Transport) handlePlain(typ byte, plain []byte) {
	switch {
	case typ == typeApplicationData && len(plain) > 0:
		t.pushData(plain)
	case typ == typeAlert && len(plain) == 2:
		t.handleAlert(plain[0], plain[1])
	case typ == typeHandshake && len(plain) >= messageHeaderLen:
		t.handleMessage(plain[0])
	}
}

// handleAlert closes the association on close_notify and on fatal alerts (RFC 5246 section 7.2). It ignores other warnings.
func (t *Transport) handleAlert(level, description byte) {
	switch {
	case description == alertCloseNotify:
		_ = t.send(typeAlert, []byte{alertWarning, alertCloseNotify})
	case level != alertFatal:
		return
	}
	t.session = nil
	t.setState(StateChange{State: api.DTLSStateClosed})
}

// handleMessage answers a handshake message of the authenticated peer. A client that repeats its Finished has not received
// the server's last flight (RFC 6347 section 4.2.4). Anything else is a renegotiation, which WebRTC does not use (RFC 8827
// section 6.5).
func (t *Transport) handleMessage(message byte) {
	switch {
	case message == messageFinished && t.session.lastFlight != nil:
		t.pushDatagram(t.session.lastFlight)
	case message == messageFinished:
	default:
		t.counters.Renegotiated++
		_ = t.send(typeAlert, []byte{alertWarning, alertNoRenegotiation})
	}
}

func (t *Transport) send(typ byte, data []byte) error {
	b, err := t.session.seal(typ, data)
	if err != nil {
		return err
	}
	t.pushDatagram(b)
	return nil
}
