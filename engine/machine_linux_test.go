package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
)

func TestTimesOfTheMachine(t *testing.T) {
	idle, total := engine.ParseMachine([]byte("cpu  100 20 30 4000 50 6 7 8 900 1000\ncpu0 1 2 3 4 5 6 7 8 9 10\n"))
	require.Equal(t, 40500*time.Millisecond, idle)
	require.Equal(t, 42210*time.Millisecond, total, "guests are counted in user and nice")

	for _, unknown := range []string{"", "cpu  100 20 30 4000 50 6 7 8", "cpu  1 2 3 4 5 6 7\n", "cpu0 1 2 3 4 5 6 7 8\n", "cpu 1 2 3 x 5 6 7 8\n"} {
		idle, total = engine.ParseMachine([]byte(unknown))
		require.Zero(t, idle, unknown)
		require.Zero(t, total, unknown)
	}
}

func TestTimesOfThisMachine(t *testing.T) {
	idle, total := engine.ReadMachine()
	require.GreaterOrEqual(t, total, idle)
	require.GreaterOrEqual(t, idle, time.Duration(0))
}
