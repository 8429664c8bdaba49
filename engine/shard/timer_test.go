package shard_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// A timer that is always due fires once in each turn, and lets in both messages and requests.
func TestATimerThatIsAlwaysDueKeepsNoTurn(t *testing.T) {
	s := newTurnShard(t)
	var turns []unit.Time
	var again *shard.Timer
	done := make(chan struct{})
	again = shard.NewTimer(func(now unit.Time) {
		if turns = append(turns, now); len(turns) == 1000 {
			close(done)
			return
		}
		s.Schedule(again, now)
	})
	s.Do(func(now unit.Time) { s.Schedule(again, now) })
	posted := make(chan struct{})
	s.Post(message(func(unit.Time) { close(posted) }))
	<-posted
	for range 100 {
		s.Do(func(unit.Time) {})
	}
	<-done
	requireRising(t, turns)
}

// Timers that arm each other for now do not go on for ever either.
func TestTimersThatArmEachOtherKeepNoTurn(t *testing.T) {
	s := newTurnShard(t)
	fired := 0
	inTurn := map[unit.Time]int{}
	var a, b *shard.Timer
	done := make(chan struct{})
	arm := func(other **shard.Timer) func(now unit.Time) {
		return func(now unit.Time) {
			inTurn[now]++
			if fired++; fired == 1000 {
				close(done)
			}
			if fired < 1000 {
				s.Schedule(*other, now)
			}
		}
	}
	a, b = shard.NewTimer(arm(&b)), shard.NewTimer(arm(&a))
	s.Do(func(now unit.Time) { s.Schedule(a, now) })
	<-done
	s.Do(func(unit.Time) {
		for _, n := range inTurn {
			require.Equal(t, 1, n)
		}
	})
}

// A timer does not overtake what was posted before it was due.
func TestMessagesOfATurnRunBeforeItsTimers(t *testing.T) {
	s := newTurnShard(t)
	timer := shard.NewTimer(func(unit.Time) { t.Error("disarmed too late") })
	s.Do(func(now unit.Time) {
		s.Schedule(timer, now)
		s.Post(message(func(unit.Time) { s.Schedule(timer, unit.Never) }))
	})
	require.Zero(t, s.ArmedTimers())
}

func TestATimerThatPanicsConcernsNobodyElse(t *testing.T) {
	clock := &manualClock{}
	var faults []any
	s := shard.New(0, clock, func(fault any, _ []byte) { faults = append(faults, fault) })
	t.Cleanup(s.Close)
	fired := 0
	s.Do(func(now unit.Time) {
		s.Schedule(shard.NewTimer(func(unit.Time) { panic("first") }), now.Add(time.Hour))
		s.Schedule(shard.NewTimer(func(unit.Time) { fired++ }), now.Add(2*time.Hour))
	})
	clock.advance(3 * time.Hour)
	s.Do(func(unit.Time) {})
	s.Do(func(unit.Time) { require.Equal(t, []any{"first"}, faults) })
	s.Do(func(unit.Time) { require.Equal(t, 1, fired) })
	require.Zero(t, s.ArmedTimers())
}
