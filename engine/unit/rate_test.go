package unit

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

const rateBase = Time(12345678 * time.Millisecond)

func TestRateCounter(t *testing.T) {
	type step struct {
		ms    int
		bytes int
		rate  Bitrate
	}
	for _, c := range []struct {
		name  string
		slots int32
		steps []step
	}{
		{"one item", 100, []step{{0, 5, 40}}},
		{"several in one window", 100, []step{{0, 5, 40}, {100, 2, 56}, {300, 2, 72}, {999, 4, 104}}},
		{"one per window", 100, []step{{0, 5, 40}, {1000, 5, 40}, {2000, 5, 40}}},
		{"slots of 10 ms", 100, []step{{0, 5, 40}, {999, 2, 56}, {1001, 1, 24}, {1001, 1, 32}, {2000, 1, 8}}},
		{"the ring wraps", 5, []step{
			{1000, 1, 8},
			{1200, 1, 16},
			{1400, 1, 24},
			{1600, 1, 32},
			{1800, 1, 40},
			{2000, 1, 40},
			{2200, 1, 40},
			{2400, 1, 40},
		}},
		{"slots that do not divide the window", 3, []step{{0, 1, 8}, {333, 1, 16}, {666, 1, 24}, {999, 1, 32}}},
		{"a slot", 1, []step{{0, 5, 40}, {999, 5, 80}, {1000, 1, 8}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRateCounter(DefaultRateWindow, c.slots)
			for range 2 { // again after a reset
				for _, s := range c.steps {
					now := rateBase.Add(time.Duration(s.ms) * time.Millisecond)
					r.Update(now, s.bytes)
					require.Equal(t, s.rate, r.Rate(now))
					require.Equal(t, s.rate, r.Rate(Time(time.Millisecond)), "asked for a time before the window")
				}
				require.Zero(t, r.Rate(rateBase.Add(time.Hour)))
				r.Reset()
			}
		})
	}
}

func TestRateCounterSlotsDoNotDrift(t *testing.T) {
	r := NewRateCounter(DefaultRateWindow)
	for i := range 101 {
		r.Update(rateBase.Add(time.Duration(i*11)*time.Millisecond), 1)
	}
	require.Equal(t, Bitrate(91*8), r.Rate(rateBase.Add(1100*time.Millisecond)))
}

func TestRateCounterIgnoresWhatIsOlderThanTheWindow(t *testing.T) {
	r := NewRateCounter(DefaultRateWindow)
	r.Update(rateBase, 5)
	r.Update(rateBase-Time(time.Second), 5)
	require.Equal(t, Bitrate(40), r.Rate(rateBase))
	r.Update(rateBase-Time(999*time.Millisecond), 5)
	require.Equal(t, Bitrate(80), r.Rate(rateBase), "inside the window: counts into the newest slot")
}

func TestRateCounterShortWindow(t *testing.T) {
	r := NewRateCounter(0)
	r.Update(rateBase, 5)
	require.Equal(t, Bitrate(40000), r.Rate(rateBase), "a window of a millisecond")
}

func TestCounter(t *testing.T) {
	c := NewCounter(DefaultCounterWindow)
	c.Update(rateBase, 1000, 988)
	c.Update(rateBase, 250, 0)
	c.Update(rateBase.Add(time.Second), 1000, 988)
	require.Equal(t, uint64(3), c.Packets(), "padding counts as a packet")
	require.Equal(t, uint64(2000), c.Bytes(), "but its bytes do not count")
	require.Equal(t, Bitrate(2000*8000/2500), c.Rate(rateBase.Add(time.Second)))
	require.Equal(t, Bitrate(1000*8000/2500), c.Rate(rateBase.Add(2600*time.Millisecond)))
	require.Zero(t, c.Rate(rateBase.Add(4*time.Second)))
}

// TestRateCounterIsAskedBeforeItCounts asks for the rate before the first update; the slots go on from there.
func TestRateCounterIsAskedBeforeItCounts(t *testing.T) {
	r := NewRateCounter(DefaultRateWindow)
	require.Zero(t, r.Rate(rateBase))
	require.Zero(t, r.Rate(rateBase.Add(995*time.Millisecond)))
	r.Reset()
	require.Zero(t, r.Rate(rateBase.Add(1995*time.Millisecond)))
	r.Update(rateBase.Add(1995*time.Millisecond), 5)
	require.Equal(t, Bitrate(40), r.Rate(rateBase.Add(2994*time.Millisecond)))
	require.Zero(t, r.Rate(rateBase.Add(2995*time.Millisecond)))
	r.Update(rateBase.Add(2995*time.Millisecond), 5)
	r.Reset()
	require.Zero(t, r.Rate(rateBase.Add(2995*time.Millisecond)))
}

func TestCounterRests(t *testing.T) {
	c := NewCounter(DefaultCounterWindow)
	require.True(t, c.Rest(rateBase))
	c.Update(rateBase, 1000, 988)
	require.False(t, c.Rest(rateBase.Add(2499*time.Millisecond)))
	require.NotNil(t, c.rate.slots)
	require.True(t, c.Rest(rateBase.Add(2500*time.Millisecond)))
	require.Nil(t, c.rate.slots)
	require.Zero(t, c.Rate(rateBase.Add(2600*time.Millisecond)))
	c.Update(rateBase.Add(2700*time.Millisecond), 500, 488)
	require.Equal(t, Bitrate(500*8000/2500), c.Rate(rateBase.Add(2700*time.Millisecond)))
	require.Equal(t, uint64(2), c.Packets())
	require.Equal(t, uint64(1500), c.Bytes())

	c.Rate(rateBase.Add(10 * time.Second)) // empties the slots
	require.True(t, c.Rest(rateBase.Add(10*time.Second)))
}

// Whether and when a counter rests does not change what it tells.
func TestRestingChangesNoRate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	one, other := NewRateCounter(DefaultRateWindow), NewRateCounter(DefaultRateWindow)
	now := rateBase
	for range 10000 {
		now = now.Add(time.Duration(rng.ExpFloat64() * float64(300*time.Millisecond)))
		if rng.IntN(2) == 0 {
			other.Rest(now)
		}
		if rng.IntN(3) == 0 {
			require.Equal(t, one.Rate(now), other.Rate(now))
		}
		if rng.IntN(3) == 0 {
			one.Update(now, 1000)
			other.Update(now, 1000)
		}
	}
}

func TestCounterIsSmallAndDoesNotAllocate(t *testing.T) {
	c := NewCounter(DefaultCounterWindow)
	require.LessOrEqual(t, unsafe.Sizeof(c), uintptr(64))
	now := rateBase
	require.Zero(t, testing.AllocsPerRun(1000, func() { c.Rate(now) }), "what counts nothing needs no slots")
	c.Update(now, 1200, 1188)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		now = now.Add(7 * time.Millisecond)
		c.Update(now, 1200, 1188)
		c.Rate(now)
	}))
}

func BenchmarkCounter(b *testing.B) {
	c := NewCounter(DefaultCounterWindow)
	now := rateBase
	for b.Loop() {
		now = now.Add(time.Millisecond)
		c.Update(now, 1200, 1188)
	}
}
