package unit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
)

func TestHistogram(t *testing.T) {
	bounds := &unit.Bounds{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	var h, sum unit.Histogram
	for _, v := range []float64{0, 1, 1.5, 12, 13, 1e9} {
		h.Observe(bounds, v)
	}
	require.EqualValues(t, 2, h.Counts[0], "a bound belongs to its bucket")
	require.EqualValues(t, 1, h.Counts[1])
	require.EqualValues(t, 1, h.Counts[11])
	require.EqualValues(t, 2, h.Counts[12])
	require.EqualValues(t, 6, h.Count())
	unit.Add(&sum, &h)
	unit.Add(&sum, &h)
	require.EqualValues(t, 12, sum.Count())
	require.InDelta(t, 2*(1e9+27.5), sum.Sum, 0.001)
}
