package rtpstream_test

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

func TestSendScore(t *testing.T) {
	s := newSender(t, videoParams())
	seq, lost := unit.SeqNo(65000), int32(0)
	interval := func(lose int, repair bool) {
		for i := range 100 {
			seq++
			s.send(seq, tsAt(s.now))
			if i < lose && repair {
				s.nack(rtcp.NackPair{PacketID: uint16(seq)})
			}
		}
		lost += int32(lose)
		s.now = s.now.Add(time.Second)
		s.report(lost)
	}
	s.report(0)
	require.Equal(t, uint8(10), s.Score(), "nothing sent")
	interval(0, false)
	require.Equal(t, uint8(10), s.Score())
	_, changed := s.TakeScoreChange()
	require.False(t, changed)
	interval(20, false)
	// A delivery of 0.8 gives 0.8^4 * 10 = 4.1; (10*1 + 10*2 + 4*3) / 6.
	require.Equal(t, uint8(7), s.Score())
	previous, changed := s.TakeScoreChange()
	require.True(t, changed)
	require.Equal(t, uint8(10), previous)
	for range 24 {
		interval(20, false)
	}
	bad := s.Score()
	require.Equal(t, uint8(4), bad)
	for range 24 {
		interval(20, true)
	}
	require.Greater(t, s.Score(), bad, "repaired losses weigh less")
	for range 24 {
		interval(100, false)
	}
	require.Equal(t, uint8(0), s.Score())
	lost = -5 // duplicates make the count negative
	s.report(lost)
	require.Equal(t, int32(-5), s.base().PacketsLost)
	s.TakeScoreChange()
	s.ResetScore(s.now, 10, false)
	require.Equal(t, uint8(10), s.Score())
	require.Equal(t, s.now, s.ActiveSince())
	_, changed = s.TakeScoreChange()
	require.False(t, changed)
	s.ResetScore(s.now, 3, true)
	previous, changed = s.TakeScoreChange()
	require.True(t, changed)
	require.Equal(t, uint8(10), previous)
	s.Close()
}

func TestSendScoreChangeThatUndoesItselfIsNone(t *testing.T) {
	s := newSender(t, videoParams())
	s.ResetScore(s.now, 5, true)
	s.ResetScore(s.now, 10, true)
	_, changed := s.TakeScoreChange()
	require.False(t, changed)
}

func TestSendSenderReport(t *testing.T) {
	p := videoParams()
	p.UseNACK = false
	sent := func(captured unit.Time) *sender {
		s := newSender(t, p)
		pkt := mediaPacket(t, start, 1, 0, interFrame)
		defer pkt.Release()
		s.HandlePacket(s.now, pkt, rtpstream.Sent{
			SequenceNumber: 1, Timestamp: math.MaxUint32 - 10, Length: 1000, CapturedAt: captured,
		})
		return s
	}
	_, ok := newSender(t, p).SenderReport(start)
	require.False(t, ok, "nothing was sent")
	for _, c := range []struct {
		captured unit.Time
		rtp      uint32
	}{
		{0, clockRate - 11},
		{start.Add(-ms(500)), clockRate*3/2 - 11},
		{start.Add(3 * time.Second), math.MaxUint32 - 10 - 2*clockRate},
	} {
		sr, ok := sent(c.captured).SenderReport(start.Add(time.Second))
		require.True(t, ok)
		require.Equal(t, rtcp.SenderReport{
			SSRC: uint32(mediaSSRC), NTPTime: start.Add(time.Second).NTP(), RTPTime: c.rtp, PacketCount: 1, OctetCount: 1000,
		}, sr)
	}
	_, ok = sent(0).SenderReport(start.Add(2 * time.Second))
	require.True(t, ok)
	_, ok = sent(0).SenderReport(start.Add(2001 * time.Millisecond))
	require.False(t, ok, "the stream has stopped")
}

func TestSendReportsAndCounters(t *testing.T) {
	s := newSender(t, videoParams())
	_, ok := s.DLRR(s.now)
	require.False(t, ok)
	s.HandleRRTR(s.now, 0x1111_2222_3333_4444)
	dlrr, ok := s.DLRR(s.now.Add(2500 * time.Millisecond))
	require.True(t, ok)
	require.Equal(t, rtcp.DLRRReport{SSRC: uint32(mediaSSRC), LastRR: 0x2222_3333, DLRR: 5 << 15}, dlrr)
	require.Equal(t, rtcp.SourceDescriptionChunk{
		Source: uint32(mediaSSRC), Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "cname"}},
	}, s.SDES())
	s.HandleKeyFrameRequest(true)
	s.HandleKeyFrameRequest(false)
	s.HandleKeyFrameRequest(false)
	s.send(1, 1000)
	s.HandleReceptionReport(s.now, &rtcp.ReceptionReport{
		TotalLost: 3, FractionLost: 64, Jitter: 77,
		LastSenderReport: unit.CompactNTP(s.now.Add(-ms(500)).NTP()), Delay: unit.NTPDuration(ms(250)),
	})
	require.Equal(t, uint8(64), s.FractionLost())
	require.InDelta(t, 25, s.LossPercentage(), 0)
	size := uint64(12 + len(interFrame))
	require.Equal(t, unit.Bitrate(size*8000+1250)/2500, s.Bitrate(s.now))
	base := s.base()
	require.InDelta(t, 250, base.RoundTripTime, 0.1)
	base.RoundTripTime = 0
	require.Equal(t, &api.RTPStreamBaseStats{
		Timestamp: s.now.Milliseconds(), SSRC: uint32(mediaSSRC), Kind: api.MediaKindVideo, MimeType: "video/VP8", RID: "r0",
		PacketsLost: 3, FractionLost: 64, Jitter: 77, PLICount: 2, FIRCount: 1, Score: s.Score(),
	}, base)
	stats := s.Stats(s.now).Data.(*api.RTPStreamSendStats)
	require.Equal(t, uint64(1), stats.PacketCount)
	require.Equal(t, size, stats.ByteCount)
	require.Equal(t, uint64(s.Bitrate(s.now)), stats.Bitrate)
	require.Nil(t, s.Dump().RTXStream)
	require.Nil(t, s.Dump().Params.RTXSSRC)
	s.SetRTX(rtxPT, rtxSSRC, 0)
	require.Equal(t, "video/rtx", s.Dump().RTXStream.Params.MimeType)
	require.Equal(t, rtxSSRC, s.Params().RTXSSRC)
	s.Pause()
	require.Zero(t, s.base().Jitter)

	audio := rtpstream.NewSend(start, rtpstream.Params{SSRC: 1, MimeType: "audio/opus", ClockRate: 48000})
	audio.SetRTX(rtxPT, rtxSSRC, 0)
	require.Equal(t, "audio/rtx", audio.Dump().RTXStream.Params.MimeType)
}
