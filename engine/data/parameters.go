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

// parseStream validates stream parameters as upstream does. An absent ordered means true unless a limit is given. A limit of
// zero counts as absent, as in upstream.
func parseStream(p *api.SCTPStreamParameters) (*stream, error) {
	if p == nil {
		return nil, api.TypeErrorf("missing sctpStreamParameters")
	}
	if p.StreamID > maxStreamID {
		return nil, api.TypeErrorf("streamId must not be greater than 65534")
	}
	s := &stream{
		id: p.StreamID, ordered: true,
		maxPacketLifeTime: nonZero(p.MaxPacketLifeTime), maxRetransmits: nonZero(p.MaxRetransmits),
	}
	limited := s.maxPacketLifeTime != nil || s.maxRetransmits != nil
	switch {
	case s.maxPacketLifeTime != nil && s.maxRetransmits != nil:
		return nil, api.TypeErrorf("cannot provide both maxPacketLifeTime and maxRetransmits")
	case p.Ordered != nil && *p.Ordered && limited:
		return nil, api.TypeErrorf("cannot be ordered with maxPacketLifeTime or maxRetransmits")
	case p.Ordered != nil:
		s.ordered = *p.Ordered
	default:
		s.ordered = !limited
	}
	return s, nil
}

func nonZero(v *uint16) *uint16 {
	if v == nil || *v == 0 {
		return nil
	}
	c := *v
	return &c
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
