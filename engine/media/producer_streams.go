package media

import (
	"iter"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// live walks the streams that exist, ordered by encoding.
func (p *Producer) live() iter.Seq[*recvStream] {
	return func(yield func(*recvStream) bool) {
		for _, s := range p.streams {
			if s != nil && !yield(s) {
				return
			}
		}
	}
}

// receives reports whether there is a stream.
func (p *Producer) receives() bool {
	return slices.ContainsFunc(p.streams, func(s *recvStream) bool { return s != nil })
}

func (p *Producer) byMapped(mapped unit.SSRC) *recvStream {
	for _, s := range p.streams {
		if s != nil && s.mapped == mapped {
			return s
		}
	}
	return nil
}

func (p *Producer) byMediaSSRC(ssrc unit.SSRC) *recvStream {
	for _, s := range p.streams {
		if s != nil && s.Params().SSRC == ssrc {
			return s
		}
	}
	return nil
}

func (p *Producer) byRTXSSRC(ssrc unit.SSRC) *recvStream {
	for _, s := range p.streams {
		if s != nil && s.HasRTX() && s.Params().RTXSSRC == ssrc {
			return s
		}
	}
	return nil
}

// AppendSSRCs appends the SSRCs of all streams and of their retransmissions.
func (p *Producer) AppendSSRCs(ssrcs []unit.SSRC) []unit.SSRC {
	for s := range p.live() {
		ssrcs = append(ssrcs, s.Params().SSRC)
		if s.HasRTX() {
			ssrcs = append(ssrcs, s.Params().RTXSSRC)
		}
	}
	return ssrcs
}

// stream returns the stream that a packet belongs to, and creates it (or learns the SSRC of its RTX) if the packet is
// the first one. The number of streams is bounded by that of the encodings, whatever SSRCs a peer sends.
func (p *Producer) stream(now unit.Time, pkt *packet.Packet) *recvStream {
	if s := p.byMediaSSRC(pkt.SSRC); s != nil {
		return s
	}
	if s := p.byRTXSSRC(pkt.SSRC); s != nil {
		return s
	}
	encoding, rtx := p.encodingOf(pkt)
	if encoding < 0 {
		return nil
	}
	s := p.streams[encoding]
	if !rtx {
		if s != nil { // its SSRC is another one
			return nil
		}
		return p.newStream(now, encoding, pkt.SSRC)
	}
	if s == nil || s.HasRTX() { // RTX before its stream, or a second RTX stream
		return nil
	}
	s.SetRTX(pkt.PayloadType, pkt.SSRC)
	return s
}

// encodingOf finds the encoding that a packet with an unknown SSRC is for, -1 if none: by announced SSRC, then by RID,
// then because there is only one encoding that announced neither. rtx says that the packet is a retransmission.
func (p *Producer) encodingOf(pkt *packet.Packet) (encoding int, rtx bool) {
	for i := range p.params.encodings {
		e := &p.params.shown.Encodings[i]
		switch {
		case p.isMedia(i, pkt) && e.SSRC != nil && unit.SSRC(*e.SSRC) == pkt.SSRC:
			return i, false
		case p.isRTX(i, pkt) && e.RTX != nil && rtxSSRC(e) == pkt.SSRC:
			return i, true
		}
	}
	if rid := p.readRID(pkt); len(rid) > 0 {
		return p.encodingByRID(rid, pkt)
	}
	if e := &p.params.shown.Encodings[0]; len(p.params.encodings) > 1 || e.SSRC != nil || e.RID != "" {
		return -1, false
	}
	switch {
	case p.isMedia(0, pkt):
		return 0, false
	case p.isRTX(0, pkt):
		return 0, true
	default:
		return -1, false
	}
}

func (p *Producer) encodingByRID(rid []byte, pkt *packet.Packet) (encoding int, rtx bool) {
	for i := range p.params.encodings {
		if p.params.shown.Encodings[i].RID != string(rid) {
			continue
		}
		if p.isMedia(i, pkt) {
			return i, false
		}
		if p.isRTX(i, pkt) {
			return i, true
		}
	}
	return -1, false
}

func (p *Producer) isMedia(encoding int, pkt *packet.Packet) bool {
	return p.params.encodings[encoding].codec.PayloadType == pkt.PayloadType
}

func (p *Producer) isRTX(encoding int, pkt *packet.Packet) bool {
	rtx := p.params.encodings[encoding].rtx
	return rtx != nil && rtx.PayloadType == pkt.PayloadType
}

// readRID returns the RID of a packet, or else the repaired RID, nil if it has neither (RFC 8852 section 3).
func (p *Producer) readRID(pkt *packet.Packet) []byte {
	if p.ids.RID != 0 {
		if v := pkt.Extension(p.ids.RID); len(v) > 0 {
			return v
		}
	}
	if p.ids.RRID != 0 {
		return pkt.Extension(p.ids.RRID)
	}
	return nil
}

func (p *Producer) newStream(now unit.Time, encoding int, ssrc unit.SSRC) *recvStream {
	params := p.params.streamParams(encoding, ssrc)
	params.RID = p.params.shown.Encodings[encoding].RID
	s := &recvStream{
		Recv: rtpstream.NewRecv(now, params, rtpstream.RecvOptions{
			NACKDelay:       rtpstream.DefaultNACKDelay,
			InactivityCheck: p.inactivityCheck(),
		}),
		encoding: encoding,
		mapped:   unit.SSRC(p.mapping.Encodings[encoding].MappedSSRC),
		measure:  unit.Never,
	}
	p.streams[encoding] = s
	if p.paused {
		s.Pause()
	}
	p.notifyScore()
	return s
}

// inactivityCheck: as in mediasoup, only where another stream can take over.
func (p *Producer) inactivityCheck() bool {
	return p.typ == api.RTPTypeSimulcast && len(p.streams) > 1
}

func (p *Producer) info(s *recvStream) StreamInfo {
	params := s.Params()
	i := StreamInfo{
		MappedSSRC: s.mapped, SSRC: params.SSRC, Encoding: s.encoding, ClockRate: params.ClockRate,
		Score: s.Score(), InactivityCheck: p.inactivityCheck(), ActiveSince: s.ActiveSince(), Bitrates: s.bitrates,
	}
	if ntp, ts, at, ok := s.SenderReport(); ok {
		i.SenderReport = layer.SenderReport{NTP: ntp, Timestamp: ts, ReceivedAt: at}
	}
	return i
}

// Streams returns all streams, ordered by encoding, for Consumer.Attach.
func (p *Producer) Streams() []StreamInfo {
	var infos []StreamInfo
	for s := range p.live() {
		infos = append(infos, p.info(s))
	}
	return infos
}

// Scores returns a new slice with the score of each encoding, 0 where no stream exists.
func (p *Producer) Scores() []uint8 {
	scores := make([]uint8, len(p.streams))
	for s := range p.live() {
		scores[s.encoding] = s.Score()
	}
	return scores
}
