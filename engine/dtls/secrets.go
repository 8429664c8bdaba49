package dtls

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// From the specification: RFC 5246 section 7.4.9 (Finished) and 7.4.1.3 (ServerHello).
const (
	verifyDataLen      = 12
	finishedMessageLen = messageHeaderLen + verifyDataLen
	helloRandomAt      = messageHeaderLen + 2 // after the version
	helloRandomEnd     = helloRandomAt + 32
)

// secrets are what opens the peer's Finished before the handshake does. All else that the handshake is shown came in the clear
// and was judged (record.go). A Finished is encrypted, and pion takes what it decrypts on trust: some messages there make it
// panic, in a goroutine of its own, where nothing contains that. Their sender need only be a peer like any other.
type secrets struct {
	suite        uint16
	clientRandom [32]byte
	serverRandom [32]byte
	hasServer    bool // the second one is known
	master       []byte
	session      *session // made of the above when first wanted
}

// keyLog is where pion tells the master secret, once it has it: "CLIENT_RANDOM", the random and the secret.
type keyLog struct{ a *association }

func (l keyLog) Write(line []byte) (int, error) {
	fields := strings.Fields(string(line))
	if len(fields) != 3 || fields[0] != "CLIENT_RANDOM" {
		return len(line), nil
	}
	random, err := hex.DecodeString(fields[1])
	master, err2 := hex.DecodeString(fields[2])
	if err != nil || err2 != nil || len(random) != 32 {
		return 0, errors.New("the handshake told no secret")
	}
	l.a.t.mu.Lock()
	defer l.a.t.mu.Unlock()
	s := &l.a.secrets
	copy(s.clientRandom[:], random)
	s.master = master
	return len(line), nil
}

// note reads the server's hello, whichever side sends it. The first one counts, as it does for pion.
func (s *secrets) note(r record) {
	body := r.fragment()
	if s.hasServer || r.epoch != 0 || r.typ != typeHandshake || len(body) < helloRandomEnd+1 || body[0] != messageServerHello ||
		uint24(body[6:]) != 0 || uint24(body[9:]) < helloRandomEnd-messageHeaderLen {
		return
	}
	copy(s.serverRandom[:], body[helloRandomAt:helloRandomEnd])
	s.hasServer = true
	session := int(body[helloRandomEnd])
	if at := helloRandomEnd + 1 + session; len(body) >= at+2 {
		s.suite = binary.BigEndian.Uint16(body[at:])
	}
}

// genuine returns those of the held records that the handshake may see, a ChangeCipherSpec before what it announces.
func (a *association) genuine(held [][]byte) [][]byte {
	slices.SortStableFunc(held, func(x, y []byte) int { return cmp.Compare(x[0], y[0]) }) // types 20 and 22
	return slices.DeleteFunc(held, func(raw []byte) bool {
		r, _, _ := nextRecord(raw) // was cut from a datagram by it
		if r.typ == typeChangeCipherSpec || a.secrets.opensFinished(r, a.role) {
			return false
		}
		a.t.counters.Unauthentic++
		return true
	})
}

// opensFinished tells whether r is an authentic Finished, whole and nothing else.
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
	if s.master == nil || !s.hasServer {
		return false
	}
	e := &exported{
		LocalRandom: s.serverRandom, RemoteRandom: s.clientRandom, CipherSuiteID: s.suite, MasterSecret: s.master,
	}
	if role == Client {
		e.LocalRandom, e.RemoteRandom, e.IsClient = s.clientRandom, s.serverRandom, true
	}
	var err error
	s.session, err = newSession(e, nil)
	return err == nil
}
