package shard_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// manualClock is a clock that the test sets. Shards read it from their own goroutines.
type manualClock struct{ now atomic.Int64 }

func (c *manualClock) Now() unit.Time          { return unit.Time(c.now.Load()) }
func (c *manualClock) advance(d time.Duration) { c.now.Add(int64(d)) }

// message runs a function.
type message func(now unit.Time)

func (m message) Run(now unit.Time) { m(now) }

// noFaults fails the test when something panics.
func noFaults(t testing.TB) func(fault any, stack []byte) {
	return func(fault any, stack []byte) { t.Errorf("%v\n%s", fault, stack) }
}

func newShard(t *testing.T) (*shard.Shard, *manualClock) {
	clock := &manualClock{}
	clock.advance(time.Hour)
	s := shard.New(0, clock, noFaults(t))
	t.Cleanup(s.Close)
	return s, clock
}

func TestMessagesRunInOrderBeforeTheNextTurn(t *testing.T) {
	s, _ := newShard(t)
	var got []int
	s.Do(func(unit.Time) {
		for i := range 5 {
			require.True(t, s.Post(message(func(unit.Time) { got = append(got, i) })))
		}
		require.Empty(t, got, "nothing is called from within a call")
	})
	s.Do(func(unit.Time) { require.Equal(t, []int{0, 1, 2, 3, 4}, got) })
}

func TestAMessageMayPostAnother(t *testing.T) {
	s, _ := newShard(t)
	done := make(chan struct{})
	s.Post(message(func(unit.Time) {
		s.Post(message(func(unit.Time) { close(done) }))
	}))
	<-done
}

func TestShardsPostToEachOtherFromWithinTheirTurns(t *testing.T) {
	a, _ := newShard(t)
	b, _ := newShard(t)
	const rounds = 1000
	var wg sync.WaitGroup
	wg.Add(2 * rounds)
	ping := func(from, to *shard.Shard) {
		for range rounds {
			from.Do(func(unit.Time) { to.Post(message(func(unit.Time) { wg.Done() })) })
		}
	}
	go ping(a, b)
	go ping(b, a)
	wg.Wait()
}

func TestTheTurnIsExclusive(t *testing.T) {
	s, _ := newShard(t)
	count, inside := 0, false
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				s.Do(func(unit.Time) {
					if inside {
						t.Error("two turns at once")
					}
					inside = true
					count++
					inside = false
				})
			}
		})
	}
	wg.Wait()
	s.Do(func(unit.Time) { require.Equal(t, 8*500, count) })
}

func TestDroppableMessagesAreBounded(t *testing.T) {
	s, _ := newShard(t)
	ran := 0
	now := s.Enter()
	for range shard.MaxDroppable {
		require.True(t, s.PostDroppable(message(func(unit.Time) { ran++ })))
	}
	require.False(t, s.PostDroppable(message(func(unit.Time) { t.Error("a refused message ran") })))
	require.True(t, s.Post(message(func(unit.Time) { ran++ })), "what is not media is never refused")
	s.Leave(now)
	require.EqualValues(t, 1, s.Dropped())
	s.Do(func(unit.Time) { require.Equal(t, shard.MaxDroppable+1, ran) })
}

func TestDroppableBytesAreBounded(t *testing.T) {
	s, _ := newShard(t)
	ran := 0
	count := message(func(unit.Time) { ran++ })
	now := s.Enter()
	const size = shard.MaxDroppableBytes / 4
	for range 4 {
		require.True(t, s.PostDroppableSized(count, size))
	}
	require.False(t, s.PostDroppableSized(count, 1))
	require.True(t, s.PostDroppable(count), "what holds nothing worth counting is bounded by number")
	s.Leave(now)
	require.EqualValues(t, 1, s.Dropped())
	now = s.Enter()
	require.True(t, s.PostDroppableSized(count, size), "there is room again")
	s.Leave(now)
	s.Do(func(unit.Time) { require.Equal(t, 6, ran) })
}

func TestTimersFireInOrderWhenDue(t *testing.T) {
	s, clock := newShard(t)
	var fired []string
	timer := func(name string) *shard.Timer {
		return shard.NewTimer(func(unit.Time) { fired = append(fired, name) })
	}
	start := clock.Now()
	first, second, disarmed, moved := timer("first"), timer("second"), timer("disarmed"), timer("moved")
	s.Do(func(unit.Time) {
		s.Schedule(second, start.Add(200*time.Hour))
		s.Schedule(first, start.Add(100*time.Hour))
		s.Schedule(disarmed, start.Add(100*time.Hour))
		s.Schedule(disarmed, unit.Never)
		s.Schedule(disarmed, unit.Never)
		s.Schedule(moved, start.Add(100*time.Hour))
		s.Schedule(moved, start.Add(300*time.Hour))
		s.Schedule(moved, start.Add(300*time.Hour))
	})
	require.Empty(t, fired)
	clock.advance(250 * time.Hour)
	s.Do(func(unit.Time) {})
	s.Do(func(unit.Time) { require.Equal(t, []string{"first", "second"}, fired) })
	clock.advance(50 * time.Hour)
	s.Do(func(unit.Time) {})
	s.Do(func(unit.Time) { require.Equal(t, []string{"first", "second", "moved"}, fired) })
}

func TestATimerMayArmItselfAgain(t *testing.T) {
	s, clock := newShard(t)
	fired := 0
	var again *shard.Timer
	again = shard.NewTimer(func(now unit.Time) {
		fired++
		s.Schedule(again, now) // due at once: in the next turn, not for ever in this one
	})
	s.Do(func(now unit.Time) { s.Schedule(again, now) })
	clock.advance(time.Millisecond)
	s.Do(func(unit.Time) { s.Schedule(again, unit.Never) })
	require.GreaterOrEqual(t, fired, 1)
}

func TestTheShardWakesForItsTimersAlone(t *testing.T) {
	s := shard.New(0, shard.SystemClock(), noFaults(t))
	t.Cleanup(s.Close)
	fired := make(chan unit.Time, 1)
	var at unit.Time
	s.Do(func(now unit.Time) {
		at = now.Add(20 * time.Millisecond)
		s.Schedule(shard.NewTimer(func(now unit.Time) { fired <- now }), at)
		// A later deadline that is armed first must not hide the earlier one.
		s.Schedule(shard.NewTimer(func(unit.Time) {}), now.Add(time.Hour))
	})
	require.GreaterOrEqual(t, <-fired, at)
}

func TestAClosedShardTakesNothing(t *testing.T) {
	s, _ := newShard(t)
	s.Close()
	s.Close()
	require.False(t, s.Post(message(func(unit.Time) { t.Error("ran") })))
	require.False(t, s.PostDroppable(message(func(unit.Time) { t.Error("ran") })))
	require.Equal(t, 0, s.Index())
}

func TestTheSystemClockCountsFromTheWallClock(t *testing.T) {
	before := unit.Time(time.Now().UnixNano())
	clock := shard.SystemClock()
	first := clock.Now()
	second := clock.Now()
	require.GreaterOrEqual(t, first, before)
	require.GreaterOrEqual(t, second, first)
}

// nothing is a message without work.
type nothing struct{}

func (nothing) Run(unit.Time) {}

func BenchmarkTurn(b *testing.B) {
	s := shard.New(0, shard.SystemClock(), noFaults(b))
	defer s.Close()
	for b.Loop() {
		s.Leave(s.Enter())
	}
}

func BenchmarkPost(b *testing.B) {
	s := shard.New(0, shard.SystemClock(), noFaults(b))
	defer s.Close()
	for b.Loop() {
		s.Post(nothing{})
	}
}

func TestTryEnterDoesNotWait(t *testing.T) {
	s, _ := newShard(t)
	ran := false
	s.Do(func(unit.Time) {
		_, ok := s.TryEnter()
		require.False(t, ok, "the turn is taken")
		s.Post(message(func(unit.Time) { ran = true }))
	})
	for { // the shard's own goroutine may have the turn, for what was posted
		if now, ok := s.TryEnter(); ok {
			require.True(t, ran, "what was posted comes first")
			s.Leave(now)
			return
		}
	}
}
