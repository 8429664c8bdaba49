package layer

import (
	"math"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// relay forwards the streams of all encodings up to one, to another worker whose consumers choose for themselves.
type relay struct {
	simple
	highest int16
}

// NewRelay returns a selector that forwards each stream from its first packet on: the far consumers learn of a stream by that, and
// ask for the key frames of the streams that they forward. Only a lone stream's is asked for here, since that is the one they
// want, and a sender that is silent until asked would otherwise never be heard. Prefer sets the highest encoding as a spatial
// layer; in the beginning all are forwarded.
func NewRelay(c Consumer, encodings int) Selector {
	return &relay{
		simple:  simple{consumer: c, pipe: true, needSync: make([]bool, encodings)},
		highest: math.MaxInt16,
	}
}

func (s *relay) Decide(now unit.Time, pkt *packet.Packet, encoding int) Decision {
	if encoding > int(s.highest) {
		return Decision{Action: DropLayer}
	}
	return s.simple.Decide(now, pkt, encoding)
}

func (s *relay) Start(unit.Time) {
	for i := range s.needSync {
		s.needSync[i] = true
	}
	if len(s.needSync) == 1 && s.consumer.Active() {
		s.consumer.RequestKeyFrame(0)
	}
}

// Prefer changes the highest encoding. What is left out meanwhile is closed up: the sequence numbers of the far end go on.
func (s *relay) Prefer(l ID) { s.highest = l.Spatial }
