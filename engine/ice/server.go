package ice

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/stun"
)

// Server is the ICE lite agent of one transport. It belongs to its transport's shard and is not safe for concurrent use.
type Server struct {
	current, previous credentials // previous is set only from Restart until the first request with the current ones
	state             State
	tuples            tupleList
	proven            Tuple // the last tuple that authentic traffic came from, if hasProven; it is in the list
	hasProven         bool
	nomination        uint32 // the highest NOMINATION that selected a tuple; 0 if none did
	consentTimeout    time.Duration
	consentUntil      unit.Time
	output            Output
	counters          Counters
	message           stun.Message
}

// credentials are a username fragment and its password.
type credentials struct {
	fragment, password string
	key                *stun.Key // nil if unset
}

func newCredentials(fragment, password string) credentials {
	return credentials{fragment, password, stun.NewKey(password)}
}

// New returns a Server in state api.ICEStateNew with the given local credentials. Its Output already holds the username
// fragment.
//
// consentTimeout is how long the peer may pause its checks before it counts as gone (30 s in RFC 7675 section 5.1). 0 means
// forever; other values are clamped to MinConsentTimeout and MaxConsentTimeout.
func New(usernameFragment, password string, consentTimeout time.Duration) *Server {
	if consentTimeout != 0 {
		consentTimeout = min(max(consentTimeout, MinConsentTimeout), MaxConsentTimeout)
	}
	s := &Server{
		current:        newCredentials(usernameFragment, password),
		state:          api.ICEStateNew,
		consentTimeout: consentTimeout,
		consentUntil:   unit.Never,
	}
	s.output.AddedFragments = append(s.output.AddedFragments, usernameFragment)
	return s
}

// State returns the current state.
func (s *Server) State() State { return s.state }

// Selected returns the tuple to send to. There is one if and only if the state is Connected or Completed.
func (s *Server) Selected() (Tuple, bool) { return s.tuples.selectedTuple() }

// Tuples returns a new slice of the valid tuples, newest first.
func (s *Server) Tuples() []Tuple { return s.tuples.list() }

// UsernameFragment returns the current local username fragment.
func (s *Server) UsernameFragment() string { return s.current.fragment }

// Password returns the current local password.
func (s *Server) Password() string { return s.current.password }

// Counters returns the counters of messages and events.
func (s *Server) Counters() Counters { return s.counters }

// Output returns what happened since its last Reset. The caller acts on it after each call.
func (s *Server) Output() *Output { return &s.output }

// IsValidTuple reports whether an authentic check came from t. Packets from other tuples must be dropped.
func (s *Server) IsValidTuple(t Tuple) bool { return s.tuples.has(t) }

// MayForceSelectedTuple selects t if it is a valid tuple and the state is Connected or Completed. Call it when DTLS or
// authentic media arrives from t: browsers may send on a tuple that they have not nominated yet (aggressive nomination).
// It reports whether the selection changed; the change is then in the Output.
func (s *Server) MayForceSelectedTuple(t Tuple) (changed bool) {
	return s.active() && s.tuples.has(t) && s.choose(t)
}

// Prove is MayForceSelectedTuple for traffic that only the peer can have sent: SRTP, SRTCP or DTLS that verifies.
func (s *Server) Prove(t Tuple) (changed bool) {
	if s.Proven() && s.proven == t {
		return false
	}
	changed = s.MayForceSelectedTuple(t)
	if selected, ok := s.tuples.selectedTuple(); ok && selected == t {
		s.proven, s.hasProven = t, true
	}
	return changed
}

// Proven reports whether the peer has sent traffic from the selected tuple. A check alone does not show that: its password is all
// that the sender needs, so that a peer can have one sent from a victim's address.
func (s *Server) Proven() bool {
	return s.hasProven && s.tuples.hasSelected && s.tuples.selected == s.proven
}

// GiveUpSelected goes back from a selected tuple that is not proven to the last one that was. If that is gone, ICE is
// disconnected.
func (s *Server) GiveUpSelected(now unit.Time) {
	if !s.active() || s.Proven() {
		return
	}
	s.counters.GivenUp++
	if s.hasProven {
		s.choose(s.proven)
		s.renewConsent(now) // the peer's checks on this tuple did not count meanwhile
		return
	}
	s.removeAll()
	s.disconnect()
}

// RemoveTuple removes t, for example because its TCP connection is closed. If t was selected, the newest remaining tuple
// is selected; if none remains, ICE is disconnected.
func (s *Server) RemoveTuple(now unit.Time, t Tuple) {
	wasSelected, ok := s.tuples.remove(t)
	if !ok {
		return
	}
	s.removed(t)
	if !wasSelected {
		return
	}
	if next, ok := s.tuples.newest(); ok {
		s.choose(next)
		s.renewConsent(now) // give the peer time to continue its checks on this tuple
		return
	}
	s.disconnect()
}

// Restart sets new credentials (ICE restart, RFC 8445 section 9). State, tuples and selection stay. The previous
// credentials are accepted until the first request that uses the new ones, or until the next Restart.
func (s *Server) Restart(now unit.Time, usernameFragment, password string) {
	s.dropPrevious()
	s.previous = s.current
	s.current = newCredentials(usernameFragment, password)
	s.nomination = 0
	s.output.AddedFragments = append(s.output.AddedFragments, usernameFragment)
	if s.active() {
		s.renewConsent(now)
	}
}

// Close reports all fragments and tuples in the Output as removed, without a change of state. Afterwards only Output may
// be called.
func (s *Server) Close() {
	s.output.RemovedFragments = append(s.output.RemovedFragments, s.current.fragment)
	s.dropPrevious()
	s.removeAll()
	s.consentUntil = unit.Never
}

// NextTimeout returns when consent expires.
func (s *Server) NextTimeout() unit.Time { return s.consentUntil }

// HandleTimeout disconnects ICE when consent has expired.
func (s *Server) HandleTimeout(now unit.Time) {
	if now < s.consentUntil {
		return
	}
	s.counters.ConsentExpired++
	s.removeAll()
	s.disconnect()
}

// active reports whether there is a selected tuple.
func (s *Server) active() bool { return s.state == Connected || s.state == Completed }

func (s *Server) setState(to State) {
	s.state = to
	s.output.States = append(s.output.States, to)
}

// choose selects a tuple of the list. It returns false if it is selected already.
func (s *Server) choose(t Tuple) bool {
	if !s.tuples.choose(t) {
		return false
	}
	s.output.SelectedTuples = append(s.output.SelectedTuples, t)
	return true
}

// disconnect enters Disconnected; the caller has removed the selected tuple.
func (s *Server) disconnect() {
	s.nomination = 0
	s.consentUntil = unit.Never
	s.setState(Disconnected)
}

func (s *Server) removeAll() {
	s.output.RemovedTuples = append(s.output.RemovedTuples, s.tuples.list()...)
	s.tuples.clear()
	s.hasProven = false
}

// removed reports a tuple that is no longer in the list.
func (s *Server) removed(t Tuple) {
	s.output.RemovedTuples = append(s.output.RemovedTuples, t)
	s.hasProven = s.hasProven && s.proven != t
}

func (s *Server) dropPrevious() {
	if s.previous.key == nil {
		return
	}
	s.output.RemovedFragments = append(s.output.RemovedFragments, s.previous.fragment)
	s.previous = credentials{}
}

func (s *Server) renewConsent(now unit.Time) {
	if s.consentTimeout != 0 {
		s.consentUntil = now.Add(s.consentTimeout)
	}
}
