package ice_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/ice"
	"gazpacho/engine/unit"
)

func TestConsentTimeoutIsBounded(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{
		-time.Second:     10 * time.Second,
		1:                10 * time.Second,
		9 * time.Second:  10 * time.Second,
		10 * time.Second: 10 * time.Second,
		30 * time.Second: 30 * time.Second,
		60 * time.Second: 60 * time.Second,
		time.Hour:        60 * time.Second,
	} {
		r := newFixture(t, given)
		r.checks(tuple(1))
		require.Equal(t, start.Add(want), r.NextTimeout(), "%v", given)
	}
}

func TestConsentExpires(t *testing.T) {
	for _, state := range []ice.State{ice.Connected, ice.Completed} {
		r := bringTo(t, state)
		r.checks(tuple(2))
		r.advance(30*time.Second - 1)
		r.wantNothing()
		r.advance(1)
		r.wantOutput(ice.Output{RemovedTuples: []ice.Tuple{tuple(2), tuple(1)}, States: []ice.State{ice.Disconnected}})
		require.Equal(t, uint64(1), r.Counters().ConsentExpired)
		require.Equal(t, unit.Never, r.NextTimeout())
		require.False(t, r.IsValidTuple(tuple(1)))
		r.advance(time.Hour)
		r.wantNothing()

		// The peer comes back, and everything starts over.
		r.checks(tuple(1), nomination(1))
		r.wantOutput(ice.Output{AddedTuples: []ice.Tuple{tuple(1)}, SelectedTuples: []ice.Tuple{tuple(1)}, States: []ice.State{ice.Completed}})
		require.Equal(t, r.now.Add(30*time.Second), r.NextTimeout())
	}
}

// Only good requests refresh consent, and only on the selected tuple.
func TestConsentIsRefreshed(t *testing.T) {
	r := bringTo(t, ice.Completed)
	for range 10 {
		r.advance(29 * time.Second)
		r.wantNothing()
		r.checks(tuple(1))
		require.Equal(t, r.now.Add(30*time.Second), r.NextTimeout())
	}
	deadline := r.NextTimeout()
	r.now = r.now.Add(time.Second)
	r.sends(tuple(1), request(fragment, "wrong password"))
	r.sends(tuple(1), request("wrongfragment", password))
	r.sends(tuple(1), request(fragment, password, controlled))
	r.sends(tuple(1), []byte("garbage"))
	r.checks(tuple(2))
	require.Equal(t, deadline, r.NextTimeout())
	r.MayForceSelectedTuple(tuple(2))
	r.drain()
	r.RemoveTuple(r.now, tuple(1))
	r.drain()
	require.Equal(t, deadline, r.NextTimeout())
}

func TestConsentTimeoutOfZero(t *testing.T) {
	r := newFixture(t, 0)
	r.checks(tuple(1), useCandidate)
	r.checks(tuple(2))
	require.Equal(t, unit.Never, r.NextTimeout())
	r.advance(1000 * time.Hour)
	r.wantNothing()
	r.RemoveTuple(r.now, tuple(1))
	r.Restart(r.now, "second", "password 2")
	r.drain()
	require.Equal(t, unit.Never, r.NextTimeout())
	require.Equal(t, ice.Completed, r.State())
}

// A check that arrives after consent has expired, but before the timer is handled, is in time.
func TestConsentLateCheck(t *testing.T) {
	r := bringTo(t, ice.Completed)
	r.now = r.NextTimeout().Add(time.Second)
	r.checks(tuple(1))
	r.advance(0)
	r.wantNothing()
	require.Equal(t, ice.Completed, r.State())
}

// Before the first good check there is nothing to expire.
func TestConsentNotNeededBefore(t *testing.T) {
	r := newFixture(t, 10*time.Second)
	r.checks(tuple(1), nomination(0))
	require.Equal(t, unit.Never, r.NextTimeout())
	r.advance(time.Hour)
	r.wantNothing()
}
