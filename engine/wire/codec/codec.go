// Package codec reads what a forwarder must know of an RTP payload: whether a key frame begins here, which layer the packet
// belongs to, whether it is silence, and where the fields are that change when layers are dropped. It never decodes media.
//
// Parsing is stateless, with one exception: the layers of AV1 are described by templates that only key frames carry, which
// the receiver of a stream keeps in a DependencyStructure.
package codec

import "errors"

// ErrPayload says that a payload (or dependency descriptor) is one that its format forbids.
var ErrPayload = errors.New("codec: malformed payload")

// Descriptor is what a forwarder wants to know about one packet. It is a plain value: it holds no reference to the payload.
// Offsets are in bytes from the start of the payload; an offset of 0 means that the field is absent, as none can be first.
type Descriptor struct {
	Kind Kind
	// KeyFrame: a receiver that has no earlier packet can start decoding with this one.
	KeyFrame bool
	// DTX: the packet carries discontinued transmission, that is silence (Opus).
	DTX bool

	SpatialLayer     uint8
	TemporalLayer    uint8
	HasSpatialLayer  bool
	HasTemporalLayer bool

	// StartOfFrame and EndOfFrame bracket a frame (VP9 and AV1) or begin a partition (VP8).
	StartOfFrame bool
	EndOfFrame   bool
	// SwitchingPoint: a receiver may go up to this packet's temporal layer here (VP8's Y, VP9's U).
	SwitchingPoint bool
	// InterPicture: the frame is predicted from an earlier one (VP9's P).
	InterPicture bool
	// InterLayer: the frame is predicted from the layer below of the same picture (VP9's D).
	InterLayer bool
	// NotReference: no other frame depends on this one (VP8's N), or no higher spatial layer does (VP9's Z).
	NotReference bool
	// HasScalabilityStructure: the payload carries the layers' dimensions (VP9's V).
	HasScalabilityStructure bool

	// PictureID has 7 bits when PictureIDLen is 1 and 15 bits when it is 2; it begins at PictureIDOffset.
	PictureID       uint16
	PictureIDLen    uint8
	PictureIDOffset uint8
	// TL0PicIdx counts the pictures of temporal layer 0; it lies at TL0PicIdxOffset.
	TL0PicIdx       uint8
	TL0PicIdxOffset uint8
	// KeyIdx is VP8's temporal key frame index.
	KeyIdx    uint8
	HasKeyIdx bool

	// FrameNumber and TemplateID are those of a dependency descriptor, when HasDependency.
	FrameNumber   uint16
	TemplateID    uint8
	HasDependency bool
}

// HasPictureID reports whether the payload carries a picture id.
func (d *Descriptor) HasPictureID() bool { return d.PictureIDOffset != 0 }

// HasTL0PicIdx reports whether the payload carries a TL0PICIDX.
func (d *Descriptor) HasTL0PicIdx() bool { return d.TL0PicIdxOffset != 0 }

// Parse describes one packet of codec k. dependencyDescriptor is the value of that header extension, nil when absent; only
// AV1 and H264 use it. An error is a payload that the format forbids; d is then zero but for its Kind.
func Parse(k Kind, payload, dependencyDescriptor []byte, d *Descriptor) error {
	*d = Descriptor{Kind: k}
	if !k.parse(payload, dependencyDescriptor, d) {
		*d = Descriptor{Kind: k}
		return ErrPayload
	}
	return nil
}
