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

// young returns for how many transports the load is not expected to show yet.
func young(o *placement.Outlook, now unit.Time) float64 {
	s := o.State(now, 1)
	return s.Assumed / s.Share
}

func reserved(o *placement.Outlook, now unit.Time) float64 {
	s := o.State(now, 1)
	return s.Reserved / s.Share
}

func TestWhatIsAssumedFades(t *testing.T) {
	var o placement.Outlook
	require.Zero(t, young(&o, begin))
	o.Count(after(10*time.Second), 100, 0)
	require.InDelta(t, 100, young(&o, after(10*time.Second)), 1e-9)
	require.InDelta(t, 75, young(&o, after(15*time.Second)), 5)
	require.InDelta(t, 25, young(&o, after(25*time.Second)), 5)
	require.Zero(t, young(&o, after(31*time.Second)))
	o.Count(after(40*time.Second), 110, 0)
	require.InDelta(t, 10, young(&o, after(40*time.Second)), 1e-9)
	require.Zero(t, young(&o, after(time.Hour)), "after a long time without a look")
}

func TestFirstCountIsGrowth(t *testing.T) {
	var o placement.Outlook
	o.Count(begin, 5, 0)
	require.InDelta(t, 5, young(&o, begin), 1e-9)
}

// Others follow whoever is first in a Router.
func TestRouterReservesForThoseWhoFollow(t *testing.T) {
	var o placement.Outlook
	o.Count(begin, 0, 0)
	o.Count(after(time.Second), 2, 1)
	require.InDelta(t, 8, reserved(&o, after(time.Second)), 1e-9)
	require.InDelta(t, 4, reserved(&o, after(31*time.Second)), 0.5)
	require.Zero(t, reserved(&o, after(62*time.Second)))
}

// What was closed again needs nothing, and neither does what took the place of something else.
func TestOnlyGrowthCounts(t *testing.T) {
	var o placement.Outlook
	o.Count(begin, 100, 10)
	for i := range 1000 {
		o.Count(after(70*time.Second+time.Duration(i)*time.Millisecond), 101-i%2, 10)
	}
	require.Zero(t, young(&o, after(71*time.Second)))
	require.Zero(t, reserved(&o, after(71*time.Second)))
	o.Count(after(72*time.Second), 60, 10)
	require.Zero(t, young(&o, after(72*time.Second)), "it shrinks")
}

// A load that falls is believed after ten seconds.
func TestPeak(t *testing.T) {
	var o placement.Outlook
	require.Zero(t, o.State(begin, 1).Peak)
	o.Measure(begin, 0.3)
	o.Measure(after(100*time.Millisecond), 0.5)
	o.Measure(after(200*time.Millisecond), 0.4)
	require.InDelta(t, 0.5, o.State(after(200*time.Millisecond), 1).Peak, 1e-9)
	require.InDelta(t, 0.4, o.State(after(200*time.Millisecond), 1).Load, 1e-9)
	for i := 1; i < 10; i++ {
		o.Measure(after(time.Duration(i)*time.Second), 0.1)
		require.InDelta(t, 0.5, o.State(after(time.Duration(i)*time.Second), 1).Peak, 1e-9)
	}
	o.Measure(after(10*time.Second), 0.1)
	require.InDelta(t, 0.1, o.State(after(10*time.Second), 1).Peak, 1e-9)
	require.Zero(t, o.State(after(time.Minute), 1).Peak, "not measured for long")
}

func TestShareOfATransport(t *testing.T) {
	var o placement.Outlook
	require.InDelta(t, 0.01, o.State(begin, 1).Share, 1e-9)
	require.InDelta(t, 0.00125, o.State(begin, 8).Share, 1e-9)
}
