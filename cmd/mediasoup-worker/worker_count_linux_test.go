package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWorkerCounter(t *testing.T) {
	proc := t.TempDir()
	add := func(pid, exe string) {
		require.NoError(t, os.Mkdir(filepath.Join(proc, pid), 0o755))
		require.NoError(t, os.Symlink(exe, filepath.Join(proc, pid, "exe")))
	}
	add("1", "/sbin/init")
	add("20", "/opt/bin/mediasoup-worker")
	add("self", "/opt/bin/mediasoup-worker")
	require.NoError(t, os.Mkdir(filepath.Join(proc, "30"), 0o755)) // of another user
	now := time.Unix(1, 0)
	c := &workerCounter{proc: proc, program: "mediasoup-worker", now: func() time.Time { return now }}
	require.Equal(t, 1, c.workers())
	add("40", "/node_modules/mediasoup/worker/out/Release/mediasoup-worker")
	require.Equal(t, 1, c.workers(), "from the cache")
	now = now.Add(workerCountAge)
	require.Equal(t, 2, c.workers())
	require.Equal(t, 1, (&workerCounter{}).workers(), "unknown program")
	require.Equal(t, 1, (&workerCounter{proc: filepath.Join(proc, "none"), program: "x", now: time.Now}).workers())
}

func TestWorkerCounterOfThisProcess(t *testing.T) {
	require.GreaterOrEqual(t, newWorkerCounter().workers(), 1)
}
