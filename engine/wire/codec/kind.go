package codec

import "strings"

// Kind is a codec family, as far as forwarding tells codecs apart.
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

var kinds = map[string]Kind{
	"video/vp8":       VP8,
	"video/vp9":       VP9,
	"video/h264":      H264,
	"video/av1":       AV1,
	"audio/opus":      Opus,
	"audio/multiopus": MultiOpus,
}

// KindOf returns the kind of a mime type such as "video/VP8", in which case does not matter.
func KindOf(mimeType string) Kind { return kinds[strings.ToLower(mimeType)] }

// CanBeKeyFrame reports whether packets of the codec can be recognised as key frames without further state, so that a
// consumer may wait for one (upstream's rule, which leaves AV1 out).
func (k Kind) CanBeKeyFrame() bool { return k == VP8 || k == VP9 || k == H264 }

// ValidForSimulcast reports whether a simulcast consumer can switch between streams of this codec (upstream's table).
func (k Kind) ValidForSimulcast() bool { return k == VP8 || k == H264 }

// ValidForSVC reports whether an SVC consumer can select layers within a stream of this codec (upstream's table).
func (k Kind) ValidForSVC() bool { return k == VP8 || k == VP9 || k == H264 || k == AV1 }

// parse fills d and reports whether the payload is one that the codec allows.
func (k Kind) parse(payload, dependencyDescriptor []byte, d *Descriptor) bool {
	return true
}
