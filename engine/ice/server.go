package ice

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/stun"
)

// Server is the ICE lite agent of one transport. It belongs to the shard of its transport; no two goroutines may use it at once.
type Server struct {
	current, previous credentials // previous only between Restart and the first request with the current ones
	state             State
	tuples            tupleList
	nomination        uint32 // the highest NOMINATION that selected a tuple; 0 when none did
	consentTimeout    time.Duration
	consentUntil      unit.Time
	output            Output
	counters          Counters
	message           stun.Message
}

// credentials are a username fragment and the password that belongs to it.
type credentials struct {
	fragment, password string
	key                *stun.Key // nil: there are none
}

func newCredentials(fragment, password string) credentials {
	return credentials{fragment, password, stun.NewKey(password)}
}

// New makes a Server in state api.ICEStateNew with the local credentials. The Output holds the username fragment already.
//
// consentTimeout is how long the peer may pause its checks before it counts as gone (RFC 7675 section 5.1 says 30 s): 0 is for
// ever, everything else is brought between MinConsentTimeout and MaxConsentTimeout.
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

// State returns the present state.
func (s *Server) State() State { return s.state }

// Selected returns the tuple to send to. There is one exactly while the state is Connected or Completed.
func (s *Server) Selected() (Tuple, bool) { return s.tuples.selectedTuple() }

// Tuples returns the valid tuples, the newest first, in new memory.
func (s *Server) Tuples() []Tuple { return s.tuples.list() }

// UsernameFragment returns the present local username fragment.
func (s *Server) UsernameFragment() string { return s.current.fragment }

// Password returns the present local password.
func (s *Server) Password() string { return s.current.password }

// Counters returns what became of the messages so far.
func (s *Server) Counters() Counters { return s.counters }

// Output returns what happened since its last Reset. The caller acts on it after each call.
func (s *Server) Output() *Output { return &s.output }

// IsValidTuple tells whether an authentic check came from t, so that other packets from there may be looked at.
func (s *Server) IsValidTuple(t Tuple) bool { return s.tuples.has(t) }

// MayForceSelectedTuple selects t if that is a valid tuple and the state is Connected or Completed. The caller does it when DTLS
// or authentic media comes from t, for browsers that send on a tuple which they have not nominated yet (aggressive nomination).
// It reports whether the selection changed, which is then in the Output.
func (s *Server) MayForceSelectedTuple(t Tuple) (changed bool) {
	return s.active() && s.tuples.has(t) && s.choose(t)
}

// RemoveTuple forgets t, for instance because its TCP connection is gone. If t was selected, the newest of the remaining ones
// takes its place; without any, ICE is disconnected.
func (s *Server) RemoveTuple(now unit.Time, t Tuple) {
	wasSelected, ok := s.tuples.remove(t)
	if !ok {
		return
	}
	s.output.RemovedTuples = append(s.output.RemovedTuples, t)
	if !wasSelected {
		return
	}
	if next, ok := s.tuples.newest(); ok {
		s.choose(next)
		s.renewConsent(now) // the peer has not used this tuple for its checks so far
		return
	}
	s.disconnect()
}

// Restart gives the Server new credentials (ICE restart, RFC 8445 section 9). State, tuples and selection stay. The present
// credentials go on to be accepted until the first request that uses the new ones, or the next Restart.
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

// Close puts all fragments and tuples into the Output as removed. There is no change of state; the Server must not be used any
// more, except for its Output.
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

// active tells whether there is a selected tuple.
func (s *Server) active() bool { return s.state == Connected || s.state == Completed }

func (s *Server) setState(to State) {
	s.state = to
	s.output.States = append(s.output.States, to)
}

// choose selects a tuple of the list; false when it is selected already.
func (s *Server) choose(t Tuple) bool {
	if !s.tuples.choose(t) {
		return false
	}
	s.output.SelectedTuples = append(s.output.SelectedTuples, t)
	return true
}

// disconnect needs a list without selected tuple.
func (s *Server) disconnect() {
	s.nomination = 0
	s.consentUntil = unit.Never
	s.setState(Disconnected)
}

func (s *Server) removeAll() {
	s.output.RemovedTuples = append(s.output.RemovedTuples, s.tuples.list()...)
	s.tuples.clear()
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
