package media_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// capturer is a peer whose wall clock is an hour before ours.
type capturer struct{ *fixture }

// clock is the peer's clock at an instant of ours.
func (capturer) clock(at unit.Time) uint64 { return at.Add(-time.Hour).NTP() }

// reports sends n sender reports, a second apart; by the last one, its instant has timestamp ts.
func (r capturer) reports(n int, ts unit.Timestamp) {
	for ; n > 0; n-- {
		r.after(time.Second)
		r.p.HandleSenderReport(r.now, &rtcp.SenderReport{
			SSRC: uint32(peerSSRC), NTPTime: r.clock(r.now), RTPTime: uint32(ts) - uint32(n-1)*90000,
		})
		r.route()
	}
}

// senderReport returns the sender report for the receiver.
func senderReport(t testing.TB, c *media.Consumer, now unit.Time) *rtcp.SenderReport {
	t.Helper()
	pkts := c.AppendRTCP(now, nil)
	require.NotEmpty(t, pkts)
	return pkts[0].(*rtcp.SenderReport)
}

func withoutCaptureTime(t testing.TB) capturer {
	p := produceRequest(enginetest.VP8)
	p.RTPParameters.HeaderExtensions = p.RTPParameters.HeaderExtensions[:1]
	return capturer{newFixture(t, p, consumeRequest(enginetest.VP8))}
}

// frameAt is a packet of a frame captured 100 ms before an instant at which the timestamp was ts.
func frameAt(seq unit.SeqNo, ts unit.Timestamp, payload []byte) enginetest.Packet {
	return enginetest.Packet{Seq: seq, Timestamp: ts - 9000, Payload: payload}
}

func TestSenderReportsAreOfTheTimeOfCapture(t *testing.T) {
	base := unit.Timestamp(1<<32 - 100) // wraps
	r := withoutCaptureTime(t)
	r.one(frameAt(1, base, vp8Key))
	require.EqualValues(t, base-9000, senderReport(t, r.c, r.now).RTPTime, "unknown: as if captured now")
	r.reports(3, base+3*90000)
	r.one(frameAt(2, base+3*90000, vp8Delta))
	require.InDelta(t, float64(uint32(base+3*90000)), float64(senderReport(t, r.c, r.now).RTPTime), 1)
	r.after(time.Second)
	sr := senderReport(t, r.c, r.now)
	require.Equal(t, r.now.NTP(), sr.NTPTime)
	require.InDelta(t, float64(uint32(base+4*90000)), float64(sr.RTPTime), 1, "extrapolated")
}

// TestAllPacketsOfAFrameHaveItsTimeOfCapture: the first one to be forwarded need not be the first one that came.
func TestAllPacketsOfAFrameHaveItsTimeOfCapture(t *testing.T) {
	r := withoutCaptureTime(t)
	r.one(frameAt(0, 0, vp8Key))
	r.reports(3, 270000)
	r.c.Pause(r.now)
	r.c.Resume(r.now)
	// A consumer wants a key frame, whose beginning comes last.
	r.none(frameAt(2, 270000, vp8Delta))
	_, outs := r.receive(frameAt(1, 270000, vp8Key))
	require.Len(t, outs, 2)
	require.InDelta(t, 270000, float64(senderReport(t, r.c, r.now).RTPTime), 1)
	pkt := ofPeer(frameAt(9, 280000, vp8Delta)).Receive(t, r.now)
	defer pkt.Release()
	r.p.HandlePacket(r.now, pkt)
	require.NotZero(t, pkt.CapturedAt)
	late := ofPeer(frameAt(8, 275000, vp8Delta)).Receive(t, r.now)
	defer late.Release()
	_, forward := r.p.HandlePacket(r.now, late)
	require.True(t, forward)
	require.Zero(t, late.CapturedAt, "no report is built on a late packet")
}

func TestCaptureTimeIsForwardedWithOurOffset(t *testing.T) {
	r := capturer{videoFixture(t)}
	capture := func() []byte { return rtp.AppendAbsCaptureTime(nil, rtp.AbsCaptureTime{Timestamp: r.clock(r.now)}) }
	key := enginetest.Packet{Seq: 1, Timestamp: 1, Payload: vp8Key, Extensions: []rtp.Extension{{ID: inCapture, Value: capture()}}}
	o := r.one(key)
	require.Equal(t, append(capture(), make([]byte, 8)...), o.Extension(outCapture), "taken to be the same clock as ours")
	r.reports(3, 5)

	// Only some packets have it; the times of the others follow from it, not from the reports.
	o = r.one(enginetest.Packet{Seq: 2, Timestamp: 90000, Payload: vp8Delta, Extensions: []rtp.Extension{{ID: inCapture, Value: capture()}}})
	v := o.Extension(outCapture)
	require.Equal(t, capture(), v[:8])
	require.InDelta(t, float64(-3600<<32), float64(int64(binary.BigEndian.Uint64(v[8:]))), 1<<10)
	r.after(time.Second)
	o = r.one(enginetest.Packet{Seq: 3, Timestamp: 90000 + 81000, Payload: vp8Delta})
	require.Nil(t, o.Extension(outCapture))
	require.InDelta(t, 180000, float64(senderReport(t, r.c, r.now).RTPTime), 1)

	// A relay sends the offset of the capturer's clock to its own.
	relayed := rtp.AppendAbsCaptureTime(nil, rtp.AbsCaptureTime{Timestamp: 9 << 32, ClockOffset: 600 << 32, HasClockOffset: true})
	o = r.one(enginetest.Packet{Seq: 4, Timestamp: 180000, Payload: vp8Delta, Extensions: []rtp.Extension{{ID: inCapture, Value: relayed}}})
	v = o.Extension(outCapture)
	require.Equal(t, relayed[:8], v[:8])
	require.InDelta(t, float64(-3000<<32), float64(int64(binary.BigEndian.Uint64(v[8:]))), 1<<10)

	// A retransmission by RTX has the same value.
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, o.SequenceNumber))
	again := r.retransmissions()
	require.Len(t, again, 1)
	require.Equal(t, v, again[0].Extension(outCapture))
}

func TestCaptureTimeTooFarAwayForAnOffsetIsLeftOut(t *testing.T) {
	r := videoFixture(t)
	for range 3 {
		r.one(enginetest.Packet{Seq: r.nextSeq(), Payload: vp8Key})
		r.after(time.Second)
		r.p.HandleSenderReport(r.now, &rtcp.SenderReport{SSRC: uint32(peerSSRC), NTPTime: 1 << 32})
	}
	o := r.one(enginetest.Packet{Seq: r.nextSeq(), Payload: vp8Delta, Extensions: []rtp.Extension{{ID: inCapture, Value: make([]byte, 8)}}})
	require.Nil(t, o.Extension(outCapture))
}

// TestProducersShareAClock if they have one CNAME: the reports about audio serve video, too.
func TestProducersShareAClock(t *testing.T) {
	for _, same := range []bool{true, false} {
		r := withoutCaptureTime(t)
		req := produceRequest(enginetest.Opus)
		if !same {
			req.RTPParameters.RTCP.CNAME = "other"
		}
		audio, err := media.NewProducer(req)
		require.NoError(t, err)
		require.Equal(t, same, r.p.ShareClock(audio))
		pkt := ofPeer(enginetest.Packet{Seq: 1, Payload: []byte{0x78}}).Receive(t, r.now)
		audio.HandlePacket(r.now, pkt)
		pkt.Release()
		r.one(frameAt(1, 0, vp8Key))
		r.reports(1, 90000)
		for range 2 {
			r.after(time.Second)
			audio.HandleSenderReport(r.now, &rtcp.SenderReport{SSRC: uint32(peerSSRC), NTPTime: r.clock(r.now)})
		}
		r.one(frameAt(2, 3*90000, vp8Delta))
		want := 3*90000 - 9000
		if same {
			want = 3 * 90000
		}
		require.InDelta(t, want, float64(senderReport(t, r.c, r.now).RTPTime), 1)
	}
}

// TestSimulcastReportsStayInLine when the stream changes: the reported timestamps go on.
func TestSimulcastReportsStayInLine(t *testing.T) {
	s := newSimulcastFixture(t, 5, false)
	req := simulcastProduceRequest()
	req.RTPParameters.HeaderExtensions = slices.DeleteFunc(req.RTPParameters.HeaderExtensions, func(e api.RTPHeaderExtensionParameters) bool {
		return e.ID == inCapture
	})
	s.fixture = newFixture(t, req, simulcastConsumeRequest())
	s.sendFor(4 * time.Second)
	for i, e := range s.encoder.Streams {
		pkt := ofPeer(e.Encode(s.at())[0]).Receive(t, s.now)
		s.p.HandlePacket(s.now, pkt)
		require.NotZero(t, pkt.CapturedAt, i)
		pkt.Release()
	}
	reported := func() unit.Timestamp {
		s.sendFor(time.Second)
		sr := senderReport(t, s.c, s.now)
		return unit.Timestamp(sr.RTPTime) - unit.Timestamp(s.now.Sub(0).Milliseconds()*90)
	}
	for i, first := 0, reported(); i < 6; i++ {
		s.c.SetPreferredLayers(s.now, prefer(uint8(i%3), 2))
		require.InDelta(t, 0, float64(int32(reported()-first)), 4*33*90, "one extra offset per change at most")
	}
}
