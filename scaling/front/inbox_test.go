package front

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Media of nodes is dropped when too much waits; what is not media never is, and the application waits for room.
func TestInboxIsBounded(t *testing.T) {
	b := newInbox()
	did := 0
	do := func() { did++ }
	half := maxMediaWaiting / 2
	for range 3 {
		b.put(item{do: do, media: half})
		b.put(item{do: do})
	}
	require.EqualValues(t, 1, b.lost())
	waits := make(chan struct{})
	go func() {
		b.put(item{do: do, media: half, own: true})
		close(waits)
	}()
	taken := b.take(nil)
	require.Len(t, taken, 5)
	<-waits
	require.Len(t, b.take(taken), 1)

	refused := 0
	b.put(item{do: do, refuse: func() { refused++ }})
	b.put(item{do: do})
	b.close()
	b.put(item{do: do, refuse: func() { refused++ }})
	b.put(item{do: do})
	require.Equal(t, 2, refused)
	require.Empty(t, b.take(nil))
	require.Zero(t, did)
}

// A lane drops media that waits in it for too long.
func TestLaneIsBounded(t *testing.T) {
	f := &Front{}
	l := newLane(f)
	l.hold()
	for range 3 {
		l.add(&operation{front: f, media: maxMediaWaiting / 2})
	}
	require.Len(t, l.queue, 2)
	require.EqualValues(t, 1, f.counters.Dropped)
}
