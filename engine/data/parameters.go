package data

import "gazpacho/engine/api"

// maxStreamID is the highest stream id (RFC 8832 section 6: 65535 is reserved).
const maxStreamID = 65534

// stream is how messages travel over SCTP; the api type says what was asked, this what applies.
type stream struct {
	id                uint16
	ordered           bool
	maxPacketLifeTime *uint16
	maxRetransmits    *uint16
}

// parseStream validates stream parameters. What it refuses is what mediasoup refuses, where a limit of zero counts as absent.
// What it accepts means what it says: a limit of zero is one, as in the W3C's API (maxRetransmits: sent once; maxPacketLifeTime:
// sent at once or not at all), unless the other limit or ordered says otherwise. An absent ordered means true unless a limit is
// given.
func parseStream(p *api.SCTPStreamParameters) (*stream, error) {
	if p == nil {
		return nil, api.TypeErrorf("missing sctpStreamParameters")
	}
	if p.StreamID > maxStreamID {
		return nil, api.TypeErrorf("streamId must not be greater than 65534")
	}
	s := &stream{id: p.StreamID, maxPacketLifeTime: clone(p.MaxPacketLifeTime), maxRetransmits: clone(p.MaxRetransmits)}
	lifetime, retransmits := positive(s.maxPacketLifeTime), positive(s.maxRetransmits)
	ordered := p.Ordered != nil && *p.Ordered
	switch {
	case lifetime && retransmits:
		return nil, api.TypeErrorf("cannot provide both maxPacketLifeTime and maxRetransmits")
	case ordered && (lifetime || retransmits):
		return nil, api.TypeErrorf("cannot be ordered with maxPacketLifeTime or maxRetransmits")
	case ordered:
		s.maxPacketLifeTime, s.maxRetransmits = nil, nil
	case lifetime:
		s.maxRetransmits = nil
	case retransmits:
		s.maxPacketLifeTime = nil
	}
	limited := s.maxPacketLifeTime != nil || s.maxRetransmits != nil
	s.ordered = ordered || p.Ordered == nil && !limited
	return s, nil
}

func positive(v *uint16) bool { return v != nil && *v > 0 }

func clone(v *uint16) *uint16 {
	if v == nil {
		return nil
	}
	return new(*v)
}

func (s *stream) dump() *api.SCTPStreamParameters {
	if s == nil {
		return nil
	}
	ordered := s.ordered
	return &api.SCTPStreamParameters{
		StreamID: s.id, Ordered: &ordered, MaxPacketLifeTime: s.maxPacketLifeTime, MaxRetransmits: s.maxRetransmits,
	}
}
