package shard_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// turnClock gives each turn another time, by which messages know whether they run in one turn.
type turnClock struct{ turns atomic.Int64 }

func (c *turnClock) Now() unit.Time { return unit.Time(c.turns.Add(1)) }

func newTurnShard(t *testing.T) *shard.Shard {
	s := shard.New(0, &turnClock{}, noFaults(t))
	t.Cleanup(s.Close)
	return s
}

// requireRising fails when two of the instants are those of one turn.
func requireRising(t *testing.T, turns []unit.Time) {
	t.Helper()
	for i := 1; i < len(turns); i++ {
		require.Greater(t, turns[i], turns[i-1], "the turn did not end")
	}
}

func TestAMessageThatPostsItselfKeepsNoTurn(t *testing.T) {
	s := newTurnShard(t)
	const rounds = 1000
	var turns []unit.Time
	done := make(chan struct{})
	var again message
	again = func(now unit.Time) {
		if turns = append(turns, now); len(turns) == rounds {
			close(done)
			return
		}
		s.Post(again)
	}
	s.Post(again)
	for range rounds { // requests, each with a turn of its own
		s.Do(func(unit.Time) {})
	}
	<-done
	requireRising(t, turns)
}

// Each message of the one shard waits until the other shard has posted the next one: it is there when the first one has run.
func TestShardsThatPostToEachOtherWithoutEndLetOthersIn(t *testing.T) {
	a, b := newTurnShard(t), newTurnShard(t)
	var turns []unit.Time
	var stop atomic.Bool
	done := make(chan struct{})
	var ping message
	ping = func(now unit.Time) {
		turns = append(turns, now)
		if n := len(turns); stop.Load() || n > 1 && turns[n-1] == turns[n-2] {
			close(done)
			return
		}
		returned := make(chan struct{})
		b.Post(message(func(unit.Time) {
			a.Post(ping)
			close(returned)
		}))
		<-returned
	}
	a.Post(ping)
	for range 200 {
		a.Do(func(unit.Time) {})
		b.Do(func(unit.Time) {})
	}
	stop.Store(true)
	<-done
	requireRising(t, turns)
}

// However much is posted while a full mailbox is worked off, a request waits for one inboxful.
func TestARequestWaitsForOneInboxful(t *testing.T) {
	s := newTurnShard(t)
	const generations = 5
	inTurn := map[unit.Time]int{}
	var left sync.WaitGroup
	left.Add(generations * shard.MaxDroppable)
	var flood func(generation int) message
	flood = func(generation int) message {
		return func(now unit.Time) {
			inTurn[now]++
			if generation < generations {
				require.True(t, s.PostDroppable(flood(generation+1)), "there is room for as much as runs")
			}
			left.Done()
		}
	}
	now := s.Enter()
	for range shard.MaxDroppable {
		require.True(t, s.PostDroppable(flood(1)))
	}
	s.Leave(now)
	s.Do(func(unit.Time) {})
	left.Wait()
	s.Do(func(unit.Time) {
		require.NotContains(t, inTurn, now, "what was posted in a turn does not prolong it")
		for _, n := range inTurn {
			require.LessOrEqual(t, n, shard.MaxDroppable)
		}
	})
}

func TestEachPostersMessagesKeepTheirOrder(t *testing.T) {
	s := newTurnShard(t)
	const posters, each = 4, 5000
	var next [posters]int
	var refused [posters]int
	var group sync.WaitGroup
	for p := range posters {
		group.Go(func() {
			for i := range each {
				m := message(func(unit.Time) {
					if i < next[p] {
						t.Errorf("poster %d: message %d after %d", p, i, next[p]-1)
					}
					next[p] = i + 1
				})
				switch {
				case i%2 == 0:
					s.Post(m)
				case !s.PostDroppable(m):
					refused[p]++
				}
			}
		})
	}
	for range 100 {
		s.Do(func(unit.Time) {})
	}
	group.Wait()
	s.Do(func(unit.Time) {
		total := 0
		for p := range posters {
			require.GreaterOrEqual(t, next[p], each-1, "the last that cannot be refused")
			total += refused[p]
		}
		require.EqualValues(t, total, s.Dropped())
	})
}

func TestDroppableMessagesHaveRoomAgainWhenTheyRun(t *testing.T) {
	s := newTurnShard(t)
	ran := 0
	count := message(func(unit.Time) { ran++ })
	fill := func() {
		t.Helper()
		for range shard.MaxDroppable {
			require.True(t, s.PostDroppableSized(count, 1))
		}
		require.False(t, s.PostDroppable(count))
		require.False(t, s.PostDroppableSized(count, 0))
	}
	now := s.Enter()
	require.False(t, s.PostDroppableSized(count, shard.MaxDroppableBytes+1))
	fill() // the refused message takes no room
	require.True(t, s.Post(count))
	s.Leave(now)
	now = s.Enter()
	require.Equal(t, shard.MaxDroppable+1, ran)
	fill() // nor does what is not droppable
	s.Leave(now)
	now = s.Enter()
	require.True(t, s.PostDroppableSized(count, shard.MaxDroppableBytes-1))
	require.False(t, s.PostDroppableSized(count, 2))
	require.True(t, s.PostDroppableSized(count, 1), "the bound itself is reached")
	require.False(t, s.PostDroppableSized(count, 1))
	s.Leave(now)
	s.Do(func(unit.Time) { require.Equal(t, 2*shard.MaxDroppable+3, ran) })
	require.EqualValues(t, 7, s.Dropped())
}

// What Post took is run, and run once, whenever the shard is closed.
func TestMessagesThatWereTakenRunWhenTheShardIsClosed(t *testing.T) {
	for range 10 {
		s := newTurnShard(t)
		const posters = 4
		var taken [posters]int
		ran := 0
		var group sync.WaitGroup
		begun := make(chan struct{}, posters)
		for p := range posters {
			group.Go(func() {
				m := message(func(unit.Time) { ran++ })
				for s.Post(m) {
					if taken[p]++; taken[p] == 10 {
						begun <- struct{}{}
					}
				}
				require.False(t, s.PostDroppable(m), "a closed shard stays closed")
			})
		}
		for range posters {
			<-begun
		}
		s.Close()
		ranThen := ran // nothing runs any more
		group.Wait()
		require.Equal(t, ranThen, ran)
		require.Equal(t, taken[0]+taken[1]+taken[2]+taken[3], ran)
	}
}

func TestRoomForAFloodIsGivenBack(t *testing.T) {
	s := newTurnShard(t)
	const many = 100 * shard.MaxDroppable
	ran := 0
	for range 2 { // there are two slices
		now := s.Enter()
		for range many {
			s.Post(message(func(unit.Time) { ran++ }))
		}
		s.Leave(now)
		s.Do(func(unit.Time) {})
	}
	s.Do(func(unit.Time) { require.Equal(t, 2*many, ran) })
	require.Less(t, s.KeptRoom(), many)
}

func TestAMessageThatPanicsConcernsNobodyElse(t *testing.T) {
	var faults []any
	s := shard.New(0, &turnClock{}, func(fault any, stack []byte) {
		faults = append(faults, fault)
		require.Contains(t, string(stack), "TestAMessageThatPanics")
	})
	t.Cleanup(s.Close)
	var ran []int
	now := s.Enter()
	for i := range 10 {
		s.Post(message(func(unit.Time) {
			ran = append(ran, i)
			if i%3 == 0 {
				panic(i)
			}
		}))
	}
	s.Leave(now)
	s.Do(func(unit.Time) {
		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ran)
		require.Equal(t, []any{0, 3, 6, 9}, faults)
	})
}
