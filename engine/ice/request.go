package ice

import (
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/stun"
)

// refusal is an error response: its code, and a reason for whoever reads a capture. Reasons are short, so that an answer to a
// forged source address is of little use to the forger.
type refusal struct {
	code   int
	reason string
}

// From the specification: RFC 8489 section 9.1.3 (400, 401), RFC 8445 section 7.3.1.1 (487).
var (
	unknownMethod    = refusal{400, "unknown method"}
	noFingerprint    = refusal{400, "missing FINGERPRINT"}
	noPriority       = refusal{400, "missing PRIORITY"}
	noAuthentication = refusal{400, "missing credentials"}
	wrongCredentials = refusal{401, "wrong credentials"}
	roleConflict     = refusal{487, "role conflict"}
)

// HandleSTUN takes a message that came from t and appends the answer, if there is one, to dst[:0]; nil when there is none. The
// answer is to be sent to t. Neither msg nor dst is kept.
//
// Malformed messages, indications and responses are counted and get no answer. A request is refused with 400 when it is no
// Binding request or lacks FINGERPRINT, PRIORITY, USERNAME or MESSAGE-INTEGRITY, with 401 when its credentials are wrong, with
// 487 when the peer wants to be controlled. What is not authentic changes nothing but counters.
func (s *Server) HandleSTUN(now unit.Time, t Tuple, msg, dst []byte) (response []byte) {
	m := &s.message
	if m.Parse(msg) != nil {
		s.counters.Malformed++
		*m = stun.Message{}
		return nil
	}
	response = s.HandleMessage(now, t, m, dst)
	*m = stun.Message{}
	return response
}

// HandleMessage is HandleSTUN for a message that the caller has parsed, for instance to find the Server by
// LocalUsernameFragment.
func (s *Server) HandleMessage(now unit.Time, t Tuple, m *stun.Message, dst []byte) (response []byte) {
	if m.Class != stun.Request {
		s.counters.Ignored++
		return nil
	}
	if r, bad := malformed(m); bad {
		s.counters.BadRequests++
		return refuse(dst, m, r, nil)
	}
	by := s.authenticate(m)
	if by == nil {
		s.counters.Unauthorized++
		return refuse(dst, m, wrongCredentials, nil)
	}
	if by == &s.current {
		s.dropPrevious()
	}
	if m.Has(stun.ICEControlled) {
		s.counters.RoleConflicts++
		return refuse(dst, m, roleConflict, by.key)
	}
	s.counters.Accepted++
	s.handleTuple(t, m)
	if s.active() {
		s.renewConsent(now)
	}
	return accept(dst, m, t, by.key)
}

// malformed tells whether a request cannot be processed, and why.
func malformed(m *stun.Message) (why refusal, bad bool) {
	switch {
	case m.Method != stun.Binding:
		return unknownMethod, true
	case !m.Has(stun.Fingerprint):
		return noFingerprint, true
	case !m.Has(stun.Priority):
		return noPriority, true
	case !m.Has(stun.Username), !m.Has(stun.MessageIntegrity):
		return noAuthentication, true
	}
	return refusal{}, false
}

// authenticate returns the credentials that a request was made with; nil when it was made with none of ours.
func (s *Server) authenticate(m *stun.Message) *credentials {
	switch {
	case s.current.made(m):
		return &s.current
	case s.previous.made(m):
		return &s.previous
	}
	return nil
}

// made tells whether m is addressed to c's username fragment and made with its password. The fragment of the peer behind the
// colon is not checked: the application does not tell us which one it is.
func (c *credentials) made(m *stun.Message) bool {
	return c.key != nil && m.AddressedTo(c.fragment) && m.Verify(c.key)
}

func accept(dst []byte, m *stun.Message, t Tuple, key *stun.Key) []byte {
	w := stun.Build(dst[:0], stun.SuccessResponse, stun.Binding, m.TransactionID)
	w.XORMappedAddress(t.Remote)
	w.Integrity(key)
	w.Fingerprint()
	return w.Message()
}

// refuse builds an error response; key is nil when the request was not authentic.
func refuse(dst []byte, m *stun.Message, r refusal, key *stun.Key) []byte {
	w := stun.Build(dst[:0], stun.ErrorResponse, m.Method, m.TransactionID)
	w.ErrorCode(r.code, r.reason)
	if key != nil {
		w.Integrity(key)
	}
	w.Fingerprint()
	return w.Message()
}

// handleTuple stores where an authentic request came from and decides about selection and state.
func (s *Server) handleTuple(t Tuple, m *stun.Message) {
	s.addTuple(t)
	value, hasNomination := m.Nomination()
	useCandidate := m.Has(stun.UseCandidate)
	nominated := hasNomination && value > s.nomination // draft-thatcher-tsvwg-renomination: the highest value counts
	to := s.next(useCandidate, hasNomination, nominated)
	if to == keep {
		return
	}
	s.choose(t)
	if nominated {
		s.nomination = value
	}
	if to != s.state {
		s.setState(to)
	}
}

// keep is what next returns when neither the selection nor the state is to change. No state has this value.
const keep State = 255

// next decides what a request does: keep, or selecting its tuple and being in the state returned. The first tuple is selected
// without nomination (RFC 8445 section 12.1.1 lets a lite agent send early); later ones need one.
func (s *Server) next(useCandidate, hasNomination, nominated bool) State {
	switch {
	case !useCandidate && !hasNomination && !s.active():
		return Connected
	case nominated, useCandidate && !hasNomination:
		return Completed
	case useCandidate && s.state == Completed: // upstream's: an outdated NOMINATION matters only while nothing is nominated
		return Completed
	}
	return keep
}

func (s *Server) addTuple(t Tuple) {
	if s.tuples.has(t) {
		return
	}
	evicted, full := s.tuples.add(t)
	s.output.AddedTuples = append(s.output.AddedTuples, t)
	if full {
		s.counters.EvictedTuples++
		s.output.RemovedTuples = append(s.output.RemovedTuples, evicted)
	}
}
