package unit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
)

func TestAddOfAllNumbers(t *testing.T) {
	type numbers struct {
		A uint64
		B [2]struct{ C int }
		D float64
	}
	sum := numbers{1, [2]struct{ C int }{{2}, {3}}, 0.5}
	unit.Add(&sum, &numbers{10, [2]struct{ C int }{{20}, {-30}}, 0.25})
	require.Equal(t, numbers{11, [2]struct{ C int }{{22}, {-27}}, 0.75}, sum)
}

func TestGrowthIsAddedOnce(t *testing.T) {
	type inner [2]uint64
	type counters struct {
		A     uint64
		Inner inner
	}
	var sum, lastX, lastY counters
	x, y := counters{1, inner{2, 3}}, counters{10, inner{20, 30}}
	unit.AddGrowth(&sum, &x, &lastX)
	unit.AddGrowth(&sum, &y, &lastY)
	unit.AddGrowth(&sum, &y, &lastY) // nothing has grown
	x.Inner[1] = 7
	unit.AddGrowth(&sum, &x, &lastX)
	require.Equal(t, counters{11, inner{22, 37}}, sum)

	y = counters{A: 5} // begun anew
	unit.AddGrowth(&sum, &y, &lastY)
	require.Equal(t, counters{16, inner{22, 37}}, sum)

	require.Zero(t, testing.AllocsPerRun(10, func() {
		x.A++
		unit.AddGrowth(&sum, &x, &lastX)
	}))
}
