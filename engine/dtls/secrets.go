package dtls

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// From RFC 5246 sections 7.4.9 (Finished) and 7.4.1.3 (ServerHello).
const (
	verifyDataLen      = 12
	finishedMessageLen = messageHeaderLen + verifyDataLen
	helloRandomAt      = messageHeaderLen + 2 // after the version
	helloRandomEnd     = helloRandomAt + 32
)

// secrets decrypt the peer's Finished before the handshake gets it. All other records arrive unencrypted and are checked
// before they are delivered (record.go). pion trusts what it decrypts: some messages make it panic, in its own goroutine,
// where the panic cannot be contained. Any peer that completes the key exchange could send them.
type secrets struct {
	suite           uint16
	clientRandom    [32]byte
	serverRandom    [32]byte
	hasServerRandom bool
	master          []byte
	session         *session // derived from the above when first needed
}

// keyLog receives the master secret from pion as soon as it exists: a line "CLIENT_RANDOM", the random and the secret.
type keyLog struct{ a *association }

func (l keyLog) Write(line []byte) (int, error) {
	fields := strings.Fields(string(line))
	if len(fields) != 3 || fields[0] != "CLIENT_RANDOM" {
		return len(line), nil
	}
	random, err := hex.DecodeString(fields[1])
	master, err2 := hex.DecodeString(fields[2])
	if err != nil || err2 != nil || len(random) != 32 {
		return 0, errors.New("malformed line in the key log")
	}
	l.a.t.mu.Lock()
	defer l.a.t.mu.Unlock()
	s := &l.a.secrets
	copy(s.clientRandom[:], random)
	s.master = master
	return len(line), nil
}

// readServerHello takes the random and the cipher suite from the ServerHello, whichever side sends it. The first one counts,
// as in pion. It ignores other records.
func (s *secrets) readServerHello(r record) {
	body := r.fragment()
	if s.hasServerRandom || r.epoch != 0 || r.typ != typeHandshake || len(body) < helloRandomEnd+1 || body[0] != messageServerHello ||
		uint24(body[6:]) != 0 || uint24(body[9:]) < helloRandomEnd-messageHeaderLen {
		return
	}
	copy(s.serverRandom[:], body[helloRandomAt:helloRandomEnd])
	s.hasServerRandom = true
	session := int(body[helloRandomEnd])
	if at := helloRandomEnd + 1 + session; len(body) >= at+2 {
		s.suite = binary.BigEndian.Uint16(body[at:])
	}
}

// dropUnauthentic returns the buffered records that may be delivered to the handshake: a ChangeCipherSpec, then authentic
// Finished records.
func (a *association) dropUnauthentic(buffered [][]byte) [][]byte {
	slices.SortStableFunc(buffered, func(x, y []byte) int { return cmp.Compare(x[0], y[0]) }) // types 20 and 22
	return slices.DeleteFunc(buffered, func(raw []byte) bool {
		r, _, _ := nextRecord(raw) // cannot fail: raw is a record that nextRecord returned
		if r.typ == typeChangeCipherSpec || a.secrets.opensFinished(r, a.role) {
			return false
		}
		a.t.counters.Unauthentic++
		return true
	})
}

// opensFinished reports whether r decrypts to exactly one complete Finished message.
func (s *secrets) opensFinished(r record, role Role) bool {
	if s.session == nil && !s.derive(role) {
		return false
	}
	s.session.window = replayWindow{} // a server repeats the same record when the client asks for it
	plain, ok := s.session.open(r)
	return ok && len(plain) == finishedMessageLen && plain[0] == messageFinished && uint24(plain[1:]) == verifyDataLen &&
		binary.BigEndian.Uint16(plain[4:]) <= maxMessageSequence && uint24(plain[6:]) == 0 && uint24(plain[9:]) == verifyDataLen
}

func (s *secrets) derive(role Role) bool {
	if s.master == nil || !s.hasServerRandom {
		return false
	}
	e := &exportedState{
		LocalRandom: s.serverRandom, RemoteRandom: s.clientRandom, CipherSuiteID: s.suite, MasterSecret: s.master,
	}
	if role == Client {
		e.LocalRandom, e.RemoteRandom, e.IsClient = s.clientRandom, s.serverRandom, true
	}
	var err error
	s.session, err = newSession(e, nil)
	return err == nil
}
