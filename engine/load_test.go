package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
)

func TestLoadCoversTheLastSeconds(t *testing.T) {
	fraction := engine.NewLoadMeter(2)
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
