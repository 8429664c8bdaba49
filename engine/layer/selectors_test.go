package layer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// newSimulcast has three streams of three temporal layers, each layer of 1000, 2000 or 4000 bit/s, all with sender reports
// that say that their timestamps are 0, 100 and 200 seconds ahead.
func newSimulcast(t testing.TB, k codec.Kind) *fixture {
	f := &fixture{t: t, c: &consumer{}, now: start}
	m := layer.ParseScalabilityMode("L3T3")
	f.Selector = layer.NewSimulcast(f.c, &layer.Config{
		Codec: k, Encodings: 3, Mode: m, Preferred: layer.ID{Spatial: 2, Temporal: 2}, ClockRate: 90000,
	})
	f.Attach([]layer.Stream{stream(0), stream(1), stream(2)})
	return f
}

func stream(i int) layer.Stream {
	return layer.Stream{
		Encoding: i, MappedSSRC: unit.SSRC(i + 1), Score: 10, ClockRate: 90000, InactivityCheck: true,
		Bitrates:     evenly(layer.ScalabilityMode{Spatial: 1, Temporal: 3}, 1000<<i),
		SenderReport: layer.SenderReport{NTP: 1 << 32, Timestamp: unit.Timestamp(i * 100 * 90000)},
	}
}

// distribute gives the selector what it asks for up to a limit, as a transport does, and returns what it uses.
func (f *fixture) distribute(limit unit.Bitrate) (used unit.Bitrate) {
	for range 20 {
		more := f.Increase(f.now, limit-used, layer.IgnoreLoss)
		if more == 0 {
			break
		}
		used += more
	}
	f.Apply(f.now)
	return used
}

func TestSimulcastSwitchesStreamsAtKeyFrames(t *testing.T) {
	f := newSimulcast(t, codec.VP8)
	f.Prefer(layer.ID{Spatial: 0, Temporal: 2})
	f.Start(f.now)
	require.Equal(t, []int{0}, f.c.takeKeyFrames())
	require.Equal(t, layer.Hold, f.decide(in{Descriptor: vp8(1, 1, 0, false)}).Action)
	require.Equal(t, layer.Ignore, f.decide(in{Descriptor: keyFrame(vp8(1, 1, 0, false)), encoding: 2}).Action)
	require.Equal(t, layer.Ignore, f.decide(in{Descriptor: keyFrame(vp8(1, 1, 0, false)), encoding: -1}).Action)
	d := f.decide(in{Descriptor: keyFrame(vp8(2, 1, 0, false)), ts: 5000, marker: true})
	require.Equal(t, layer.Decision{
		Sync: layer.Switch, LayersChanged: true, Marker: true,
		VP8: layer.VP8Numbers{Replace: true, PictureID: 1, TL0PicIdx: 1},
	}, d)
	require.True(t, f.Forwards(0))
	require.False(t, f.Forwards(1))
	f.c.newest, f.c.newestAt, f.c.sent = 5000, f.now, true

	held := f.c.droppedHeld
	f.prefer(1, 2)
	require.Equal(t, []int{1}, f.c.takeKeyFrames())
	require.Equal(t, held+1, f.c.droppedHeld)
	require.True(t, f.forwards(in{Descriptor: vp8(3, 2, 0, false), ts: 8000}), "until then the old stream goes on")
	require.Equal(t, layer.Hold, f.decide(in{Descriptor: vp8(70, 1, 0, false), encoding: 1}).Action)
	d = f.decide(in{Descriptor: keyFrame(vp8(71, 9, 0, false)), ts: 100*90000 + 11000, encoding: 1})
	require.Equal(t, layer.Switch, d.Sync)
	require.EqualValues(t, 100*90000, d.TimestampOffset)
	require.Equal(t, layer.VP8Numbers{Replace: true, PictureID: 3, TL0PicIdx: 3}, d.VP8)
	require.Equal(t, layer.Ignore, f.decide(in{Descriptor: vp8(4, 3, 0, false), ts: 11000}).Action)
	s, ok := f.Stream()
	require.True(t, ok)
	require.EqualValues(t, 2, s.MappedSSRC)
	f.RequestKeyFrame(layer.CurrentOnly)
	require.Equal(t, []int{1}, f.c.takeKeyFrames())
}

func TestSimulcastOfH264(t *testing.T) {
	f := newSimulcast(t, codec.H264)
	f.prefer(1, 0)
	d := f.decide(in{Descriptor: keyFrame(described(codec.H264, 0, 0)), ts: 1, encoding: 1})
	require.Equal(t, layer.Decision{Sync: layer.Switch, LayersChanged: true}, d)
	require.Equal(t, layer.DropLayer, f.decide(in{Descriptor: described(codec.H264, 0, 1), ts: 2, encoding: 1}).Action)
	require.Equal(t, layer.DropEmpty, f.decide(in{Descriptor: described(codec.H264, 0, 0), ts: 3, encoding: 1, empty: true}).Action)
}

// A key frame that would come before what was sent is put a frame behind it, if that makes it late by 75 ms at most.
func TestSimulcastKeepsTimestampsInOrder(t *testing.T) {
	for behind, want := range map[unit.Timestamp]struct {
		action layer.Action
		sent   unit.Timestamp
	}{
		0:    {layer.Forward, 1_000_000 + 2970},
		3000: {layer.Forward, 1_000_000 + 2970},
		3780: {layer.Forward, 1_000_000 + 2970},
		3781: {layer.Ignore, 0},
	} {
		f := newSimulcast(t, codec.VP8)
		f.prefer(0, 0)
		require.True(t, f.forwards(in{Descriptor: keyFrame(vp8(1, 1, 0, false)), ts: 1_000_000}))
		f.c.newest, f.c.newestAt, f.c.sent = 1_000_000, f.now, true
		f.prefer(1, 0)
		f.c.takeKeyFrames()
		key := in{Descriptor: keyFrame(vp8(1, 1, 0, false)), ts: 100*90000 + 1_000_000 - behind, encoding: 1}
		d := f.decide(key)
		require.Equal(t, want.action, d.Action)
		if want.action == layer.Forward {
			require.Equal(t, want.sent, key.ts-d.TimestampOffset)
			continue
		}
		require.Equal(t, []int{1}, f.c.takeKeyFrames(), "another one may be in time")
		d = f.decide(key)
		require.Equal(t, layer.Forward, d.Action, "it was not")
		require.EqualValues(t, 1_000_000+1, key.ts-d.TimestampOffset)
	}
}

// Simulcast and SVC climb alike: the temporal layers of a spatial one first, then the next spatial layer.
func TestLayersThatFit(t *testing.T) {
	for name, c := range map[string]struct {
		selector *fixture
		want     map[unit.Bitrate][2]int16
		desired  unit.Bitrate
	}{
		"simulcast": {newSimulcast(t, codec.VP8), map[unit.Bitrate][2]int16{
			999: {-1, -1}, 1000: {0, 0}, 2999: {0, 1}, 3000: {0, 2},
			// Another stream saves the one before: its lowest layer, 2000 in place of 3000, counts as 1.
			3001: {1, 0}, 5001: {1, 1}, 7001: {1, 2}, 7002: {2, 0}, 15001: {2, 1}, 15002: {2, 2},
		}, 12000},
		"SVC": {newSVC(t, codec.VP9, "L3T3"), map[unit.Bitrate][2]int16{
			999: {-1, -1}, 1000: {0, 0}, 2999: {0, 1}, 3000: {0, 2}, 4000: {1, 0}, 6999: {1, 2}, 9000: {2, 2}, 1e6: {2, 2},
		}, 9000},
		"K-SVC": {newSVC(t, codec.VP9, "L3T3_KEY"), map[unit.Bitrate][2]int16{
			999: {-1, -1}, 3000: {0, 2}, 3001: {1, 0}, 5001: {1, 2}, 5002: {2, 0}, 7002: {2, 2},
		}, 3000},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.selector
			f.c.external = true
			f.Start(f.now)
			require.Equal(t, c.desired, f.Desired())
			for limit, want := range c.want {
				f.distribute(0) // to climb from nothing needs no room above
				require.LessOrEqual(t, f.distribute(limit), limit)
				require.Equal(t, want, f.target(), "with %d bit/s", limit)
			}
			require.Zero(t, f.distribute(0))
			require.Equal(t, [2]int16{-1, -1}, f.target())
			require.True(t, f.TakeChange())
			require.False(t, f.TakeChange())
		})
	}
}

func TestTransportIsAskedWhenItChoosesTheLayers(t *testing.T) {
	f := newSimulcast(t, codec.VP8)
	f.c.external = true
	f.Start(f.now)
	require.True(t, f.c.wantsBitrate)
	require.Equal(t, [2]int16{-1, -1}, f.target(), "nothing is chosen without it")
	f.distribute(1e6)
	f.c.wantsBitrate = false
	f.Reconsider(f.now, true)
	require.False(t, f.c.wantsBitrate, "nothing would be better")
	f.Prefer(layer.ID{Spatial: 2, Temporal: 1})
	f.Reconsider(f.now, false)
	require.False(t, f.c.wantsBitrate, "not for a temporal layer alone")
	f.Reconsider(f.now, true)
	require.True(t, f.c.wantsBitrate)
}

func TestLossMakesBitrateCountForLess(t *testing.T) {
	for loss, least := range map[float32]unit.Bitrate{
		layer.IgnoreLoss: 1000, 0: 926, 1.9: 926, 2: 1000, 10: 1000, 20: 1112, 50: 1334,
	} {
		f := newSimulcast(t, codec.VP8)
		f.c.external = true
		f.Start(f.now)
		require.Zero(t, f.Increase(f.now, least-1, loss), "loss %v", loss)
		require.NotZero(t, f.Increase(f.now, least, loss), "loss %v", loss)
	}
}

// After a downgrade, no higher spatial layer is taken for a while, and for longer if the higher one did not last.
func TestDowngradesKeepHigherLayersAway(t *testing.T) {
	f := newSimulcast(t, codec.VP8)
	f.c.external, f.c.activeSince = true, f.now
	f.Start(f.now)
	id := uint16(0)
	arrive := func(spatial int) {
		t.Helper()
		id++
		require.True(t, f.forwards(in{Descriptor: keyFrame(vp8(id, uint8(id), 0, false)), encoding: spatial, ts: unit.Timestamp(id) * 3000}))
		require.EqualValues(t, spatial, f.current()[0])
	}
	f.distribute(1e6)
	arrive(2)
	f.now = f.now.Add(9 * time.Second)
	for _, away := range []time.Duration{2, 4, 8, 16, 16} {
		f.distribute(1000)
		require.Equal(t, [2]int16{0, 0}, f.target())
		arrive(0)
		f.now = f.now.Add(away*time.Second - time.Millisecond)
		f.distribute(1e6)
		require.Equal(t, [2]int16{0, 2}, f.target(), "temporal layers may go up")
		f.now = f.now.Add(time.Millisecond)
		f.distribute(1e6)
		require.Equal(t, [2]int16{2, 2}, f.target())
		arrive(2)
		f.now = f.now.Add(9 * time.Second)
	}
	f.now = f.now.Add(2 * time.Second) // now it has lasted
	f.distribute(1000)
	arrive(0)
	f.now = f.now.Add(2 * time.Second)
	f.distribute(1e6)
	require.Equal(t, [2]int16{2, 2}, f.target())
}

func TestYoungStreamsAreNotPreferredToOldOnes(t *testing.T) {
	f := newSimulcast(t, codec.VP8)
	f.c.external = true
	young := stream(2)
	young.ActiveSince = f.now
	f.Attach([]layer.Stream{young})
	f.Start(f.now)
	f.now = f.now.Add(1999 * time.Millisecond)
	f.distribute(1e6)
	require.Equal(t, [2]int16{1, 2}, f.target())
	f.now = f.now.Add(time.Millisecond)
	f.distribute(1e6)
	require.Equal(t, [2]int16{2, 2}, f.target())
}

func TestPipeStreamsWaitForKeyFramesOfTheirOwn(t *testing.T) {
	f := &fixture{t: t, c: &consumer{}, now: start}
	f.Selector = layer.NewPipe(f.c, codec.VP8, 2)
	f.Start(f.now)
	require.Equal(t, []int{0, 1}, f.c.takeKeyFrames())
	require.Equal(t, layer.Resync, f.decide(in{Descriptor: keyFrame(vp8(1, 1, 0, false)), encoding: 1}).Sync)
	require.Equal(t, layer.Hold, f.decide(in{Descriptor: vp8(1, 1, 0, false), encoding: 0}).Action)
	require.Equal(t, layer.Decision{}, f.decide(in{Descriptor: vp8(2, 1, 2, false), encoding: 1}), "all layers, numbers as they are")
	require.Equal(t, layer.Layers{Preferred: layer.None, Target: layer.None, Current: layer.None}, f.Layers())
	require.Zero(t, f.Increase(f.now, 1e6, layer.IgnoreLoss))
	require.Zero(t, f.Desired())
	_, ok := f.Stream()
	require.False(t, ok)
}

func TestScalabilityModes(t *testing.T) {
	for mode, want := range map[string]layer.ScalabilityMode{
		"":              {Name: "S1T1", Spatial: 1, Temporal: 1},
		"L3T2":          {Name: "L3T2", Spatial: 3, Temporal: 2},
		"S2T3":          {Name: "S2T3", Spatial: 2, Temporal: 3},
		"L2T1_KEY":      {Name: "L2T1_KEY", Spatial: 2, Temporal: 1, KeyOnly: true},
		"L10T99h":       {Name: "L10T99h", Spatial: 10, Temporal: 99},
		"L0T1":          {Name: "S1T1", Spatial: 1, Temporal: 1},
		"l3t3":          {Name: "S1T1", Spatial: 1, Temporal: 1},
		"xL3T3":         {Name: "S1T1", Spatial: 1, Temporal: 1},
		"L3T3_KEY_more": {Name: "L3T3_KEY_more", Spatial: 3, Temporal: 3, KeyOnly: true},
	} {
		require.Equal(t, want, layer.ParseScalabilityMode(mode), mode)
	}
}

func TestBitratesOfAbsentLayers(t *testing.T) {
	var none *layer.Bitrates
	spatial, temporal := none.Layers()
	require.Zero(t, none.Total()+none.Of(0, 0)+none.UpTo(0, 0)+none.Spatial(0)+unit.Bitrate(spatial+temporal))
	b := layer.NewBitrates(2, 2, func(s, t uint8) (unit.Bitrate, float32) {
		return unit.Bitrate(10*s + t), float32(s + t)
	})
	require.EqualValues(t, []unit.Bitrate{22, 1, 11, 0}, []unit.Bitrate{b.Total(), b.Spatial(0), b.UpTo(1, 0), b.UpTo(0, 0)})
	require.Zero(t, b.Of(2, 0)+b.Of(0, 2)+b.Of(-1, 0)+b.Spatial(2)+b.UpTo(1, 2))
	require.False(t, b.SameLayers(none))
	require.True(t, b.SameLayers(b))
}

func TestSimpleStreamsAreForwardedWhole(t *testing.T) {
	f := &fixture{t: t, c: &consumer{}, now: start}
	f.Selector = layer.NewSimple(f.c, codec.VP8, false)
	f.Start(f.now)
	require.Empty(t, f.c.takeKeyFrames(), "no stream yet")
	s := stream(0)
	f.Update(f.now, layer.StreamUpdate{Kind: layer.StreamNew, Stream: s})
	f.Start(f.now)
	require.Equal(t, []int{0}, f.c.takeKeyFrames())
	require.Equal(t, layer.Hold, f.decide(in{Descriptor: vp8(1, 1, 0, false)}).Action)
	require.Equal(t, layer.Decision{Sync: layer.Resync, Marker: true}, f.decide(in{Descriptor: keyFrame(vp8(2, 1, 0, false)), marker: true}))
	require.Equal(t, layer.Decision{}, f.decide(in{Descriptor: vp8(3, 1, 2, false)}))
	require.Equal(t, layer.DropEmpty, f.decide(in{Descriptor: vp8(4, 1, 0, false), empty: true}).Action)
	require.Equal(t, layer.ID{}, f.Layers().Current)

	require.EqualValues(t, 3000, f.Desired())
	require.EqualValues(t, 2000, f.Increase(f.now, 2000, layer.IgnoreLoss), "no more than there is")
	require.Zero(t, f.Increase(f.now, 2000, layer.IgnoreLoss), "once per distribution")
	f.Apply(f.now)
	s.Score = 0
	f.Update(f.now, layer.StreamUpdate{Kind: layer.StreamScore, Stream: s, PreviousScore: 10})
	require.Zero(t, f.Increase(f.now, 2000, layer.IgnoreLoss), "silent")
}

func TestSilenceOfOpusIsDroppedOnRequest(t *testing.T) {
	for _, ignoreDTX := range []bool{false, true} {
		f := &fixture{t: t, c: &consumer{}, now: start}
		f.Selector = layer.NewSimple(f.c, codec.Opus, ignoreDTX)
		f.Start(f.now)
		require.Equal(t, layer.Resync, f.decide(in{Descriptor: codec.Descriptor{Kind: codec.Opus}}).Sync, "audio needs no key frame")
		require.Equal(t, ignoreDTX, f.decide(in{Descriptor: codec.Descriptor{Kind: codec.Opus, DTX: true}}).Action == layer.DropDTX)
	}
}

// A relay asks for the key frame of a lone stream, since its far end cannot before it has seen a packet; of several it does not know
// which one is wanted there.
func TestRelayAsksForTheKeyFrameOfALoneStream(t *testing.T) {
	for encodings, want := range map[int][]int{1: {0}, 3: nil} {
		c := &consumer{}
		s := layer.NewRelay(c, encodings)
		s.Start(start)
		require.Equal(t, want, c.takeKeyFrames(), encodings)
		c.inactive = true
		s.Start(start)
		require.Empty(t, c.takeKeyFrames(), "paused")
	}
}
