package codec

import "strings"

// Kind is a codec family, as far as forwarding distinguishes codecs.
type Kind uint8

// The codecs whose payload is read, and Other for the rest.
const (
	Other Kind = iota
	VP8
	VP9
	H264
	AV1
	Opus
	MultiOpus
)

// KindOf returns the kind of a mime type such as "video/VP8", in which case does not matter.
func KindOf(mimeType string) Kind {
	switch strings.ToLower(mimeType) {
	case "video/vp8":
		return VP8
	case "video/vp9":
		return VP9
	case "video/h264", "video/h264-svc": // the base layer is H264's, and what is above it is forwarded with it
		return H264
	case "video/av1":
		return AV1
	case "audio/opus":
		return Opus
	case "audio/multiopus":
		return MultiOpus
	}
	return Other
}

// CanBeKeyFrame reports whether a consumer of the codec waits for a key frame before it begins, and asks for one. mediasoup's
// table leaves AV1 out, whose key frames it does not recognise without a dependency descriptor; its receivers then get packets
// that they cannot decode, for up to a second.
func (k Kind) CanBeKeyFrame() bool { return k == VP8 || k == VP9 || k == H264 || k == AV1 }

// ValidForSimulcast reports whether a simulcast consumer can switch between streams of the codec (mediasoup's table).
func (k Kind) ValidForSimulcast() bool { return k == VP8 || k == H264 }

// ValidForSVC reports whether an SVC consumer can select layers within a stream of the codec (mediasoup's table).
func (k Kind) ValidForSVC() bool { return k == VP8 || k == VP9 || k == H264 || k == AV1 }

// UsesDependencyDescriptor reports whether the codec's layers are in the dependency descriptor extension.
func (k Kind) UsesDependencyDescriptor() bool { return k == H264 || k == AV1 }
