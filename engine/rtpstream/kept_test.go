package rtpstream_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// sendAll sends n packets of the given length, of the same instant, and returns the stream.
func sendAll(t testing.TB, n, length int) *rtpstream.Send {
	t.Helper()
	s := rtpstream.NewSend(1, rtpstream.Params{SSRC: 20, PayloadType: 100, MimeType: "video/VP8", ClockRate: 90000, UseNACK: true})
	for i := range n {
		b := packet.NewBuffer(length)
		data := append(rtp.AppendHeader(b.Space()[:0], rtp.Header{PayloadType: 100, SequenceNumber: unit.SeqNo(i), SSRC: 10}, nil), make([]byte, length-12)...)
		b.SetLen(len(data))
		pkt := packet.New(b, 1)
		require.NoError(t, pkt.Parse(b.Bytes()))
		require.True(t, s.HandlePacket(1, pkt, rtpstream.Sent{SequenceNumber: unit.SeqNo(i), Length: length}))
		pkt.Release()
	}
	return s
}

// What is kept for retransmission is bounded in bytes: packets far above an MTU are not, though they were sent.
func TestOnlyOrdinaryPacketsAreKept(t *testing.T) {
	for length, kept := range map[int]bool{100: true, 1500: true, 1600: true, 1601: false, 4096: false, 16384: false, 64963: false} {
		s := sendAll(t, 10, length)
		s.HandleNACK(1, &rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: 0, LostPackets: 0x1ff}}})
		again := 0
		for r, ok := s.NextRetransmission(); ok; r, ok = s.NextRetransmission() {
			require.LessOrEqual(t, r.Packet.Size(), packet.SmallSize)
			again++
		}
		require.Equal(t, kept, again == 10, length)
		require.Equal(t, !kept, again == 0, length)
		s.Close()
	}
}

// Ordinary packets around one that is not kept are found.
func TestALongPacketLeavesABlankSlot(t *testing.T) {
	s := rtpstream.NewSend(1, rtpstream.Params{SSRC: 20, MimeType: "video/VP8", ClockRate: 90000, UseNACK: true})
	defer s.Close()
	for i, length := range []int{100, 5000, 100, 60000, 100} {
		b := packet.NewBuffer(length)
		b.SetLen(length)
		pkt := packet.New(b, 1)
		require.True(t, s.HandlePacket(1, pkt, rtpstream.Sent{SequenceNumber: unit.SeqNo(i), Length: length}))
		pkt.Release()
	}
	s.HandleNACK(1, &rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: 0, LostPackets: 0xf}}})
	var again []unit.SeqNo
	for r, ok := s.NextRetransmission(); ok; r, ok = s.NextRetransmission() {
		again = append(again, r.SequenceNumber)
	}
	require.Equal(t, []unit.SeqNo{0, 2, 4}, again)
}

// BenchmarkKeptForRetransmission reports what five streams take that a peer fills with packets of one length.
func BenchmarkKeptForRetransmission(b *testing.B) {
	const streams, packets = 5, 3000
	for _, length := range []int{100, 1200, 1600, 1601, 64963} {
		b.Run(fmt.Sprintf("length=%d", length), func(b *testing.B) {
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.GC() // empties the pools
				runtime.ReadMemStats(&before)
				var all []*rtpstream.Send
				for range streams {
					all = append(all, sendAll(b, packets, length))
				}
				runtime.GC()
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/1e6, "MB")
				for _, s := range all {
					s.Close()
				}
			}
		})
	}
}
