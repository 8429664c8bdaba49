package layer

import (
	"fmt"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// ID names a layer of a consumer's stream: the spatial one and, of it, the temporal one. With simulcast the spatial layer is
// the index of the encoding.
type ID struct{ Spatial, Temporal int16 }

// None is no layer at all.
var None = ID{-1, -1}

// String returns a layer as statistics name it, such as "2.0".
func (l ID) String() string {
	if l == None {
		return "none"
	}
	return fmt.Sprintf("%d.%d", l.Spatial, l.Temporal)
}

// Layers are the layers of a selector, as dumps show them.
type Layers struct {
	// Preferred are the application's choice: forwarded when bandwidth allows.
	Preferred ID
	// Target are aimed at; Current become it where the codec allows.
	Target ID
	// Current are forwarded.
	Current ID
}

// Action is what becomes of a packet.
type Action uint8

// Actions.
const (
	// Forward sends the packet.
	Forward Action = iota
	// Hold keeps the packet: it may belong to a key frame whose first packet is late.
	Hold
	// DropEmpty, DropDTX and DropLayer leave the packet out for good: sequence numbers go on as if it had never been. It has
	// no payload, is silence, or is of a layer above the current ones.
	DropEmpty
	DropDTX
	DropLayer
	// Ignore drops a packet of another stream than the current one: its sequence number means nothing to the receiver.
	Ignore
)

// Sync says how a forwarded packet's sequence number follows from the numbers sent before.
type Sync uint8

// Ways to go on.
const (
	// Continue: the packet is one more of the stream.
	Continue Sync = iota
	// Resync: the packet is the first after an interruption. It gets the number after the last one sent.
	Resync
	// Switch: as Resync, but another stream begins. If the frame before was cut short, a number is left out, so that the
	// receiver knows.
	Switch
)

// Decision is what a selector wants done with a packet. The fields behind Action matter for Forward only.
type Decision struct {
	Action Action
	Sync   Sync
	// LayersChanged: other layers than before are current from this packet on.
	LayersChanged bool
	// Marker is the RTP marker to be sent.
	Marker bool
	// TimestampOffset is to be subtracted from the RTP timestamp.
	TimestampOffset unit.Timestamp
	// VP8 holds the numbers to be sent in VP8's payload descriptor.
	VP8 VP8Numbers
}

// VP8Numbers replace those of a VP8 payload descriptor (RFC 7741 section 4.2), if Replace is set: both that it has.
type VP8Numbers struct {
	Replace   bool
	TL0PicIdx uint8
	PictureID uint16 // 15 bits
}

// KeyFrameScope says which streams a key frame is wanted of.
type KeyFrameScope uint8

// Scopes of key frame requests.
const (
	// CurrentAndTarget: of what is forwarded and of what is aimed at.
	CurrentAndTarget KeyFrameScope = iota
	// CurrentOnly: of what is forwarded.
	CurrentOnly
)

// Consumer is what a selector asks of the consumer that it selects for.
type Consumer interface {
	// Active reports whether the consumer forwards at all.
	Active() bool
	// ExternalBitrate reports whether the transport chooses the target layers, by Increase and Apply.
	ExternalBitrate() bool
	// ActiveSince returns when the consumer was attached or its score last left 0, whichever is later.
	ActiveSince() unit.Time
	// NewestSent returns the newest RTP timestamp sent, and when it was; false if nothing was sent yet.
	NewestSent() (ts unit.Timestamp, at unit.Time, ok bool)
	// RequestKeyFrame asks the producer for a key frame of an encoding.
	RequestKeyFrame(encoding int)
	// RequestBitrate asks the transport to distribute its bandwidth again, as other layers would be better.
	RequestBitrate()
	// DropHeld gives up the packets that were held: their stream is no longer the target.
	DropHeld()
}

// Selector decides what a consumer forwards.
type Selector interface {
	// Decide says what becomes of a packet. encoding is the index of its encoding among those that can be consumed, -1 if it
	// is of none.
	Decide(now unit.Time, pkt *packet.Packet, encoding int) Decision
	// Forwards reports whether the stream of an encoding is what the receiver gets, so that a packet of it that is left out
	// has to be left out of the sequence numbers.
	Forwards(encoding int) bool

	// Attach takes the producer's streams in the beginning.
	Attach(streams []Stream)
	// Update takes a change of one of the producer's streams.
	Update(now unit.Time, u StreamUpdate)
	// Start resumes, with a key frame, if the consumer is active.
	Start(now unit.Time)
	// Stop: the consumer is no longer active.
	Stop()
	// RequestKeyFrame asks for key frames by way of Consumer.RequestKeyFrame.
	RequestKeyFrame(scope KeyFrameScope)
	// Stream returns the producer's stream that is forwarded; false if none is, or several are.
	Stream() (Stream, bool)

	// Layers returns the preferred, target and current layers.
	Layers() Layers
	// Prefer sets the preferred layers; Reconsider makes them count.
	Prefer(l ID)
	// Reconsider makes the layers that are best now the target or, if the transport chooses the target, asks it to: if the
	// spatial layer would change, or with force.
	Reconsider(now unit.Time, force bool)
	// LimitTemporal leaves out temporal layers above the given one from the next picture on, while the path is congested.
	LimitTemporal(highest int16)
	// TakeChange reports whether the current layers changed outside of Decide since the last call.
	TakeChange() bool

	// Bitrate allocation, for consumers whose bitrate the transport manages.

	// Increase takes the next higher layer provisionally if it fits into the available bitrate, and returns the additional
	// bitrate used, 0 if there is none that fits. loss is the receiver's packet loss in per cent, or IgnoreLoss.
	Increase(now unit.Time, available unit.Bitrate, loss float32) unit.Bitrate
	// Apply makes the layers taken since the last Apply the target, none if none were.
	Apply(now unit.Time)
	// Desired returns what would be used if bandwidth were unlimited.
	Desired() unit.Bitrate
	// Reachable returns the layers that would be forwarded then, None where there are none to choose from.
	Reachable(now unit.Time) ID
}

// IgnoreLoss makes Increase take the available bitrate as it is.
const IgnoreLoss float32 = -1

// Config describes the streams that layers are selected of.
type Config struct {
	Codec codec.Kind
	// Encodings is how many encodings can be consumed.
	Encodings int
	// Mode says which layers the consumer's stream has.
	Mode ScalabilityMode
	// Preferred are the preferred layers in the beginning.
	Preferred ID
	// ClockRate of the codec in Hz.
	ClockRate uint32
	// TemporalLimitAtPreferredOnly: the preferred temporal layer counts in the preferred spatial layer only (mediasoup up to
	// 3.25.0).
	TemporalLimitAtPreferredOnly bool
	// SharpFirst: a higher spatial layer is preferred to more frames of a lower one (mediasoup).
	SharpFirst bool
}

// withoutLayers is the part of a selector that has no layers to choose from.
type withoutLayers struct{}

func (withoutLayers) Prefer(ID) {}

func (withoutLayers) Reconsider(unit.Time, bool) {}

func (withoutLayers) LimitTemporal(int16) {}

func (withoutLayers) TakeChange() bool { return false }

func (withoutLayers) Reachable(unit.Time) ID { return None }
