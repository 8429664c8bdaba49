package ice_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/ice"
)

func tuplesFromTo(first, last int) (tuples []ice.Tuple) {
	for n := first; n >= last; n-- {
		tuples = append(tuples, tuple(n))
	}
	return tuples
}

func TestNinthTupleEvictsTheOldest(t *testing.T) {
	r := newFixture(t, 30*time.Second)
	for n := 1; n <= ice.MaxTuples; n++ {
		r.checks(tuple(n))
		require.Empty(t, r.out.RemovedTuples)
	}
	require.Equal(t, tuplesFromTo(8, 1), r.Tuples())

	// Tuple 1 is the oldest, but it is selected.
	r.checks(tuple(9))
	r.wantOutput(ice.Output{AddedTuples: []ice.Tuple{tuple(9)}, RemovedTuples: []ice.Tuple{tuple(2)}})
	r.wantSelected(tuple(1))

	// The new tuple is nominated while the list is full: from the next one on, tuple 1 is no longer protected.
	r.checks(tuple(10), useCandidate)
	r.wantOutput(ice.Output{
		AddedTuples: []ice.Tuple{tuple(10)}, RemovedTuples: []ice.Tuple{tuple(3)},
		SelectedTuples: []ice.Tuple{tuple(10)}, States: []ice.State{ice.Completed},
	})
	r.checks(tuple(11))
	r.wantOutput(ice.Output{AddedTuples: []ice.Tuple{tuple(11)}, RemovedTuples: []ice.Tuple{tuple(1)}})
	require.Equal(t, tuplesFromTo(11, 4), r.Tuples())
	require.Equal(t, uint64(3), r.Counters().EvictedTuples)

	// A check on a known tuple does not make it younger.
	r.checks(tuple(4))
	r.checks(tuple(12))
	require.Equal(t, []ice.Tuple{tuple(4)}, r.out.RemovedTuples)
}

// The list is bounded even while no tuple is selected.
func TestEvictionWithoutSelection(t *testing.T) {
	r := newFixture(t, 30*time.Second)
	for n := range 100 {
		r.checks(tuple(n), nomination(0))
	}
	require.Equal(t, tuplesFromTo(99, 92), r.Tuples())
	require.Len(t, r.tuples, ice.MaxTuples)
}

// Tuples are equal only if every part is.
func TestTuplesAreExact(t *testing.T) {
	tuple1 := tuple(1)
	r := bringTo(t, ice.Completed)
	for _, other := range []ice.Tuple{
		{Protocol: ice.TCP, Socket: tuple1.Socket, Remote: tuple1.Remote},
		{Protocol: ice.UDP, Socket: tuple1.Socket + 1, Remote: tuple1.Remote},
		{Protocol: ice.UDP, Socket: tuple1.Socket, Remote: netip.AddrPortFrom(tuple1.Remote.Addr(), 5001)},
		{Protocol: ice.UDP, Socket: tuple1.Socket, Remote: netip.MustParseAddrPort("10.0.0.2:5000")},
		{Protocol: ice.UDP, Socket: tuple1.Socket, Remote: netip.MustParseAddrPort("[::ffff:10.0.0.1]:5000")},
	} {
		require.False(t, r.IsValidTuple(other))
		r.RemoveTuple(r.now, other)
		r.drain()
		r.wantNothing()
		r.MayForceSelectedTuple(other)
		r.drain()
		r.wantNothing()
	}
	require.True(t, r.IsValidTuple(tuple1))
}

func TestRemoveTuple(t *testing.T) {
	for _, state := range []ice.State{ice.Connected, ice.Completed} {
		r := bringTo(t, state)
		r.checks(tuple(2))
		r.checks(tuple(3))
		r.checks(tuple(4))

		// One that is not selected.
		r.RemoveTuple(r.now, tuple(3))
		r.drain()
		r.wantOutput(ice.Output{RemovedTuples: []ice.Tuple{tuple(3)}})
		require.Equal(t, []ice.Tuple{tuple(4), tuple(2), tuple(1)}, r.Tuples())
		r.RemoveTuple(r.now, tuple(3))
		r.drain()
		r.wantNothing()

		// The selected one: the newest replaces it, with the full consent time ahead.
		r.now = r.now.Add(20 * time.Second)
		r.RemoveTuple(r.now, tuple(1))
		r.drain()
		r.wantOutput(ice.Output{RemovedTuples: []ice.Tuple{tuple(1)}, SelectedTuples: []ice.Tuple{tuple(4)}})
		require.Equal(t, state, r.State())
		require.Equal(t, r.now.Add(30*time.Second), r.NextTimeout())

		r.RemoveTuple(r.now, tuple(2))
		r.RemoveTuple(r.now, tuple(4))
		r.drain()
		r.wantOutput(ice.Output{RemovedTuples: []ice.Tuple{tuple(2), tuple(4)}, States: []ice.State{ice.Disconnected}})

		// Everything was reset, including the highest nomination.
		r.checks(tuple(5), nomination(1))
		require.Equal(t, ice.Completed, r.State())
	}
}

// A tuple is removed while none is selected.
func TestRemoveTupleWithoutSelection(t *testing.T) {
	r := newFixture(t, 30*time.Second)
	r.checks(tuple(1), nomination(0))
	r.RemoveTuple(r.now, tuple(1))
	r.drain()
	r.wantOutput(ice.Output{RemovedTuples: []ice.Tuple{tuple(1)}})
}
