package media

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/wire/codec"
)

// action is what becomes of a packet.
type action uint8

const (
	forward action = iota
	// hold keeps the packet: it may belong to a key frame whose first packet is late.
	hold
	// dropEmpty and dropDTX leave a packet out for good, so that its sequence number is closed up.
	dropEmpty
	dropDTX
)

// decision is what a selector wants done with a packet. Selectors decide and the consumer applies, so that a selector of
// layers has nothing to do with sequence numbers, buffers or bytes.
type decision struct {
	action action
	// sync: the packet is the first after an interruption; sequence numbers go on from the last one sent.
	sync bool
	// keyFrame: with sync, the packet is the key frame that held packets were waiting for.
	keyFrame bool
}

// simpleSelector selects from a single stream without layers: everything, beginning with a key frame.
type simpleSelector struct {
	// waitForKeyFrame: the codec's key frames can be recognised.
	waitForKeyFrame bool
	ignoreDTX       bool
	needSync        bool
}

func newSimpleSelector(k codec.Kind, ignoreDTX bool) simpleSelector {
	return simpleSelector{
		waitForKeyFrame: k.CanBeKeyFrame(),
		ignoreDTX:       ignoreDTX && (k == codec.Opus || k == codec.MultiOpus),
	}
}

// requireSync makes forwarding begin anew.
func (s *simpleSelector) requireSync() { s.needSync = true }

func (s *simpleSelector) decide(pkt *packet.Packet) decision {
	switch {
	case s.needSync && s.waitForKeyFrame && !pkt.Codec.KeyFrame:
		return decision{action: hold}
	case len(pkt.Payload()) == 0:
		return decision{action: dropEmpty}
	case s.ignoreDTX && pkt.Codec.DTX:
		return decision{action: dropDTX}
	}
	d := decision{sync: s.needSync, keyFrame: s.needSync && pkt.Codec.KeyFrame}
	s.needSync = false
	return d
}
