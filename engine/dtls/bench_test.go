package dtls_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/dtls"
)

// BenchmarkHandshake measures one handshake between two transports: the CPU time of both sides.
func BenchmarkHandshake(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p := newPair(b, dtls.Settings{}, dtls.Settings{})
		p.connect(b)
		p.client.Close()
		p.server.Close()
	}
}

// BenchmarkData measures one SCTP packet from one transport to the other.
func BenchmarkData(b *testing.B) {
	p := connected(b)
	data := make([]byte, 1200)
	var out dtls.Output
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := p.client.Write(data); err != nil {
			b.Fatal(err)
		}
		p.client.Poll(&out)
		for _, d := range out.Datagrams {
			p.server.HandleDatagram(d)
		}
		p.server.Poll(&out)
	}
}

// memoryOf returns the bytes that each of n objects takes, including the stacks of its goroutines.
func memoryOf(n int, make func(i int)) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		make(i)
	}
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc+after.StackInuse) - int64(before.HeapAlloc+before.StackInuse)
	return int(held) / n
}

func TestMemory(t *testing.T) {
	cert := testCertificate
	fingerprint := sha256Of(cert)
	idle := make([]*dtls.Transport, 2000)
	perIdle := memoryOf(len(idle), func(i int) {
		idle[i] = dtls.New(cert, func() {})
		require.NoError(t, idle[i].Start(dtls.Server, fingerprint))
		var out dtls.Output
		idle[i].Poll(&out)
	})
	runtime.KeepAlive(idle)

	pairs := make([]*pair, 100)
	perConnected := memoryOf(len(pairs), func(i int) {
		p := connected(t)
		p.client.sent, p.client.states, p.server.sent, p.server.states = nil, nil, nil, nil
		pairs[i] = p
	}) / 2

	waiting := make([]*side, 100)
	perHandshake := memoryOf(len(waiting), func(i int) {
		s := newSide(t, dtls.Settings{})
		require.NoError(t, s.Start(dtls.Server, fingerprint))
		s.HandleDatagram(transcript[0])
		<-s.woken
		s.poll()
		s.sent = nil
		waiting[i] = s
	})
	t.Logf("bytes: %d idle, %d connected, %d in a handshake", perIdle, perConnected, perHandshake)
	require.Less(t, perIdle, 1<<10)
	require.Less(t, perConnected, 6<<10)
	runtime.KeepAlive(pairs)
	runtime.KeepAlive(waiting)
}
