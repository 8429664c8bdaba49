package layer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// rates are the kbit/s of layers by spatial, then temporal layer, and the frames per second of the temporal layers of each.
type rates struct {
	kbps   [3][3]unit.Bitrate
	frames [3]float32
}

// camera is what Chromium makes of 720p with 1.6 Mbit/s, as VP9 with layers.
var camera = [3][3]unit.Bitrate{{64, 36, 44}, {231, 99, 178}, {352, 232, 429}}

func (r rates) of(spatial uint8) func(uint8, uint8) (unit.Bitrate, float32) {
	return func(s, t uint8) (unit.Bitrate, float32) { return 1000 * r.kbps[spatial+s][t], r.frames[t] }
}

// newRated returns a selector of VP9 with layers (K-SVC) or of VP8 simulcast with these rates, whose bitrate the transport manages.
func newRated(t *testing.T, mode string, r rates, preferred layer.ID, sharpFirst bool) *fixture {
	f := &fixture{t: t, c: &consumer{external: true}, now: start}
	m := layer.ParseScalabilityMode("L3T3_KEY")
	cfg := layer.Config{Codec: codec.VP9, Encodings: 1, Mode: m, Preferred: preferred, ClockRate: 90000, SharpFirst: sharpFirst}
	if mode == "SVC" {
		f.Selector = layer.NewSVC(f.c, &cfg)
		f.Attach([]layer.Stream{{MappedSSRC: 1, Score: 10, ClockRate: 90000, Bitrates: layer.NewBitrates(3, 3, r.of(0))}})
	} else {
		cfg.Codec, cfg.Encodings = codec.VP8, 3
		f.Selector = layer.NewSimulcast(f.c, &cfg)
		for i := range 3 {
			s := stream(i)
			s.Bitrates = layer.NewBitrates(1, 3, r.of(uint8(i)))
			f.Attach([]layer.Stream{s})
		}
	}
	f.Start(f.now)
	return f
}

func TestSmoothPicturesBeforeSharpOnes(t *testing.T) {
	all := layer.ID{Spatial: 2, Temporal: 2}
	for name, c := range map[string]struct {
		rates      rates
		preferred  layer.ID
		sharpFirst bool
		want       map[unit.Bitrate][2]int16 // by kbit/s
	}{
		"20 frames a second: half of them are too few": {
			rates{camera, [3]float32{5, 5, 10}},
			all, false,
			map[unit.Bitrate][2]int16{99: {0, 0}, 507: {0, 2}, 508: {1, 2}, 600: {1, 2}, 1012: {1, 2}, 1013: {2, 2}},
		},
		"mediasoup's rule": {
			rates{camera, [3]float32{5, 5, 10}},
			all, true,
			map[unit.Bitrate][2]int16{99: {0, 0}, 230: {0, 2}, 231: {1, 0}, 507: {1, 1}, 508: {1, 2}, 600: {2, 0}, 1012: {2, 1}},
		},
		"30 frames a second: half of them are enough": {
			rates{camera, [3]float32{7.5, 7.5, 15}},
			all, false,
			map[unit.Bitrate][2]int16{329: {0, 2}, 330: {1, 1}, 583: {1, 2}, 584: {2, 1}, 1012: {2, 1}, 1013: {2, 2}},
		},
		"60 frames a second: a quarter is": {
			rates{camera, [3]float32{15, 15, 30}},
			all, false,
			map[unit.Bitrate][2]int16{230: {0, 2}, 231: {1, 0}, 330: {1, 1}},
		},
		"a screen has few frames: all of them": {
			rates{camera, [3]float32{1, 1, 2}},
			all, false,
			map[unit.Bitrate][2]int16{507: {0, 2}, 508: {1, 2}, 1013: {2, 2}},
		},
		"a sender that uses one temporal layer": {
			rates{[3][3]unit.Bitrate{{100}, {300}, {900}}, [3]float32{5, 0, 0}},
			all, false,
			map[unit.Bitrate][2]int16{299: {0, 0}, 300: {1, 0}, 900: {2, 0}},
		},
		"the application wants few frames": {
			rates{camera, [3]float32{5, 5, 10}},
			layer.ID{Spatial: 2, Temporal: 0},
			false,
			map[unit.Bitrate][2]int16{230: {0, 0}, 231: {1, 0}, 352: {2, 0}},
		},
		"nothing is known of frames": {
			rates{kbps: camera},
			all, false,
			map[unit.Bitrate][2]int16{230: {0, 2}, 231: {1, 0}, 600: {2, 0}},
		},
		// The first 15 frames a second of the next picture cost no more than the 30 of the smaller one.
		"of two that cost the same the smoother one": {
			rates{[3][3]unit.Bitrate{{100, 100, 200}, {200, 200, 400}, {300, 400, 900}}, [3]float32{7.5, 7.5, 15}},
			all, false,
			map[unit.Bitrate][2]int16{400: {0, 2}, 799: {0, 2}, 800: {1, 2}},
		},
	} {
		for _, mode := range []string{"SVC", "simulcast"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				for kbps, want := range c.want {
					f := newRated(t, mode, c.rates, c.preferred, c.sharpFirst)
					used := f.distribute(1000 * kbps)
					require.LessOrEqual(t, used, 1000*kbps)
					require.Equal(t, want, f.target(), "with %d kbit/s", kbps)
				}
			})
		}
	}
}

// A layer that is forwarded is kept with a little fewer frames than it takes to begin.
func TestFrameRateNearItsLimitIsNoSeeSaw(t *testing.T) {
	f := newRated(t, "SVC", rates{camera, [3]float32{6, 6, 12}}, layer.ID{Spatial: 2, Temporal: 2}, false)
	measured := func(perSecond float32) [2]int16 {
		b := layer.NewBitrates(3, 3, rates{camera, [3]float32{perSecond / 2, perSecond / 2, perSecond}}.of(0))
		f.Update(f.now, layer.StreamUpdate{
			Kind: layer.StreamBitrates, Stream: layer.Stream{MappedSSRC: 1, Score: 10, ClockRate: 90000, Bitrates: b},
		})
		f.now = f.now.Add(time.Second)
		f.distribute(600_000)
		return f.target()
	}
	require.Equal(t, [2]int16{2, 1}, measured(12))
	require.Equal(t, [2]int16{2, 1}, measured(11.5))
	require.Equal(t, [2]int16{1, 2}, measured(10.5))
	require.Equal(t, [2]int16{1, 2}, measured(11.5))
	require.Equal(t, [2]int16{2, 1}, measured(12))
}
