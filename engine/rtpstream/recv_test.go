package rtpstream_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// receiver drives a Recv on virtual time and collects what it asks for.
type receiver struct {
	t testing.TB
	*rtpstream.Recv
	now    unit.Time
	nacked []unit.SeqNo
	rtcp   []rtcp.Packet
	scores []uint8 // each change: previous, new
	layers int
	rtxSeq unit.SeqNo
}

func newReceiver(t testing.TB, p rtpstream.Params, o rtpstream.RecvOptions) *receiver {
	return &receiver{t: t, Recv: rtpstream.NewRecv(start, p, o), now: start, rtxSeq: 65533}
}

func (r *receiver) drain() {
	o := r.Output()
	for _, p := range o.RTCP {
		if n, ok := p.(*rtcp.TransportLayerNack); ok {
			require.Equal(r.t, uint32(mediaSSRC), n.MediaSSRC)
			for _, pair := range n.Nacks {
				for _, seq := range pair.PacketList() {
					r.nacked = append(r.nacked, unit.SeqNo(seq))
				}
			}
			continue
		}
		r.rtcp = append(r.rtcp, p)
	}
	if o.ScoreChanged {
		r.scores = append(r.scores, o.PreviousScore, r.Score())
	}
	if o.SpatialLayersChanged {
		r.layers++
	}
	o.Reset()
	require.Empty(r.t, o.RTCP)
	require.False(r.t, o.ScoreChanged)
}

// advance lets time pass and timers fire when due.
func (r *receiver) advance(d time.Duration) {
	end := r.now.Add(d)
	for r.NextTimeout() <= end {
		require.GreaterOrEqual(r.t, r.NextTimeout(), r.now, "a timer does not stay due")
		r.now = r.NextTimeout()
		r.HandleTimeout(r.now)
		r.drain()
	}
	r.now = end
}

func (r *receiver) takeNacked() []unit.SeqNo {
	n := r.nacked
	r.nacked = nil
	return n
}

func (r *receiver) takeRTCP() []rtcp.Packet {
	p := r.rtcp
	r.rtcp = nil
	return p
}

func (r *receiver) feed(pkt *packet.Packet, handle func(unit.Time, *packet.Packet) bool) bool {
	ok := handle(r.now, pkt)
	r.drain()
	pkt.Release()
	return ok
}

func (r *receiver) media(seq unit.SeqNo) bool {
	return r.feed(mediaPacket(r.t, r.now, seq, tsAt(r.now), interFrame), r.HandlePacket)
}

func (r *receiver) rtx(seq unit.SeqNo) bool {
	r.rtxSeq++
	return r.feed(rtxPacket(r.t, r.now, r.rtxSeq, seq, tsAt(r.now), interFrame), r.HandleRTXPacket)
}

func (r *receiver) base() *api.RTPStreamBaseStats {
	return r.Stats(r.now).Data.(*api.RTPStreamRecvStats).Base.Data.(*api.RTPStreamBaseStats)
}

func (r *receiver) senderReport() {
	r.HandleSenderReport(r.now, &rtcp.SenderReport{SSRC: uint32(mediaSSRC), NTPTime: r.now.NTP(), RTPTime: uint32(tsAt(r.now))})
	r.drain()
}

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

func rtxParams() rtpstream.Params {
	p := videoParams()
	p.RTXSSRC, p.RTXPayloadType = rtxSSRC, rtxPT
	return p
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
	require.True(t, r.media(40001), "the second in a row: the sender began anew")
	require.True(t, r.media(40002))
	require.Equal(t, uint32(40002), r.ReceptionReport(r.now, 0).LastSequenceNumber)
	r.takeNacked()
	r.media(40004)
	require.Equal(t, []unit.SeqNo{40003}, r.takeNacked(), "NACKs go on after a restart")
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
	require.Equal(t, r.now.NTP(), rtpstream.ReceiverReferenceTime(r.now).NTPTimestamp)
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
	require.Zero(t, r.RTT(), "no report of ours has arrived there")
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

func TestRecvScoreFollowsLoss(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	score := func(loss int, repair bool) uint8 {
		r := newReceiver(t, rtxParams(), rtpstream.RecvOptions{})
		seq := unit.SeqNo(65000)
		for range 30 {
			for range 200 {
				seq++
				if rng.IntN(100) >= loss {
					r.media(seq)
				}
				r.advance(ms(5))
				for _, n := range r.takeNacked() {
					if repair {
						r.rtx(n)
					}
				}
			}
			r.senderReport()
		}
		return r.Score()
	}
	require.Equal(t, uint8(10), score(0, false))
	bad := score(20, false)
	require.Less(t, bad, uint8(6))
	require.Greater(t, score(20, true), bad, "repair counts")
	require.Equal(t, uint8(0), score(60, false))
}

func TestRecvScoreWithoutRTXCountsRepairs(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	seq := unit.SeqNo(0)
	for range 100 {
		seq += 2
		r.media(seq)
		for _, n := range r.takeNacked() {
			r.media(n)
		}
	}
	r.senderReport()
	require.Less(t, r.Score(), uint8(10))
	require.Greater(t, r.Score(), uint8(0))
	require.Equal(t, []uint8{10, r.Score()}, r.scores)
}

func TestRecvScoreWhenOnlyRTXArrives(t *testing.T) {
	r := newReceiver(t, rtxParams(), rtpstream.RecvOptions{})
	r.media(1)
	r.senderReport()
	r.rtx(2)
	r.senderReport()
	require.Equal(t, uint8(3), r.Score(), "samples 10 and 0 with weights 1 and 2")
	r.media(3)
	r.rtx(4)
	r.media(4)
	r.senderReport()
	require.Equal(t, uint8(7), r.Score(), "nothing was lost: 10")
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

func TestRecvScoreIsAWeightedAverage(t *testing.T) {
	p := videoParams()
	p.UseNACK = false
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	r.media(0)
	r.senderReport() // 10
	require.Equal(t, uint8(10), r.Score())
	// Expected but not received: a late packet does not exist here, so jump within what is allowed.
	for i := range 3 {
		r.media(unit.SeqNo(1000 * (i + 1)))
		r.senderReport()
	}
	// Samples 10, 0, 0, 0 with weights 1 to 4.
	require.Equal(t, uint8(1), r.Score())
	for range 24 {
		r.senderReport() // nothing expected: 10
	}
	require.Equal(t, uint8(10), r.Score(), "24 samples are remembered")
}

func TestRecvInactivity(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{InactivityCheck: true})
	for i := range 10 {
		r.media(unit.SeqNo(i))
		r.advance(ms(1000))
	}
	require.Empty(t, r.scores)
	r.advance(ms(499))
	require.Empty(t, r.scores)
	r.advance(ms(1))
	require.Equal(t, []uint8{10, 0}, r.scores)
	require.Equal(t, unit.Never, r.NextTimeout())
	r.senderReport()
	require.Equal(t, uint8(0), r.Score(), "no sample while inactive")
	r.feed(mediaPacket(t, r.now, 10, tsAt(r.now), nil), r.HandlePacket)
	require.Equal(t, uint8(0), r.Score(), "padding does not wake the stream")
	r.media(11)
	require.Equal(t, []uint8{10, 0, 0, 10}, r.scores)
	require.Equal(t, r.now, r.ActiveSince())
	r.advance(ms(1500))
	require.Equal(t, uint8(0), r.Score())
}

func TestRecvInactivityPauseAndDTX(t *testing.T) {
	p := videoParams()
	p.UseDTX = true
	r := newReceiver(t, p, rtpstream.RecvOptions{InactivityCheck: true})
	r.media(1)
	r.advance(ms(4999))
	require.Empty(t, r.scores)
	r.Pause()
	r.advance(time.Hour)
	require.Empty(t, r.scores)
	r.media(3)
	require.Empty(t, r.takeNacked(), "a paused producer asks for nothing")
	r.Resume(r.now)
	r.advance(ms(4999))
	require.Empty(t, r.scores)
	r.advance(ms(1))
	require.Equal(t, []uint8{10, 0}, r.scores)
	r.Pause()
	r.Resume(r.now)
	require.Equal(t, unit.Never, r.NextTimeout(), "inactive already")
}

func TestRecvBitrate(t *testing.T) {
	p := videoParams()
	p.SpatialLayers, p.TemporalLayers = 2, 2
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	pkt := func(seq unit.SeqNo, size int, s, l uint8) {
		m := mediaPacket(t, r.now, seq, tsAt(r.now), make([]byte, size-12))
		// Payload type of another codec: the description is left alone.
		m.PayloadType = 100
		m.Codec.SpatialLayer, m.Codec.TemporalLayer = s, l
		r.feed(m, r.HandlePacket)
	}
	pkt(1, 1000, 0, 0)
	pkt(2, 500, 0, 1)
	pkt(3, 250, 1, 0)
	bits := func(bytes int) unit.Bitrate { return unit.Bitrate(bytes * 8000 / 2500) }
	require.Equal(t, bits(1750), r.Bitrate(r.now))
	require.Equal(t, bits(1000), r.BitrateUpTo(r.now, 0, 0))
	require.Equal(t, bits(1500), r.BitrateUpTo(r.now, 0, 1))
	require.Equal(t, bits(1750), r.BitrateUpTo(r.now, 1, 0))
	require.Zero(t, r.BitrateUpTo(r.now, 1, 1), "that layer is not there")
	require.Zero(t, r.BitrateUpTo(r.now, 7, 0))
	require.Equal(t, bits(1500), r.SpatialLayerBitrate(r.now, 0))
	require.Equal(t, bits(250), r.LayerBitrate(r.now, 1, 0))
	require.False(t, r.LayerActive(0), "before the first check")
	r.advance(ms(1500))
	require.True(t, r.LayerActive(0))
	require.True(t, r.LayerActive(1))
	require.False(t, r.LayerActive(32))
	require.Equal(t, 1, r.layers)
	pkt(4, 1000, 0, 0)
	r.advance(ms(1500))
	require.True(t, r.LayerActive(0))
	require.False(t, r.LayerActive(1))
	require.Equal(t, 2, r.layers)
	pkt(5, 1000, 9, 9)
	require.Equal(t, bits(1000), r.LayerBitrate(r.now, 1, 1), "beyond what was negotiated counts as the highest")
	stats := r.Stats(r.now).Data.(*api.RTPStreamRecvStats)
	require.Equal(t, []api.BitrateByLayer{
		{Layer: "0.0", Bitrate: uint64(bits(1000))},
		{Layer: "0.1", Bitrate: 0},
		{Layer: "1.0", Bitrate: 0},
		{Layer: "1.1", Bitrate: uint64(bits(2000))},
	}, stats.BitrateByLayer)
}

func TestRecvStatsAndDump(t *testing.T) {
	p := rtxParams()
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	r.media(1)
	ssrc, pt := uint32(rtxSSRC), uint8(rtxPT)
	size := uint64(12 + len(interFrame))
	require.Equal(t, &api.RTPStreamStats{Data: &api.RTPStreamRecvStats{
		Base: &api.RTPStreamStats{Data: &api.RTPStreamBaseStats{
			Timestamp: r.now.Milliseconds(), SSRC: uint32(mediaSSRC), Kind: api.MediaKindVideo, MimeType: "video/VP8",
			RID: "r0", RTXSSRC: &ssrc, Score: 10,
		}},
		PacketCount: 1, ByteCount: size, Bitrate: (size*8000 + 1250) / 2500,
	}}, r.Stats(r.now))
	require.Equal(t, &api.RTPStreamDump{
		Params: &api.RTPStreamParams{
			SSRC: uint32(mediaSSRC), PayloadType: mediaPT, MimeType: "video/VP8", ClockRate: clockRate, RID: "r0",
			CNAME: "cname", RTXSSRC: &ssrc, RTXPayloadType: &pt, UseNACK: true, UsePLI: true, UseFIR: true,
			SpatialLayers: 1, TemporalLayers: 1,
		},
		Score: 10,
		RTXStream: &api.RTXStreamDump{Params: &api.RTXStreamParams{
			SSRC: ssrc, PayloadType: pt, MimeType: "video/rtx", ClockRate: clockRate, RRID: "r0", CNAME: "cname",
		}},
	}, r.Dump())
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
