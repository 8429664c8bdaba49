package media_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/layer"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

// clockFixture is a simulcast fixture whose packets the tests send one by one. Each is a key frame unless stated otherwise.
type clockFixture struct{ *fixture }

func newClockFixture(t testing.TB) clockFixture {
	return clockFixture{newFixture(t, simulcastProduceRequest(), simulcastConsumeRequest())}
}

func (r clockFixture) key(i int, seq unit.SeqNo, ts unit.Timestamp) []out {
	_, outs := r.receive(of(i, seq, ts, vp8(true, int(seq), uint8(seq), 0, true, false)))
	return outs
}

// report sends a sender report: stream i has timestamp ts at the given instant of the sender.
func (r clockFixture) report(i int, ts unit.Timestamp, at time.Duration) {
	r.p.HandleSenderReport(r.now, &rtcp.SenderReport{
		SSRC: uint32(peerOf(i)), NTPTime: unit.Time(at + time.Hour).NTP(), RTPTime: uint32(ts),
	})
	r.route()
}

func TestTimestampsAreBroughtInLineBySenderReports(t *testing.T) {
	for _, base := range []unit.Timestamp{0, 1<<32 - 50, 1<<31 - 50, 77} {
		r := newClockFixture(t)
		r.key(0, 1, 1000)
		r.key(2, 1, base)
		require.Equal(t, [2]int{0, 2}, target(r.c), "without its sender report, another stream is not taken")
		r.report(0, 1000, time.Second)
		require.Equal(t, 0, target(r.c)[0])
		r.report(2, base+90, 3*time.Second)
		require.Equal(t, 2, target(r.c)[0])
		// 2 s after 1000, and the report is 1 ms after base.
		outs := r.key(2, 2, base+180)
		require.Len(t, outs, 1)
		require.InDelta(t, 1000+2*90000+90, float64(outs[0].Timestamp), 1)
	}
}

// TestFirstReportsMayComeInAnyOrder: the one of the reference makes other streams usable, too.
func TestFirstReportsMayComeInAnyOrder(t *testing.T) {
	r := newClockFixture(t)
	r.key(0, 1, 1000)
	r.key(2, 1, 500)
	r.report(2, 500, time.Second)
	r.report(0, 1000, time.Second)
	require.Equal(t, 2, target(r.c)[0])
	outs := r.key(2, 2, 500+9000)
	require.InDelta(t, 1000+9000, float64(outs[0].Timestamp), 1)
	r.report(0, 2000, 2*time.Second)
	require.Equal(t, 2, target(r.c)[0])
}

// TestLateKeyFramesGetAnExtraOffset of up to 75 ms, one frame behind the newest.
func TestLateKeyFramesGetAnExtraOffset(t *testing.T) {
	const extra = 33 * 90
	for _, late := range []unit.Timestamp{0, 1, 42 * 90, 43 * 90, 90000} {
		r := newClockFixture(t)
		r.key(0, 1, 1000)
		r.key(2, 1, 1000)
		r.report(0, 1000, time.Second)
		r.key(0, 2, 1000+90000)
		r.report(2, 1000, time.Second)
		r.take()
		outs := r.key(2, 2, 1000+90000-late)
		if late <= 42*90 {
			require.Len(t, outs, 1)
			require.EqualValues(t, 1000+90000+extra, outs[0].Timestamp)
			require.EqualValues(t, 1000+90000+extra+500, r.key(2, 3, 1000+90000-late+500)[0].Timestamp, "it stays")
			continue
		}
		require.Empty(t, outs)
		_, c := r.take()
		require.Equal(t, []unit.SSRC{mappedOf(2)}, c.KeyFrameRequests, "perhaps the next one is better")
		require.Len(t, r.key(0, 3, 1000+90100), 1, "the present stream goes on meanwhile")
		outs = r.key(2, 3, 1000+90100-late)
		require.Len(t, outs, 1)
		require.EqualValues(t, 1000+90100+1, outs[0].Timestamp, "it is not, but order is kept")
	}
}

// TestTimestampsGoOnWithoutAnyReport: when the first stream ends before it sent a report, time is taken from our clock.
func TestTimestampsGoOnWithoutAnyReport(t *testing.T) {
	r := newClockFixture(t)
	r.key(0, 1, 1000)
	r.key(2, 1, 5)
	r.report(2, 5, time.Second)
	r.c.SetPreferredLayers(r.now, prefer(2, 1))
	r.after(100 * time.Millisecond)
	require.Equal(t, 2, target(r.c)[0], "it has a report, and the first one has no clock to compare")
	outs := r.key(2, 2, 777777)
	require.Len(t, outs, 1)
	require.EqualValues(t, 1000+100*90, outs[0].Timestamp)
	require.EqualValues(t, 1000+100*90+10, r.key(2, 3, 777787)[0].Timestamp)
	// The new reference keeps its place in the line when it is left and taken again.
	r.report(2, 777787, 2*time.Second)
	r.report(0, 1000+9000, 3*time.Second)
	r.c.SetPreferredLayers(r.now, prefer(0, 2))
	outs = r.key(0, 2, 1000+9000)
	require.InDelta(t, 1000+100*90+10+90000, float64(outs[0].Timestamp), 1)
	r.c.SetPreferredLayers(r.now, prefer(2, 2))
	outs = r.key(2, 4, 777787+180000)
	require.EqualValues(t, 1000+100*90+10+180000, outs[0].Timestamp)
}

func TestSimulcastHoldsBackTheTargetsPacketsForItsKeyFrame(t *testing.T) {
	r := newClockFixture(t)
	r.key(0, 1, 1000)
	r.none(of(0, 2, 1000, nil))
	require.EqualValues(t, 1, r.c.Drops().Empty)
	r.key(1, 1, 1000)
	r.report(0, 1000, time.Second)
	r.report(1, 1000, time.Second)
	require.Equal(t, 1, target(r.c)[0])
	r.none(of(1, 4, 9000, vp8(false, 3, 3, 0, true, false)))
	r.none(of(1, 5, 9000, vp8(false, 3, 3, 0, true, false)))
	r.none(of(1, 1, 9000, vp8(false, 3, 3, 0, true, false)))
	outs := r.key(1, 3, 9000)
	require.Len(t, outs, 3)
	for i, o := range outs {
		require.Equal(t, outs[0].SequenceNumber+unit.SeqNo(i), o.SequenceNumber)
		require.EqualValues(t, 9000, o.Timestamp)
	}
	require.Empty(t, r.c.SetPreferredLayers(r.now, prefer(0, 0)).PreferredLayers.SpatialLayer)
	r.none(of(0, 3, 9500, vp8(false, 9, 9, 0, true, false)))
	r.c.SetPreferredLayers(r.now, prefer(1, 2))
	require.NotZero(t, r.c.Drops().KeyFrame, "what was held back for another target is given up")
	require.Len(t, r.key(1, 6, 10000), 1)
	r.c.SetPreferredLayers(r.now, prefer(0, 0))
	r.none(of(0, 9, 20000, vp8(true, 9, 9, 1, true, false))) // a key frame above the target's temporal layer
	require.Len(t, r.key(0, 10, 20000), 1)
}

func TestSimulcastStopsWhenAllStreamsAreSilent(t *testing.T) {
	r := newClockFixture(t)
	r.key(0, 1, 1000)
	r.after(3 * time.Second)
	require.Equal(t, [2]int{-1, -1}, target(r.c))
	_, c := r.take()
	changes := layersOf(c.Notifications)
	require.Equal(t, -1, changes[len(changes)-1])
	require.Equal(t, []uint8{0, 0, 0}, r.c.Score().ProducerScores)
	require.Len(t, r.key(0, 2, 9000), 1, "consumers learn of the stream before they get its packet")
	require.Len(t, r.key(0, 3, 9100), 1)
	require.EqualValues(t, 10, r.c.Score().ProducerScore)
	r.c.HandleKeyFrameRequest(r.now, media.PLI, outOf(0))
	r.c.RequestKeyFrame(r.now)
	require.Equal(t, []unit.SSRC{mappedOf(0)}, r.c.Output().KeyFrameRequests)
	stranger := r.p.Streams()[0]
	stranger.Encoding = 7
	r.c.HandleStreamUpdate(r.now, media.StreamUpdate{Kind: layer.StreamNew, Stream: stranger}, []uint8{1, 2, 3})
	require.Equal(t, [2]int{0, 2}, target(r.c))
	late, err := newConsumer(simulcastConsumeRequest())
	require.NoError(t, err)
	late.Attach(r.now, true, r.p.Scores(), r.p.Streams())
	late.TransportConnected(r.now)
	require.Equal(t, [2]int{-1, -1}, target(late), "the producer is paused")
	late.ProducerResumed(r.now)
	require.Equal(t, [2]int{0, 2}, target(late))
	late.ProducerPaused(r.now)
	require.Equal(t, [2]int{-1, -1}, target(late))
	require.Contains(t, enginetest.Events(late.Output().Notifications), api.EventConsumerLayersChange)
}

// TestRewrittenRetransmissionsAreTheSamePackets without RTX, after changes of stream and layers.
func TestRewrittenRetransmissionsAreTheSamePackets(t *testing.T) {
	req := simulcastConsumeRequest()
	req.RTPParameters.Encodings[0].RTX = nil
	s := newSimulcastFixture(t, 3, true)
	s.fixture = newFixture(t, simulcastProduceRequest(), req)
	var sent int
	for range 90 {
		before := len(s.outs)
		s.sendPicture()
		for _, o := range s.outs[before:] {
			s.c.HandleNACK(s.now, enginetest.NACKFor(outOf(0), o.SequenceNumber))
			again := s.c.WriteRetransmission(s.now.Add(time.Second), s.dst[:])
			require.Equal(t, o.Data, s.dst[:again.Len])
			sent++
		}
	}
	require.Greater(t, sent, 100)
}
