package sctp_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/sctp"
)

func TestWindow(t *testing.T) {
	first := uint32(math.MaxUint32 - 10) // it wraps
	w := sctp.NewWindow(first)
	require.True(t, w.Accept(first), "a duplicate")
	for i := uint32(2); i <= sctp.MaxGap; i++ {
		require.True(t, w.Accept(first+i))
	}
	require.EqualValues(t, first, w.Cumulative())
	require.False(t, w.Accept(first+sctp.MaxGap+1))
	require.True(t, w.Accept(first+1), "the missing one")
	end := first + sctp.MaxGap
	require.Equal(t, end, w.Cumulative())

	require.True(t, w.Accept(end+3))
	w.Forward(end + 2)
	require.Equal(t, end+3, w.Cumulative())
	w.Forward(end)
	require.Equal(t, end+3, w.Cumulative(), "an old one")
	require.True(t, w.Accept(end+10))
	w.Forward(end + 1<<20)
	require.Equal(t, end+1<<20, w.Cumulative())
	require.True(t, w.Accept(end+1<<20+2))
	require.Equal(t, end+1<<20, w.Cumulative(), "nothing of the past is left")
}
