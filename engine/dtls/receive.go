package dtls

import (
	"encoding/binary"
	"slices"

	"gazpacho/engine/api"
)

// begin gives the handshake its turn; false when too many wait already.
func (t *Transport) begin() bool {
	a := newAssociation(t)
	if !t.config.limiter.enter(a) {
		t.counters.Overload++
		return false
	}
	t.assoc = a
	return true
}

// handshakeDatagram shows the handshake those records of a datagram that it may see. A server's handshake begins with the
// first ClientHello; before, nothing else has an effect.
func (t *Transport) handshakeDatagram(b []byte) {
	var shown []byte
	for len(b) > 0 {
		r, rest, ok := nextRecord(b)
		if !ok {
			t.counters.Malformed++
			break
		}
		b = rest
		if t.assoc == nil && !opensHandshake(r) {
			t.counters.Malformed++
			continue
		}
		if t.assoc == nil && !t.begin() {
			return
		}
		switch classify(r, t.role) {
		case actionDeliver:
			start := len(shown)
			shown = append(shown, r.raw...)
			t.assoc.renumber(shown[start:])
			if t.role == Client {
				t.assoc.secrets.note(r)
			}
		case actionBuffer:
			t.assoc.buffer(r)
		case actionDefer:
			t.assoc.deferUntilEstablished(r.raw)
		default:
			t.counters.Malformed++
		}
	}
	if len(shown) > 0 {
		t.assoc.deliver(shown)
	}
}

// deliver queues a datagram for the handshake.
func (a *association) deliver(b []byte) {
	if len(a.in) >= maxInDatagrams || !a.afford(len(b)) {
		a.t.counters.InputFull++
		return
	}
	a.in = append(a.in, b)
	a.readable.Broadcast()
}

// buffer queues a ChangeCipherSpec or Finished record. Before the handshake has its keys, pion would put it aside in a buffer
// that the next read overwrites; so it is held back here until then, in whatever order the datagrams arrive. Forged ones
// cannot keep the real ones out: one ChangeCipherSpec is as good as another, and a later Finished takes an earlier one's place.
func (a *association) buffer(r record) {
	again := r.typ == typeChangeCipherSpec && slices.ContainsFunc(a.buffered, func(b []byte) bool { return b[0] == r.typ })
	if again {
		return
	}
	if !a.afford(len(r.raw)) {
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

// afford takes n bytes from what the handshake may be shown in all.
func (a *association) afford(n int) bool {
	if a.delivered+n > maxHandshakeIn {
		return false
	}
	a.delivered += n
	return true
}

// renumber gives a record in the clear (RFC 6347 section 4.1: epoch 0) the next sequence number, in place. It is not
// authenticated, and a forged high one would make pion's replay window refuse all that follow.
func (a *association) renumber(raw []byte) []byte {
	if binary.BigEndian.Uint16(raw[3:]) == 0 {
		a.sequence++
		binary.BigEndian.PutUint64(raw[3:], a.sequence)
	}
	return raw
}

// deferUntilEstablished sets a record aside for the session: application data may overtake the end of the handshake.
func (a *association) deferUntilEstablished(b []byte) {
	if len(a.deferred) >= maxDeferred {
		a.t.counters.InputFull++
		return
	}
	a.deferred = append(a.deferred, slices.Clone(b))
}

// settle takes the result of a handshake, unless the transport has lost interest in it.
func (t *Transport) settle(a *association, e *established, err error) {
	t.mu.Lock()
	if t.assoc != a {
		t.mu.Unlock()
		return
	}
	t.assoc = nil
	if err != nil {
		t.change(StateChange{State: api.DTLSStateFailed, Reason: err})
		t.unlockAndWake()
		return
	}
	t.session = e.session
	t.change(StateChange{State: api.DTLSStateConnected, RemoteCertificate: e.pem, SRTP: e.srtp})
	for _, b := range slices.Concat(a.in, a.buffered, a.deferred) {
		t.sessionDatagram(b)
	}
	t.unlockAndWake()
}

// sessionDatagram opens the records of a datagram for the established association. Only what is authentic has an effect.
func (t *Transport) sessionDatagram(b []byte) {
	for len(b) > 0 && t.session != nil {
		r, rest, ok := nextRecord(b)
		if !ok {
			t.counters.Malformed++
			return
		}
		b = rest
		if r.epoch != 1 || r.typ == typeChangeCipherSpec {
			t.counters.Malformed++
			continue
		}
		plain, ok := t.session.open(r)
		if !ok {
			t.counters.Unauthentic++
			continue
		}
		t.handlePlain(r.typ, plain)
	}
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

// handleAlert closes the association at the peer's wish (RFC 5246 section 7.2); other warnings mean nothing here.
func (t *Transport) handleAlert(level, description byte) {
	switch {
	case description == alertCloseNotify:
		_ = t.send(typeAlert, []byte{alertWarning, alertCloseNotify})
	case level != alertFatal:
		return
	}
	t.session = nil
	t.change(StateChange{State: api.DTLSStateClosed})
}

// handleMessage answers a handshake message from the authentic peer. A repeated Finished says that a server's last flight was
// lost (RFC 6347 section 4.2.4). Anything else would be a renegotiation, which RFC 8827 section 6.5 has no use for.
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
