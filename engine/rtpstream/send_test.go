package rtpstream_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

func TestSendAnswersNACKs(t *testing.T) {
	s := newSender(t, videoParams())
	for _, seq := range []unit.SeqNo{65534, 0, 65535, 1, 2} {
		require.True(t, s.send(seq, 1000))
	}
	require.False(t, s.send(0, 1000), "sent already")
	require.False(t, s.send(2, 1000), "sent already")
	list := s.nack(rtcp.NackPair{PacketID: 65534, LostPackets: 0b1111_1111})
	require.Equal(t, []unit.SeqNo{65534, 65535, 0, 1, 2}, seqs(list))
	require.Equal(t, rtpstream.Retransmission{
		Packet: list[1].Packet, SSRC: mediaSSRC, PayloadType: mediaPT, SequenceNumber: 65535, Timestamp: 1000,
		Marker: true, Rewrite: 65535 << 40, OSN: 65535,
	}, list[1])
	require.Equal(t, unit.SeqNo(6), list[1].Packet.SequenceNumber)
	require.Equal(t, uint64(1), s.base().NACKCount)
	require.Equal(t, uint64(9), s.base().NACKPacketCount)
	require.Equal(t, uint64(5), s.base().PacketsRetransmitted)
	require.Equal(t, uint64(5), s.base().PacketsRepaired)
	s.Close()
}

func TestSendRTX(t *testing.T) {
	s := newSender(t, videoParams())
	s.SetRTX(rtxPT, rtxSSRC, 65535)
	s.send(10, 1000)
	s.send(11, 1000)
	list := s.nack(rtcp.NackPair{PacketID: 10, LostPackets: 1})
	require.Len(t, list, 2)
	require.Equal(t, rtpstream.Retransmission{
		Packet: list[1].Packet, SSRC: rtxSSRC, PayloadType: rtxPT, SequenceNumber: 0, Timestamp: 1000, Marker: true,
		Rewrite: 11 << 40, RTX: true, OSN: 11,
	}, list[1])
	require.Equal(t, unit.SeqNo(65535), list[0].SequenceNumber)
	s.Close()
}

func TestSendNotAgainWithinTheRoundTrip(t *testing.T) {
	s := newSender(t, videoParams())
	s.send(10, 1000)
	ask := func() int { return len(s.nack(rtcp.NackPair{PacketID: 10}, rtcp.NackPair{PacketID: 10})) }
	require.Equal(t, 1, ask())
	s.now = s.now.Add(ms(100))
	require.Zero(t, ask(), "100 ms are assumed as long as the round-trip time is unknown")
	s.now = s.now.Add(ms(1))
	require.Equal(t, 1, ask())
	s.HandleReceptionReport(s.now, &rtcp.ReceptionReport{
		LastSenderReport: unit.CompactNTP(s.now.Add(-ms(50)).NTP()), Delay: unit.NTPDuration(ms(20)),
	})
	require.InDelta(t, float64(ms(30)), float64(s.RTT()), float64(ms(1)))
	s.now = s.now.Add(ms(29))
	require.Zero(t, ask())
	s.now = s.now.Add(ms(3))
	require.Equal(t, 1, ask())
	require.Equal(t, uint64(1), s.base().PacketsRepaired, "only the first retransmission repairs")
	require.Equal(t, uint64(3), s.base().PacketsRetransmitted)
	// A report may say that there is next to no distance. A NACK of a few bytes asks for thousands of packets: not each
	// millisecond.
	s.HandleReceptionReport(s.now, &rtcp.ReceptionReport{LastSenderReport: unit.CompactNTP(s.now.NTP()) - 2, Delay: 1})
	require.Less(t, s.RTT(), ms(1))
	require.Positive(t, s.RTT())
	s.now = s.now.Add(ms(20))
	require.Zero(t, ask())
	s.now = s.now.Add(ms(1))
	require.Equal(t, 1, ask())
	s.Close()
}

func TestSendWithoutNACK(t *testing.T) {
	p := videoParams()
	p.UseNACK = false
	s := newSender(t, p)
	s.send(1, 1000)
	require.Empty(t, s.nack(rtcp.NackPair{PacketID: 1, LostPackets: 1}))
	require.Equal(t, uint64(2), s.base().NACKPacketCount)
	require.False(t, s.send(1, 1000), "it was sent")
	s.Pause()
}

func TestSendKeepsVideoForTwoSecondsAndAudioForOne(t *testing.T) {
	for mime, keeps := range map[string]time.Duration{"video/VP8": 2 * time.Second, "audio/opus": time.Second} {
		p := videoParams()
		p.MimeType = mime
		s := newSender(t, p)
		// Timestamps wrap on the way.
		ts := func(d time.Duration) unit.Timestamp {
			return unit.Timestamp(math.MaxUint32 - 100 + d.Milliseconds()*90)
		}
		s.send(1, ts(0))
		s.send(2, ts(keeps))
		require.Equal(t, []unit.SeqNo{1, 2}, seqs(s.nack(rtcp.NackPair{PacketID: 1, LostPackets: 1})), mime)
		s.now = s.now.Add(time.Second)
		s.send(3, ts(keeps+ms(1)))
		require.Equal(t, []unit.SeqNo{2, 3}, seqs(s.nack(rtcp.NackPair{PacketID: 1, LostPackets: 3})), mime)
		s.Close()
	}
}

func TestSendReleasesWhatItKept(t *testing.T) {
	s := newSender(t, videoParams())
	pkt := mediaPacket(t, start, 1, 1000, interFrame)
	keep := func(seq unit.SeqNo, ts unit.Timestamp) {
		require.True(t, s.HandlePacket(start, pkt, rtpstream.Sent{SequenceNumber: seq, Timestamp: ts}))
	}
	for seq := range unit.SeqNo(5) {
		keep(seq, 1000)
	}
	keep(5, 1000+10*clockRate) // evicts the others
	keep(6, 1000+10*clockRate)
	s.Pause()
	pkt.Release()
	require.Panics(t, func() { pkt.Retain() }, "that was the last reference")
}

func TestSendQueueSurvivesEviction(t *testing.T) {
	s := newSender(t, videoParams())
	s.send(1, 0)
	s.send(2, clockRate)
	s.HandleNACK(s.now, &rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 1}}})
	s.send(3, 5*clockRate/2) // evicts 1
	require.Equal(t, []unit.SeqNo{2}, seqs(s.retransmissions()))
	s.now = s.now.Add(time.Second)
	s.HandleNACK(s.now, &rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: 2, LostPackets: 1}}})
	s.Pause()
	require.Empty(t, s.retransmissions())
	require.Empty(t, s.nack(rtcp.NackPair{PacketID: 3}))
}

func TestSendQueueIsBounded(t *testing.T) {
	s := newSender(t, videoParams())
	var all []rtcp.NackPair
	for seq := range unit.SeqNo(3000) {
		s.send(seq, 1000)
		all = append(all, rtcp.NackPair{PacketID: uint16(seq), LostPackets: 0xffff})
	}
	for range 5 {
		s.HandleNACK(s.now, &rtcp.TransportLayerNack{Nacks: all})
		s.now = s.now.Add(time.Second)
	}
	list := s.retransmissions()
	require.Len(t, list, 2500)
	require.Equal(t, unit.SeqNo(500), list[0].OSN)
	s.Close()
}

func TestSendRestart(t *testing.T) {
	s := newSender(t, videoParams())
	s.send(1, 1000)
	require.True(t, s.send(30000, 500), "ahead: nothing was sent under that number")
	require.Equal(t, unit.Timestamp(500), s.MaxTimestamp())
	require.False(t, s.send(1, 1000), "back: what was sent then is not known")
	require.False(t, s.send(2, 1000), "not even two in a row")
	require.Equal(t, uint64(2), s.base().PacketsDiscarded)
	s.Close()
}

// TestSendNeverUsesANumberTwice holds whatever order the numbers come in, around the wrap and without any buffer.
func TestSendNeverUsesANumberTwice(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		p := videoParams()
		p.UseNACK = seed%2 == 0
		s := newSender(t, p)
		used, seq := map[int]bool{}, int(rng.Uint32N(1<<16))
		newest := seq
		for range 5000 {
			switch rng.IntN(100) {
			case 0:
				seq += rng.IntN(32767)
			case 1:
				seq -= rng.IntN(5000)
				if seq-newest < -30000 {
					seq = newest
				}
			case 2, 3, 4:
				seq -= rng.IntN(30)
			default:
				seq++
			}
			if used[seq] || seq < newest-2047 {
				require.False(t, s.send(unit.SeqNo(seq), 1000), "%d again", seq)
				continue
			}
			if seq-newest > 32767 || !s.send(unit.SeqNo(seq), 1000) {
				t.Fatalf("%d was not used yet, newest is %d", seq, newest)
			}
			used[seq], newest = true, max(newest, seq)
		}
		s.Close()
	}
}

func TestSendTimestampsThatGoBackFarStartTheBufferAnew(t *testing.T) {
	s := newSender(t, videoParams())
	s.send(1, 10*clockRate)
	s.send(2, 9*clockRate) // a little: sent, but not kept
	require.Equal(t, []unit.SeqNo{1}, seqs(s.nack(rtcp.NackPair{PacketID: 1, LostPackets: 1})))
	s.send(3, clockRate)
	s.send(4, clockRate)
	require.Equal(t, []unit.SeqNo{3, 4}, seqs(s.nack(rtcp.NackPair{PacketID: 1, LostPackets: 7})))
	s.Close()
}

// TestSendAndRecvOverALossyPath connects both ends: what is lost is asked for, sent again and repaired.
func TestSendAndRecvOverALossyPath(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	s := newSender(t, videoParams())
	s.SetRTX(rtxPT, rtxSSRC, 65000)
	r := newReceiver(t, rtxParams(), rtpstream.RecvOptions{NACKDelay: rtpstream.DefaultNACKDelay})
	got := map[unit.SeqNo]bool{}
	const total = 5000
	for i := range total {
		seq, ts := unit.SeqNo(63000+i), tsAt(r.now)
		require.True(t, s.send(seq, ts))
		if i == 0 || rng.IntN(10) != 0 {
			require.True(t, r.media(seq))
			got[seq] = true
		}
		r.advance(ms(4))
		s.now = r.now
		for _, n := range r.takeNacked() {
			for _, again := range s.nack(rtcp.NackPair{PacketID: uint16(n)}) {
				if rng.IntN(10) == 0 {
					continue
				}
				pkt := rtxPacket(t, r.now, again.SequenceNumber, again.OSN, again.Timestamp, interFrame)
				if r.feed(pkt, r.HandleRTXPacket) {
					require.False(t, got[again.OSN], "forwarded once only")
					got[again.OSN] = true
				}
			}
		}
	}
	require.Greater(t, len(got), total-60, "only the newest may still be on their way")
	s.Close()
}

func TestSendDoesNotAllocatePerPacket(t *testing.T) {
	s := rtpstream.NewSend(start, videoParams())
	pkt := mediaPacket(t, start, 1, 0, make([]byte, 1000))
	defer pkt.Release()
	nack := &rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{}}}
	now, seq := start, unit.SeqNo(0)
	step := func() {
		now = now.Add(ms(3))
		seq++
		if !s.HandlePacket(now, pkt, rtpstream.Sent{SequenceNumber: seq, Timestamp: tsAt(now), Length: 1012}) {
			panic("discarded")
		}
		if seq%50 == 0 {
			nack.Nacks[0] = rtcp.NackPair{PacketID: uint16(seq - 20), LostPackets: 0xff}
			s.HandleNACK(now, nack)
			for {
				if _, ok := s.NextRetransmission(); !ok {
					break
				}
			}
		}
	}
	for range 70000 {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(2000, step))
	s.Close()
}

func BenchmarkSendHandlePacket(b *testing.B) {
	s := rtpstream.NewSend(start, videoParams())
	packets := make([]*packet.Packet, 64)
	for i := range packets {
		packets[i] = mediaPacket(b, start, 1, 0, make([]byte, 1000))
	}
	now, seq := start, unit.SeqNo(0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(ms(3))
		seq++
		s.HandlePacket(now, packets[seq%64], rtpstream.Sent{SequenceNumber: seq, Timestamp: tsAt(now), Length: 1012})
	}
}
