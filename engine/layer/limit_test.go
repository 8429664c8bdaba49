package layer_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// While the path is congested, higher temporal layers are left out from the next picture on, and come back where the codec allows.
// The application does not hear of it.
func TestTemporalLayersAreLimited(t *testing.T) {
	for name, frame := range map[string]func(id uint16, temporal uint8) codec.Descriptor{
		"VP8":  func(id uint16, temporal uint8) codec.Descriptor { return vp8(id, uint8(id), temporal, true) },
		"VP9":  func(id uint16, temporal uint8) codec.Descriptor { return vp9(id, 0, temporal, true) },
		"AV1":  func(_ uint16, temporal uint8) codec.Descriptor { return described(codec.AV1, 0, temporal) },
		"H264": func(_ uint16, temporal uint8) codec.Descriptor { return described(codec.H264, 0, temporal) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newSVC(t, frame(0, 0).Kind, "L1T3")
			id := uint16(0)
			forwards := func(temporal uint8) bool {
				id++
				d := frame(id, temporal)
				if id == 1 {
					d = keyFrame(d)
				}
				decision := f.decide(in{Descriptor: d, ts: unit.Timestamp(id) * 3000})
				require.Equal(t, id <= 3 && decision.Action == layer.Forward, decision.LayersChanged, "picture %d", id)
				return decision.Action == layer.Forward
			}
			require.True(t, forwards(0) && forwards(1) && forwards(2))
			f.LimitTemporal(1)
			require.False(t, forwards(2), "at once")
			require.True(t, forwards(1))
			f.LimitTemporal(0)
			require.False(t, forwards(2))
			require.False(t, forwards(1))
			require.True(t, forwards(0))
			require.Equal(t, [2]int16{0, 2}, f.target(), "that is not what the limit is about")
			f.LimitTemporal(math.MaxInt16)
			require.True(t, forwards(1))
			require.True(t, forwards(2))
			require.Equal(t, [2]int16{0, 2}, f.current())
		})
	}
}

// A limit ends no frame in the middle.
func TestALimitWaitsForTheNextFrame(t *testing.T) {
	for _, rest := range []codec.Descriptor{vp9(3, 0, 2, false), described(codec.AV1, 0, 2)} {
		f := newSVC(t, rest.Kind, "L1T3")
		start := rest
		start.SwitchingPoint = true
		first := rest
		first.TemporalLayer, first.PictureID = 0, 1
		require.True(t, f.forwards(in{Descriptor: keyFrame(first)}))
		middle := rest
		middle.TemporalLayer, middle.PictureID, middle.SwitchingPoint = 1, 2, true
		require.True(t, f.forwards(in{Descriptor: middle}))
		require.True(t, f.forwards(in{Descriptor: start}))
		f.LimitTemporal(0)
		rest.StartOfFrame = false
		require.True(t, f.forwards(in{Descriptor: rest}))
		late := start
		late.PictureID++
		require.False(t, f.forwards(in{Descriptor: late}))
		require.EqualValues(t, 0, f.current()[1])
	}
}

// Until the key frame of a lower simulcast stream comes, the base of the current one goes on.
func TestABaseLayerUntilTheLowerStreamBegins(t *testing.T) {
	f := newSimulcast(t, codec.VP8)
	f.c.external = true
	f.Start(f.now)
	f.distribute(1e6)
	require.True(t, f.forwards(in{Descriptor: keyFrame(vp8(1, 1, 0, false)), encoding: 2}))
	require.True(t, f.forwards(in{Descriptor: vp8(2, 1, 2, true), encoding: 2}))
	f.c.takeKeyFrames()
	f.now = f.now.Add(time.Second)
	f.distribute(1000)
	require.Equal(t, []int{0}, f.c.takeKeyFrames(), "of the wanted stream, at once")
	require.False(t, f.forwards(in{Descriptor: vp8(3, 1, 2, true), encoding: 2}))
	require.True(t, f.forwards(in{Descriptor: vp8(4, 2, 0, false), encoding: 2}))
	require.True(t, f.forwards(in{Descriptor: keyFrame(vp8(9, 9, 0, false)), encoding: 0, ts: 9000}))
	require.False(t, f.forwards(in{Descriptor: vp8(5, 3, 0, false), encoding: 2}))
}

// On a congested path, what would only delay that key frame is left out, up to a key frame.
func TestNothingDelaysTheLowerStream(t *testing.T) {
	f := newSimulcast(t, codec.VP8)
	f.c.external = true
	f.Start(f.now)
	f.distribute(1e6)
	require.True(t, f.forwards(in{Descriptor: keyFrame(vp8(1, 1, 0, false)), encoding: 2}))
	f.LimitTemporal(0)
	f.now = f.now.Add(time.Second)
	f.distribute(1000)
	require.False(t, f.forwards(in{Descriptor: vp8(2, 2, 0, false), encoding: 2}))
	f.LimitTemporal(math.MaxInt16)
	f.c.takeKeyFrames()
	f.distribute(1e6)
	require.Equal(t, [2]int16{2, 2}, f.target())
	require.Equal(t, []int{2}, f.c.takeKeyFrames(), "the stream was cut")
	require.False(t, f.forwards(in{Descriptor: vp8(3, 3, 0, false), encoding: 2}))
	require.True(t, f.forwards(in{Descriptor: keyFrame(vp8(4, 4, 0, false)), encoding: 2, ts: 9000}))
	require.True(t, f.forwards(in{Descriptor: vp8(5, 5, 0, false), encoding: 2, ts: 12000}))
}

// The same with K-SVC, where it takes a key frame to go down.
func TestNothingDelaysTheLowerLayer(t *testing.T) {
	f := newSVC(t, codec.VP9, "L2T2_KEY")
	picture := func(id uint16, spatial, temporal uint8, key bool) bool {
		d := vp9(id, spatial, temporal, true)
		d.InterPicture = !key
		if key && spatial == 0 {
			d = keyFrame(d)
		}
		return f.forwards(in{Descriptor: d})
	}
	require.True(t, picture(1, 0, 0, true) && picture(1, 1, 0, true))
	require.True(t, picture(2, 1, 1, false))
	f.prefer(0, 1)
	require.NotEmpty(t, f.c.takeKeyFrames())
	require.False(t, picture(3, 1, 1, false), "only the base goes on")
	require.True(t, picture(4, 1, 0, false))
	f.LimitTemporal(0)
	require.False(t, picture(5, 1, 0, false))
	f.LimitTemporal(math.MaxInt16)
	require.False(t, picture(6, 1, 0, false), "what it refers to is missing")
	require.True(t, picture(7, 0, 0, true))
	require.False(t, picture(7, 1, 0, true))
	require.True(t, picture(8, 0, 1, false))
	require.Equal(t, [2]int16{0, 1}, f.current())
}

// A higher spatial layer than the target needs some room, so that it need not be given up again soon. The target itself needs none.
func TestAnUpgradeNeedsRoom(t *testing.T) {
	f := newSVC(t, codec.VP9, "L2T1")
	f.c.external = true
	f.Start(f.now)
	for _, step := range []struct {
		available unit.Bitrate
		want      int16
	}{{1000, 0}, {2000, 0}, {2099, 0}, {2100, 1}, {2000, 1}, {1938, 1}, {1937, 0}, {1999, 0}} {
		f.distribute(step.available)
		require.Equal(t, step.want, f.target()[0], "with %d bit/s", step.available)
	}
}
