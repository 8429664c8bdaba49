package layer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// vp8 describes a packet with all numbers (RFC 7741 section 4.2); each begins a picture.
func vp8(id uint16, tl0, temporal uint8, sync bool) codec.Descriptor {
	return codec.Descriptor{
		Kind: codec.VP8, PictureID: id, PictureIDLen: 2, PictureIDOffset: 2, TL0PicIdx: tl0, TL0PicIdxOffset: 4,
		TemporalLayer: temporal, HasTemporalLayer: true, SwitchingPoint: sync, StartOfFrame: true,
	}
}

func keyFrame(d codec.Descriptor) codec.Descriptor {
	d.KeyFrame, d.InterPicture = true, false
	return d
}

// vp9 describes a packet that is a whole frame, not a key frame (RFC 9628 section 4.2).
func vp9(id uint16, spatial, temporal uint8, switchingPoint bool) codec.Descriptor {
	return codec.Descriptor{
		Kind: codec.VP9, PictureID: id, PictureIDLen: 2, PictureIDOffset: 1, InterPicture: true,
		SpatialLayer: spatial, TemporalLayer: temporal, HasSpatialLayer: true, HasTemporalLayer: true,
		StartOfFrame: true, EndOfFrame: true, SwitchingPoint: switchingPoint,
	}
}

// described is a whole frame of a codec whose layers are in the dependency descriptor.
func described(k codec.Kind, spatial, temporal uint8) codec.Descriptor {
	return codec.Descriptor{
		Kind: k, HasDependency: true, SpatialLayer: spatial, TemporalLayer: temporal, HasSpatialLayer: true,
		HasTemporalLayer: true, StartOfFrame: true, EndOfFrame: true,
	}
}

var everyCodec = map[string]struct {
	kind  codec.Kind
	frame func(n int) codec.Descriptor // of layer 0
}{
	"VP8":  {codec.VP8, func(n int) codec.Descriptor { return vp8(uint16(n), uint8(n), 0, false) }},
	"VP9":  {codec.VP9, func(n int) codec.Descriptor { return vp9(uint16(n), 0, 0, false) }},
	"AV1":  {codec.AV1, func(int) codec.Descriptor { return described(codec.AV1, 0, 0) }},
	"H264": {codec.H264, func(int) codec.Descriptor { return described(codec.H264, 0, 0) }},
}

func TestEveryCodecBeginsWithAKeyFrame(t *testing.T) {
	for name, c := range everyCodec {
		t.Run(name, func(t *testing.T) {
			f := newSVC(t, c.kind, "L1T3")
			require.Equal(t, layer.Hold, f.decide(in{Descriptor: c.frame(1)}).Action)
			require.Equal(t, layer.DropEmpty, f.decide(in{Descriptor: keyFrame(c.frame(2)), empty: true}).Action)
			d := f.decide(in{Descriptor: keyFrame(c.frame(2)), ts: 1})
			require.Equal(t, layer.Forward, d.Action)
			require.Equal(t, layer.Resync, d.Sync)
			require.True(t, d.LayersChanged)
			d = f.decide(in{Descriptor: c.frame(3), ts: 2})
			require.Equal(t, layer.Forward, d.Action)
			require.Equal(t, layer.Continue, d.Sync)
			require.False(t, d.LayersChanged)

			f.Stop()
			require.Equal(t, layer.DropLayer, f.decide(in{Descriptor: keyFrame(c.frame(4)), ts: 3}).Action)
			require.True(t, f.TakeChange())
			f.Start(f.now)
			require.Equal(t, []int{0}, f.c.takeKeyFrames())
			require.Equal(t, layer.Hold, f.decide(in{Descriptor: c.frame(5), ts: 4}).Action)
			require.Equal(t, layer.Resync, f.decide(in{Descriptor: keyFrame(c.frame(6)), ts: 5}).Sync)
		})
	}
}

// A stream whose packets carry no descriptor is one layer.
func TestEveryCodecWithoutDescriptors(t *testing.T) {
	for name, c := range everyCodec {
		t.Run(name, func(t *testing.T) {
			f := newSVC(t, c.kind, "L1T3")
			plain := codec.Descriptor{Kind: c.kind}
			d := f.decide(in{Descriptor: keyFrame(plain), ts: 1, marker: true})
			require.Equal(t, layer.Decision{Sync: layer.Resync, LayersChanged: true, Marker: true}, d)
			for n := range 5 {
				d := f.decide(in{Descriptor: plain, ts: unit.Timestamp(2 + n)})
				require.Equal(t, layer.Decision{}, d)
			}
			f.prefer(0, 0)
			require.True(t, f.forwards(in{Descriptor: plain, ts: 9}))
			require.EqualValues(t, 0, f.current()[0])
		})
	}
}

func TestVP8GoesUpAtLayerSyncsAndDownAtOnce(t *testing.T) {
	f := newSVC(t, codec.VP8, "L1T3")
	require.True(t, f.forwards(in{Descriptor: keyFrame(vp8(1, 1, 0, false))}))
	require.False(t, f.forwards(in{Descriptor: vp8(2, 1, 2, false)}), "no layer sync")
	require.True(t, f.forwards(in{Descriptor: vp8(3, 1, 2, true)}), "layers may be skipped at a layer sync")
	require.Equal(t, [2]int16{0, 2}, f.current())
	require.True(t, f.forwards(in{Descriptor: vp8(4, 1, 1, false)}), "below the current layer")
	f.prefer(0, 1)
	require.True(t, f.forwards(in{Descriptor: vp8(4, 1, 1, false)}), "another packet of the same picture")
	require.Equal(t, [2]int16{0, 2}, f.current())
	require.False(t, f.forwards(in{Descriptor: vp8(5, 1, 2, true)}), "above the target")
	require.True(t, f.forwards(in{Descriptor: vp8(6, 2, 0, false)}))
	require.Equal(t, [2]int16{0, 1}, f.current())
}

func TestVP8NumbersHaveNoGapsWherePicturesAreDropped(t *testing.T) {
	f := newSVC(t, codec.VP8, "L1T2")
	f.prefer(0, 0)
	for n := range uint16(5) {
		d := vp8(0x7ffd+2*n&0x7fff, uint8(254+n), 0, false)
		d.KeyFrame = n == 0
		got := f.decide(in{Descriptor: d})
		require.Equal(t, layer.VP8Numbers{Replace: true, PictureID: n + 1, TL0PicIdx: uint8(n + 1)}, got.VP8)
		require.False(t, f.forwards(in{Descriptor: vp8((0x7ffe+2*n)&0x7fff, uint8(254+n), 1, true)}))
	}
}

func TestVP8WithOnlyOneOfItsNumbers(t *testing.T) {
	withoutID := func(tl0 uint8) codec.Descriptor {
		d := vp8(0, tl0, 0, false)
		d.PictureIDLen, d.PictureIDOffset = 0, 0
		return d
	}
	f := newSVC(t, codec.VP8, "L1T2")
	require.Equal(t, layer.VP8Numbers{Replace: true, TL0PicIdx: 1}, f.decide(in{Descriptor: keyFrame(withoutID(7))}).VP8)
	require.Equal(t, layer.VP8Numbers{Replace: true, TL0PicIdx: 2}, f.decide(in{Descriptor: withoutID(8)}).VP8)

	withoutTL0 := func(id uint16) codec.Descriptor {
		d := vp8(id, 0, 0, false)
		d.TL0PicIdxOffset, d.HasTemporalLayer = 0, false
		return d
	}
	f = newSVC(t, codec.VP8, "L1T2")
	require.Equal(t, layer.VP8Numbers{Replace: true, PictureID: 1}, f.decide(in{Descriptor: keyFrame(withoutTL0(500))}).VP8)
	require.Equal(t, layer.VP8Numbers{Replace: true, PictureID: 2}, f.decide(in{Descriptor: withoutTL0(501)}).VP8)
}

func TestVP9GoesUpAtSwitchingPoints(t *testing.T) {
	f := newSVC(t, codec.VP9, "L1T3")
	require.True(t, f.forwards(in{Descriptor: keyFrame(vp9(1, 0, 0, false))}))
	require.Equal(t, [2]int16{0, 0}, f.current())
	require.False(t, f.forwards(in{Descriptor: vp9(2, 0, 2, false)}))
	middle := vp9(3, 0, 2, true)
	middle.StartOfFrame = false
	require.False(t, f.forwards(in{Descriptor: middle}), "not in the middle of a frame")
	require.True(t, f.forwards(in{Descriptor: vp9(4, 0, 2, true)}))
	require.Equal(t, [2]int16{0, 2}, f.current())
	f.prefer(0, 1)
	middle = vp9(5, 0, 2, false)
	middle.StartOfFrame = false
	require.True(t, f.forwards(in{Descriptor: middle}), "goes down between frames only")
	unfinished := vp9(6, 0, 1, false)
	unfinished.EndOfFrame = false
	require.True(t, f.forwards(in{Descriptor: unfinished}))
	require.Equal(t, [2]int16{0, 2}, f.current())
	require.True(t, f.forwards(in{Descriptor: vp9(6, 0, 1, false)}))
	require.Equal(t, [2]int16{0, 1}, f.current())
	require.False(t, f.forwards(in{Descriptor: vp9(7, 0, 2, false)}))
}

// Spatial layers go up at key frames, and down at the end of a frame of the target.
func TestSpatialLayers(t *testing.T) {
	for name, frame := range map[string]func(id uint16, spatial uint8) codec.Descriptor{
		"VP9": func(id uint16, spatial uint8) codec.Descriptor { return vp9(id, spatial, 0, false) },
		"AV1": func(_ uint16, spatial uint8) codec.Descriptor { return described(codec.AV1, spatial, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			kind := frame(0, 0).Kind
			f := newSVC(t, kind, "L2T1")
			f.prefer(0, 0)
			d := f.decide(in{Descriptor: keyFrame(frame(1, 0))})
			require.Equal(t, layer.Forward, d.Action)
			require.True(t, d.Marker, "the frame of the highest forwarded layer ends the picture")
			require.False(t, f.forwards(in{Descriptor: frame(1, 1)}))

			f.c.takeKeyFrames()
			f.prefer(1, 0)
			require.Equal(t, []int{0}, f.c.takeKeyFrames(), "to go up takes a key frame")
			require.True(t, f.forwards(in{Descriptor: frame(2, 0)}))
			require.False(t, f.forwards(in{Descriptor: frame(2, 1)}))
			d = f.decide(in{Descriptor: keyFrame(frame(3, 0))})
			require.Equal(t, layer.Forward, d.Action)
			require.True(t, d.LayersChanged)
			require.False(t, d.Marker, "another frame of the picture follows")
			require.True(t, f.decide(in{Descriptor: frame(3, 1)}).Marker)
			require.Equal(t, [2]int16{1, 0}, f.current())

			f.prefer(0, 0)
			require.Empty(t, f.c.takeKeyFrames(), "to go down takes none")
			require.True(t, f.forwards(in{Descriptor: frame(3, 1)}), "the picture is finished")
			unfinished := frame(4, 0)
			unfinished.EndOfFrame = false
			require.True(t, f.forwards(in{Descriptor: unfinished}))
			require.Equal(t, [2]int16{1, 0}, f.current())
			require.True(t, f.decide(in{Descriptor: frame(4, 0)}).Marker)
			require.Equal(t, [2]int16{0, 0}, f.current())
			require.False(t, f.forwards(in{Descriptor: frame(4, 1)}))
			require.False(t, f.forwards(in{Descriptor: frame(5, 2)}), "a layer that was not negotiated")
		})
	}
}

func TestKSVCChangesSpatialLayersAtKeyFramesOnly(t *testing.T) {
	f := newSVC(t, codec.VP9, "L2T1_KEY")
	require.True(t, f.forwards(in{Descriptor: keyFrame(vp9(1, 0, 0, false))}), "higher layers need it in key frames")
	inKeyFrame := vp9(1, 1, 0, false)
	inKeyFrame.InterPicture = false
	require.True(t, f.forwards(in{Descriptor: inKeyFrame}))
	require.False(t, f.forwards(in{Descriptor: vp9(2, 0, 0, false)}), "and in no other frame")
	require.True(t, f.forwards(in{Descriptor: vp9(2, 1, 0, false)}))
	f.prefer(0, 0)
	require.Equal(t, []int{0}, f.c.takeKeyFrames(), "to go down takes a key frame, too")
	require.False(t, f.forwards(in{Descriptor: vp9(3, 0, 0, false)}))
	require.True(t, f.forwards(in{Descriptor: vp9(3, 1, 0, false)}))
	require.True(t, f.forwards(in{Descriptor: keyFrame(vp9(4, 0, 0, false))}))
	require.False(t, f.forwards(in{Descriptor: vp9(4, 1, 0, false)}))
	require.True(t, f.forwards(in{Descriptor: vp9(5, 0, 0, false)}))
}

// AV1 and H264 have no switching points: the temporal layer goes up one by one.
func TestTemporalLayersByDependencyDescriptor(t *testing.T) {
	for name, kind := range map[string]codec.Kind{"AV1": codec.AV1, "H264": codec.H264} {
		t.Run(name, func(t *testing.T) {
			f := newSVC(t, kind, "L1T3")
			require.True(t, f.forwards(in{Descriptor: keyFrame(described(kind, 0, 0)), ts: 1}))
			require.False(t, f.forwards(in{Descriptor: described(kind, 0, 2), ts: 2}), "may need what was dropped")
			require.True(t, f.forwards(in{Descriptor: described(kind, 0, 1), ts: 3}))
			require.True(t, f.forwards(in{Descriptor: described(kind, 0, 2), ts: 4}))
			require.Equal(t, [2]int16{0, 2}, f.current())
			f.prefer(0, 1)
			require.True(t, f.forwards(in{Descriptor: described(kind, 0, 1), ts: 5}))
			require.Equal(t, [2]int16{0, 1}, f.current())
			require.False(t, f.forwards(in{Descriptor: described(kind, 0, 2), ts: 6}))
		})
	}
}

func TestH264ForwardsFramesWhole(t *testing.T) {
	f := newSVC(t, codec.H264, "L1T2")
	require.True(t, f.forwards(in{Descriptor: keyFrame(described(codec.H264, 0, 0)), ts: 1}))
	require.True(t, f.forwards(in{Descriptor: described(codec.H264, 0, 1), ts: 2}))
	f.prefer(0, 0)
	require.True(t, f.forwards(in{Descriptor: described(codec.H264, 0, 1), ts: 2}), "the frame was begun")
	require.False(t, f.forwards(in{Descriptor: described(codec.H264, 0, 1), ts: 3}))
	f.prefer(0, 1)
	require.False(t, f.forwards(in{Descriptor: described(codec.H264, 0, 1), ts: 3}), "the frame was dropped")
	f.prefer(0, 0)
	require.True(t, f.forwards(in{Descriptor: described(codec.H264, 0, 0), ts: 4}))
	require.True(t, f.forwards(in{Descriptor: described(codec.H264, 0, 0), ts: 2}), "late, of a layer that is forwarded")
	require.False(t, f.forwards(in{Descriptor: described(codec.H264, 0, 1), ts: 2}), "late, of one that is not")
}
