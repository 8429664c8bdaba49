// Package codec reads what forwarding needs to know of an RTP payload: whether a key frame begins here, which layer the packet
// belongs to, whether it is silence, and where the fields are that change when layers are dropped. It never decodes media.
//
// Parsing is stateless, with one exception: the layers of AV1 are described by templates that only key frames carry, which
// the receiver of a stream keeps in a DependencyStructure.
package codec

import "errors"

// ErrPayload: a payload, or the dependency descriptor beside it, is malformed.
var ErrPayload = errors.New("codec: malformed payload")

// Descriptor describes the payload of one packet. It is a plain value and holds no reference to the payload.
// Offsets are in bytes from the start of the payload; an offset of 0 means that the field is absent, as none can be first.
type Descriptor struct {
	Kind Kind
	// KeyFrame: a receiver that has no earlier packet can start decoding with this one.
	KeyFrame bool
	// DTX: the packet carries discontinued transmission, which is silence (Opus).
	DTX bool

	SpatialLayer     uint8
	TemporalLayer    uint8
	HasSpatialLayer  bool
	HasTemporalLayer bool

	// StartOfFrame: the first packet of a frame, which in VP9 and AV1 is one spatial layer of a picture.
	StartOfFrame bool
	// EndOfFrame: the last packet of a frame (VP9, AV1).
	EndOfFrame bool
	// SwitchingPoint: a receiver may go up to this packet's temporal layer here (VP8's Y, VP9's U).
	SwitchingPoint bool
	// InterPicture: the frame is predicted from an earlier picture (VP9's P).
	InterPicture bool
	// InterLayer: the frame is predicted from the next lower spatial layer of its picture (VP9's D).
	InterLayer bool
	// NotReference: no other frame depends on this one (VP8's N), or no higher spatial layer does (VP9's Z).
	NotReference bool
	// FlexibleMode: the packet itself names the pictures that it is predicted from (VP9's F).
	FlexibleMode bool
	// HasScalabilityStructure: the payload lists the layers and their dimensions (VP9's V).
	HasScalabilityStructure bool

	// PictureID has 7 bits when PictureIDLen is 1 byte and 15 bits when it is 2; it begins at PictureIDOffset.
	PictureID       uint16
	PictureIDLen    uint8
	PictureIDOffset uint8
	// TL0PicIdx counts the pictures of temporal layer 0; it lies at TL0PicIdxOffset.
	TL0PicIdx       uint8
	TL0PicIdxOffset uint8
	// KeyIdx is VP8's temporal key frame index, when HasKeyIdx.
	KeyIdx    uint8
	HasKeyIdx bool

	// HasDependency: FrameNumber and TemplateID are those of a dependency descriptor.
	HasDependency bool
	TemplateID    uint8
	FrameNumber   uint16
	// ActiveDecodeTargets is the dependency descriptor's bit mask of decode targets in use, 0 when it has none.
	ActiveDecodeTargets uint32
}

// HasPictureID reports whether the payload carries a picture id.
func (d *Descriptor) HasPictureID() bool { return d.PictureIDOffset != 0 }

// HasTL0PicIdx reports whether the payload carries a TL0PICIDX.
func (d *Descriptor) HasTL0PicIdx() bool { return d.TL0PicIdxOffset != 0 }

// Parse describes one packet of codec k. dependencyDescriptor is the value of that header extension, nil when absent; only
// H264 and AV1 use it, and without a DependencyStructure it gives key frames and frame boundaries but no layers. An error
// means a payload that the format forbids; d is then zero but for its Kind.
func Parse(k Kind, payload, dependencyDescriptor []byte, d *Descriptor) error {
	return (*DependencyStructure)(nil).Parse(k, payload, dependencyDescriptor, d)
}

// Parse is the package's Parse for a stream whose templates s keeps: a key frame replaces them, other packets are looked up
// in them. A dependency descriptor that s cannot resolve is no error for H264, whose payload then shows the key frames.
func (s *DependencyStructure) Parse(k Kind, payload, dependencyDescriptor []byte, d *Descriptor) error {
	*d = Descriptor{Kind: k}
	ok := true
	switch k {
	case VP8:
		ok = parseVP8(payload, d)
	case VP9:
		ok = parseVP9(payload, d)
	case H264:
		if len(dependencyDescriptor) == 0 || !s.describe(dependencyDescriptor, d) {
			*d = Descriptor{Kind: k, KeyFrame: isH264KeyFrame(payload)}
		}
	case AV1:
		if dependencyDescriptor == nil {
			d.KeyFrame = isAV1KeyFrame(payload)
		} else {
			ok = s.describe(dependencyDescriptor, d)
		}
	case Opus, MultiOpus:
		ok = parseOpus(payload, d)
	}
	if !ok {
		*d = Descriptor{Kind: k}
		return ErrPayload
	}
	return nil
}
