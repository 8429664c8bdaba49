package packet_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
	"gazpacho/engine/wire/rtp"
)

// receive returns a packet as a producer sees it: a datagram read into a buffer, and parsed.
func receive(t testing.TB, payload string) *packet.Packet {
	t.Helper()
	b := packet.NewBuffer(packet.SmallSize)
	h := rtp.AppendHeader(b.Space()[:0], rtp.Header{PayloadType: 96, SequenceNumber: 5, SSRC: 7}, nil)
	b.SetLen(len(h) + copy(b.Space()[len(h):], payload))
	p := packet.New(b, 42)
	require.NoError(t, p.Parse(b.Bytes()))
	return p
}

func TestBufferSizes(t *testing.T) {
	for size, room := range map[int]int{
		0:                    packet.SmallSize,
		1:                    packet.SmallSize,
		packet.SmallSize:     packet.SmallSize,
		packet.SmallSize + 1: 4096,
		4097:                 16384,
		16385:                packet.LargeSize,
		packet.LargeSize:     packet.LargeSize,
	} {
		b := packet.NewBuffer(size)
		require.Len(t, b.Space(), room, size)
		require.Empty(t, b.Bytes(), "nothing in use yet")
		b.SetLen(1)
		require.Len(t, b.Bytes(), 1)
		b.Release()
	}
	require.Panics(t, func() { packet.NewBuffer(packet.LargeSize + 1) })
}

func TestBufferReleasedTwice(t *testing.T) {
	for _, size := range []int{packet.SmallSize, packet.LargeSize} {
		b := packet.NewBuffer(size)
		b.Release()
		require.PanicsWithValue(t, "packet: buffer released twice", b.Release)
	}
}

func TestNew(t *testing.T) {
	p := receive(t, "payload")
	require.Equal(t, unit.Time(42), p.ReceivedAt)
	require.Equal(t, unit.SSRC(7), p.SSRC)
	require.Equal(t, "payload", string(p.Payload()))
	p.Release()
}

// The references are counted: buffer and packet live until the last one is given back.
func TestReferences(t *testing.T) {
	p := receive(t, "payload")
	p.Retain()
	p.Retain()
	p.Release()
	p.Release()
	require.Equal(t, "payload", string(p.Payload()), "one reference is left")
	p.Release()
	require.PanicsWithValue(t, "packet: released more often than retained", p.Release)
}

func TestRetainAfterTheLastRelease(t *testing.T) {
	p := receive(t, "payload")
	p.Release()
	require.PanicsWithValue(t, "packet: retained after its last release", p.Retain)
}

// A packet from the pool shows nothing of its former use.
func TestPoolReuse(t *testing.T) {
	for range 100 {
		p := receive(t, "payload")
		require.Equal(t, codec.Descriptor{}, p.Codec)
		require.Equal(t, packet.Extensions{}, p.Extensions)
		require.Zero(t, p.Encoding)
		p.Codec = codec.Descriptor{Kind: codec.VP8, KeyFrame: true}
		p.Extensions = packet.Extensions{PacketID: 5, HasPacketID: true, AudioLevel: p.Data[:1]}
		p.Encoding = 2
		p.Release()
		fresh := packet.New(packet.NewBuffer(1), 1)
		require.Equal(t, rtp.Packet{}, fresh.Packet)
		fresh.Release()
	}
}

// Many shards hold one packet: each reads it while it has a reference, and the last to finish returns it.
func TestSharedBetweenShards(t *testing.T) {
	const shards, rounds = 8, 200
	var inboxes [shards]chan *packet.Packet
	var done sync.WaitGroup
	bad := make([]int, shards)
	for i := range inboxes {
		inboxes[i] = make(chan *packet.Packet, 4)
		done.Add(1)
		go func() {
			defer done.Done()
			for p := range inboxes[i] {
				p.Retain() // as a retransmission buffer does
				if p.SequenceNumber != 5 || string(p.Payload()) != "shared" {
					bad[i]++
				}
				p.Release()
				p.Release()
			}
		}()
	}
	for range rounds {
		p := receive(t, "shared")
		for _, inbox := range inboxes {
			p.Retain()
			inbox <- p
		}
		p.Release()
	}
	for _, inbox := range inboxes {
		close(inbox)
	}
	done.Wait()
	require.Equal(t, make([]int, shards), bad)
}

// The path of a packet takes both of its objects from pools. The race detector empties pools at random, so the assertion
// tolerates the rare miss that the garbage collector causes but no packet that allocates.
func TestPacketsAreReused(t *testing.T) {
	run := func() {
		b := packet.NewBuffer(packet.SmallSize)
		p := packet.New(b, 1)
		p.Retain()
		p.Release()
		p.Release()
	}
	require.LessOrEqual(t, testing.AllocsPerRun(1000, run), float64(allocsAllowed))
}

func BenchmarkPacket(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p := packet.New(packet.NewBuffer(packet.SmallSize), 1)
		p.Retain()
		p.Release()
		p.Release()
	}
}
