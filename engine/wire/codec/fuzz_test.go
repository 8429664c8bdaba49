package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/codec"
	"gazpacho/internal/fuzzseed"
)

// fuzzPayload checks what holds for every payload: an error leaves nothing behind, offsets lie within the payload, fields
// keep to their width, and the payload is only read.
func fuzzPayload(tf *testing.F, k codec.Kind, seeds ...string) {
	tf.Helper()
	f := fuzzseed.New(tf, 2000)
	f.Add([]byte{})
	for _, s := range seeds {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := append([]byte(nil), payload...)
		var d codec.Descriptor
		if codec.Parse(k, payload, nil, &d) != nil {
			require.Equal(t, codec.Descriptor{Kind: k}, d)
			return
		}
		require.Equal(t, before, append([]byte(nil), payload...))
		require.LessOrEqual(t, int(d.PictureIDOffset+d.PictureIDLen), len(payload))
		require.Equal(t, d.HasPictureID(), d.PictureIDLen > 0)
		if d.HasTL0PicIdx() {
			require.Equal(t, payload[d.TL0PicIdxOffset], d.TL0PicIdx)
		}
		switch d.PictureIDLen {
		case 1:
			require.Equal(t, uint16(payload[d.PictureIDOffset]), d.PictureID)
		case 2:
			require.Equal(t, [2]byte{payload[d.PictureIDOffset] & 0x7f, payload[d.PictureIDOffset+1]}, [2]byte{byte(d.PictureID >> 8), byte(d.PictureID)})
		}
		require.Less(t, d.SpatialLayer, uint8(8))
		require.Less(t, d.TemporalLayer, uint8(8))
		require.Less(t, d.KeyIdx, uint8(32))
		if d.KeyFrame {
			require.NotEmpty(t, payload)
			require.False(t, d.InterPicture)
		}
	})
}

func FuzzVP8(f *testing.F) {
	fuzzPayload(f, codec.VP8, "90 f0 ffff 05 c3 00", "d0 80 11 00", "10 00", "80 10 ff")
}

func FuzzVP9(f *testing.F) {
	fuzzPayload(f, codec.VP9, "ad 8000 30 05 00", "28 ef 09", "30 02 09", "80 7f")
}

func FuzzH264(f *testing.F) {
	fuzzPayload(f, codec.H264, "78 0002 0910 0002 68ce 0002 6742", "7c87", "07801100", "78 00ff 68ce 0002 6742")
}

func FuzzAV1(f *testing.F) {
	fuzzPayload(f, codec.AV1, "1830", "2081000a0b", "00ffffffffff", "900a0b")
}

func FuzzOpus(f *testing.F) { fuzzPayload(f, codec.Opus, "78", "7a00", "7b0102") }

// Two descriptors after each other: whatever the first leaves in the structure, the second finds a layer in bounds.
func FuzzDependencyDescriptor(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	f.Add(unhex(f, svcKeyFrame), unhex(f, "000130"))
	f.Add(unhex(f, twoLayersKeyFrame), unhex(f, "0000e944"))
	f.Add(keyFrame(61, 61, 6, []uint32{1, 2, 1, 2, 0, 1}, 0x15, true), []byte{3, 0, 0})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var s codec.DependencyStructure
		var d codec.Descriptor
		for _, b := range [][]byte{first, second} {
			before := s
			if b == nil || s.Parse(codec.AV1, nil, b, &d) != nil {
				require.Equal(t, before, s)
				continue
			}
			spatial, temporal := s.Layers()
			require.Less(t, d.SpatialLayer, spatial)
			require.Less(t, d.TemporalLayer, temporal)
			require.LessOrEqual(t, spatial, uint8(4))
			require.LessOrEqual(t, temporal, uint8(8))
			if !d.KeyFrame {
				require.Equal(t, before, s)
			}
			var alone codec.Descriptor
			require.NoError(t, codec.Parse(codec.AV1, nil, b, &alone))
			require.Equal(t, d.KeyFrame, alone.KeyFrame)
			require.Equal(t, d.FrameNumber, alone.FrameNumber)
		}
	})
}
