package codec_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/codec"
)

// unhex returns the bytes of a hexadecimal string in which spaces are for the reader.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// describe parses a payload that must be good.
func describe(t testing.TB, k codec.Kind, payload, dependency string) codec.Descriptor {
	t.Helper()
	var d codec.Descriptor
	require.NoError(t, codec.Parse(k, unhex(t, payload), unhex(t, dependency), &d))
	require.Equal(t, k, d.Kind)
	return d
}

// requireMalformed parses a payload that must be refused.
func requireMalformed(t testing.TB, k codec.Kind, payload []byte) {
	t.Helper()
	d := codec.Descriptor{KeyFrame: true, PictureID: 5}
	require.ErrorIs(t, codec.Parse(k, payload, nil, &d), codec.ErrPayload)
	require.Equal(t, codec.Descriptor{Kind: k}, d)
}

func TestKind(t *testing.T) {
	for _, c := range []struct {
		mimeType                                 string
		kind                                     codec.Kind
		keyFrame, simulcast, svc, viaDescriptors bool
	}{
		{"video/VP8", codec.VP8, true, true, true, false},
		{"VIDEO/vp9", codec.VP9, true, false, true, false},
		{"video/H264", codec.H264, true, true, true, true},
		{"video/H264-SVC", codec.H264, true, true, true, true},
		{"video/AV1", codec.AV1, true, false, true, true},
		{"audio/opus", codec.Opus, false, false, false, false},
		{"audio/MULTIOPUS", codec.MultiOpus, false, false, false, false},
		{"video/H265", codec.Other, false, false, false, false},
		{"audio/PCMU", codec.Other, false, false, false, false},
		{"audio/VP8", codec.Other, false, false, false, false},
		{"video/rtx", codec.Other, false, false, false, false},
		{"", codec.Other, false, false, false, false},
	} {
		k := codec.KindOf(c.mimeType)
		require.Equal(t, c.kind, k, c.mimeType)
		require.Equal(t, c.keyFrame, k.CanBeKeyFrame(), c.mimeType)
		require.Equal(t, c.simulcast, k.ValidForSimulcast(), c.mimeType)
		require.Equal(t, c.svc, k.ValidForSVC(), c.mimeType)
		require.Equal(t, c.viaDescriptors, k.UsesDependencyDescriptor(), c.mimeType)
	}
}

func TestOther(t *testing.T) {
	require.Equal(t, codec.Descriptor{}, describe(t, codec.Other, "", ""))
	require.Equal(t, codec.Descriptor{}, describe(t, codec.Other, "0123456789", "80012f"))
}

func TestOpus(t *testing.T) {
	for _, k := range []codec.Kind{codec.Opus, codec.MultiOpus} {
		for payload, dtx := range map[string]bool{
			"78":     true,  // one frame, empty
			"7c":     true,  // the same in stereo
			"79":     true,  // two frames of one size, empty
			"7801":   false, // one frame
			"7901":   false,
			"7a00":   true, // two frames with a size each, both empty
			"7a0101": false,
			"7b01":   false, // any number of frames
			"7b0102": false,
		} {
			require.Equal(t, codec.Descriptor{Kind: k, DTX: dtx}, describe(t, k, payload, ""), payload)
		}
		requireMalformed(t, k, nil)
		requireMalformed(t, k, []byte{0x7a})
		requireMalformed(t, k, []byte{0x7b})
	}
}

func TestH264KeyFrame(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		want    bool
	}{
		"empty":                               {"", false},
		"one byte":                            {"67", false},
		"sequence parameter set":              {"6742", true},
		"as mediasoup's test has it":          {"07801100", true},
		"picture parameter set":               {"68ce", false},
		"IDR slice":                           {"6588", false},
		"non-IDR slice":                       {"419a", false},
		"STAP-A that begins with SPS":         {"78 0002 6742 0002 68ce", true},
		"STAP-A with SPS behind others":       {"78 0002 0910 0002 68ce 0002 6742", true},
		"STAP-A without SPS":                  {"78 0002 68ce 0002 6588", false},
		"STAP-A whose SPS is cut off":         {"78 0010 67", true},
		"STAP-A with an SPS behind a lie":     {"78 00ff 68ce 0002 6742", false},
		"STAP-A with an empty unit":           {"78 0000 0002 6742", true},
		"STAP-A with a size only":             {"78 0002", false},
		"STAP-A with an SPS like size":        {"78 0002 68", false},
		"first fragment of an SPS":            {"7c87", true},
		"later fragment of an SPS":            {"7c07", false},
		"first fragment of an IDR slice":      {"7c85", false},
		"first fragment of an SPS in an FU-B": {"7d87", true},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, codec.Descriptor{Kind: codec.H264, KeyFrame: c.want}, describe(t, codec.H264, c.payload, ""))
		})
	}
}

func TestVP8(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		want    codec.Descriptor
	}{
		"no extension, key frame":          {"10 00", codec.Descriptor{StartOfFrame: true, KeyFrame: true}},
		"no extension, inter frame":        {"10 01", codec.Descriptor{StartOfFrame: true}},
		"not the start of a partition":     {"00 00", codec.Descriptor{}},
		"start of the second partition":    {"11 00", codec.Descriptor{}},
		"start, but no payload":            {"10", codec.Descriptor{StartOfFrame: true}},
		"non-reference frame":              {"30 01", codec.Descriptor{StartOfFrame: true, NotReference: true}},
		"extension without fields":         {"90 00 00", codec.Descriptor{StartOfFrame: true, KeyFrame: true}},
		"picture id of one byte":           {"d0 80 11 00", codec.Descriptor{StartOfFrame: true, KeyFrame: true, PictureID: 17, PictureIDLen: 1, PictureIDOffset: 2}},
		"picture id of two bytes":          {"90 80 9234 01", codec.Descriptor{StartOfFrame: true, PictureID: 0x1234, PictureIDLen: 2, PictureIDOffset: 2}},
		"TL0PICIDX":                        {"80 40 07", codec.Descriptor{TL0PicIdx: 7, TL0PicIdxOffset: 2}},
		"temporal layer with sync":         {"80 20 a0", codec.Descriptor{HasTemporalLayer: true, TemporalLayer: 2, SwitchingPoint: true}},
		"key index only":                   {"80 10 ff", codec.Descriptor{HasKeyIdx: true, KeyIdx: 31}},
		"temporal layer without key index": {"80 20 5f", codec.Descriptor{HasTemporalLayer: true, TemporalLayer: 1}},
		"everything": {
			"90 f0 ffff 05 c3 00", codec.Descriptor{
				StartOfFrame: true, KeyFrame: true, PictureID: 0x7fff, PictureIDLen: 2, PictureIDOffset: 2,
				TL0PicIdx: 5, TL0PicIdxOffset: 4, HasTemporalLayer: true, TemporalLayer: 3, HasKeyIdx: true, KeyIdx: 3,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Kind = codec.VP8
			got := describe(t, codec.VP8, c.payload, "")
			require.Equal(t, c.want, got)
			require.Equal(t, c.want.PictureIDLen > 0, got.HasPictureID())
			require.Equal(t, c.want.TL0PicIdxOffset > 0, got.HasTL0PicIdx())
		})
	}
}

func TestVP8Truncated(t *testing.T) {
	whole := unhex(t, "90 f0 ffff 05 c3 00")
	for n := range 6 {
		requireMalformed(t, codec.VP8, whole[:n:n])
	}
	var d codec.Descriptor
	require.NoError(t, codec.Parse(codec.VP8, whole[:6:6], nil, &d))
	require.False(t, d.KeyFrame, "the frame's first byte is missing")
}

func TestVP9(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		want    codec.Descriptor
	}{
		"start of a key frame":   {"08", codec.Descriptor{StartOfFrame: true, KeyFrame: true}},
		"middle of a frame":      {"00", codec.Descriptor{}},
		"end of an inter frame":  {"44", codec.Descriptor{InterPicture: true, EndOfFrame: true}},
		"start of a inter frame": {"48", codec.Descriptor{InterPicture: true, StartOfFrame: true}},
		"scalability structure":  {"0a 00", codec.Descriptor{StartOfFrame: true, KeyFrame: true, HasScalabilityStructure: true}},
		"not a reference":        {"01", codec.Descriptor{NotReference: true}},
		"picture id of 7 bits":   {"80 7f", codec.Descriptor{PictureID: 127, PictureIDLen: 1, PictureIDOffset: 1}},
		"picture id of 15 bits":  {"80 ff 02", codec.Descriptor{PictureID: 0x7f02, PictureIDLen: 2, PictureIDOffset: 1}},
		"layers": {
			"ad 8000 30 05 00", codec.Descriptor{
				InterPicture: false, StartOfFrame: true, EndOfFrame: true, NotReference: true, KeyFrame: true,
				PictureIDLen: 2, PictureIDOffset: 1, HasSpatialLayer: true, HasTemporalLayer: true,
				TemporalLayer: 1, SwitchingPoint: true, TL0PicIdx: 5, TL0PicIdxOffset: 4,
			},
		},
		"upper spatial layer of a key frame": {
			"28 ef 09", codec.Descriptor{
				StartOfFrame: true, HasSpatialLayer: true, SpatialLayer: 7, HasTemporalLayer: true, TemporalLayer: 7,
				InterLayer: true, TL0PicIdx: 9, TL0PicIdxOffset: 2,
			},
		},
		"flexible mode": {
			"30 02 09", codec.Descriptor{FlexibleMode: true, HasSpatialLayer: true, SpatialLayer: 1, HasTemporalLayer: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Kind = codec.VP9
			require.Equal(t, c.want, describe(t, codec.VP9, c.payload, ""))
		})
	}
}

func TestVP9Truncated(t *testing.T) {
	for _, s := range []string{"ad 8000 30 05", "b0 05 30 05"} {
		whole := unhex(t, s)
		for n := range whole {
			requireMalformed(t, codec.VP9, whole[:n:n])
		}
		require.NoError(t, codec.Parse(codec.VP9, whole, nil, new(codec.Descriptor)))
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	vp8, vp9, h264 := unhex(t, "90 f0 ffff 05 c3 00"), unhex(t, "ad 8000 30 05 00"), unhex(t, "78 0002 68ce 0002 6588")
	av1, structure := unhex(t, svcKeyFrame), new(codec.DependencyStructure)
	var d codec.Descriptor
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if codec.Parse(codec.VP8, vp8, nil, &d) != nil || codec.Parse(codec.VP9, vp9, nil, &d) != nil ||
			codec.Parse(codec.H264, h264, nil, &d) != nil || codec.Parse(codec.Opus, vp8, nil, &d) != nil ||
			codec.Parse(codec.VP8, nil, nil, &d) == nil || structure.Parse(codec.AV1, nil, av1, &d) != nil {
			panic("unexpected")
		}
	}))
}

func BenchmarkParseVP8(b *testing.B) {
	payload := unhex(b, "90 f0 ffff 05 c3 00")
	var d codec.Descriptor
	b.ReportAllocs()
	for b.Loop() {
		if err := codec.Parse(codec.VP8, payload, nil, &d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseAV1(b *testing.B) {
	key, delta := unhex(b, svcKeyFrame), unhex(b, "000130")
	var s codec.DependencyStructure
	var d codec.Descriptor
	require.NoError(b, s.Parse(codec.AV1, nil, key, &d))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Parse(codec.AV1, nil, delta, &d); err != nil {
			b.Fatal(err)
		}
	}
}
