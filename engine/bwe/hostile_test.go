package bwe_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/internal/fuzzseed"
)

// all is feedback that gives n packets from base on the same status.
func all(base, n, symbol uint16) *rtcp.TransportLayerCC {
	f := &rtcp.TransportLayerCC{BaseSequenceNumber: base, PacketStatusCount: n}
	for left := int(n); left > 0; left -= 8191 {
		f.PacketChunks = append(f.PacketChunks, &rtcp.RunLengthChunk{PacketStatusSymbol: symbol, RunLength: uint16(min(left, 8191))})
	}
	if symbol == rtcp.TypeTCCPacketReceivedSmallDelta || symbol == rtcp.TypeTCCPacketReceivedLargeDelta {
		for range n {
			f.RecvDeltas = append(f.RecvDeltas, &rtcp.RecvDelta{Type: symbol, Delta: 250})
		}
	}
	return f
}

func TestLies(t *testing.T) {
	for name, feedback := range map[string]*rtcp.TransportLayerCC{
		"nothing":                        {},
		"everything lost":                all(1, 65535, rtcp.TypeTCCPacketNotReceived),
		"what was never sent is lost":    all(2000, 65535, rtcp.TypeTCCPacketNotReceived),
		"what was never sent came":       all(2000, 20_000, rtcp.TypeTCCPacketReceivedSmallDelta),
		"long before all that was sent":  all(40_000, 20_000, rtcp.TypeTCCPacketReceivedLargeDelta),
		"everything came, without times": all(1, 65535, rtcp.TypeTCCPacketReceivedWithoutDelta),
		"more statuses than chunks":      {BaseSequenceNumber: 1, PacketStatusCount: 65535},
		"more chunks than statuses":      {BaseSequenceNumber: 1, PacketStatusCount: 1, PacketChunks: all(1, 65535, 0).PacketChunks},
		"runs of nothing":                {BaseSequenceNumber: 1, PacketStatusCount: 9, PacketChunks: make([]rtcp.PacketStatusChunk, 100)},
		"arrivals without times":         {BaseSequenceNumber: 1, PacketStatusCount: 100, PacketChunks: all(1, 100, rtcp.TypeTCCPacketReceivedSmallDelta).PacketChunks},
		"symbols that are not in a list": {BaseSequenceNumber: 1, PacketStatusCount: 100, PacketChunks: []rtcp.PacketStatusChunk{&rtcp.StatusVectorChunk{}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(bwe.SenderConfig{})
			s.SetDesiredBitrate(start, 5000*kbps, true)
			for i := range 1000 {
				s.HandlePacketSent(start.Add(time.Duration(i)*ms), 1200)
			}
			for i := range 20 {
				s.HandleTransportFeedback(start.Add(time.Second+time.Duration(i)*100*ms), feedback)
			}
			require.GreaterOrEqual(t, s.AvailableBitrate(), 30*kbps)
			require.LessOrEqual(t, s.AvailableBitrate(), 6750*kbps)
			require.LessOrEqual(t, s.PacketLoss(), 1.0)
		})
	}
}

func TestWhatWasSaidTwiceCountsOnce(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	for i := range 100 {
		s.HandlePacketSent(start.Add(time.Duration(i)*ms), 1200)
	}
	now := start.Add(200 * ms)
	for range 50 {
		now = now.Add(50 * ms)
		s.HandleTransportFeedback(now, all(1, 100, rtcp.TypeTCCPacketNotReceived))
	}
	require.Equal(t, 1.0, s.PacketLoss())
	before := s.AvailableBitrate()
	require.Greater(t, before, 100*kbps)
	for range 50 {
		now = now.Add(50 * ms)
		s.HandleTransportFeedback(now, all(1, 100, rtcp.TypeTCCPacketReceivedSmallDelta))
	}
	require.GreaterOrEqual(t, s.AvailableBitrate(), before, "they were only late")
}

func TestPacketsOfOneInstant(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	for range 100 {
		s.HandlePacketSent(start, 1200)
	}
	f := all(1, 100, rtcp.TypeTCCPacketReceivedSmallDelta)
	for _, d := range f.RecvDeltas {
		d.Delta = 0
	}
	s.HandleTransportFeedback(start.Add(50*ms), f)
	require.Equal(t, 600*kbps, s.AvailableBitrate(), "an infinite throughput is none")
}

func TestArrivalTimesThatGoBack(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	now := start
	for i := range 100 {
		seq := s.HandlePacketSent(now, 1200)
		now = now.Add(100 * ms)
		f := all(uint16(seq), 1, rtcp.TypeTCCPacketReceivedSmallDelta)
		f.ReferenceTime = uint32(1_000_000 - 10*i)
		s.HandleTransportFeedback(now, f)
	}
	require.Equal(t, 600*kbps, s.AvailableBitrate())
}

func TestAnswersToProbesThatComeTooLate(t *testing.T) {
	s := newSender(bwe.SenderConfig{})
	s.SetDesiredBitrate(start, 5000*kbps, true)
	now := start
	for range 600 {
		now = now.Add(100 * ms)
		s.HandleTimeout(now) // without asking for probes
	}
	n := 0
	for range 600 {
		now = now.Add(100 * ms)
		s.HandleTimeout(now)
		for at := now; at < now.Add(50*ms); at = at.Add(ms) {
			if size := s.NextProbe(at); size > 0 {
				s.HandleProbeSent(at, size)
				n++
			}
		}
	}
	require.Greater(t, n, 50, "probing goes on without feedback, to find out when the path works again")
	require.Less(t, n, 200)
	s.HandleTransportFeedback(now, all(1, 5, rtcp.TypeTCCPacketReceivedSmallDelta))
	require.LessOrEqual(t, s.AvailableBitrate(), 600*kbps)
}

func TestRandomFeedback(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 3))
		s := newSender(bwe.SenderConfig{})
		s.SetDesiredBitrate(start, 5000*kbps, true)
		now := start
		for range 300 {
			now = now.Add(time.Duration(random.IntN(200)) * ms)
			for range random.IntN(100) {
				s.HandlePacketSent(now, 1+random.IntN(1500))
			}
			if s.NextTimeout() <= now {
				s.HandleTimeout(now)
			}
			for size := s.NextProbe(now); size > 0; size = s.NextProbe(now) {
				s.HandleProbeSent(now, size)
			}
			f := all(uint16(random.UintN(1<<random.UintN(17))), uint16(random.UintN(300)), uint16(random.UintN(4)))
			f.ReferenceTime = random.Uint32() >> (8 + random.UintN(20))
			for _, d := range f.RecvDeltas {
				d.Delta = (int64(random.UintN(1<<16)) - 1<<15) * 250 >> random.UintN(16)
			}
			s.HandleTransportFeedback(now, f)
			require.GreaterOrEqual(t, s.AvailableBitrate(), 30*kbps)
			require.LessOrEqual(t, s.AvailableBitrate(), 6750*kbps)
			require.Greater(t, s.NextTimeout(), now-unit.Time(time.Second))
		}
	}
}

func FuzzFeedback(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	r := connected(api.BWETypeTransportCc)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 200 {
		if random.IntN(4) > 0 {
			r.HandlePacket(start.Add(time.Duration(i)*ms+time.Duration(random.IntN(20))*ms), arrival(unit.SeqNo(i)))
		}
	}
	r.HandleTimeout(start.Add(time.Second))
	for _, pkt := range append(r.Output().RTCP, all(1, 3, 3), all(0, 65535, 0), all(65530, 20, 2)) {
		p := *pkt.(*rtcp.TransportLayerCC)
		p.Header = rtcp.Header{Padding: p.MarshalSize() != 20+2*len(p.PacketChunks)+len(p.RecvDeltas), Count: 15, Type: 205, Length: uint16(p.MarshalSize()/4 - 1)}
		b, err := p.Marshal()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pkts, err := wirertcp.Parse(b)
		if err != nil {
			return
		}
		s := newSender(bwe.SenderConfig{})
		s.SetDesiredBitrate(start, 5000*kbps, true)
		now := start
		for range 3 {
			for range 120 {
				now = now.Add(ms)
				s.HandlePacketSent(now, 1200)
				if size := s.NextProbe(now); size > 0 {
					s.HandleProbeSent(now, size)
				}
			}
			for _, pkt := range pkts {
				if cc, ok := pkt.(*rtcp.TransportLayerCC); ok {
					s.HandleTransportFeedback(now, cc)
				}
			}
		}
		require.GreaterOrEqual(t, s.AvailableBitrate(), 30*kbps)
		require.LessOrEqual(t, s.AvailableBitrate(), 6750*kbps)
	})
}

// exchange is a sender whose feedback comes from a receiver, built once and replayed: each call sends ten packets and
// takes the feedback about them.
func exchange() func() {
	s := newSender(bwe.SenderConfig{})
	s.SetDesiredBitrate(start, 5000*kbps, true)
	chunks := []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: 1, RunLength: 10}}
	f := &rtcp.TransportLayerCC{PacketStatusCount: 10, PacketChunks: chunks}
	for range 10 {
		f.RecvDeltas = append(f.RecvDeltas, &rtcp.RecvDelta{Type: 1, Delta: 10_000})
	}
	now := start
	return func() {
		first := s.HandlePacketSent(now, 1200)
		for range 9 {
			now = now.Add(10 * ms)
			s.HandlePacketSent(now, 1200)
		}
		now = now.Add(10 * ms)
		f.BaseSequenceNumber = uint16(first)
		f.ReferenceTime = uint32(now/unit.Time(64*ms)) & 0xffffff
		s.HandleTransportFeedback(now, f)
		s.HandleTimeout(now)
		s.NextProbe(now)
		s.NextTimeout()
	}
}

func TestSenderDoesNotAllocate(t *testing.T) {
	run := exchange()
	for range 100 {
		run()
	}
	require.Zero(t, testing.AllocsPerRun(1000, run))
}

func BenchmarkSenderPacket(b *testing.B) {
	s := newSender(bwe.SenderConfig{})
	now := start
	for b.Loop() {
		now = now.Add(ms)
		s.HandlePacketSent(now, 1200)
	}
}

// BenchmarkFeedbackThatSaysNothingNew takes 24 bytes of feedback about as many packets as are remembered, of which all was said.
func BenchmarkFeedbackThatSaysNothingNew(b *testing.B) {
	for name, symbol := range map[string]uint16{
		"lost": rtcp.TypeTCCPacketNotReceived, "arrived": rtcp.TypeTCCPacketReceivedWithoutDelta,
	} {
		b.Run(name, func(b *testing.B) {
			s := newSender(bwe.SenderConfig{})
			now := start
			for i := range 40_000 {
				now = now.Add(time.Second / 20_000)
				s.HandlePacketSent(now, 1200)
				if i%100 == 0 {
					s.HandleTransportFeedback(now, all(uint16(i), 1, rtcp.TypeTCCPacketReceivedSmallDelta))
				}
			}
			last := 40_000 % (1 << 16)
			feedback := all(uint16(last-16_382), 16_382, symbol)
			s.HandleTransportFeedback(now, feedback)
			for b.Loop() {
				s.HandleTransportFeedback(now, feedback)
			}
		})
	}
}

func BenchmarkSenderTenPacketsWithFeedback(b *testing.B) {
	run := exchange()
	for b.Loop() {
		run()
	}
}

func BenchmarkReceiverPacket(b *testing.B) {
	for name, bweType := range map[string]api.BWEType{"transport-cc": api.BWETypeTransportCc, "REMB": api.BWETypeREMB} {
		b.Run(name, func(b *testing.B) {
			r := connected(bweType)
			now := start
			a := bwe.Arrival{SSRC: 1, Size: 1200, HasTransportCC: true, HasAbsSendTime: true}
			for b.Loop() {
				now = now.Add(ms)
				a.TransportCC++
				a.AbsSendTime = (a.AbsSendTime + 262) & 0xffffff
				r.HandlePacket(now, a)
				if r.NextTimeout() <= now {
					r.HandleTimeout(now)
				}
				r.Output().Reset()
			}
		})
	}
}
