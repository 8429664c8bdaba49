package media

import (
	"slices"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// takeOverTime is how long the packets of a new peer may take to come. (Chosen here.)
const takeOverTime = time.Second

// CheckTakeOver returns an error (TypeError) unless next, which was made for another peer's streams, describes the same media.
func (p *Producer) CheckTakeOver(next *Producer) error {
	if p.kind != next.kind || p.typ != next.typ || !slices.EqualFunc(p.mapping.Encodings, next.mapping.Encodings,
		func(a, b api.EncodingMapping) bool { return a.MappedSSRC == b.MappedSSRC && b.SSRC != nil }) {
		return api.TypeErrorf("the Producer that is to be taken over is another one")
	}
	return nil
}

// TakeOver has the producer receive the same media from another peer: a relay whose source changes. next is what CheckTakeOver has
// approved of; it is not used otherwise.
//
// To consumers the streams go on. Sequence numbers continue after one that is left out, which tells receivers that something is
// missing. Whether a key frame is needed, and of which stream, the caller knows.
func (p *Producer) TakeOver(next *Producer) {
	p.params, p.mapping, p.payloadTypes, p.ids, p.keyFrames = next.params, next.mapping, next.payloadTypes, next.ids, next.keyFrames
	p.Restart()
}

// Restart is TakeOver for a peer that was made anew and calls its streams what the one before called them: a relay whose source is back.
// Its sequence numbers may begin anywhere. Just behind those of the peer before they would be taken for old ones.
func (p *Producer) Restart() {
	p.lastRTCP = 0
	p.setClock(new(rtpstream.SenderClock)) // the peer's may differ
	p.Excuse(takeOverTime)
	for s := range p.live() {
		ssrc := s.Params().SSRC
		if announced := p.mapping.Encodings[s.encoding].SSRC; announced != nil {
			ssrc = unit.SSRC(*announced)
		}
		s.takeOver(ssrc)
	}
}

// Excuse leaves a time out of account in which packets could not come, when it is judged whether streams and layers are silent.
func (p *Producer) Excuse(d time.Duration) {
	for s := range p.live() {
		s.Recv.Excuse(d)
		if s.measure != unit.Never {
			s.measure = s.measure.Add(d)
		}
	}
}

func (s *recvStream) takeOver(ssrc unit.SSRC) {
	s.capturedAt = 0
	newest, received := s.Newest()
	switch r := s.renumbered; {
	case r == nil && received:
		s.renumbered = &renumbering{first: newest + 2, waiting: true}
	case r != nil && received: // else the peer before has sent nothing at all
		s.renumbered = &renumbering{first: newest + r.shift + 2, waiting: true}
	}
	s.Recv.TakeOver(ssrc)
}

// renumbering gives a stream's packets sequence numbers that follow those of the peer before.
type renumbering struct {
	// first is the number that the first packet gets, which is still waited for.
	first   unit.SeqNo
	waiting bool
	shift   unit.SeqNo
	// settled: the stream has gone so far that no packet can come late from before its first one, whose number would be one of the
	// peer before.
	settled bool
}

// apply renumbers a packet; false if its number is taken.
func (r *renumbering) apply(pkt *packet.Packet) bool {
	if r.waiting {
		r.waiting, r.shift = false, r.first-pkt.SequenceNumber
	}
	pkt.SequenceNumber += r.shift
	if r.settled {
		return true
	}
	ahead := pkt.SequenceNumber.Sub(r.first)
	r.settled = ahead > rtpstream.MaxMisorder
	return ahead >= 0
}
