package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
)

// TestUsageModes tells what an application sees of a worker that keeps two cores of eight busy for ten seconds.
func TestUsageModes(t *testing.T) {
	for name, c := range map[string]struct {
		mode    engine.UsageMode
		workers int // 0: not counted
		want    time.Duration
	}{
		"its own share, alone":             {engine.UsageShare, 1, 2500 * time.Millisecond},
		"its own share, nobody counts":     {engine.UsageShare, 0, 2500 * time.Millisecond},
		"its own share, one of two":        {engine.UsageShare, 2, 5 * time.Second},
		"its own share, a worker per core": {engine.UsageShare, 8, 20 * time.Second},
		"its own share, too many workers":  {engine.UsageShare, 20, 20 * time.Second},
		"the process":                      {engine.UsageProcess, 1, 20 * time.Second},
		"the machine":                      {engine.UsageMachine, 8, 2500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			var workers func() int
			if c.workers > 0 {
				workers = func() int { return c.workers }
			}
			tell := engine.NewUsageScale(c.mode, 8, workers)
			user, system := tell(20*time.Second, 0)
			require.Equal(t, c.want, user)
			require.Zero(t, system)
			user, system = tell(20*time.Second, 20*time.Second)
			require.Equal(t, c.want, user)
			require.Equal(t, c.want, system)
		})
	}
}

// TestUsageGrowsWhileWorkersComeAndGo: an application subtracts what it was told before.
func TestUsageGrowsWhileWorkersComeAndGo(t *testing.T) {
	workers := 4
	tell := engine.NewUsageScale(engine.UsageShare, 4, func() int { return workers })
	first, _ := tell(1000*time.Second, 0)
	require.Equal(t, 1000*time.Second, first)
	workers = 1 // three of them ended: a core is a quarter of the share
	second, _ := tell(1004*time.Second, 0)
	require.Equal(t, 1001*time.Second, second)
	workers = 4
	third, _ := tell(1005*time.Second, 0)
	require.Equal(t, 1002*time.Second, third)
}

// TestUsageLosesNothing adds up steps that do not divide by the number of cores.
func TestUsageLosesNothing(t *testing.T) {
	tell := engine.NewUsageScale(engine.UsageMachine, 3, nil)
	var told time.Duration
	for i := range 3000 {
		told, _ = tell(time.Duration(i+1), 0)
	}
	require.Equal(t, 1000*time.Nanosecond, told)
}

func TestUsageModeNames(t *testing.T) {
	for name, want := range map[string]engine.UsageMode{
		"": engine.UsageShare, "share": engine.UsageShare, "process": engine.UsageProcess, "machine": engine.UsageMachine,
	} {
		mode, err := engine.ParseUsageMode(name)
		require.NoError(t, err)
		require.Equal(t, want, mode)
	}
	_, err := engine.ParseUsageMode("chicken")
	require.EqualError(t, err, "invalid value 'chicken': want share, process or machine")
}

// TestUsageOfTheProcess burns CPU until the application is told of it.
func TestUsageOfTheProcess(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2, Usage: engine.UsageProcess})
	usage := func() uint64 {
		u := a.Must("", api.MethodWorkerGetResourceUsage, nil).(*api.WorkerResourceUsageResponse)
		return u.RuUtime + u.RuStime
	}
	before, deadline := usage(), time.Now().Add(enginetest.Patience)
	for usage() < before+5 {
		require.True(t, time.Now().Before(deadline))
	}
}
