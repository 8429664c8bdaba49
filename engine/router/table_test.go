package router_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/router"
)

// TestTableKeepsTheOrderOfCreation adds and removes at random, and compares with a list.
func TestTableKeepsTheOrderOfCreation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var table router.Table[int]
	var list []string
	for i := range 5000 {
		if len(list) > 0 && rng.IntN(100) < 49 {
			at := rng.IntN(len(list))
			_, ok := table.Remove(list[at])
			require.True(t, ok)
			list = slices.Delete(list, at, at+1)
			continue
		}
		id := fmt.Sprint(i)
		table.Add(id, i)
		list = append(list, id)
	}
	require.Equal(t, list, table.IDs())
	require.Equal(t, len(list), table.Len())
	for _, id := range list {
		v, ok := table.Find(id)
		require.True(t, ok)
		require.Equal(t, id, fmt.Sprint(v))
		require.True(t, table.Has(id))
	}
}

func TestTableWithoutTheObject(t *testing.T) {
	var table router.Table[int]
	require.False(t, table.Has("a"))
	_, ok := table.Find("a")
	require.False(t, ok)
	_, ok = table.Remove("a")
	require.False(t, ok)
	require.Empty(t, table.IDs())
	table.Add("a", 1)
	require.Panics(t, func() { table.Add("a", 2) })
}

// TestTableWhileObjectsAreRemoved removes each object when its turn comes, as closing everything does.
func TestTableWhileObjectsAreRemoved(t *testing.T) {
	var table router.Table[int]
	for i := range 100 {
		table.Add(fmt.Sprint(i), i)
	}
	next := 0
	for id, v := range table.All() {
		require.Equal(t, next, v)
		next++
		table.Remove(id)
	}
	require.Equal(t, 100, next)
	require.Zero(t, table.Len())
	for range table.All() {
		require.Fail(t, "an object is left")
	}
}
