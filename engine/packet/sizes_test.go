package packet_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
)

// A buffer is at most four times as long as the datagram in it, unless that is small: few long datagrams do not take much memory.
func TestBuffersAreNotMuchLargerThanDatagrams(t *testing.T) {
	for n := 0; n <= packet.LargeSize; n += 97 {
		b := packet.NewBuffer(n)
		size := len(b.Space())
		require.GreaterOrEqual(t, size, n)
		require.True(t, size == packet.SmallSize || size <= 4*n, "%d bytes for %d", size, n)
		require.Empty(t, b.Bytes())
		b.SetLen(n)
		p := packet.New(b, 0)
		require.Equal(t, size, p.Size())
		p.Release()
	}
	require.Panics(t, func() { packet.NewBuffer(packet.LargeSize + 1) })
}
