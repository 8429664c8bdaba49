package rtpstream_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

func TestRecvNACKRepeatsOncePerRoundTripAndGivesUp(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	r.media(1)
	r.media(3)
	require.Len(t, r.takeNacked(), 1)
	asked := 1
	for range 100 {
		r.advance(ms(40))
		asked += len(r.takeNacked())
		if asked == 2 {
			require.Equal(t, ms(120), r.now.Sub(start), "the third tick of 40 ms is the first after 100 ms")
			asked += 100 // only once
		}
	}
	require.Equal(t, 110, asked, "10 times in all")
	require.Equal(t, unit.Never, r.NextTimeout())

	fast := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	fast.HandleDLRR(fast.now, rtcp.DLRRReport{
		SSRC: uint32(mediaSSRC), LastRR: unit.CompactNTP(fast.now.Add(-ms(50)).NTP()), DLRR: unit.NTPDuration(ms(20)),
	})
	require.InDelta(t, 30, fast.RTT().Milliseconds(), 1)
	fast.media(1)
	fast.media(3)
	fast.advance(ms(40))
	require.Len(t, fast.takeNacked(), 2, "a round trip of 30 ms has passed")
}

func TestRecvSequenceNumbers(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	require.True(t, r.media(65000))
	require.True(t, r.media(2463), "2999 ahead, across the wrap")
	require.Equal(t, uint32(1<<16|2463), r.ReceptionReport(r.now, 0).LastSequenceNumber)
	require.True(t, r.media(964), "1499 behind")
	require.False(t, r.media(963), "1500 behind")
	require.False(t, r.media(30000), "far ahead")
	require.False(t, r.media(40000))
	require.Equal(t, uint64(3), r.base().PacketsDiscarded)
	require.True(t, r.media(40001), "the second in a row: the sender restarted")
	require.True(t, r.media(40002))
	require.Equal(t, uint32(40002), r.ReceptionReport(r.now, 0).LastSequenceNumber)
	r.takeNacked()
	r.media(40004)
	require.Equal(t, []unit.SeqNo{40003}, r.takeNacked(), "NACKs go on after a restart")
}

// After an outage or a restart of the sender, at least one packet is missing that no NACK asks for.
func TestRecvRestartAsksForAKeyFrame(t *testing.T) {
	for _, far := range []unit.SeqNo{4000, 60000} {
		r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
		r.media(10)
		require.False(t, r.media(far))
		require.Empty(t, r.takeRTCP())
		require.True(t, r.media(far+1))
		require.Len(t, r.takeRTCP(), 1)
		r.media(far + 2)
		require.Empty(t, r.takeRTCP())
		r.Pause()
		r.media(far + 20000)
		r.media(far + 20001)
		require.Empty(t, r.takeRTCP(), "paused")
	}
}

func TestRecvRestartIsNotLoss(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	for i := range 100 {
		r.media(unit.SeqNo(65500 + i))
	}
	require.Zero(t, r.ReceptionReport(r.now, 0).FractionLost)
	r.media(20000) // discarded
	for i := range 100 {
		r.media(unit.SeqNo(20001 + i))
	}
	b := r.ReceptionReport(r.now, 0)
	require.Zero(t, b.FractionLost)
	require.Zero(t, b.TotalLost)
	require.Zero(t, r.base().PacketsLost)
}

func TestRecvFirstPacketIsNumberZero(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	r.media(0)
	b := r.ReceptionReport(r.now, 0)
	require.Zero(t, b.LastSequenceNumber, "that is no wrap")
	require.Zero(t, b.TotalLost)
}

func TestRecvReceptionReport(t *testing.T) {
	p := videoParams()
	p.UseNACK = false
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	b := r.ReceptionReport(r.now, 0)
	require.Equal(t, rtcp.ReceptionReport{SSRC: uint32(mediaSSRC)}, b)
	for i := range 100 {
		if i%4 != 2 {
			r.media(unit.SeqNo(65500 + i))
		}
	}
	r.senderReport()
	sent := r.now
	r.advance(ms(1500))
	b = r.ReceptionReport(r.now, 255)
	require.Equal(t, uint8(64), b.FractionLost, "a quarter; the consumers' loss counts with in-band FEC only")
	require.Equal(t, uint32(25), b.TotalLost)
	require.Equal(t, unit.CompactNTP(sent.NTP()), b.LastSenderReport)
	require.Equal(t, uint32(3<<15), b.Delay)
	require.Equal(t, uint8(64), r.FractionLost())
	require.Equal(t, int32(25), r.base().PacketsLost)
	_, ok := r.RTXReceptionReport(r.now)
	require.False(t, ok)
	b = r.ReceptionReport(r.now, 0)
	require.Zero(t, b.FractionLost, "nothing was lost since")
	require.Equal(t, uint32(25), b.TotalLost)
}

func TestRecvTotalLostMayFall(t *testing.T) {
	p := videoParams()
	p.UseNACK = false
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	r.media(1)
	r.media(11)
	require.Equal(t, uint32(9), r.ReceptionReport(r.now, 0).TotalLost)
	for i := range 9 {
		r.media(unit.SeqNo(2 + i))
	}
	b := r.ReceptionReport(r.now, 0)
	require.Zero(t, b.TotalLost)
	require.Zero(t, b.FractionLost, "more came than was expected")
	r.media(10)
	require.Zero(t, r.ReceptionReport(r.now, 0).TotalLost)
}

func TestRecvAllLostFitsTheFraction(t *testing.T) {
	p := videoParams()
	p.UseNACK = false
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	r.media(1)
	r.ReceptionReport(r.now, 0)
	r.media(2900)
	require.Equal(t, uint8(255), r.ReceptionReport(r.now, 0).FractionLost, "2898 of 2899 do not round up to 256")
}

func TestRecvInBandFECReportsTheWorstConsumer(t *testing.T) {
	p := videoParams()
	p.UseInBandFEC, p.UseNACK = true, false
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	for i := range 128 {
		r.media(unit.SeqNo(i))
	}
	b := r.ReceptionReport(r.now, 64)
	require.Equal(t, uint8(64), b.FractionLost)
	require.Equal(t, uint32(32), b.TotalLost)
	require.Zero(t, r.FractionLost(), "ours is unchanged")
	r.media(129)
	b = r.ReceptionReport(r.now, 64)
	require.Equal(t, uint8(128), b.FractionLost, "ours is worse")
	require.Equal(t, uint32(33), b.TotalLost)
}

func TestRecvRTXReceptionReport(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	r.HandleRTXSenderReport(r.now, &rtcp.SenderReport{NTPTime: 1})
	require.False(t, r.HasRTX())
	r.SetRTX(rtxPT, rtxSSRC)
	require.True(t, r.HasRTX())
	require.Equal(t, rtxSSRC, r.Params().RTXSSRC)
	r.media(1)
	r.rtx(1)
	r.rtxSeq++
	r.rtx(1)
	r.HandleRTXSenderReport(r.now, &rtcp.SenderReport{NTPTime: 0x1111_2222_3333_4444})
	b, ok := r.RTXReceptionReport(r.now.Add(time.Second))
	require.True(t, ok)
	require.Equal(t, rtcp.ReceptionReport{
		SSRC: uint32(rtxSSRC), FractionLost: 85, TotalLost: 1, LastSequenceNumber: 1 << 16,
		LastSenderReport: 0x2222_3333, Delay: 1 << 16,
	}, b)
}

func TestRecvSenderReport(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	r.HandleSenderReport(r.now, &rtcp.SenderReport{RTPTime: 7})
	_, _, _, ok := r.SenderReport()
	require.False(t, ok, "a sender without a clock")
	r.HandleSenderReport(r.now, &rtcp.SenderReport{NTPTime: 5 << 32, RTPTime: 7})
	ntp, ts, at, ok := r.SenderReport()
	require.True(t, ok)
	require.Equal(t, uint64(5<<32), ntp)
	require.Equal(t, unit.Timestamp(7), ts)
	require.Equal(t, r.now, at)
}

func TestRecvRoundTripTime(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	dlrr := func(now unit.Time, sent unit.Time, held time.Duration) time.Duration {
		r.HandleDLRR(now, rtcp.DLRRReport{LastRR: unit.CompactNTP(sent.NTP()), DLRR: unit.NTPDuration(held)})
		return r.RTT()
	}
	require.InDelta(t, float64(ms(80)), float64(dlrr(r.now, r.now.Add(-ms(100)), ms(20))), float64(ms(1)))
	require.InDelta(t, 80, r.base().RoundTripTime, 1)
	require.Zero(t, dlrr(r.now, r.now.Add(-ms(10)), ms(20)), "negative")
	r.HandleDLRR(r.now, rtcp.DLRRReport{LastRR: 0, DLRR: 5})
	require.Zero(t, r.RTT(), "none of our reports has arrived there")
	// The compact NTP time wraps every 65536 s; take a round trip across that.
	wrap := unit.Time(0)
	for now := start; ; now = now.Add(time.Second) {
		if now.NTP()>>32&0xffff == 0 {
			wrap = now
			break
		}
	}
	require.InDelta(t, float64(ms(80)), float64(dlrr(wrap.Add(ms(50)), wrap.Add(-ms(50)), ms(20))), float64(ms(1)))
}

func TestRecvJitter(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	send := func(seq unit.SeqNo, sentAt unit.Time) {
		r.feed(mediaPacket(t, r.now, seq, tsAt(sentAt), interFrame), r.HandlePacket)
	}
	for i := range 10 {
		send(unit.SeqNo(i), r.now)
		r.advance(ms(20))
	}
	require.Zero(t, r.base().Jitter, "a constant delay is no jitter")
	send(10, r.now.Add(-ms(16)))
	require.Equal(t, uint32(90), r.base().Jitter, "16 ms at 90 kHz, of which a 16th counts")
	require.Equal(t, uint32(90), r.ReceptionReport(r.now, 0).Jitter)
	r.Pause()
	require.Zero(t, r.base().Jitter)
}

func TestRecvTimestamps(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	send := func(seq unit.SeqNo, ts unit.Timestamp) unit.Timestamp {
		r.feed(mediaPacket(t, r.now, seq, ts, interFrame), r.HandlePacket)
		return r.MaxTimestamp()
	}
	require.Equal(t, unit.Timestamp(1<<32-10), send(1, 1<<32-10))
	require.Equal(t, unit.Timestamp(20), send(3, 20), "across the wrap")
	require.Equal(t, unit.Timestamp(20), send(2, 1<<32-5), "late")
	require.Equal(t, unit.Timestamp(10), send(4, 10), "in order but back: a sender that was idle for long")
}
