package rtpstream_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// peerClock is a remote sender with one stream, whose wall clock is far from ours.
type peerClock struct {
	*receiver
	clock rtpstream.SenderClock
	// ahead is the sender's clock minus ours at the start, in seconds, drift how much faster it runs.
	ahead int64
	drift float64
	// delay is how long reports travel.
	delay time.Duration
	// base is the RTP timestamp of the start.
	base unit.Timestamp
	seq  unit.SeqNo
}

func newPeerClock(t testing.TB, hasAbsCaptureTime bool) *peerClock {
	p := &peerClock{receiver: newReceiver(t, videoParams(), rtpstream.RecvOptions{}), ahead: 1234567}
	p.clock.AddSource(hasAbsCaptureTime)
	return p
}

// ntp is the sender's clock at an instant of ours.
func (p *peerClock) ntp(at unit.Time) uint64 {
	elapsed := float64(at.Sub(start)) * (1 + p.drift)
	return start.Add(time.Duration(elapsed)).NTP() + uint64(p.ahead)<<32
}

// ts is the stream's timestamp at an instant of ours; the sender's clock drives it.
func (p *peerClock) ts(at unit.Time) unit.Timestamp {
	elapsed := float64(at.Sub(start)) * (1 + p.drift)
	return p.base + unit.Timestamp(int64(elapsed*clockRate/1e9))
}

// report lets a second pass, at whose end a sender report comes.
func (p *peerClock) report() {
	p.advance(time.Second)
	sent := p.now.Add(-p.delay)
	p.handle(&rtcp.SenderReport{SSRC: uint32(mediaSSRC), NTPTime: p.ntp(sent), RTPTime: uint32(p.ts(sent))})
}

func (p *peerClock) handle(sr *rtcp.SenderReport) {
	p.HandleSenderReport(p.now, sr)
	p.clock.HandleSenderReport(p.now, sr, p.RTT())
	p.drain()
}

func (p *peerClock) reports(n int) {
	for range n {
		p.report()
	}
}

// captured is the error of the clock for a capture at an instant of ours.
func (p *peerClock) requireCaptured(at unit.Time, late time.Duration) {
	p.t.Helper()
	got := p.clock.CapturedAt(p.now, p.Recv, p.ts(at))
	require.NotZero(p.t, got)
	require.InDelta(p.t, float64(at.Add(late)), float64(got), float64(50*time.Microsecond))
}

func (p *peerClock) requireUnknown(at unit.Time) {
	p.t.Helper()
	require.Zero(p.t, p.clock.CapturedAt(p.now, p.Recv, p.ts(at)))
}

// media receives a packet captured at an instant of ours, with abs-capture-time if it is not nil.
func (p *peerClock) media(at unit.Time, x *rtp.AbsCaptureTime) {
	p.seq++
	p.late(p.seq, at, x)
}

func (p *peerClock) late(seq unit.SeqNo, at unit.Time, x *rtp.AbsCaptureTime) {
	pkt := mediaPacket(p.t, p.now, seq, p.ts(at), interFrame)
	if x != nil {
		pkt.Extensions.CaptureTime, pkt.Extensions.HasCaptureTime = *x, true
	}
	require.True(p.t, p.feed(pkt, p.HandlePacket))
}

func TestCaptureBySenderReports(t *testing.T) {
	for name, set := range map[string]func(*peerClock){
		"clock ahead":             func(*peerClock) {},
		"clock behind":            func(p *peerClock) { p.ahead = -200000 },
		"clock begins at zero":    func(p *peerClock) { p.ahead = -int64(start.NTP() >> 32) },
		"beyond the era of 2036":  func(p *peerClock) { p.ahead = 20 * 365 * 24 * 3600 },
		"half the NTP era away":   func(p *peerClock) { p.ahead = 1<<31 - 1 },
		"timestamps wrap":         func(p *peerClock) { p.base = 1<<32 - 5*clockRate/2 },
		"timestamps change signs": func(p *peerClock) { p.base = 1<<31 - 5*clockRate/2 },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeerClock(t, false)
			set(p)
			p.requireUnknown(p.now)
			p.reports(2)
			p.requireUnknown(p.now)
			p.report()
			for _, d := range []time.Duration{0, -10 * time.Second, -time.Second, 40 * time.Millisecond, 10 * time.Second} {
				p.requireCaptured(p.now.Add(d), 0)
			}
			p.requireUnknown(p.now.Add(10*time.Second + time.Millisecond))
			p.requireUnknown(p.now.Add(-10*time.Second - time.Millisecond))
			reported := p.now
			p.advance(9 * time.Second)
			p.requireCaptured(p.now, 0)
			p.requireCaptured(reported, 0)
			p.advance(2 * time.Second)
			p.requireUnknown(p.now)
		})
	}
}

func TestCaptureNeedsASource(t *testing.T) {
	var c rtpstream.SenderClock
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	require.Zero(t, c.CapturedAt(r.now, r.Recv, 0))
	p := videoParams()
	p.ClockRate = 0
	q := newPeerClock(t, false)
	q.receiver = newReceiver(t, p, rtpstream.RecvOptions{})
	q.reports(5)
	q.requireUnknown(q.now)
}

// TestOneWayDelayIsTakenOffAsFarAsItIsKnown: half the round-trip time, which the peer lets us measure.
func TestOneWayDelayIsTakenOffAsFarAsItIsKnown(t *testing.T) {
	p := newPeerClock(t, false)
	p.delay = 40 * time.Millisecond
	p.reports(3)
	p.requireCaptured(p.now, 40*time.Millisecond)
	// The peer answers after 5 s what we sent 5.08 s ago.
	p.HandleDLRR(p.now, rtcp.DLRRReport{
		SSRC: uint32(mediaSSRC), LastRR: unit.CompactNTP(p.now.Add(-5080 * time.Millisecond).NTP()), DLRR: 5 << 16,
	})
	p.reports(7)
	p.requireCaptured(p.now, 0)
}

func TestDelayedReportsAreOutvoted(t *testing.T) {
	p := newPeerClock(t, false)
	p.delay = 20 * time.Millisecond
	p.reports(7)
	p.delay = 900 * time.Millisecond
	p.reports(3)
	p.requireCaptured(p.now, 20*time.Millisecond)
	p.report()
	p.requireCaptured(p.now, 900*time.Millisecond)
}

// TestReportsInAnyOrder: a report that was overtaken gives the same clock, and its delay does not change the median.
func TestReportsInAnyOrder(t *testing.T) {
	p := newPeerClock(t, false)
	p.reports(4)
	for range 3 {
		p.delay = 1500 * time.Millisecond
		p.report()
		p.delay = 0
		p.report()
		p.report()
		p.requireCaptured(p.now, 0)
	}
}

func TestDriftIsFollowed(t *testing.T) {
	for _, drift := range []float64{-0.001, 0.001} {
		p := newPeerClock(t, false)
		p.drift = drift
		for range 100 {
			p.report()
			if p.now.Sub(start) >= 7*time.Second {
				// The median of seven is three seconds old.
				p.requireCaptured(p.now, time.Duration(3*drift*float64(time.Second)))
			}
		}
	}
}

// TestClocksThatAreSetAreNotBelieved before the median follows; the fallback is better than an hour off.
func TestClocksThatAreSetAreNotBelieved(t *testing.T) {
	for _, step := range []int64{3600, -3600} {
		p := newPeerClock(t, false)
		p.reports(7)
		p.requireCaptured(p.now, 0)
		p.ahead += step
		for range 3 {
			p.report()
			p.requireUnknown(p.now)
		}
		p.report()
		p.requireCaptured(p.now, 0)
	}
}

func TestReportsOfOneCompoundPacketCountOnce(t *testing.T) {
	p := newPeerClock(t, false)
	for range 2 {
		p.report()
		for range 3 {
			p.handle(&rtcp.SenderReport{SSRC: uint32(mediaSSRC), NTPTime: p.ntp(p.now), RTPTime: uint32(p.ts(p.now))})
		}
		p.requireUnknown(p.now)
	}
	for range 5 {
		p.advance(time.Second)
		p.handle(&rtcp.SenderReport{SSRC: uint32(mediaSSRC), RTPTime: 5})
		p.requireUnknown(p.now)
	}
	p.report()
	p.requireCaptured(p.now, 0)
}

func TestCaptureByAbsCaptureTime(t *testing.T) {
	p := newPeerClock(t, true)
	p.base = 1<<32 - 3*clockRate
	shot := func(at unit.Time) *rtp.AbsCaptureTime { return &rtp.AbsCaptureTime{Timestamp: p.ntp(at)} }
	p.reports(3)
	p.media(p.now, nil)
	p.requireUnknown(p.now)
	p.media(p.now, &rtp.AbsCaptureTime{})
	p.requireUnknown(p.now)
	from := p.now.Add(-30 * time.Millisecond)
	p.media(from, shot(from))
	p.requireCaptured(from, 0)
	p.advance(4900 * time.Millisecond)
	p.requireCaptured(from.Add(4900*time.Millisecond), 0)
	p.requireUnknown(from.Add(5001 * time.Millisecond))
	p.requireUnknown(from.Add(-5001 * time.Millisecond))
	p.advance(time.Second)
	from = p.now
	p.seq++
	p.media(from.Add(40*time.Millisecond), nil)
	p.late(p.seq-1, from, shot(from))
	p.requireCaptured(from.Add(40*time.Millisecond), 0)

	// A relay captured nothing itself: the capturer's clock is ten minutes before its own.
	p.media(from, &rtp.AbsCaptureTime{
		Timestamp: p.ntp(from.Add(-10 * time.Minute)), ClockOffset: -600 << 32, HasClockOffset: true,
	})
	p.requireCaptured(from, 0)
	// Nonsense changes nothing.
	p.media(from, &rtp.AbsCaptureTime{Timestamp: 5 << 32, ClockOffset: 6 << 32, HasClockOffset: true})
	p.requireCaptured(from, 0)
	p.media(from, shot(from.Add(-2*time.Hour)))
	p.requireUnknown(from)
}

// TestRTXHasNoTimeOfCapture, as in mediasoup.
func TestRTXHasNoTimeOfCapture(t *testing.T) {
	p := newPeerClock(t, true)
	p.receiver = newReceiver(t, rtxParams(), rtpstream.RecvOptions{})
	p.reports(3)
	p.media(p.now, nil)
	p.seq++
	p.media(p.now, nil)
	pkt := rtxPacket(t, p.now, 9, p.seq-1, p.ts(p.now), interFrame)
	pkt.Extensions.CaptureTime, pkt.Extensions.HasCaptureTime = rtp.AbsCaptureTime{Timestamp: p.ntp(p.now)}, true
	require.True(t, p.feed(pkt, p.HandleRTXPacket))
	p.requireUnknown(p.now)
}

// TestOneSourceForAllStreams of a sender: abs-capture-time only if all have it, and never again if once not.
func TestOneSourceForAllStreams(t *testing.T) {
	for _, c := range []struct {
		sources []bool
		abs     bool
	}{
		{[]bool{true}, true},
		{[]bool{true, true}, true},
		{[]bool{false}, false},
		{[]bool{true, false}, false},
		{[]bool{false, true, true}, false},
	} {
		p := newPeerClock(t, c.sources[0])
		for _, s := range c.sources[1:] {
			p.clock.AddSource(s)
		}
		p.reports(3)
		// By abs-capture-time a second earlier than by sender report.
		p.media(p.now, &rtp.AbsCaptureTime{Timestamp: p.ntp(p.now.Add(-time.Second))})
		if c.abs {
			p.requireCaptured(p.now, -time.Second)
		} else {
			p.requireCaptured(p.now, 0)
		}
	}
}

func TestForwardedCaptureTime(t *testing.T) {
	p := newPeerClock(t, true)
	p.ahead = 90 * 60
	received := rtp.AbsCaptureTime{Timestamp: 77 << 32, ClockOffset: 5 << 32, HasClockOffset: true}
	for _, n := range []int{0, 2} {
		p.reports(n)
		f, ok := p.clock.Forwarded(received)
		require.True(t, ok)
		require.Equal(t, received, f, "as long as nothing is known, the sender's clock is taken for ours")
	}
	f, ok := p.clock.Forwarded(rtp.AbsCaptureTime{Timestamp: 77 << 32})
	require.True(t, ok)
	require.Equal(t, rtp.AbsCaptureTime{Timestamp: 77 << 32, HasClockOffset: true}, f, "always with the offset")
	p.report()
	f, ok = p.clock.Forwarded(received)
	require.True(t, ok)
	require.Equal(t, uint64(77<<32), f.Timestamp)
	require.InDelta(t, float64((5+90*60)<<32), float64(f.ClockOffset), 1<<10)

	far := newPeerClock(t, true)
	far.ahead = -int64(start.NTP()>>32) + 3600 // an hour after 1900
	far.reports(3)
	_, ok = far.clock.Forwarded(received)
	require.False(t, ok)
}

func TestSenderClockDoesNotAllocate(t *testing.T) {
	p := newPeerClock(t, false)
	p.reports(7)
	sr := &rtcp.SenderReport{NTPTime: p.ntp(p.now)}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		p.now = p.now.Add(time.Second)
		p.clock.HandleSenderReport(p.now, sr, 0)
		p.clock.CapturedAt(p.now, p.Recv, p.ts(p.now))
	}))
}

// BenchmarkCapturedAt is the cost per received frame.
func BenchmarkCapturedAt(b *testing.B) {
	for name, n := range map[string]int{"unknown": 0, "known": 7} {
		b.Run(name, func(b *testing.B) {
			p := newPeerClock(b, false)
			p.reports(n)
			ts := p.ts(p.now)
			for b.Loop() {
				p.clock.CapturedAt(p.now, p.Recv, ts)
			}
		})
	}
}
