package ice_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/ice"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/stun"
)

const (
	fragment = "localfragment"
	password = "local password"
	start    = unit.Time(1_000_000_000_000)
)

// tuple returns the n-th UDP tuple.
func tuple(n int) ice.Tuple {
	return ice.Tuple{Protocol: ice.UDP, Socket: 1, Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 5000)}
}

// part adds an attribute to a request.
type part func(*stun.Builder)

func useCandidate(w *stun.Builder) { w.Flag(stun.UseCandidate) }
func controlled(w *stun.Builder)   { w.Uint64(stun.ICEControlled, 0) }

func nomination(value uint32) part {
	return func(w *stun.Builder) { w.Uint32(stun.Nomination, value) }
}

func oldNomination(value uint32) part {
	return func(w *stun.Builder) { w.Uint32(stun.NominationOld, value) }
}

// request builds a check as a browser sends it to the given credentials.
func request(fragment, password string, parts ...part) []byte {
	w := stun.Build(nil, stun.Request, stun.Binding, stun.TransactionID([]byte("transaction!")))
	w.String(stun.Username, fragment+":remote")
	w.Uint32(stun.Priority, 1853693695)
	for _, p := range parts {
		p(&w)
	}
	w.Integrity(stun.NewKey(password))
	w.Fingerprint()
	return w.Message()
}

// fixture is a Server with a clock, and the state that its outputs add up to. Every call checks the invariants.
type fixture struct {
	*ice.Server
	t         testing.TB
	now       unit.Time
	out       ice.Output // the output of the last call
	tuples    map[ice.Tuple]bool
	fragments map[string]bool
}

func newFixture(t testing.TB, consentTimeout time.Duration) *fixture {
	r := &fixture{
		Server: ice.New(fragment, password, consentTimeout), t: t, now: start,
		tuples: map[ice.Tuple]bool{}, fragments: map[string]bool{},
	}
	r.drain()
	return r
}

// drain takes the output of a call and compares the Server's state with what its outputs add up to.
func (r *fixture) drain() {
	out := r.Output()
	r.out = clone(out)
	for _, f := range out.AddedFragments {
		require.False(r.t, r.fragments[f], "added twice")
		r.fragments[f] = true
	}
	for _, f := range out.RemovedFragments {
		require.True(r.t, r.fragments[f], "removed twice")
		delete(r.fragments, f)
	}
	for _, tuple := range out.AddedTuples {
		require.False(r.t, r.tuples[tuple], "added twice")
		r.tuples[tuple] = true
	}
	for _, tuple := range out.RemovedTuples {
		require.True(r.t, r.tuples[tuple], "removed twice")
		delete(r.tuples, tuple)
	}
	out.Reset()
	require.True(r.t, out.Empty())
	r.checkInvariants()
}

func clone(o *ice.Output) ice.Output {
	return ice.Output{
		AddedFragments:   append([]string(nil), o.AddedFragments...),
		RemovedFragments: append([]string(nil), o.RemovedFragments...),
		AddedTuples:      append([]ice.Tuple(nil), o.AddedTuples...),
		RemovedTuples:    append([]ice.Tuple(nil), o.RemovedTuples...),
		SelectedTuples:   append([]ice.Tuple(nil), o.SelectedTuples...),
		States:           append([]ice.State(nil), o.States...),
	}
}

func (r *fixture) checkInvariants() {
	tuples := r.Tuples()
	require.LessOrEqual(r.t, len(tuples), ice.MaxTuples)
	require.Len(r.t, r.tuples, len(tuples))
	for _, tuple := range tuples {
		require.True(r.t, r.tuples[tuple])
		require.True(r.t, r.IsValidTuple(tuple))
	}
	selected, ok := r.Selected()
	active := r.State() == ice.Connected || r.State() == ice.Completed
	require.Equal(r.t, active, ok, "a tuple is selected if and only if ICE is connected")
	require.Equal(r.t, ok, r.IsValidTuple(selected))
	if r.NextTimeout() != unit.Never {
		require.True(r.t, active, "consent matters only while ICE is connected")
	}
	require.LessOrEqual(r.t, len(r.fragments), 2)
}

// sends delivers msg from the peer on t and returns the answer, nil if there is none.
func (r *fixture) sends(t ice.Tuple, msg []byte) *stun.Message {
	dst := []byte("what the buffer held before")
	response := r.HandleSTUN(r.now, t, msg, dst)
	r.drain()
	if response == nil {
		return nil
	}
	m := new(stun.Message)
	require.NoError(r.t, m.Parse(response))
	require.True(r.t, m.Has(stun.Fingerprint))
	return m
}

// checks delivers a good check from the peer on t and requires a success response.
func (r *fixture) checks(t ice.Tuple, parts ...part) {
	r.t.Helper()
	m := r.sends(t, request(r.UsernameFragment(), r.Password(), parts...))
	require.NotNil(r.t, m)
	require.Equal(r.t, stun.SuccessResponse, m.Class)
}

// advance moves the clock and handles the timer if it is due.
func (r *fixture) advance(d time.Duration) {
	r.now = r.now.Add(d)
	r.HandleTimeout(r.now)
	r.drain()
}

// wantOutput compares the output of the last call; nil and empty lists are equal.
func (r *fixture) wantOutput(want ice.Output) {
	r.t.Helper()
	require.Equal(r.t, clone(&want), r.out)
}

func (r *fixture) wantSelected(want ice.Tuple) {
	r.t.Helper()
	got, ok := r.Selected()
	require.True(r.t, ok)
	require.Equal(r.t, want, got)
}

func (r *fixture) wantNothing() {
	r.t.Helper()
	r.wantOutput(ice.Output{})
}

// bringTo brings a new fixture into a state; in Connected and Completed, tuple 1 is selected.
func bringTo(t testing.TB, state ice.State) *fixture {
	r := newFixture(t, 30*time.Second)
	switch state {
	case ice.Connected:
		r.checks(tuple(1))
	case ice.Completed:
		r.checks(tuple(1), nomination(5))
	case ice.Disconnected:
		r.checks(tuple(1), nomination(5))
		r.advance(30 * time.Second)
	}
	require.Equal(t, state, r.State())
	return r
}
