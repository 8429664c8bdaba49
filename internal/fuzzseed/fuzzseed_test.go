package fuzzseed_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/fuzzseed"
)

func seeds() [][]any {
	return [][]any{
		{[]byte("some bytes of a seed"), uint8(1), uint16(2), uint32(3), true, "text"},
		{[]byte{}, uint8(0), uint16(0), uint32(0), false, ""},
	}
}

func TestMutantsAreTheSameEachTime(t *testing.T) {
	given := seeds()
	first := fuzzseed.Mutants(given, 1000)
	require.Equal(t, first, fuzzseed.Mutants(given, 1000))
	require.Equal(t, seeds(), given, "seeds are only read")
	// In every process, too: this is what the generator made when it was written.
	require.Equal(t, []any{[]byte("some bytes of a seed"), uint8(1), uint16(0x2002), uint32(3), true, "ext"}, first[0])
}

func TestMutantsDiffer(t *testing.T) {
	distinct := map[string]bool{}
	changed := make([]int, 6)
	for i, args := range fuzzseed.Mutants(seeds(), 2000) {
		seed := seeds()[i%2]
		distinct[string(args[0].([]byte))] = true
		for at := range args {
			require.IsType(t, seed[at], args[at])
			if at == 0 && bytes.Equal(seed[0].([]byte), args[0].([]byte)) || at > 0 && seed[at] == args[at] {
				continue
			}
			changed[at]++
		}
	}
	require.Greater(t, len(distinct), 300)
	for at, n := range changed {
		require.Greater(t, n, 200, "argument %d", at)
	}
}
