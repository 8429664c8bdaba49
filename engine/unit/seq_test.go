package unit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
)

func TestSeqNoOrder(t *testing.T) {
	for _, c := range []struct {
		a, b  unit.SeqNo
		after bool
		sub   int
	}{
		{0, 0, false, 0},
		{1, 0, true, 1},
		{0, 1, false, -1},
		{0, 65535, true, 1},
		{65535, 0, false, -1},
		{0, 65000, true, 536},
		{32767, 0, true, 32767},
		{0, 32767, false, -32767},
		{32768, 0, false, -32768},
		{0, 32768, false, -32768},
		{10, 65530, true, 16},
	} {
		require.Equal(t, c.after, c.a.After(c.b), "%d after %d", c.a, c.b)
		require.Equal(t, c.after, c.b.Before(c.a), "%d before %d", c.b, c.a)
		require.Equal(t, c.sub, c.a.Sub(c.b), "%d - %d", c.a, c.b)
	}
}

func TestTimestampOrder(t *testing.T) {
	for _, c := range []struct {
		a, b  unit.Timestamp
		after bool
		sub   int
	}{
		{0, 0, false, 0},
		{1, 0, true, 1},
		{0, 1, false, -1},
		{0, 1<<32 - 1, true, 1},
		{1<<32 - 1, 0, false, -1},
		{1<<31 - 1, 0, true, 1<<31 - 1},
		{1 << 31, 0, false, -1 << 31},
		{0, 1 << 31, false, -1 << 31},
		{90000, 1<<32 - 90000, true, 180000},
	} {
		require.Equal(t, c.after, c.a.After(c.b), "%d after %d", c.a, c.b)
		require.Equal(t, c.after, c.b.Before(c.a), "%d before %d", c.b, c.a)
		require.Equal(t, c.sub, c.a.Sub(c.b), "%d - %d", c.a, c.b)
	}
}
