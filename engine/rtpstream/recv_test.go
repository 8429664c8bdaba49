package rtpstream_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

func TestRecvAsksForWhatIsMissing(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	require.True(t, r.media(1))
	require.True(t, r.media(3))
	require.Equal(t, []unit.SeqNo{2}, r.takeNacked())
	require.True(t, r.media(2))
	require.True(t, r.media(4))
	require.Empty(t, r.takeNacked())
	require.Equal(t, uint64(1), r.base().PacketsRepaired, "without RTX the original itself comes again")
	require.Equal(t, uint64(1), r.base().PacketsRetransmitted)
	require.Equal(t, uint64(1), r.base().NACKCount)
}

func TestRecvNACKAcrossTheWrap(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	r.media(65534)
	r.media(1)
	require.Equal(t, []unit.SeqNo{65535, 0}, r.takeNacked())
	r.media(11)
	require.Equal(t, []unit.SeqNo{2, 3, 4, 5, 6, 7, 8, 9, 10}, r.takeNacked())
	r.media(0)
	r.media(12)
	require.Empty(t, r.takeNacked())
	require.Equal(t, uint64(11), r.base().NACKPacketCount)
}

func TestRecvNACKDelayLetsReorderingPass(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{NACKDelay: rtpstream.DefaultNACKDelay})
	r.media(1)
	r.media(3)
	require.Empty(t, r.takeNacked())
	r.advance(ms(9))
	r.media(2)
	r.media(5)
	r.advance(ms(10))
	r.media(6)
	require.Equal(t, []unit.SeqNo{4}, r.takeNacked(), "the next packet after the delay asks")
	r.media(8)
	r.advance(ms(41))
	require.Equal(t, []unit.SeqNo{7}, r.takeNacked(), "or else the timer")
}

func TestRecvTooMuchMissingAsksForAKeyFrame(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	r.media(1)
	r.media(1003)
	require.Empty(t, r.takeNacked())
	require.Equal(t, []rtcp.Packet{
		&rtcp.PictureLossIndication{SenderSSRC: uint32(mediaSSRC), MediaSSRC: uint32(mediaSSRC)},
	}, r.takeRTCP())
	require.Equal(t, uint64(1), r.base().PLICount)
}

func TestRecvLargestGapIsSplitIntoPacketsThatFit(t *testing.T) {
	p := videoParams()
	r := newReceiver(t, p, rtpstream.RecvOptions{NACKDelay: ms(10)})
	seq := unit.SeqNo(65000)
	r.media(seq)
	for range 900 { // every 18th packet arrives: one pair for each gap of 17
		seq += 2
		r.media(seq)
	}
	r.HandleTimeout(r.now.Add(ms(40)))
	total := 0
	for _, pkt := range r.Output().RTCP {
		raw, err := pkt.Marshal()
		require.NoError(t, err)
		require.LessOrEqual(t, len(raw), 1200)
		for _, pair := range pkt.(*rtcp.TransportLayerNack).Nacks {
			total += len(pair.PacketList())
		}
	}
	require.Equal(t, 900, total)
}

func TestRecvKeyFrameRequests(t *testing.T) {
	p := videoParams()
	p.UsePLI = false
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	for i := range 2 {
		r.RequestKeyFrame()
		r.drain()
		require.Equal(t, []rtcp.Packet{&rtcp.FullIntraRequest{
			SenderSSRC: uint32(mediaSSRC), MediaSSRC: uint32(mediaSSRC),
			FIR: []rtcp.FIREntry{{SSRC: uint32(mediaSSRC), SequenceNumber: uint8(i + 1)}},
		}}, r.takeRTCP())
	}
	require.Equal(t, uint64(2), r.base().FIRCount)
	p.UseFIR = false
	r = newReceiver(t, p, rtpstream.RecvOptions{})
	r.RequestKeyFrame()
	r.drain()
	require.Empty(t, r.takeRTCP())
}

func TestRecvRTX(t *testing.T) {
	r := newReceiver(t, rtxParams(), rtpstream.RecvOptions{})
	require.False(t, r.rtx(0), "before any media nothing can be missing")
	r.media(1)
	r.media(3)
	pkt := rtxPacket(t, r.now, 1, 2, tsAt(r.now), keyFrame)
	require.True(t, r.HandleRTXPacket(r.now, pkt))
	require.Equal(t, unit.SeqNo(2), pkt.SequenceNumber)
	require.Equal(t, mediaSSRC, pkt.SSRC)
	require.Equal(t, uint8(mediaPT), pkt.PayloadType)
	require.Equal(t, keyFrame, pkt.Payload())
	pkt.Release()
	require.False(t, r.rtx(2), "repaired already")
	require.False(t, r.rtx(3), "never missing")
	require.True(t, r.rtx(4), "sent by RTX before the packet itself")
	require.Equal(t, uint64(2), r.base().PacketsRepaired)
	require.Equal(t, uint64(4), r.base().PacketsRetransmitted)
	r.media(2)
	require.Equal(t, uint64(2), r.base().PacketsRepaired, "with RTX a late original repairs nothing")
}

func TestRecvRTXRefuses(t *testing.T) {
	r := newReceiver(t, rtxParams(), rtpstream.RecvOptions{})
	r.media(1)
	r.media(3)
	wrongType := mediaPacket(t, r.now, 1, 0, []byte{0, 2, 0x10})
	require.False(t, r.feed(wrongType, r.HandleRTXPacket))
	tooShort := rtxPacket(t, r.now, 1, 2, 0, nil)
	tooShort.Data = tooShort.Data[:len(tooShort.Data)-1]
	require.False(t, r.feed(tooShort, r.HandleRTXPacket))
	require.False(t, r.rtx(20000), "an original far from the others")
	r.rtxSeq = 30000
	require.False(t, r.rtx(2), "an RTX sequence number far from the others")
	require.Equal(t, uint64(1), r.base().RTXPacketsDiscarded)

	p := rtxParams()
	p.UseNACK = false
	require.False(t, newReceiver(t, p, rtpstream.RecvOptions{}).rtx(1), "not negotiated")
}

// Very old retransmissions do not mean that the sender restarted: the stream goes on as if they had not come.
func TestRecvRTXDoesNotRestartTheStream(t *testing.T) {
	r := newReceiver(t, rtxParams(), rtpstream.RecvOptions{})
	r.media(65000)
	r.media(200) // a cycle and a gap of 735
	r.media(10000 - 7000)
	before := r.ReceptionReport(r.now, 0)
	require.False(t, r.rtx(500))
	require.False(t, r.rtx(501))
	require.False(t, r.rtx(502))
	require.True(t, r.media(3001))
	after := r.ReceptionReport(r.now, 0)
	require.Equal(t, before.LastSequenceNumber+1, after.LastSequenceNumber)
	require.Equal(t, before.TotalLost, after.TotalLost)
	require.Zero(t, after.FractionLost)
	require.False(t, r.media(40000), "the first of two packets that would be a restart")
	require.False(t, r.rtx(40001))
	require.True(t, r.media(3002))
}

func TestRecvForwardsPayloadsItDoesNotUnderstand(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	pkt := mediaPacket(t, r.now, 1, 0, []byte{0x90})
	require.True(t, r.HandlePacket(r.now, pkt))
	require.Equal(t, uint64(1), r.PayloadErrors())
	require.False(t, pkt.Codec.KeyFrame)
	pkt.Release()
	pkt = mediaPacket(t, r.now, 2, 0, keyFrame)
	require.True(t, r.HandlePacket(r.now, pkt))
	require.Equal(t, uint64(1), r.PayloadErrors())
	require.True(t, pkt.Codec.KeyFrame)
	pkt.Release()
}

func TestRecvWithoutClockRate(t *testing.T) {
	p := videoParams()
	p.ClockRate = 0
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	for i := range 3 {
		r.media(unit.SeqNo(i * i))
		r.advance(ms(i * 10))
	}
	require.Zero(t, r.base().Jitter)
}

func TestRecvDoesNotAllocatePerPacket(t *testing.T) {
	r := rtpstream.NewRecv(start, rtxParams(), rtpstream.RecvOptions{NACKDelay: ms(10), InactivityCheck: true})
	now, seq := start, unit.SeqNo(0)
	pkt := mediaPacket(t, now, seq, 0, make([]byte, 1000))
	defer pkt.Release()
	require.Zero(t, testing.AllocsPerRun(2000, func() {
		now = now.Add(ms(3))
		seq++
		pkt.SequenceNumber, pkt.Timestamp, pkt.ReceivedAt = seq, tsAt(now), now
		if !r.HandlePacket(now, pkt) {
			panic("discarded")
		}
		if now >= r.NextTimeout() {
			r.HandleTimeout(now)
		}
		r.Output().Reset()
	}))
}

func BenchmarkRecvHandlePacket(b *testing.B) {
	r := rtpstream.NewRecv(start, rtxParams(), rtpstream.RecvOptions{NACKDelay: ms(10)})
	now, seq := start, unit.SeqNo(0)
	pkt := mediaPacket(b, now, seq, 0, make([]byte, 1000))
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(ms(3))
		seq++
		pkt.SequenceNumber, pkt.Timestamp, pkt.ReceivedAt = seq, tsAt(now), now
		r.HandlePacket(now, pkt)
	}
}
