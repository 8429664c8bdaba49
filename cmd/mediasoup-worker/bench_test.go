package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// BenchmarkStart measures the time from starting a process to its first answer.
func BenchmarkStart(b *testing.B) {
	for range b.N {
		p := spawn(b)
		p.dump(1)
		b.StopTimer()
		p.send(&api.Notification{Event: api.EventWorkerClose})
		p.exit()
		b.StartTimer()
	}
}

// BenchmarkPipelinedDumps measures pipelined requests to a worker process.
func BenchmarkPipelinedDumps(b *testing.B) {
	p := spawn(b)
	request, err := p.encoder.AppendMessage(nil, &api.Request{ID: 1, Method: api.MethodWorkerDump})
	require.NoError(b, err)
	p.dump(1)
	const batch = 100
	frames := bytes.Repeat(request, batch)
	b.ResetTimer()
	go func() {
		for sent := 0; sent < b.N; sent += batch {
			if _, err := p.to.Write(frames[:min(batch, b.N-sent)*len(request)]); err != nil {
				b.Errorf("write: %v", err)
				return
			}
		}
	}()
	var prefix [4]byte
	for range b.N {
		_, err := io.ReadFull(p.from, prefix[:])
		require.NoError(b, err)
		_, err = io.CopyN(io.Discard, p.from, int64(binary.LittleEndian.Uint32(prefix[:])))
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
