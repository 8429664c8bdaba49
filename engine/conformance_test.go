package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
)

// startEngine is an apitest.Start.
func startEngine(t testing.TB, emit api.Emitter) api.Worker {
	w, err := engine.New(engine.Options{Emit: emit, Shards: 2})
	require.NoError(t, err)
	return w
}

func TestEngineKeepsTheContract(t *testing.T) { apitest.Run(t, startEngine) }

// A worker that answers late keeps it too, so the contract can be kept from afar.
func TestLateWorkersKeepTheContract(t *testing.T) {
	for seed := range uint64(5) {
		apitest.Run(t, func(t testing.TB, emit api.Emitter) api.Worker {
			return apitest.NewLate(startEngine(t, emit), seed)
		})
	}
}
