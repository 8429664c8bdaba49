package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
)

// unknownMachine tells nothing of the machine.
func unknownMachine() (idle, total time.Duration) { return 0, 0 }

func TestLoadCoversTheLastSeconds(t *testing.T) {
	fraction := engine.NewLoadMeter(2, unknownMachine)
	require.Zero(t, fraction(0, 0), "no time has passed")
	at, cpu := time.Duration(0), time.Duration(0)
	run := func(steps int, perStep time.Duration) (last float64) {
		for range steps {
			at, cpu = at+100*time.Millisecond, cpu+perStep
			last = fraction(at, cpu)
		}
		return last
	}
	require.InDelta(t, 0.25, run(50, 50*time.Millisecond), 1e-9, "half of one core")
	require.InDelta(t, 1, run(30, 200*time.Millisecond), 1e-9, "both cores; what was before is forgotten")
	require.InDelta(t, 1, run(30, 300*time.Millisecond), 1e-9, "never above 1")
	require.Zero(t, run(30, 0))

	at, cpu = at+time.Minute, cpu+time.Minute
	require.InDelta(t, 0.5, fraction(at, cpu), 1e-9, "asked for rarely: since the call before")
}

// machineLoad runs a process on a machine for five seconds, and returns its load. All are in cores.
func machineLoad(t *testing.T, shards int, machine, used, usedByOthers float64) (load float64) {
	t.Helper()
	at := time.Duration(0)
	times := func(cores float64) time.Duration { return time.Duration(cores * float64(at)) }
	fraction := engine.NewLoadMeter(shards, func() (idle, total time.Duration) {
		return times(machine - used - usedByOthers), times(machine)
	})
	for range 50 {
		at += 100 * time.Millisecond
		load = fraction(at, times(used))
		require.GreaterOrEqual(t, load, min(used/float64(shards), 1)-1e-9, "never less than its own")
		require.LessOrEqual(t, load, 1.0)
	}
	return load
}

func TestLoadCountsWhatOthersLeave(t *testing.T) {
	tests := []struct {
		name                        string
		shards                      int
		machine, used, usedByOthers float64
		want                        float64
	}{
		{"alone", 8, 8, 2, 0, 0.25},
		{"two busy nodes of one host", 8, 8, 4, 4, 1},
		{"an idle node beside a busy one", 8, 8, 0, 7, 7.0 / 8},
		{"a few cores of many, which the others leave", 2, 64, 0.5, 40, 0.25},
		{"a few cores of many, which the others use", 2, 64, 0.5, 63, 0.75},
		{"more shards than the machine has cores", 8, 2, 1, 0, 0.5},
		{"the machine is not known", 2, 0, 0.5, -0.5, 0.25},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.InDelta(t, tt.want, machineLoad(t, tt.shards, tt.machine, tt.used, tt.usedByOthers), 1e-9)
		})
	}
}

func TestLoadCountsObjects(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	a.CreateRouter("r")
	a.CreateDirect("r", "t")
	a.Produce("t", "p", enginetest.Video(10))
	a.Consume("t", "c", "p", 20)
	load := a.worker.Load()
	load.CPU = 0
	require.Equal(t, api.Load{Routers: 1, Transports: 1, Producers: 1, Consumers: 1}, load)
	a.Must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r"})
	load = a.worker.Load()
	load.CPU = 0
	require.Equal(t, api.Load{}, load)
}
