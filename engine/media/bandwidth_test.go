package media_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/layer"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

// distribute does what a transport does: it gives the consumer layer by layer, up to a limit.
func distribute(now unit.Time, c *media.Consumer, limit unit.Bitrate, considerLoss bool) (used unit.Bitrate) {
	for range 20 {
		more := c.IncreaseLayer(now, limit-used, considerLoss)
		if more == 0 {
			break
		}
		used += more
	}
	c.ApplyLayers(now)
	return used
}

func target(c *media.Consumer) [2]int {
	d := c.Dump().Data
	return [2]int{int(*d.TargetSpatialLayer), int(*d.TargetTemporalLayer)}
}

// managed is a simulcastFixture whose transport manages the bitrate.
func managed(t testing.TB) *simulcastFixture {
	s := newSimulcastFixture(t, 1, false)
	s.c.SetExternallyManagedBitrate(s.now)
	return s
}

func TestSimulcastAsksTheTransportForBandwidth(t *testing.T) {
	s := managed(t)
	require.EqualValues(t, 1, s.c.BitratePriority())
	s.sendFor(100 * time.Millisecond)
	require.True(t, s.cOut.BitrateChangeNeeded, "a stream exists")
	require.Empty(t, s.outs, "but the transport has not distributed yet")
	require.Equal(t, [2]int{-1, -1}, target(s.c))
	s.sendFor(3 * time.Second)
	require.Positive(t, distribute(s.now, s.c, 1e9, false))
	require.Equal(t, [2]int{2, 2}, target(s.c))
	s.sendFor(time.Second)
	requireContinuous(t, frames(t, s.outs))
	require.Zero(t, s.c.IncreaseLayer(s.now, 0, false), "nothing to give")
	s.c.ApplyLayers(s.now)
	require.Equal(t, [2]int{-1, -1}, target(s.c), "nothing given: the video stops")
}

func TestSimulcastTakesTheLayersThatFit(t *testing.T) {
	s := managed(t)
	s.sendFor(4 * time.Second)
	rates := map[[2]int]unit.Bitrate{}
	last := [2]int{-1, -1}
	for limit := unit.Bitrate(1000); limit < 1_000_000; limit += 1000 {
		used := distribute(s.now, s.c, limit, false)
		require.LessOrEqual(t, used, limit)
		got := target(s.c)
		require.GreaterOrEqual(t, got[0]*10+got[1], last[0]*10+last[1], "more bandwidth, not less quality")
		if got != last {
			rates[got] = used
		}
		last = got
	}
	require.Equal(t, [2]int{2, 2}, last)
	require.GreaterOrEqual(t, len(rates), 3, "not all or nothing")
	for _, b := range s.p.Streams() {
		require.GreaterOrEqual(t, s.c.DesiredBitrate(s.now), b.Bitrates.Total(), "the largest stream")
	}
}

// A stream above the preferred one is taken only when there is none below.
// The encoder makes 30 frames a second: a quarter of them in the lowest temporal layer, which is too few for a larger picture, and half
// of them with the next one.
func TestSmoothPicturesComeBeforeSharpOnes(t *testing.T) {
	for name, compat := range map[string]api.Compat{"smooth first": {}, "mediasoup's rule": {SharpFirst: true}} {
		t.Run(name, func(t *testing.T) {
			s := newSimulcastFixtureOf(t, compat, 1, false)
			s.c.SetExternallyManagedBitrate(s.now)
			s.sendFor(4 * time.Second)
			seen := map[[2]int]bool{}
			for limit := unit.Bitrate(1000); limit < 1_000_000; limit += 1000 {
				distribute(s.now, s.c, limit, false)
				seen[target(s.c)] = true
			}
			require.True(t, seen[[2]int{0, 0}])
			require.Equal(t, compat.SharpFirst, seen[[2]int{1, 0}])
			require.Equal(t, compat.SharpFirst, seen[[2]int{2, 0}])
			require.True(t, seen[[2]int{1, 1}])
			require.Equal(t, compat.SharpFirst, seen[[2]int{2, 1}], "all of the one below costs as much")
			require.True(t, seen[[2]int{2, 2}])
		})
	}
}

func TestSimulcastDoesNotExceedThePreferredStream(t *testing.T) {
	s := managed(t)
	s.c.SetPreferredLayers(s.now, prefer(1, 2))
	s.encoder.Streams[1].Off = true
	s.sendFor(4 * time.Second)
	distribute(s.now, s.c, 1e9, false)
	require.Equal(t, [2]int{0, 2}, target(s.c))
	s.encoder.Streams[0].Off = true
	s.sendFor(4 * time.Second)
	distribute(s.now, s.c, 1e9, false)
	require.Equal(t, [2]int{2, 2}, target(s.c))
}

// withoutLayer makes an encoder leave out one of its spatial layers.
func withoutLayer(packets []enginetest.Packet, spatial byte) (left []enginetest.Packet) {
	for _, p := range packets {
		if p.Payload[len(p.Payload)-3]>>4 != spatial {
			left = append(left, p)
		}
	}
	return left
}

// The same for spatial layers of SVC.
func TestSVCDoesNotExceedThePreferredLayer(t *testing.T) {
	for _, external := range []bool{false, true} {
		s := newSVCFixture(t, enginetest.VP9, "L3T3_KEY", 1)
		if external {
			s.c.SetExternallyManagedBitrate(s.now)
		}
		run := func(left func([]enginetest.Packet) []enginetest.Packet, want [2]int) {
			for range 100 {
				for _, p := range left(s.encoder.Encode(s.at())) {
					s.receive(p)
				}
				s.after(33 * time.Millisecond)
				s.ms += 33
			}
			if external {
				distribute(s.now, s.c, 1e9, false)
			}
			require.Equal(t, want, target(s.c))
		}
		s.c.SetPreferredLayers(s.now, prefer(1, 2))
		run(func(p []enginetest.Packet) []enginetest.Packet { return withoutLayer(p, 1) }, [2]int{0, 2})
		run(func(p []enginetest.Packet) []enginetest.Packet { return withoutLayer(withoutLayer(p, 1), 0) }, [2]int{2, 2})
		run(func(p []enginetest.Packet) []enginetest.Packet { return p }, [2]int{1, 2})
	}
}

func TestDesiredBitrateIsAtLeastTheAnnouncedOne(t *testing.T) {
	req := simulcastConsumeRequest()
	req.RTPParameters.Encodings[0].MaxBitrate = new(uint64(9_000_000))
	r := newFixture(t, simulcastProduceRequest(), req)
	r.c.SetExternallyManagedBitrate(r.now)
	require.EqualValues(t, 9_000_000, r.c.DesiredBitrate(r.now))
	r.c.Pause(r.now)
	require.Zero(t, r.c.DesiredBitrate(r.now))
	require.Zero(t, r.c.BitratePriority())
	require.True(t, r.c.Output().ZeroBitrateNeeded)
}

func TestLossChangesWhatIsAvailable(t *testing.T) {
	for _, v := range []struct {
		fraction uint8
		need     float64 // of the required bitrate
	}{{0, 1 / 1.08}, {13, 1}, {128, 1 / 0.75}} {
		s := managed(t)
		s.sendFor(4 * time.Second)
		required := s.p.Streams()[0].Bitrates.Of(0, 0)
		s.c.SetPreferredLayers(s.now, prefer(0, 0))
		s.c.HandleReceptionReport(s.now, &rtcp.ReceptionReport{SSRC: uint32(outOf(0)), FractionLost: v.fraction})
		enough := unit.Bitrate(v.need*float64(required)) + 2
		require.Zero(t, distribute(s.now, s.c, enough-5, true))
		require.Equal(t, min(required, enough), distribute(s.now, s.c, enough, true))
		require.Equal(t, [2]int{0, 0}, target(s.c))
	}
}

// TestDowngradeIsNotUndoneAtOnce: for two seconds no higher stream is tried.
func TestDowngradeIsNotUndoneAtOnce(t *testing.T) {
	s := managed(t)
	s.sendFor(3 * time.Second)
	distribute(s.now, s.c, 1e9, false)
	s.sendFor(10 * time.Second)
	spatial, _ := currentLayer(s.c)
	require.Equal(t, 2, spatial)
	low := s.p.Streams()[0].Bitrates.Total()
	distribute(s.now, s.c, low+1000, false)
	require.Equal(t, 0, target(s.c)[0])
	s.sendFor(time.Second / 2)
	distribute(s.now, s.c, 1e9, false)
	require.Equal(t, [2]int{0, 2}, target(s.c), "temporal layers may go up")
	s.sendFor(2 * time.Second)
	distribute(s.now, s.c, 1e9, false)
	require.Equal(t, [2]int{2, 2}, target(s.c))
	s.sendFor(time.Second)
	requireContinuous(t, frames(t, s.outs))
}

func TestSVCTakesTheLayersThatFit(t *testing.T) {
	for i, v := range svcStreams {
		t.Run(v.codec.MimeType+v.mode, func(t *testing.T) {
			s := newSVCFixture(t, v.codec, v.mode, uint64(i))
			s.c.SetExternallyManagedBitrate(s.now)
			require.Zero(t, s.c.DesiredBitrate(s.now), "no stream yet")
			require.Zero(t, distribute(s.now, s.c, 1e9, false))
			s.sendFor(4 * time.Second)
			require.True(t, s.cOut.BitrateChangeNeeded)
			last := [2]int{-1, -1}
			for limit := unit.Bitrate(1000); limit < 1_000_000; limit += 1000 {
				require.LessOrEqual(t, distribute(s.now, s.c, limit, false), limit)
				got := target(s.c)
				require.GreaterOrEqual(t, got[0]*10+got[1], last[0]*10+last[1])
				last = got
			}
			require.Equal(t, [2]int{2, 2}, last)
			b := s.p.Streams()[0].Bitrates
			if s.encoder.KeyOnly {
				require.Equal(t, max(b.Spatial(0), b.Spatial(1), b.Spatial(2)), s.c.DesiredBitrate(s.now))
			} else {
				require.Equal(t, b.Total(), s.c.DesiredBitrate(s.now))
			}
			s.sendFor(9 * time.Second)
			require.Equal(t, 2, int(*s.c.Dump().Data.CurrentSpatialLayer))
			distribute(s.now, s.c, b.Of(0, 0)+1000, false)
			require.Equal(t, 0, target(s.c)[0])
			s.sendFor(time.Second / 2)
			distribute(s.now, s.c, 1e9, false)
			require.Less(t, target(s.c)[0], 2, "a downgrade is not undone at once")
			s.sendFor(time.Second)
			s.requireDecodable()
		})
	}
}

func TestSimpleConsumersReportWhatTheyUse(t *testing.T) {
	r := videoFixture(t)
	r.c.SetExternallyManagedBitrate(r.now)
	require.Zero(t, r.c.IncreaseLayer(r.now, 1e9, false), "no stream yet")
	r.c.ApplyLayers(r.now)
	require.Zero(t, r.c.DesiredBitrate(r.now))
	for n := range 100 {
		r.one(enginetest.Packet{Seq: unit.SeqNo(n), Payload: append([]byte{}, append(vp8Key, make([]byte, 500)...)...)})
		r.after(20 * time.Millisecond)
	}
	rate := r.p.Streams()[0].Bitrates.Total()
	require.Positive(t, rate)
	require.Equal(t, rate, r.c.DesiredBitrate(r.now))
	require.Equal(t, unit.Bitrate(1000), r.c.IncreaseLayer(r.now, 1000, false), "no more than there is")
	require.Zero(t, r.c.IncreaseLayer(r.now, 1e9, false), "once per distribution")
	r.c.ApplyLayers(r.now)
	require.Equal(t, rate, r.c.IncreaseLayer(r.now, 1e9, true))
	a := audioFixture(t)
	a.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}})
	require.Zero(t, a.c.DesiredBitrate(a.now), "audio does not take part")
	require.Zero(t, a.c.BitratePriority())
}

func TestProducersPublishBitratesWhilePacketsCome(t *testing.T) {
	s := newSimulcastFixture(t, 5, false)
	s.sendFor(3 * time.Second)
	p, _ := s.take()
	updates := 0
	for _, u := range p.Streams {
		if u.Kind == layer.StreamBitrates {
			updates++
			b := u.Stream.Bitrates
			require.Equal(t, b.Total(), b.Spatial(0))
			require.Equal(t, b.Total(), b.UpTo(0, 2))
			require.Zero(t, b.Of(1, 0))
			require.Zero(t, b.Spatial(1))
			require.Zero(t, b.UpTo(0, 3))
		}
	}
	require.Equal(t, 3*3, updates, "once a second for each stream")
	for _, e := range s.encoder.Streams {
		e.Off = true
	}
	s.sendFor(5 * time.Second)
	s.take()
	s.sendFor(5 * time.Second)
	p, _ = s.take()
	require.Empty(t, p.Streams, "no updates of silent streams")
}

// TestTemporalLayersOfOlderReleases: up to 3.25.0, the preferred temporal layer counts in the preferred spatial layer only.
func TestTemporalLayersOfOlderReleases(t *testing.T) {
	for name, c := range map[string]struct {
		compat       api.Compat
		below, above int // the temporal layer taken in a spatial one below the preferred one, and above it
	}{
		"newest release": {api.Compat{}, 1, 1},
		"up to 3.25.0":   {api.Compat{TemporalLimitAtPreferredOnly: true}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, external := range []bool{false, true} {
				s := newSimulcastFixtureOf(t, c.compat, 1, false)
				settle := func() {
					s.sendFor(11 * time.Second) // after which no downgrade counts any more
					if external {
						distribute(s.now, s.c, 1e9, false)
						s.sendFor(time.Second)
					}
				}
				if external {
					s.c.SetExternallyManagedBitrate(s.now)
				}
				s.c.SetPreferredLayers(s.now, prefer(1, 1))
				settle()
				require.Equal(t, [2]int{1, 1}, target(s.c))
				s.encoder.Streams[1].Off, s.encoder.Streams[2].Off = true, true
				settle()
				require.Equal(t, [2]int{0, c.below}, target(s.c))
				spatial, temporal := currentLayer(s.c)
				require.Equal(t, [2]int{0, c.below}, [2]int{spatial, temporal})
				s.encoder.Streams[0].Off, s.encoder.Streams[2].Off = true, false
				settle()
				require.Equal(t, [2]int{2, c.above}, target(s.c))
				requireContinuous(t, frames(t, s.outs))
			}
			for i, v := range svcStreams {
				s := newSVCFixtureOf(t, c.compat, v.codec, v.mode, uint64(i))
				s.c.SetExternallyManagedBitrate(s.now)
				s.c.SetPreferredLayers(s.now, prefer(2, 1))
				s.sendFor(4 * time.Second)
				seen := map[[2]int]bool{}
				for limit := unit.Bitrate(1000); limit < 1_000_000; limit += 1000 {
					distribute(s.now, s.c, limit, false)
					seen[target(s.c)] = true
				}
				if !s.encoder.KeyOnly { // there, a higher spatial layer costs so little that it comes first
					require.Equal(t, c.below == 2, seen[[2]int{0, 2}], v.mode)
				}
				require.Equal(t, [2]int{2, 1}, target(s.c))
				require.False(t, seen[[2]int{2, 2}])
			}
		})
	}
}

// What could not be repaired while the path was congested is made up for by a key frame.
func TestAKeyFrameAfterCongestion(t *testing.T) {
	r := videoFixture(t)
	o := r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
	r.c.Output().Reset()
	asks := func(before, during bwe.Congestion) bool {
		r.c.SetCongestion(r.now, before)
		r.now = r.now.Add(2 * time.Second)
		r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, o.SequenceNumber))
		r.c.DropRetransmissions()
		r.c.SetCongestion(r.now, during)
		require.Empty(t, r.c.Output().KeyFrameRequests)
		r.c.SetCongestion(r.now, bwe.CongestionNone)
		asked := len(r.c.Output().KeyFrameRequests) > 0
		r.c.Output().Reset()
		return asked
	}
	require.False(t, asks(bwe.CongestionNone, bwe.CongestionSome))
	require.True(t, asks(bwe.CongestionSome, bwe.CongestionMuch))
	require.False(t, asks(bwe.CongestionNone, bwe.CongestionSome), "once")
}
