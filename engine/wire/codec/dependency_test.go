package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/codec"
)

const (
	// A key frame of one spatial and three temporal layers with five templates, from libwebrtc (webrtc issue 42225660).
	svcKeyFrame = "80012f8002 14eaa860414d14102084 26"
	// A key frame of one spatial and two temporal layers with its resolution, from libwebrtc.
	twoLayersKeyFrame = "8000e880011ea85141010c13fc0b3c"
)

// bitWriter writes dependency descriptors for tests.
type bitWriter struct {
	b []byte
	n int
}

func (w *bitWriter) put(n int, v uint32) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

// keyFrame writes a descriptor with one template per element of next and one more, where next says what leads from each
// template to the following. offset is the first template's id and targets the number of decode targets; active is their
// mask if it is not 0.
func keyFrame(template, offset uint8, targets int, next []uint32, active uint32, resolutions bool) []byte {
	w := &bitWriter{}
	w.put(2, 3)
	w.put(6, uint32(template))
	w.put(16, 0x0102)
	w.put(2, 2)
	if active != 0 {
		w.b[3] |= 0x40
	}
	w.put(3, 0)
	w.put(6, uint32(offset))
	w.put(5, uint32(targets-1))
	spatial := 1
	for _, v := range next {
		w.put(2, v)
		if v == 2 {
			spatial++
		}
	}
	w.put(2, 3)
	for range len(next) + 1 {
		for range targets {
			w.put(2, 2)
		}
	}
	for range len(next) + 1 {
		w.put(5, 0x10|3) // one frame difference
		w.put(1, 0)
	}
	putNonSymmetric(w, uint32(targets)+1, 0) // no chains
	if resolutions {
		w.put(1, 1)
		for range spatial {
			w.put(32, 0x027f0167)
		}
	} else {
		w.put(1, 0)
	}
	if active != 0 {
		w.put(targets, active)
	}
	return w.b
}

// putNonSymmetric writes v as ns(n) for values that take the short form.
func putNonSymmetric(w *bitWriter, n, v uint32) {
	bits := 0
	for n>>bits > 1 {
		bits++
	}
	w.put(bits, v)
}

func TestDependencyDescriptor(t *testing.T) {
	var s codec.DependencyStructure
	var d codec.Descriptor
	require.NoError(t, s.Parse(codec.AV1, nil, unhex(t, svcKeyFrame), &d))
	require.Equal(t, codec.Descriptor{
		Kind: codec.AV1, KeyFrame: true, StartOfFrame: true, HasSpatialLayer: true, HasTemporalLayer: true,
		HasDependency: true, FrameNumber: 303, ActiveDecodeTargets: 7,
	}, d)
	spatial, temporal := s.Layers()
	require.Equal(t, uint8(1), spatial)
	require.Equal(t, uint8(3), temporal)
	for template, want := range []uint8{0, 0, 1, 2, 2} {
		require.NoError(t, s.Parse(codec.AV1, nil, []byte{0x40 | byte(template), 0x01, 0x30}, &d))
		require.Equal(t, codec.Descriptor{
			Kind: codec.AV1, EndOfFrame: true, HasSpatialLayer: true, HasTemporalLayer: true, TemporalLayer: want,
			HasDependency: true, FrameNumber: 304, TemplateID: uint8(template),
		}, d)
	}
	require.ErrorIs(t, s.Parse(codec.AV1, nil, []byte{5, 1, 0x31}, &d), codec.ErrPayload, "no such template")
	require.Equal(t, codec.Descriptor{Kind: codec.AV1}, d)
}

func TestDependencyDescriptorWithResolutions(t *testing.T) {
	var s codec.DependencyStructure
	var d codec.Descriptor
	require.NoError(t, s.Parse(codec.H264, nil, unhex(t, twoLayersKeyFrame), &d))
	require.True(t, d.KeyFrame)
	require.Equal(t, uint16(232), d.FrameNumber)
	require.Equal(t, uint32(3), d.ActiveDecodeTargets)
	require.NoError(t, s.Parse(codec.H264, nil, unhex(t, "0200e9"), &d))
	require.Equal(t, uint8(1), d.TemporalLayer)
	require.False(t, d.KeyFrame)
	require.NoError(t, s.Parse(codec.H264, nil, unhex(t, "0000e9 44"), &d))
	require.Equal(t, uint32(2), d.ActiveDecodeTargets, "the mask 10 of two decode targets")
}

func TestDependencyDescriptorOfManyLayers(t *testing.T) {
	// Three spatial layers of two temporal ones, the ids of whose templates wrap at 64.
	b := keyFrame(61, 61, 6, []uint32{1, 2, 1, 2, 0, 1}, 0x15, true)
	var s codec.DependencyStructure
	var d codec.Descriptor
	require.NoError(t, s.Parse(codec.AV1, nil, b, &d))
	require.Equal(t, uint32(0x15), d.ActiveDecodeTargets)
	require.Equal(t, uint16(0x0102), d.FrameNumber)
	spatial, temporal := s.Layers()
	require.Equal(t, uint8(3), spatial)
	require.Equal(t, uint8(2), temporal)
	for id, want := range map[byte][2]uint8{61: {0, 0}, 62: {0, 1}, 63: {1, 0}, 0: {1, 1}, 1: {2, 0}, 2: {2, 0}, 3: {2, 1}} {
		require.NoError(t, s.Parse(codec.AV1, nil, []byte{id, 0, 0}, &d))
		require.Equal(t, want, [2]uint8{d.SpatialLayer, d.TemporalLayer}, id)
	}
	require.Error(t, s.Parse(codec.AV1, nil, []byte{4, 0, 0}, &d))
	require.Error(t, s.Parse(codec.AV1, nil, []byte{60, 0, 0}, &d))
}

func TestDependencyDescriptorOf32DecodeTargets(t *testing.T) {
	var s codec.DependencyStructure
	var d codec.Descriptor
	require.NoError(t, s.Parse(codec.AV1, nil, keyFrame(0, 0, 32, nil, 0, false), &d))
	require.Equal(t, uint32(1<<32-1), d.ActiveDecodeTargets)
	require.NoError(t, s.Parse(codec.AV1, nil, keyFrame(0, 0, 32, nil, 1<<31|1, false), &d))
	require.Equal(t, uint32(1<<31|1), d.ActiveDecodeTargets)
}

// A stream knows only the layers of its last complete key frame.
func TestDependencyStructureIsReplacedAsAWhole(t *testing.T) {
	var s codec.DependencyStructure
	var d codec.Descriptor
	require.Error(t, s.Parse(codec.AV1, nil, unhex(t, "000000"), &d), "no key frame yet")
	require.NoError(t, s.Parse(codec.AV1, nil, unhex(t, twoLayersKeyFrame), &d))
	before := s
	whole := keyFrame(0, 0, 6, []uint32{1, 2, 1, 2, 1}, 0, true)
	for n := 4; n < len(whole); n++ {
		require.Error(t, s.Parse(codec.AV1, nil, whole[:n:n], &d), n)
		require.Equal(t, codec.Descriptor{Kind: codec.AV1}, d)
		require.Equal(t, before, s)
	}
	require.Error(t, s.Parse(codec.AV1, nil, keyFrame(9, 0, 1, nil, 0, false), &d), "a key frame of an unknown template")
	require.Equal(t, before, s)
	require.NoError(t, s.Parse(codec.AV1, nil, whole, &d))
	spatial, temporal := s.Layers()
	require.Equal(t, [2]uint8{3, 2}, [2]uint8{spatial, temporal})
}

func TestDependencyStructureBounds(t *testing.T) {
	same := make([]uint32, 64)
	for name, next := range map[string][]uint32{
		"65 templates":       same,
		"5 spatial layers":   {2, 2, 2, 2},
		"9 temporal layers":  {1, 1, 1, 1, 1, 1, 1, 1},
		"layers without end": same[:0],
	} {
		b := keyFrame(0, 0, 1, next, 0, false)
		if len(next) == 0 {
			b = append(b[:4:4], make([]byte, 3)...)
		}
		require.ErrorIs(t, new(codec.DependencyStructure).Parse(codec.AV1, nil, b, new(codec.Descriptor)), codec.ErrPayload, name)
	}
	var s codec.DependencyStructure
	var d codec.Descriptor
	require.NoError(t, s.Parse(codec.AV1, nil, keyFrame(0, 0, 1, same[:63], 0, false), &d))
	require.NoError(t, s.Parse(codec.AV1, nil, keyFrame(0, 0, 1, []uint32{2, 2, 2, 1, 1, 1, 1, 1, 1, 1}, 0, false), &d))
	spatial, temporal := s.Layers()
	require.Equal(t, [2]uint8{4, 8}, [2]uint8{spatial, temporal})
}

// Without the stream's templates, a descriptor gives key frames and frame boundaries.
func TestStatelessDependencyDescriptor(t *testing.T) {
	want := codec.Descriptor{Kind: codec.AV1, KeyFrame: true, StartOfFrame: true, HasDependency: true, FrameNumber: 303}
	require.Equal(t, want, describe(t, codec.AV1, "", svcKeyFrame))
	want = codec.Descriptor{Kind: codec.AV1, EndOfFrame: true, HasDependency: true, FrameNumber: 1, TemplateID: 2}
	require.Equal(t, want, describe(t, codec.AV1, "", "420001"))
	var d codec.Descriptor
	for n := range 3 {
		require.ErrorIs(t, codec.Parse(codec.AV1, nil, make([]byte, n), &d), codec.ErrPayload, n)
	}
}

// Without descriptor, the aggregation header shows where a coded video sequence begins (RTP Payload Format For AV1, section
// 4.4).
func TestAV1WithoutDependencyDescriptor(t *testing.T) {
	for payload, keyFrame := range map[string]bool{
		"1830":         true,  // one OBU
		"080130":       true,  // any number of them
		"5830":         true,  // goes on in the next packet
		"1030":         false, // of the sequence before
		"9830":         false, // both the beginning and not
		"9030":         false,
		"18":           false, // holds nothing
		"":             false,
		"100a0b":       true,  // a sequence header, which only the first packet has
		"00020a0b":     true,  // the same behind its length
		"2081000a0b":   true,  // of two bytes
		"900a0b":       false, // not the beginning of an OBU
		"0002":         false, // cut off
		"00ffffffffff": false, // a length without end
	} {
		var d codec.Descriptor
		require.NoError(t, codec.Parse(codec.AV1, unhex(t, payload), nil, &d))
		require.Equal(t, codec.Descriptor{Kind: codec.AV1, KeyFrame: keyFrame}, d, payload)
	}
}

// H264 goes by its dependency descriptor, and by its payload when that is of no use.
func TestH264DependencyDescriptor(t *testing.T) {
	var s codec.DependencyStructure
	var d codec.Descriptor
	sps, slice := unhex(t, "6742"), unhex(t, "419a")
	for _, dependency := range []string{"", "80", "000001", "0000018000"} {
		require.NoError(t, s.Parse(codec.H264, sps, unhex(t, dependency), &d), dependency)
		require.Equal(t, codec.Descriptor{Kind: codec.H264, KeyFrame: true}, d, dependency)
		require.NoError(t, s.Parse(codec.H264, slice, unhex(t, dependency), &d), dependency)
		require.Equal(t, codec.Descriptor{Kind: codec.H264}, d, dependency)
	}
	require.NoError(t, s.Parse(codec.H264, slice, unhex(t, twoLayersKeyFrame), &d))
	require.True(t, d.KeyFrame)
	require.NoError(t, s.Parse(codec.H264, sps, unhex(t, "0000e9"), &d))
	require.False(t, d.KeyFrame)
	require.True(t, d.HasTemporalLayer)
}

// Chains are gone over: two of them protect three decode targets.
func TestDependencyDescriptorWithChains(t *testing.T) {
	w := &bitWriter{}
	w.put(24, 0xc00001)
	w.put(5, 0x10)
	w.put(6, 0)
	w.put(5, 2) // three decode targets
	w.put(2, 3) // one template
	w.put(6, 0) // its decode target indications
	w.put(1, 0) // no frame differences
	w.put(2, 2) // ns(4): two chains
	w.put(1, 0) // ns(2) for each decode target
	w.put(1, 1)
	w.put(1, 1)
	w.put(8, 0x57) // frame differences of the chains
	w.put(1, 1)    // resolutions
	w.put(32, 0x027f0167)
	end := w.n
	var s codec.DependencyStructure
	var d codec.Descriptor
	require.NoError(t, s.Parse(codec.AV1, nil, w.b, &d))
	require.Equal(t, uint32(7), d.ActiveDecodeTargets)
	require.Error(t, s.Parse(codec.AV1, nil, w.b[:(end-1)/8], &d))
}
