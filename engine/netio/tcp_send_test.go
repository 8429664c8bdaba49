package netio_test

import (
	"bytes"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
)

// sendUntilFull sends numbered packets until the connection drops some, and returns which were taken.
func sendUntilFull(c *netio.TCPConn) (taken []uint32, dropped int) {
	b := netio.NewBatch()
	for n := uint32(0); dropped == 0; {
		b.Reset()
		for b.Len() < 10 {
			space := b.Space(1000)[:1000]
			binary.BigEndian.PutUint32(space, n+uint32(b.Len()))
			b.Commit(len(space))
		}
		var sent int
		sent, dropped = c.Send(b)
		for i := range sent {
			taken = append(taken, n+uint32(i))
		}
		n += uint32(b.Len())
	}
	return taken, dropped
}

// While a peer does not read, its queue fills up and whole frames are dropped. When it reads again, it gets every frame
// that was taken, in order and complete, and then new ones.
func TestTCPSlowReader(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{SendBufferSize: 64 << 10}, true)
	client := dial(t, s)
	require.NoError(t, client.SetReadBuffer(64<<10))
	write(t, client, "hello")
	c, _ := events.frames(t)
	total := 0
	for range 2 {
		taken, dropped := sendUntilFull(c)
		total += dropped
		require.GreaterOrEqual(t, len(taken), (256<<10)/1002, "the queue was full before frames were dropped")
		require.Equal(t, uint64(total), s.Stats().SendDropped)
		for _, n := range taken {
			got := readFrame(t, client)
			require.Len(t, got, 1000)
			require.Equal(t, n, binary.BigEndian.Uint32(got))
		}
		// The flushing goroutine removes what the kernel has taken a moment later, so the queue may still seem full. This
		// frame fits all the same: frames of 1002 bytes leave more than that free in 256 KiB.
		b := netio.NewBatch()
		fill(b, 100)
		c.Send(b)
		require.Len(t, readFrame(t, client), 100)
	}
	require.Zero(t, s.Stats().SendErrors)
}

// The frames of several goroutines that send on one connection do not mix.
func TestTCPConcurrentSenders(t *testing.T) {
	const senders, rounds = 4, 50
	s, events := serveTCP(t, netio.TCPConfig{SendBufferSize: 32 << 10}, true)
	client := dial(t, s)
	write(t, client, "hello")
	c, _ := events.frames(t)
	var done sync.WaitGroup
	for i := range senders {
		done.Go(func() {
			b := netio.NewBatch()
			for range rounds {
				b.Reset()
				for range 4 {
					b.Commit(copy(b.Space(300), bytes.Repeat([]byte{byte(i)}, 300)))
				}
				c.Send(b)
			}
		})
	}
	done.Wait()
	stats := s.Stats()
	require.Equal(t, uint64(senders*rounds*4), stats.Sent+stats.SendDropped)
	for range stats.Sent {
		payload := readFrame(t, client)
		require.Equal(t, bytes.Repeat(payload[:1], 300), payload)
	}
}
