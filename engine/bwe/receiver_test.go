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
	"gazpacho/engine/wire/rtp"
)

const (
	ms = time.Millisecond
	// tick is the resolution of arrival times in feedback.
	tick = 250 * time.Microsecond
)

func connected(bweType api.BWEType) *bwe.Receiver {
	r := bwe.NewReceiver(bweType)
	r.TransportConnected(start)
	return r
}

func arrival(seq unit.SeqNo) bwe.Arrival {
	return bwe.Arrival{SSRC: 7, Size: 1000, HasTransportCC: true, TransportCC: seq}
}

// status is the status of a packet in feedback: when it arrived, 0 when it did not.
type status struct {
	seq unit.SeqNo
	at  unit.Time
}

// read takes feedback apart as a peer does that has only the bytes. day is any time close to the arrivals.
func read(t *testing.T, day unit.Time, pkt rtcp.Packet) (statuses []status, count uint8) {
	b, err := wirertcp.AppendCompound(nil, pkt)
	require.NoError(t, err)
	require.LessOrEqual(t, len(b), 1292)
	pkts, err := wirertcp.Parse(b)
	require.NoError(t, err)
	require.Len(t, pkts, 1)
	cc := pkts[0].(*rtcp.TransportLayerCC)
	const wrap = unit.Time(1<<24) * unit.Time(64*ms)
	clock := day - day%wrap + unit.Time(cc.ReferenceTime)*unit.Time(64*ms)
	seq, deltas := unit.SeqNo(cc.BaseSequenceNumber), cc.RecvDeltas
	add := func(symbol uint16) {
		if len(statuses) == int(cc.PacketStatusCount) {
			return
		}
		s := status{seq: seq}
		if symbol != rtcp.TypeTCCPacketNotReceived {
			clock = clock.Add(time.Duration(deltas[0].Delta) * time.Microsecond)
			s.at, deltas = clock, deltas[1:]
		}
		statuses = append(statuses, s)
		seq++
	}
	for _, chunk := range cc.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				add(c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			for _, symbol := range c.SymbolList {
				add(symbol)
			}
		}
	}
	require.Len(t, statuses, int(cc.PacketStatusCount))
	require.Empty(t, deltas)
	return statuses, cc.FbPktCount
}

// collect runs the timeout that is due and returns all statuses.
func collect(t *testing.T, r *bwe.Receiver) (statuses []status) {
	at := r.NextTimeout()
	require.NotEqual(t, unit.Never, at)
	r.HandleTimeout(at - 1)
	require.Empty(t, r.Output().RTCP, "not yet")
	r.HandleTimeout(at)
	require.Equal(t, unit.Never, r.NextTimeout(), "nothing more to report")
	for _, pkt := range r.Output().RTCP {
		s, _ := read(t, at, pkt)
		statuses = append(statuses, s...)
	}
	r.Output().Reset()
	return statuses
}

func TestFeedback(t *testing.T) {
	type packet struct {
		seq unit.SeqNo
		at  time.Duration
	}
	for _, test := range []struct {
		name    string
		packets []packet
		want    []packet // at -1: not received
	}{
		{"one", []packet{{5, 0}}, []packet{{5, 0}}},
		{"a gap", []packet{{5, 0}, {8, ms}}, []packet{{5, 0}, {6, -1}, {7, -1}, {8, ms}}},
		{"twice", []packet{{5, 0}, {5, ms}, {6, ms}}, []packet{{5, 0}, {6, ms}}},
		{"overtaken", []packet{{5, 0}, {7, ms}, {6, 2 * ms}}, []packet{{5, 0}, {6, 2 * ms}, {7, ms}}},
		{"overtaken by the first", []packet{{5, 0}, {4, ms}}, []packet{{4, ms}, {5, 0}}},
		{"wrap", []packet{{65534, 0}, {65535, 0}, {0, ms}, {1, ms}}, []packet{{65534, 0}, {65535, 0}, {0, ms}, {1, ms}}},
		{"overtaken across the wrap", []packet{{0, 0}, {65535, ms}}, []packet{{65535, ms}, {0, 0}}},
		{"a pause", []packet{{1, 0}, {2, 70 * ms}}, []packet{{1, 0}, {2, 70 * ms}}},
		{"rounding does not add up", []packet{{1, 100 * time.Microsecond}, {2, 200 * time.Microsecond}, {3, 300 * time.Microsecond}, {4, 400 * time.Microsecond}}, []packet{{1, 0}, {2, tick}, {3, tick}, {4, 2 * tick}}},
		{"a jump forgets what was before", []packet{{1, 0}, {10_000, ms}}, []packet{{10_000, ms}}},
		{"a jump back", []packet{{30_000, 0}, {10_000, ms}, {10_001, ms}}, []packet{{10_000, ms}, {10_001, ms}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := connected(api.BWETypeTransportCc)
			for _, p := range test.packets {
				r.HandlePacket(start.Add(p.at), arrival(p.seq))
			}
			var want []status
			for _, p := range test.want {
				s := status{seq: p.seq}
				if p.at >= 0 {
					s.at = start.Add(p.at)
				}
				want = append(want, s)
			}
			require.Equal(t, want, collect(t, r))
		})
	}
}

func TestFeedbackOfManyPackets(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := connected(api.BWETypeTransportCc)
		now, seq, count := start, unit.SeqNo(random.UintN(1<<16)), 0
		arrived := map[unit.SeqNo]unit.Time{}
		reported := map[unit.SeqNo]unit.Time{}
		for range 3000 {
			now = now.Add(time.Duration(random.IntN(1<<random.UintN(8))) * 100 * time.Microsecond)
			for r.NextTimeout() <= now {
				r.HandleTimeout(r.NextTimeout())
			}
			switch random.UintN(10) {
			case 0:
				seq += unit.SeqNo(random.UintN(1 << random.UintN(8)))
			case 1:
				seq -= unit.SeqNo(random.UintN(4))
			}
			r.HandlePacket(now, arrival(seq))
			if arrived[seq] == 0 {
				arrived[seq] = now
			}
			seq++
		}
		r.HandleTimeout(r.NextTimeout())
		for _, pkt := range r.Output().RTCP {
			statuses, n := read(t, now, pkt)
			require.Equal(t, uint8(count), n)
			count++
			for _, s := range statuses {
				if s.at != 0 {
					reported[s.seq] = s.at
				}
			}
		}
		require.Len(t, reported, len(arrived))
		for s, at := range arrived {
			require.InDelta(t, float64(at), float64(reported[s]), float64(tick)/2+1, "packet %d of seed %d", s, seed)
		}
	}
}

func TestFeedbackFitsADatagram(t *testing.T) {
	r := connected(api.BWETypeTransportCc)
	n := 0
	for i := range 4000 { // every other packet, each delta too large for a byte
		r.HandlePacket(start.Add(time.Duration(i)*ms*70), arrival(unit.SeqNo(2*i)))
		n++
	}
	require.Len(t, collect(t, r), 2*n-1)
}

func TestArrivalsAreBounded(t *testing.T) {
	r := connected(api.BWETypeTransportCc)
	for i := range 8 { // each gap is as long as may be
		r.HandlePacket(start, arrival(unit.SeqNo(8000*i)))
	}
	statuses := collect(t, r)
	require.Len(t, statuses, 16384, "what lies further back is not reported")
	require.Equal(t, status{56_000, start}, statuses[len(statuses)-1])
}

func TestFeedbackAfterALongPause(t *testing.T) {
	r := connected(api.BWETypeTransportCc)
	// The second one arrives later than a delta can express.
	r.HandlePacket(start, arrival(1))
	r.HandlePacket(start.Add(9*time.Second), arrival(2))
	require.Equal(t, []status{{1, start}, {2, start.Add(9 * time.Second)}}, collect(t, r))
}

func TestFeedbackIsPeriodic(t *testing.T) {
	r := bwe.NewReceiver(api.BWETypeTransportCc)
	require.Equal(t, api.BWETypeTransportCc, r.Type())
	r.HandlePacket(start, arrival(1))
	require.Equal(t, unit.Never, r.NextTimeout(), "not connected")
	r.TransportConnected(start)
	require.LessOrEqual(t, r.NextTimeout().Sub(start), 100*ms)
	require.Equal(t, []status{{1, start}}, collect(t, r))
	r.HandlePacket(start.Add(130*ms), bwe.Arrival{SSRC: 7})
	require.Equal(t, unit.Never, r.NextTimeout(), "without a number there is nothing to report")
	r.HandlePacket(start.Add(130*ms), arrival(2))
	r.HandlePacket(start.Add(150*ms), arrival(3))
	require.Equal(t, start.Add(200*ms), r.NextTimeout())
	r.TransportDisconnected(start.Add(150 * ms))
	require.Equal(t, unit.Never, r.NextTimeout())
	require.Zero(t, r.AvailableBitrate(), "the peer estimates")
}

func TestLatePacketIsReportedWithThoseAfterIt(t *testing.T) {
	r := connected(api.BWETypeTransportCc)
	r.HandlePacket(start, arrival(1))
	r.HandlePacket(start, arrival(3))
	require.Len(t, collect(t, r), 3)
	require.InDelta(t, 1.0/3, r.PacketLoss(), 1e-9)
	late := start.Add(120 * ms)
	r.HandlePacket(late, arrival(2))
	require.Equal(t, []status{{2, late}, {3, start}}, collect(t, r))
	require.InDelta(t, (1.0/3)/3, r.PacketLoss(), 1e-9, "the newer report has twice the weight")
	for i := range 30 {
		r.HandlePacket(late.Add(time.Second), arrival(unit.SeqNo(4+i)))
		require.Len(t, collect(t, r), 1)
	}
	require.Zero(t, r.PacketLoss(), "long ago")
}

func TestOldArrivalsAreForgotten(t *testing.T) {
	r := connected(api.BWETypeTransportCc)
	r.HandlePacket(start, arrival(1))
	r.HandlePacket(start, arrival(3))
	collect(t, r)
	later := start.Add(time.Second)
	r.HandlePacket(later, arrival(4))
	collect(t, r)
	r.HandlePacket(later, arrival(2))
	require.Equal(t, []status{{2, later}, {3, 0}, {4, later}}, collect(t, r), "when 3 arrived is not known any more")
}

func bitrates(t *testing.T, r *bwe.Receiver) (bitrates []unit.Bitrate) {
	for _, pkt := range r.Output().RTCP {
		if p, ok := pkt.(*rtcp.ReceiverEstimatedMaximumBitrate); ok {
			b, err := wirertcp.AppendCompound(nil, p)
			require.NoError(t, err)
			parsed, err := wirertcp.Parse(b)
			require.NoError(t, err)
			bitrates = append(bitrates, unit.Bitrate(parsed[0].(*rtcp.ReceiverEstimatedMaximumBitrate).Bitrate))
		}
	}
	r.Output().Reset()
	return bitrates
}

func TestMaxIncomingBitrateWithTransportCC(t *testing.T) {
	r := connected(api.BWETypeTransportCc)
	now, seq := start, unit.SeqNo(0)
	run := func(d time.Duration) {
		for end := now.Add(d); now < end; now = now.Add(50 * ms) {
			r.HandlePacket(now, arrival(seq))
			seq++
		}
	}
	run(5 * time.Second)
	require.Empty(t, bitrates(t, r), "no limit")
	r.SetMaxIncomingBitrate(now, 500_000)
	run(50 * ms)
	require.Equal(t, []unit.Bitrate{500_000}, bitrates(t, r), "announced at once")
	run(3100 * ms)
	require.Equal(t, []unit.Bitrate{500_000, 500_000}, bitrates(t, r), "and every 1.5 s")
	r.SetMaxIncomingBitrate(now, 0)
	require.Equal(t, []unit.Bitrate{0}, bitrates(t, r), "lifted")
	run(20 * time.Second)
	require.Equal(t, []unit.Bitrate{0, 0, 0}, bitrates(t, r), "four times in all")
	r.SetMaxIncomingBitrate(now, 0)
	require.Empty(t, bitrates(t, r))
}

func TestREMB(t *testing.T) {
	r := connected(api.BWETypeREMB)
	require.Equal(t, api.BWETypeREMB, r.Type())
	now := start
	packet := func(ssrc unit.SSRC) {
		r.HandlePacket(now, bwe.Arrival{SSRC: ssrc, Size: 1000, HasAbsSendTime: true, AbsSendTime: rtp.AbsSendTime(now)})
		now = now.Add(10 * ms)
	}
	r.HandlePacket(now, arrival(1))
	packet(1)
	require.Zero(t, r.AvailableBitrate(), "too early")
	for range 300 {
		packet(1)
		packet(2)
	}
	available := r.AvailableBitrate()
	require.Greater(t, available, unit.Bitrate(1_000_000))
	require.Equal(t, unit.Never, r.NextTimeout())
	last := r.Output().RTCP[len(r.Output().RTCP)-1].(*rtcp.ReceiverEstimatedMaximumBitrate)
	require.Equal(t, []uint32{1, 2}, last.SSRCs)
	require.InDelta(t, 6, len(r.Output().RTCP), 1, "one a second")
	r.Output().Reset()

	r.SetMaxIncomingBitrate(now, 300_000)
	for range 150 {
		packet(3)
	}
	require.Contains(t, bitrates(t, r), unit.Bitrate(300_000))
	r.SetMaxIncomingBitrate(now, 0)
	require.Empty(t, bitrates(t, r), "the next estimate includes it")
	for i := range 200 {
		packet(unit.SSRC(100 + i))
	}
	for _, pkt := range r.Output().RTCP {
		require.LessOrEqual(t, len(pkt.(*rtcp.ReceiverEstimatedMaximumBitrate).SSRCs), 32)
	}
	require.Greater(t, r.AvailableBitrate(), unit.Bitrate(500_000))
}

func TestREMBAfterAPauseOfThePeersClock(t *testing.T) {
	r := connected(api.BWETypeREMB)
	now, behind := start, time.Duration(0)
	for i := range 1000 {
		switch {
		case i == 500:
			behind = 10 * time.Second
		case i > 600 && i%20 < 10:
			behind = 10*time.Second + 200*ms // groups that arrive in another order than they were sent in
		case i > 600:
			behind = 10 * time.Second
		}
		r.HandlePacket(now, bwe.Arrival{
			SSRC: 1, Size: 1000, HasAbsSendTime: true, AbsSendTime: rtp.AbsSendTime(now.Add(-behind)),
		})
		now = now.Add(10 * ms)
	}
	require.Greater(t, r.AvailableBitrate(), unit.Bitrate(500_000))
}

func TestREMBWhenSendTimesJump(t *testing.T) {
	r := connected(api.BWETypeREMB)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		r.HandlePacket(start.Add(time.Duration(i)*10*ms), bwe.Arrival{
			SSRC: 1, Size: 1000, HasAbsSendTime: true, AbsSendTime: random.Uint32() & 0xffffff,
		})
	}
	require.LessOrEqual(t, r.AvailableBitrate(), unit.Bitrate(1_300_000), "bounded by what arrives")
}

func TestReceiverDoesNotAllocate(t *testing.T) {
	r := connected(api.BWETypeTransportCc)
	now, seq := start, unit.SeqNo(0)
	for range 2000 {
		r.HandlePacket(now, arrival(seq))
		seq++
		now = now.Add(ms)
	}
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		r.HandlePacket(now, arrival(seq))
		seq++
		now = now.Add(ms)
	}))
	r = connected(api.BWETypeREMB)
	a := bwe.Arrival{SSRC: 1, Size: 1000, HasAbsSendTime: true}
	n := 0
	allocs := testing.AllocsPerRun(2000, func() {
		r.HandlePacket(now, a)
		now = now.Add(ms)
		a.AbsSendTime = (a.AbsSendTime + 262) & 0xffffff
		n += len(r.Output().RTCP)
		r.Output().Reset()
	})
	require.Zero(t, allocs, "but for a REMB a second")
	require.NotZero(t, n)
}
