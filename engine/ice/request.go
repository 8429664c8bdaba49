package ice

import (
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/stun"
)

// refusal is an error response: its code, and a reason to read in a packet capture. Reasons are short, to keep answers to
// forged source addresses from amplifying an attack.
type refusal struct {
	code   int
	reason string
}

// From RFC 8489 section 9.1.3 (400, 401) and RFC 8445 section 7.3.1.1 (487).
var (
	unknownMethod    = refusal{400, "unknown method"}
	noFingerprint    = refusal{400, "missing FINGERPRINT"}
	noPriority       = refusal{400, "missing PRIORITY"}
	noAuthentication = refusal{400, "missing credentials"}
	wrongCredentials = refusal{401, "wrong credentials"}
	roleConflict     = refusal{487, "role conflict"}
)

// HandleSTUN handles a message received from t. It returns the response to send to t, built in dst[:0], or nil if there is
// none. It retains neither msg nor dst.
//
// Malformed messages, indications and responses are counted and not answered. A request is refused with 400 if it is not a
// Binding request or lacks FINGERPRINT, PRIORITY, USERNAME or MESSAGE-INTEGRITY, with 401 if its credentials are wrong, and
// with 487 if the peer wants to be controlled. A message that is not authentic changes nothing but counters.
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

// HandleMessage is HandleSTUN for a message that the caller has already parsed, for example to find the Server by
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
	// RFC 7675 section 5.1: consent is of a path. A check on another one must not keep the stream to this one alive.
	if selected, ok := s.tuples.selectedTuple(); ok && selected == t {
		s.renewConsent(now)
	}
	return accept(dst, m, t, by.key)
}

// malformed reports whether a request cannot be processed, and why.
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

// authenticate returns the local credentials that a request uses, nil if none match.
func (s *Server) authenticate(m *stun.Message) *credentials {
	switch {
	case s.current.match(m):
		return &s.current
	case s.previous.match(m):
		return &s.previous
	}
	return nil
}

// match reports whether m is addressed to c's username fragment and its integrity is computed with c's password. The peer's
// fragment after the colon is not checked: mediasoup's API does not pass it.
func (c *credentials) match(m *stun.Message) bool {
	return c.key != nil && m.AddressedTo(c.fragment) && m.Verify(c.key)
}

func accept(dst []byte, m *stun.Message, t Tuple, key *stun.Key) []byte {
	w := stun.Build(dst[:0], stun.SuccessResponse, stun.Binding, m.TransactionID)
	w.XORMappedAddress(t.Remote)
	w.Integrity(key)
	w.Fingerprint()
	return w.Message()
}

// refuse builds an error response; key is nil if the request was not authentic.
func refuse(dst []byte, m *stun.Message, r refusal, key *stun.Key) []byte {
	w := stun.Build(dst[:0], stun.ErrorResponse, m.Method, m.TransactionID)
	w.ErrorCode(r.code, r.reason)
	if key != nil {
		w.Integrity(key)
	}
	w.Fingerprint()
	return w.Message()
}

// handleTuple adds the tuple of an authentic request, and updates the selection and the state.
func (s *Server) handleTuple(t Tuple, m *stun.Message) {
	s.addTuple(t)
	value, hasNomination := m.Nomination()
	useCandidate := m.Has(stun.UseCandidate)
	nominated := hasNomination && value > s.nomination // draft-thatcher-tsvwg-renomination: the highest value counts
	to := s.nextState(useCandidate, hasNomination, nominated)
	if to == unchanged {
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

// unchanged, returned by nextState, is not the value of any state.
const unchanged State = 255

// nextState decides what a request does: nothing (unchanged), or select its tuple and enter the returned state. The first
// tuple is selected without nomination (RFC 8445 section 12.1.1 lets a lite agent send early); later ones need one.
func (s *Server) nextState(useCandidate, hasNomination, nominated bool) State {
	switch {
	case !useCandidate && !hasNomination && !s.active():
		return Connected
	case nominated, useCandidate && !hasNomination:
		return Completed
	case useCandidate && s.state == Completed: // as in mediasoup: an outdated NOMINATION matters only before completion
		return Completed
	}
	return unchanged
}

func (s *Server) addTuple(t Tuple) {
	if s.tuples.has(t) {
		return
	}
	evicted, full := s.tuples.add(t)
	s.output.AddedTuples = append(s.output.AddedTuples, t)
	if full {
		s.counters.EvictedTuples++
		s.removed(evicted)
	}
}
