package shard_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

func TestTurnsAndDelaysAreMeasuredWhenAsked(t *testing.T) {
	s, clock := newShard(t)
	work := func() (f shard.Figures) {
		now := s.Enter()
		s.Post(message(func(unit.Time) {}))
		clock.advance(3 * time.Millisecond) // the turn lasts so long, and the message waits
		s.Leave(now)
		s.Do(func(unit.Time) { f = s.Figures() })
		return f
	}
	require.Zero(t, work())
	s.Measure()
	f := work()
	require.EqualValues(t, 1, f.Delay.Count())
	require.InDelta(t, 0.003, f.Delay.Sum, 1e-9)
	require.Equal(t, 3*time.Millisecond, f.Busy)
	require.Positive(t, f.Turns)
}
