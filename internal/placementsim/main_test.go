package main

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// small is a cluster of 40 nodes and 4,000 transports.
func small() size { return fullSize.scaled(0.04) }

// What placement is to achieve: at most five per cent of the nodes are above the watermark in the worst minute, none is full, everybody finds
// a place, relays are at most three deep, and nodes are left that nothing is on. What the simulation itself counts is checked, too.
func TestGoals(t *testing.T) {
	for seed := range uint64(2) {
		size := small()
		r := simulate(size, ours(), seed)
		require.Len(t, r.samples, int(size.end/time.Second))
		require.LessOrEqual(t, r.worstMinute(above), 0.05)
		require.Zero(t, r.worstMinute(full))
		require.Zero(t, r.short)
		require.LessOrEqual(t, r.deepest, 3)
		before, after := r.at(size.death-time.Second), r.at(size.end)
		require.Less(t, before.used, size.nodes*9/10)
		require.Greater(t, before.transports, size.transports*8/10)
		require.LessOrEqual(t, after.used, size.nodes-int(deadShare*float64(size.nodes)))
		require.Greater(t, after.transports, size.transports*8/10, "who was on a dead node is back")
		require.Positive(t, r.survey.relays, "rooms that fit on no node")
	}
}

// What each part of the policy is for.
func TestOtherPoliciesAreWorse(t *testing.T) {
	size := fullSize.scaled(0.02)
	best := simulate(size, ours(), 1)
	for _, c := range contenders() {
		if c.name == ours().name {
			continue
		}
		r := simulate(size, c, 1)
		require.Greater(t, r.worstMinute(above), 2*best.worstMinute(above), c.name)
		require.LessOrEqual(t, r.deepest, 3, c.name)
	}
}

func TestOneSeedOneResult(t *testing.T) {
	size := fullSize.scaled(0.01)
	require.Equal(t, simulate(size, ours(), 7), simulate(size, ours(), 7))
	require.NotEqual(t, simulate(size, ours(), 7), simulate(size, ours(), 8))
}

func TestTableAndChart(t *testing.T) {
	var table bytes.Buffer
	file := filepath.Join(t.TempDir(), "chart.svg")
	require.NoError(t, run(&table, fullSize.scaled(0.01), 1, file))
	require.Equal(t, len(contenders())+2, bytes.Count(table.Bytes(), []byte("\n")))
	chart, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(chart, new(struct{})))
	require.Equal(t, 2*len(contenders()), bytes.Count(chart, []byte("<polyline")))
	require.NoError(t, run(&table, fullSize.scaled(0.01), 1, ""))
	require.Error(t, run(&table, fullSize.scaled(0.01), 1, t.TempDir()))
}
