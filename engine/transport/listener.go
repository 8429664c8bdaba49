package transport

import (
	"cmp"
	"maps"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// maxLearnedSSRCs bounds the SSRCs that a transport learns from packets which name their producer by MID or RID. Chosen here: a
// peer needs a handful. Packets beyond it are still routed, by the slower look-up.
const maxLearnedSSRCs = 1024

// rtpListener finds the producer that a received RTP packet belongs to: by SSRC, else by MID, else by RID or, for
// a retransmission, repaired RID (RFC 8843 section 9.2 and RFC 8852).
type rtpListener struct {
	bySSRC  map[unit.SSRC]*Producer
	byMID   map[string]*Producer
	byRID   map[string]*Producer
	learned int
}

func (l *rtpListener) init() {
	l.bySSRC, l.byMID, l.byRID = map[unit.SSRC]*Producer{}, map[string]*Producer{}, map[string]*Producer{}
}

// add enters the SSRCs, MID and RIDs of p's parameters, or none if one of them is taken.
func (l *rtpListener) add(p *Producer) error {
	params := p.RTPParameters()
	if err := l.check(params); err != nil {
		return err
	}
	for _, e := range params.Encodings {
		if e.SSRC != nil && *e.SSRC != 0 {
			l.bySSRC[unit.SSRC(*e.SSRC)] = p
		}
		if e.RTX != nil && e.RTX.SSRC != 0 {
			l.bySSRC[unit.SSRC(e.RTX.SSRC)] = p
		}
		if e.RID != "" && l.byRID[e.RID] == nil {
			l.byRID[e.RID] = p
		}
	}
	if params.MID != "" {
		l.byMID[params.MID] = p
	}
	return nil
}

func (l *rtpListener) check(params *api.RTPParameters) error {
	own := map[unit.SSRC]bool{}
	for _, e := range params.Encodings {
		if e.SSRC != nil && *e.SSRC != 0 {
			if ssrc := unit.SSRC(*e.SSRC); l.bySSRC[ssrc] != nil || own[ssrc] {
				return api.Errorf("ssrc already exists in RTP listener [ssrc:%d]", ssrc)
			}
			own[unit.SSRC(*e.SSRC)] = true
		}
		if e.RTX != nil && e.RTX.SSRC != 0 {
			if ssrc := unit.SSRC(e.RTX.SSRC); l.bySSRC[ssrc] != nil || own[ssrc] {
				return api.Errorf("RTX ssrc already exists in RTP listener [ssrc:%d]", ssrc)
			}
			own[unit.SSRC(e.RTX.SSRC)] = true
		}
	}
	if params.MID != "" && l.byMID[params.MID] != nil {
		return api.Errorf("MID already exists in RTP listener [mid:%s]", params.MID)
	}
	for _, e := range params.Encodings {
		// A MID tells equal RIDs of several producers apart.
		if e.RID != "" && params.MID == "" && l.byRID[e.RID] != nil {
			return api.Errorf("RID already exists in RTP listener and no MID is given [rid:%s]", e.RID)
		}
	}
	return nil
}

// remove forgets everything that leads to p.
func (l *rtpListener) remove(p *Producer) {
	for ssrc, owner := range l.bySSRC {
		if owner == p {
			delete(l.bySSRC, ssrc)
		}
	}
	for mid, owner := range l.byMID {
		if owner == p {
			delete(l.byMID, mid)
		}
	}
	for rid, owner := range l.byRID {
		if owner == p {
			delete(l.byRID, rid)
		}
	}
	l.learned = max(0, l.learned-p.learned)
}

// find returns the producer of a packet, or nil. The ids are those of the transport's received header extensions.
func (l *rtpListener) find(pkt *rtp.Packet, ids *media.ExtensionIDs) *Producer {
	if p := l.bySSRC[pkt.SSRC]; p != nil {
		return p
	}
	mid := extension(pkt, ids.MID)
	p := l.byMID[string(mid)]
	if p == nil && mid == nil {
		rid := extension(pkt, ids.RID)
		if len(rid) == 0 {
			rid = extension(pkt, ids.RRID)
		}
		p = l.byRID[string(rid)]
	}
	if p != nil && l.learned < maxLearnedSSRCs {
		l.bySSRC[pkt.SSRC] = p
		l.learned++
		p.learned++
	}
	return p
}

func extension(pkt *rtp.Packet, id uint8) []byte {
	if id == 0 {
		return nil
	}
	return pkt.Extension(id)
}

func (l *rtpListener) dump() *api.TransportRTPListener {
	d := &api.TransportRTPListener{MIDTable: producerIDs(l.byMID), RIDTable: producerIDs(l.byRID)}
	for _, ssrc := range slices.Sorted(maps.Keys(l.bySSRC)) {
		d.SSRCTable = append(d.SSRCTable, api.Uint32String{Key: uint32(ssrc), Value: l.bySSRC[ssrc].ID()})
	}
	return d
}

func producerIDs(table map[string]*Producer) []api.StringString {
	var rows []api.StringString
	for name, p := range table {
		rows = append(rows, api.StringString{Key: name, Value: p.ID()})
	}
	slices.SortFunc(rows, func(a, b api.StringString) int { return cmp.Compare(a.Key, b.Key) })
	return rows
}
