package ice_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/ice"
	"gazpacho/engine/unit"
)

func TestNew(t *testing.T) {
	r := newFixture(t, 30*time.Second)
	r.wantOutput(ice.Output{AddedFragments: []string{fragment}})
	require.Equal(t, api.ICEStateNew, r.State())
	require.Equal(t, fragment, r.UsernameFragment())
	require.Equal(t, password, r.Password())
	require.Equal(t, unit.Never, r.NextTimeout())
	require.Empty(t, r.Tuples())
	require.False(t, r.IsValidTuple(tuple(1)))
	require.False(t, r.IsValidTuple(ice.Tuple{}))
}

// What a check on a new, second tuple does, in every state and with every way to nominate. In Completed, the highest
// nomination so far is 5.
func TestTransitions(t *testing.T) {
	const same = ice.State(255)
	fresh, stale := api.ICEStateNew, ice.Disconnected // both without a selected tuple
	for _, test := range []struct {
		name  string
		parts []part
		from  ice.State
		to    ice.State // the tuple is selected, unless same
	}{
		{"plain", nil, fresh, ice.Connected},
		{"plain", nil, stale, ice.Connected},
		{"plain", nil, ice.Connected, same},
		{"plain", nil, ice.Completed, same},
		{"USE-CANDIDATE", []part{useCandidate}, fresh, ice.Completed},
		{"USE-CANDIDATE", []part{useCandidate}, stale, ice.Completed},
		{"USE-CANDIDATE", []part{useCandidate}, ice.Connected, ice.Completed},
		{"USE-CANDIDATE", []part{useCandidate}, ice.Completed, ice.Completed},
		{"nomination", []part{nomination(6)}, fresh, ice.Completed},
		{"nomination", []part{nomination(6)}, stale, ice.Completed},
		{"nomination", []part{nomination(6)}, ice.Connected, ice.Completed},
		{"nomination", []part{nomination(6)}, ice.Completed, ice.Completed},
		{"old nomination", []part{oldNomination(6)}, fresh, ice.Completed},
		{"old nomination", []part{oldNomination(6)}, ice.Completed, ice.Completed},
		{"equal nomination", []part{nomination(5)}, ice.Completed, same},
		{"lower nomination", []part{oldNomination(4)}, ice.Completed, same},
		{"lower nomination after disconnection", []part{nomination(1)}, stale, ice.Completed},
		{"the new attribute counts", []part{nomination(4), oldNomination(9)}, ice.Completed, same},
		{"nomination of 0", []part{nomination(0)}, fresh, same},
		{"nomination of 0", []part{nomination(0)}, stale, same},
		{"nomination of 0", []part{nomination(0)}, ice.Connected, same},
		{"nomination of 0", []part{nomination(0)}, ice.Completed, same},
		{"both, nomination of 0", []part{useCandidate, nomination(0)}, fresh, same},
		{"both, nomination of 0", []part{useCandidate, nomination(0)}, ice.Connected, same},
		{"both, nomination of 0", []part{useCandidate, nomination(0)}, ice.Completed, ice.Completed},
		{"both, lower nomination", []part{useCandidate, nomination(4)}, ice.Completed, ice.Completed},
		{"both", []part{useCandidate, nomination(6)}, ice.Connected, ice.Completed},
		{"highest nomination", []part{nomination(1<<32 - 1)}, ice.Completed, ice.Completed},
	} {
		t.Run(test.name+" in "+test.from.String(), func(t *testing.T) {
			r := bringTo(t, test.from)
			r.checks(tuple(2), test.parts...)
			want := ice.Output{AddedTuples: []ice.Tuple{tuple(2)}}
			if test.to != same {
				want.SelectedTuples = []ice.Tuple{tuple(2)}
				r.wantSelected(tuple(2))
			} else {
				test.to = test.from
			}
			if test.to != test.from {
				want.States = []ice.State{test.to}
			}
			r.wantOutput(want)
			require.Equal(t, test.to, r.State())
			require.True(t, r.IsValidTuple(tuple(2)))
		})
	}
}

// A browser checks two tuples, nominates one and later moves to a third.
func TestDialogueOfABrowser(t *testing.T) {
	r := newFixture(t, 30*time.Second)

	// The first check connects at once: media can flow before a nomination.
	r.checks(tuple(1))
	r.wantOutput(ice.Output{AddedTuples: []ice.Tuple{tuple(1)}, SelectedTuples: []ice.Tuple{tuple(1)}, States: []ice.State{ice.Connected}})

	// A check from another address only adds a tuple.
	r.checks(tuple(2))
	r.wantOutput(ice.Output{AddedTuples: []ice.Tuple{tuple(2)}})
	r.checks(tuple(2))
	r.wantNothing()

	// The browser nominates the second tuple.
	r.checks(tuple(2), useCandidate)
	r.wantOutput(ice.Output{SelectedTuples: []ice.Tuple{tuple(2)}, States: []ice.State{ice.Completed}})

	// Its consent checks repeat the nomination.
	r.checks(tuple(2), useCandidate)
	r.wantNothing()

	// The network changes: a new address, nominated at once.
	r.checks(tuple(3), useCandidate)
	r.wantOutput(ice.Output{AddedTuples: []ice.Tuple{tuple(3)}, SelectedTuples: []ice.Tuple{tuple(3)}})
	require.Equal(t, []ice.Tuple{tuple(3), tuple(2), tuple(1)}, r.Tuples())
}

// Checks arrive out of order: only the highest NOMINATION counts.
func TestDialogueWithNominations(t *testing.T) {
	r := newFixture(t, 30*time.Second)
	r.checks(tuple(1), nomination(1))
	r.checks(tuple(3), nomination(3))
	r.checks(tuple(2), nomination(2))
	r.wantSelected(tuple(3))
	r.checks(tuple(1), nomination(3))
	r.wantSelected(tuple(3))
	r.checks(tuple(1), oldNomination(4))
	r.wantSelected(tuple(1))

	// USE-CANDIDATE alone selects, but leaves the highest value.
	r.checks(tuple(2), useCandidate)
	r.wantSelected(tuple(2))
	r.checks(tuple(3), nomination(4))
	r.wantSelected(tuple(2))
}

// Media arrives on a tuple that is valid, but not nominated.
func TestMayForceSelectedTuple(t *testing.T) {
	r := newFixture(t, 30*time.Second)
	r.checks(tuple(1), nomination(0))
	r.MayForceSelectedTuple(tuple(1))
	r.drain()
	r.wantNothing() // not before something is selected

	for _, state := range []ice.State{ice.Connected, ice.Completed} {
		r = bringTo(t, state)
		r.checks(tuple(2))
		r.MayForceSelectedTuple(tuple(2))
		r.drain()
		r.wantOutput(ice.Output{SelectedTuples: []ice.Tuple{tuple(2)}})
		require.Equal(t, state, r.State())
		r.MayForceSelectedTuple(tuple(2))
		r.drain()
		r.wantNothing()
		r.MayForceSelectedTuple(tuple(3)) // not a valid tuple
		r.drain()
		r.wantNothing()
		r.wantSelected(tuple(2))
	}
}

func TestClose(t *testing.T) {
	r := bringTo(t, ice.Completed)
	r.checks(tuple(2))
	r.Restart(r.now, "second", "password 2")
	r.drain()
	r.Close()
	out := clone(r.Output())
	require.Equal(t, clone(&ice.Output{RemovedFragments: []string{"second", fragment}, RemovedTuples: []ice.Tuple{tuple(2), tuple(1)}}), out)
	require.Equal(t, unit.Never, r.NextTimeout())
}
