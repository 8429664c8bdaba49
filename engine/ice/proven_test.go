package ice_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/ice"
)

// proves is authentic traffic from a tuple.
func (r *fixture) proves(t ice.Tuple) {
	r.Prove(t)
	r.drain()
}

func (r *fixture) givesUp() {
	r.GiveUpSelected(r.now)
	r.drain()
}

// A nomination selects, but only traffic proves. Traffic from another tuple selects that one.
func TestOnlyTrafficProves(t *testing.T) {
	r := bringTo(t, ice.Completed)
	require.False(t, r.Proven())
	r.proves(tuple(1))
	require.True(t, r.Proven())
	r.wantNothing()

	r.checks(tuple(2), useCandidate)
	r.wantSelected(tuple(2))
	require.False(t, r.Proven())
	r.proves(tuple(3)) // not a valid tuple
	require.False(t, r.Proven())
	r.proves(tuple(1))
	r.wantOutput(ice.Output{SelectedTuples: []ice.Tuple{tuple(1)}})
	require.True(t, r.Proven())
}

// A nominated tuple that proves nothing is given up for the one before, whose checks did not count meanwhile.
func TestGivingUpATupleWithoutTraffic(t *testing.T) {
	r := bringTo(t, ice.Completed)
	r.proves(tuple(1))
	r.givesUp()
	r.wantNothing()
	r.checks(tuple(2), useCandidate)
	r.now = r.now.Add(20 * time.Second)
	r.checks(tuple(1))
	r.givesUp()
	r.wantOutput(ice.Output{SelectedTuples: []ice.Tuple{tuple(1)}})
	require.True(t, r.Proven())
	require.Equal(t, r.now.Add(30*time.Second), r.NextTimeout())
	require.Equal(t, uint64(1), r.Counters().GivenUp)
	require.True(t, r.IsValidTuple(tuple(2)), "its traffic is still welcome")
	r.proves(tuple(2))
	r.wantSelected(tuple(2))
}

// Without a proven tuple to return to, nothing may be sent. It may have been removed, evicted, or never been there.
func TestGivingUpTheOnlyTuple(t *testing.T) {
	for name, lose := range map[string]func(r *fixture){
		"never there": func(*fixture) {},
		"removed":     func(r *fixture) { r.proves(tuple(1)); r.RemoveTuple(r.now, tuple(1)); r.drain() },
		"evicted": func(r *fixture) {
			r.proves(tuple(1))
			for n := range ice.MaxTuples {
				r.checks(tuple(2+n), useCandidate)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := bringTo(t, ice.Completed)
			lose(r)
			r.checks(tuple(20), useCandidate)
			require.False(t, r.Proven())
			r.givesUp()
			require.Equal(t, ice.Disconnected, r.State())
			require.Empty(t, r.Tuples())
		})
	}
}

// Checks from another address do not renew the consent of the selected one.
func TestConsentIsOfThePath(t *testing.T) {
	r := bringTo(t, ice.Completed)
	r.checks(tuple(2), useCandidate)
	for range 3 {
		r.now = r.now.Add(9 * time.Second)
		r.checks(tuple(1))
	}
	r.advance(3*time.Second - 1)
	require.Equal(t, ice.Completed, r.State())
	r.advance(1)
	require.Equal(t, ice.Disconnected, r.State())
}
