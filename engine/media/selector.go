package media

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// action is what becomes of a packet.
type action uint8

const (
	forward action = iota
	// hold keeps the packet: it may belong to a key frame whose first packet is late.
	hold
	// dropEmpty, dropDTX and dropLayer leave a packet out for good, so that its sequence number is closed up.
	dropEmpty
	dropDTX
	dropLayer
	// ignore leaves a packet of another stream than the current one alone: its number means nothing to the receiver.
	ignore
)

// decision is what a selector wants done with a packet. Selectors decide and the consumer applies, so that they have
// nothing to do with sequence numbers, buffers or bytes.
type decision struct {
	action action
	// sync: the packet is the first after an interruption or of another stream; sequence numbers go on from the last one
	// sent. With gap, one number is left out if the last frame was cut short, so that the receiver knows.
	sync, gap bool
	// keyFrame: with sync, the packet is the key frame that held packets were waiting for.
	keyFrame bool
	// switched: another stream or spatial layer begins. layersChanged: the layers forwarded are others than before.
	switched, layersChanged bool
	marker                  bool
	// tsOffset is subtracted from the timestamp.
	tsOffset unit.Timestamp
	rewrite  rewrite
}

// keyFrameScope says which streams a key frame is wanted of.
type keyFrameScope uint8

const (
	// everything: of what is forwarded and of what shall be.
	everything keyFrameScope = iota
	// current: of what is forwarded.
	current
)

// selector chooses what a consumer forwards of its producer's streams.
type selector interface {
	// decide says what becomes of a packet. to is the stream that it would be sent in.
	decide(now unit.Time, pkt *packet.Packet, to *sentStream) decision
	// counts says whether pkt is of the stream that the receiver gets.
	counts(pkt *packet.Packet) bool
	// attach takes the producer's streams in the beginning, update a change of one of them.
	attach(infos []StreamInfo)
	update(now unit.Time, u StreamUpdate)
	// start begins anew with a key frame if the consumer is active; stop follows when it no longer is.
	start(now unit.Time)
	stop(now unit.Time)
	requestKeyFrame(scope keyFrameScope)
	// producerStream is the stream that is forwarded, false if none is or several are.
	producerStream() (StreamInfo, bool)

	layers() layerState
	prefer(now unit.Time, l layerID)
	mayChangeLayers(now unit.Time, force bool)
	takeChange() bool

	// The game of bandwidth, for consumers whose bitrate the transport manages.
	increase(now unit.Time, available unit.Bitrate, loss float32) unit.Bitrate
	applyLayers(now unit.Time)
	desired(now unit.Time) unit.Bitrate
}

// layerID names a layer; -1 = none.
type layerID struct{ spatial, temporal int16 }

var noLayer = layerID{-1, -1}

// layerState is what dumps show of a selector's choice.
type layerState struct {
	// preferred are the application's wish, target what is aimed at, current what is forwarded.
	preferred, target, current layerID
}

// noLayers is the part of a selector that has no layers to choose from.
type noLayers struct{}

func (noLayers) prefer(unit.Time, layerID) {}

func (noLayers) mayChangeLayers(unit.Time, bool) {}

func (noLayers) takeChange() bool { return false }
