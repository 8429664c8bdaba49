package placement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/placement"
)

const begin = unit.Time(time.Hour)

func after(d time.Duration) unit.Time { return begin.Add(d) }

func TestGrowthFades(t *testing.T) {
	var g placement.Growth
	require.Zero(t, g.Young(begin))
	g.Count(after(10*time.Second), 100, 0)
	require.InDelta(t, 100, g.Young(after(10*time.Second)), 0)
	require.InDelta(t, 75, g.Young(after(15*time.Second)), 5)
	require.InDelta(t, 25, g.Young(after(25*time.Second)), 5)
	require.Zero(t, g.Young(after(31*time.Second)))
	g.Count(after(40*time.Second), 110, 0)
	require.InDelta(t, 10, g.Young(after(40*time.Second)), 1e-9)
	require.Zero(t, g.Young(after(time.Hour)), "after a long time without a look")
}

func TestFirstCountIsGrowth(t *testing.T) {
	var g placement.Growth
	g.Count(begin, 5, 0)
	require.InDelta(t, 5, g.Young(begin), 0)
}

// Others follow who is first in a Router.
func TestRouterCountsForThoseWhoFollow(t *testing.T) {
	var g placement.Growth
	g.Count(begin, 0, 0)
	g.Count(after(time.Second), 2, 1)
	require.InDelta(t, 10, g.Young(after(time.Second)), 0)
}

// What was closed again needs nothing, and neither does what took the place of something else.
func TestOnlyGrowthCounts(t *testing.T) {
	var g placement.Growth
	g.Count(begin, 100, 10)
	for i := range 1000 {
		g.Count(after(30*time.Second+time.Duration(i)*time.Millisecond), 101-i%2, 10)
	}
	require.Zero(t, g.Young(after(31*time.Second)))
	g.Count(after(32*time.Second), 60, 10)
	require.Zero(t, g.Young(after(32*time.Second)), "it shrinks")
}

func TestShare(t *testing.T) {
	require.InDelta(t, 0.01, placement.Share(1), 0)
	require.InDelta(t, 0.00125, placement.Share(8), 0)
}
