package netio

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func repeat(n, length int) []uint16 {
	lengths := make([]uint16, n)
	for i := range lengths {
		lengths[i] = uint16(length)
	}
	return lengths
}

func join(parts ...[]uint16) (all []uint16) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestGroups(t *testing.T) {
	for name, test := range map[string]struct {
		lengths []uint16
		want    []int // packets of each group
	}{
		"one packet":                         {[]uint16{1200}, []int{1}},
		"all equal":                          {repeat(10, 1200), []int{10}},
		"the last is shorter":                {join(repeat(3, 1200), repeat(1, 80)), []int{4}},
		"nothing follows a shorter one":      {[]uint16{1200, 1200, 80, 80, 80}, []int{3, 2}},
		"a frame cut into n and n+1 bytes":   {join(repeat(3, 1100), repeat(2, 1101)), []int{3, 2}},
		"two such frames":                    {[]uint16{1100, 1101, 1101, 1000, 1000, 1001}, []int{1, 3, 1, 1}},
		"ever larger":                        {[]uint16{1, 2, 3}, []int{1, 1, 1}},
		"ever smaller":                       {[]uint16{3, 2, 1}, []int{2, 1}},
		"audio between video":                {[]uint16{1200, 1200, 90, 1200, 1200}, []int{3, 2}},
		"64 segments":                        {repeat(64, 100), []int{64}},
		"more than 64 segments":              {repeat(65, 100), []int{64, 1}},
		"65,507 bytes":                       {repeat(2, 32753), []int{2}},
		"as many as 65,507 bytes hold":       {repeat(55, 1200), []int{54, 1}},
		"two of the largest":                 {repeat(2, 65507), []int{1, 1}},
		"a shorter one that still fits":      {join(repeat(54, 1200), repeat(1, 707)), []int{55}},
		"a shorter one that does not fit":    {join(repeat(54, 1200), repeat(1, 708)), []int{54, 1}},
		"a one-byte packet ends a group":     {[]uint16{1200, 1, 1200}, []int{2, 1}},
		"the group after 64 segments begins": {join(repeat(64, 100), repeat(2, 200)), []int{64, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			for rest := test.lengths; len(rest) > 0; {
				packets, bytes := nextGroup(rest)
				sum := 0
				for _, n := range rest[:packets] {
					sum += int(n)
				}
				require.Equal(t, sum, bytes)
				require.LessOrEqual(t, bytes, MaxPacketLen)
				got = append(got, packets)
				rest = rest[packets:]
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestBatchHoldsPacketsBackToBack(t *testing.T) {
	b := NewBatch()
	require.Zero(t, b.Len())
	copy(b.Space(3), "one")
	copy(b.Space(3), "One") // the same room: nothing was committed
	b.Commit(3)
	copy(b.Space(3), "two")
	b.Commit(3)
	require.Equal(t, 2, b.Len())
	require.Equal(t, "Onetwo", string(b.arena[:b.used]))
	b.Reset()
	require.Zero(t, b.Len())
}

func TestBatchIsFull(t *testing.T) {
	b := NewBatch()
	for range maxBatchPackets {
		require.NotNil(t, b.Space(1))
		b.Commit(1)
	}
	require.Nil(t, b.Space(1), "as many packets as one GSO send carries")
	require.False(t, b.Commit(1))

	b.Reset()
	require.GreaterOrEqual(t, len(b.Space(65507)), 65507)
	b.Commit(65507)
	require.Nil(t, b.Space(65507), "no room for another of that size")
	require.NotNil(t, b.Space(1200))

	b.Reset()
	require.False(t, b.Commit(0))
	require.False(t, b.Commit(65508), "no datagram is so large")
	require.Zero(t, b.Len())
}
