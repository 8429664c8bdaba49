package bwe_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

func newSender(c bwe.SenderConfig) *bwe.Sender {
	if c.InitialBitrate == 0 {
		c.InitialBitrate = 600 * kbps
	}
	s := bwe.NewSender(c)
	s.TransportConnected(start)
	s.Output().Reset()
	return s
}

func TestSenderBeforeItIsConnected(t *testing.T) {
	s := bwe.NewSender(bwe.SenderConfig{InitialBitrate: 600 * kbps})
	require.Equal(t, api.BWETypeTransportCc, s.Type())
	require.Zero(t, s.AvailableBitrate())
	require.Equal(t, unit.Never, s.NextTimeout())
	s.SetDesiredBitrate(start, 5000*kbps, true)
	s.HandleTimeout(start)
	s.HandleTransportFeedback(start, &rtcp.TransportLayerCC{})
	s.HandleREMB(start, kbps)
	s.HandleReceptionReport(start, &rtcp.ReceptionReport{}, 0)
	require.Zero(t, s.NextProbe(start))
	require.False(t, s.Output().BitrateChanged)
	require.Equal(t, unit.SeqNo(1), s.HandlePacketSent(start, 100))
	s.TransportConnected(start)
	require.True(t, s.Output().BitrateChanged)
	require.Equal(t, 600*kbps, s.AvailableBitrate())
	s.Output().Reset()
	s.TransportConnected(start)
	require.False(t, s.Output().BitrateChanged, "it was already")
	require.Equal(t, unit.SeqNo(2), s.HandlePacketSent(start, 100))
	require.Equal(t, unit.SeqNo(3), s.HandleProbeSent(start, 100))
}

func TestNumbersWrap(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	for i := 1; i < 1<<17; i++ {
		require.Equal(t, unit.SeqNo(i), s.HandlePacketSent(start, 100))
	}
}

func TestBitrateIsAnnouncedOnceASecond(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	require.Equal(t, start.Add(time.Second), s.NextTimeout())
	s.HandleTimeout(start.Add(999 * ms))
	require.False(t, s.Output().BitrateChanged)
	s.HandleTimeout(start.Add(time.Second))
	require.True(t, s.Output().BitrateChanged)
	s.Output().Reset()
	s.Distributed(start.Add(1500 * ms))
	require.Equal(t, start.Add(2500*ms), s.NextTimeout())
	s.HandleTimeout(start.Add(2400 * ms))
	require.False(t, s.Output().BitrateChanged, "put off")
}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name                 string
		config               bwe.SenderConfig
		available, low, high unit.Bitrate
	}{
		{"none", bwe.SenderConfig{}, 600 * kbps, 30 * kbps, 600 * kbps},
		{"initial below the least", bwe.SenderConfig{InitialBitrate: 1}, 30 * kbps, 30 * kbps, 30 * kbps},
		{"max", bwe.SenderConfig{MaxBitrate: 200 * kbps}, 200 * kbps, 30 * kbps, 200 * kbps},
		{"min", bwe.SenderConfig{MinBitrate: 700 * kbps}, 700 * kbps, 700 * kbps, 600 * kbps},
		{"huge", bwe.SenderConfig{InitialBitrate: 1<<63 - 2}, 1<<63 - 2, 30 * kbps, 1<<63 - 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSender(test.config)
			require.InEpsilon(t, float64(test.available), float64(s.AvailableBitrate()), 1e-6)
			info := s.TraceInfo()
			require.Equal(t, uint64(test.low), info.MinBitrate)
			require.Equal(t, uint64(test.high), info.MaxBitrate)
		})
	}
}

func TestLimitsChange(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	s.SetMaxBitrate(start, 100*kbps)
	require.Equal(t, 100*kbps, s.AvailableBitrate())
	require.True(t, s.Output().BitrateChanged, "much less: announced at once")
	s.Output().Reset()
	s.SetMaxBitrate(start, 0)
	require.Equal(t, 600*kbps, s.AvailableBitrate(), "the estimate itself did not change")
	require.True(t, s.Output().BitrateChanged)
	s.SetMinBitrate(start, 800*kbps)
	require.Equal(t, 800*kbps, s.AvailableBitrate())
	s.SetMinBitrate(start, 0)
	require.Equal(t, 600*kbps, s.AvailableBitrate())
}

func TestDesiredBitrate(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	at := func(d time.Duration, desired unit.Bitrate, force bool) *api.BWETraceInfo {
		s.SetDesiredBitrate(start.Add(d), desired, force)
		return s.TraceInfo()
	}
	require.Equal(t, &api.BWETraceInfo{
		DesiredBitrate: 1_000_000, EffectiveDesiredBitrate: 1_000_000, MinBitrate: 30_000, MaxBitrate: 1_350_000,
		StartBitrate: 600_000, MaxPaddingBitrate: 1_147_500, AvailableBitrate: 600_000,
	}, at(0, 1_000_000, false))
	info := at(2*time.Second, 500_000, false)
	require.Equal(t, uint64(900_000), info.EffectiveDesiredBitrate, "falls by 5 % a second")
	require.Equal(t, uint64(500_000), info.DesiredBitrate)
	require.Equal(t, uint64(1_215_000), info.MaxBitrate)
	info = at(2*time.Second, 950_000, false)
	require.Equal(t, uint64(950_000), info.EffectiveDesiredBitrate, "rises at once")
	require.Equal(t, uint64(1_215_000), info.MaxBitrate, "but for small changes the limit stays")
	info = at(3*time.Second, 500_000, true)
	require.Equal(t, uint64(500_000), info.EffectiveDesiredBitrate)
	require.Equal(t, uint64(675_000), info.MaxBitrate)
	info = at(4*time.Second, 100_000, true)
	require.Equal(t, uint64(600_000), info.MaxBitrate, "never below the initial bitrate")
	info = at(time.Hour, 0, false)
	require.Zero(t, info.EffectiveDesiredBitrate)
	info = at(time.Hour, 1<<64-1, false)
	require.LessOrEqual(t, info.MaxBitrate, uint64(1<<63))
}

func TestDisconnectingStopsEverything(t *testing.T) {
	p := newPath(t, options{desired: 2000 * kbps, link: rate(5000 * kbps), back: back})
	p.net.Advance(5 * time.Second)
	before := p.sender.AvailableBitrate()
	now := p.net.Now()
	p.sender.TransportDisconnected(now)
	require.Equal(t, unit.Never, p.sender.NextTimeout())
	require.Zero(t, p.sender.NextProbe(now))
	require.Zero(t, p.sender.TraceInfo().EffectiveDesiredBitrate)
	require.Equal(t, before, p.sender.AvailableBitrate())
	p.sender.TransportConnected(now)
	require.Equal(t, 600*kbps, p.sender.AvailableBitrate(), "not more than is desired")
	p.sender.SetDesiredBitrate(now, 2000*kbps, true)
	require.Equal(t, before, p.sender.AvailableBitrate(), "but known")
}

func TestProbes(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	require.Zero(t, s.NextProbe(start), "no more is desired")
	s.SetDesiredBitrate(start, 10_000*kbps, true)
	require.Equal(t, start, s.NextTimeout())
	// Two clusters: three and six times the initial bitrate.
	now, bytes := start, 0
	for bytes < 5625 {
		size := s.NextProbe(now)
		require.Equal(t, 1125, size)
		s.HandleProbeSent(now, size)
		require.Zero(t, s.NextProbe(now)*min(5625-bytes-size, 1), "paced")
		bytes += size
		if bytes < 5625 {
			now = now.Add(5 * ms)
			require.Equal(t, now, s.NextTimeout())
		}
	}
	require.Equal(t, 1400, s.NextProbe(now), "6 × 600 kbit/s × 25 ms are 11250 bytes in packets of at most 1400")
	s.HandleProbeSent(now, 1400)
	require.Zero(t, s.NextProbe(now))
	for range 7 {
		s.HandlePacketSent(now, 1408) // media takes part
	}
	require.Zero(t, s.NextProbe(now.Add(time.Second)), "complete")

	s = newSender(bwe.SenderConfig{})
	s.SetDesiredBitrate(start, 10_000*kbps, true)
	require.Zero(t, s.NextProbe(start.Add(6*time.Second)), "not asked for in five seconds: dropped")
}

func TestProbesDoNotExceedWhatIsDesired(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	s.SetDesiredBitrate(start, 1000*kbps, true)
	require.Equal(t, int(1350*kbps/8/40/5), s.NextProbe(start))
	p := newPath(t, options{desired: 1000 * kbps, link: rate(50_000 * kbps), back: back})
	p.net.Advance(time.Minute)
	require.Less(t, p.probes, 20_000, "once known, there is nothing to probe for")
}

func TestAnApplicationThatSendsLittle(t *testing.T) {
	p := newPath(t, options{desired: 500 * kbps, layers: []unit.Bitrate{100 * kbps}, link: rate(5000 * kbps), back: back})
	p.net.Advance(60 * time.Second)
	require.LessOrEqual(t, p.highest, 675*kbps, "not beyond what is desired")
	require.Equal(t, 600*kbps, p.lowest, "and not less for it")
}

func TestPacketLossSent(t *testing.T) {
	p := newPath(t, options{desired: 2000 * kbps, link: lossy(rate(5000*kbps), 0.1), back: back})
	p.net.Advance(10 * time.Second)
	require.InDelta(t, 0.1, p.sender.PacketLoss(), 0.06)
}

func TestReceptionReports(t *testing.T) {
	s := newSender(bwe.SenderConfig{Type: api.BWETypeREMB})
	s.SetDesiredBitrate(start, 2000*kbps, true)
	now, seq, lost := start, uint32(0), uint32(0)
	report := func(packets, losses uint32) {
		now = now.Add(time.Second)
		seq, lost = seq+packets, lost+losses
		for range packets {
			s.HandlePacketSent(now, 1000)
		}
		s.HandleReceptionReport(now, &rtcp.ReceptionReport{SSRC: 1, LastSequenceNumber: seq, TotalLost: lost & 0xffffff}, 50*ms)
	}
	report(100, 0)
	s.HandleREMB(now, 1500*kbps)
	require.Equal(t, 1500*kbps, s.AvailableBitrate(), "the peer's estimate is taken over in the beginning")
	report(100, 1)
	report(100, 1)
	require.Equal(t, 1500*kbps, s.AvailableBitrate(), "losses up to 10 % do no harm")
	require.InDelta(t, 0.01, s.PacketLoss(), 1e-6)
	report(100, 20)
	after := s.AvailableBitrate()
	require.Equal(t, 1350*kbps, after, "20 % loss takes 10 % away")
	s.HandleREMB(now.Add(time.Second), 1600*kbps)
	require.Equal(t, after, s.AvailableBitrate(), "no growth while packets are lost")
	for range 5 {
		report(100, 0)
	}
	s.HandleREMB(now, 1600*kbps)
	require.Equal(t, 1600*kbps, s.AvailableBitrate())
	s.HandleREMB(now, 800*kbps)
	require.Equal(t, 800*kbps, s.AvailableBitrate())
	s.HandleREMB(now, 0)
	require.Greater(t, s.AvailableBitrate(), 800*kbps, "no limit")
	for ssrc := range uint32(1000) {
		s.HandleReceptionReport(now, &rtcp.ReceptionReport{SSRC: ssrc, LastSequenceNumber: 1}, 0)
		s.HandleReceptionReport(now, &rtcp.ReceptionReport{SSRC: ssrc, LastSequenceNumber: 1 << 31, TotalLost: 1 << 23}, 0)
	}
	require.Greater(t, s.AvailableBitrate(), 800*kbps, "reports that cannot be true change nothing")
}

func TestREMBDoesNotCountWithTransportCC(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	s.HandleREMB(start, 100*kbps)
	s.HandleReceptionReport(start, &rtcp.ReceptionReport{SSRC: 1}, 0)
	require.Equal(t, 600*kbps, s.AvailableBitrate())
	s = newSender(bwe.SenderConfig{Type: api.BWETypeREMB})
	s.HandlePacketSent(start, 1000)
	s.HandleTransportFeedback(start.Add(50*ms), &rtcp.TransportLayerCC{
		BaseSequenceNumber: 1, PacketStatusCount: 1,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{RunLength: 1}},
	})
	require.Zero(t, s.PacketLoss())
}

func TestAPathThatOnlyDelays(t *testing.T) {
	// The delay rises by 150 ms for good: another way through the network, not a queue that grows.
	p := newPath(t, options{desired: 2000 * kbps, link: rate(5000 * kbps), back: back})
	p.net.Advance(20 * time.Second)
	c := rate(5000 * kbps)
	c.Delay += 150 * ms
	p.link.SetConditions(c)
	p.net.Advance(60 * time.Second)
	require.Greater(t, p.sender.AvailableBitrate(), 1900*kbps)
}

var _ simnet.Machine = (*bwe.Sender)(nil)
