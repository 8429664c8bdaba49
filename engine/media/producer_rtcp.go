package media

import (
	"slices"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
)

// HandleSenderReport takes a sender report whose SSRC is that of a stream or of its RTX stream.
func (p *Producer) HandleSenderReport(now unit.Time, sr *rtcp.SenderReport) {
	ssrc := unit.SSRC(sr.SSRC)
	if s := p.byMediaSSRC(ssrc); s != nil {
		s.HandleSenderReport(now, sr)
		p.clock.HandleSenderReport(now, sr, s.RTT())
		p.drain(now, s)
		p.update(StreamUpdate{Kind: layer.StreamSenderReport, Stream: p.info(s)})
		p.traceSenderReport(now, sr)
		return
	}
	if s := p.byRTXSSRC(ssrc); s != nil {
		s.HandleRTXSenderReport(now, sr)
		p.drain(now, s)
	}
}

// HandleDLRR takes a DLRR report block (RFC 3611 section 4.5) about one of the streams.
func (p *Producer) HandleDLRR(now unit.Time, r rtcp.DLRRReport) {
	if s := p.byMediaSSRC(unit.SSRC(r.SSRC)); s != nil {
		s.HandleDLRR(now, r)
		p.drain(now, s)
	}
}

// UsesInBandFEC reports whether a codec of the producer has in-band forward error correction; only then does
// SetFractionLost have an effect.
func (p *Producer) UsesInBandFEC() bool {
	return slices.ContainsFunc(p.params.encodings, func(e encodingParameters) bool {
		use, _ := integerParameter(e.codec, "useinbandfec")
		return use == 1
	})
}

// SetFractionLost sets the worst fraction lost, in 1/256, among the consumers of the stream with the given mapped SSRC. With
// in-band FEC it is reported to the peer, which then adds redundancy for them.
func (p *Producer) SetFractionLost(mapped unit.SSRC, worst uint8) {
	if s := p.byMapped(mapped); s != nil {
		s.fractionLost = worst
	}
}

// AppendRTCP appends receiver reports about all streams, and a receiver reference time (RFC 3611 section 4.4) unless
// pkts has one, when they are due and there is a stream. Reports go into a receiver report of pkts while that has room. Streams that have
// been silent for long give memory back.
func (p *Producer) AppendRTCP(now unit.Time, pkts []rtcp.Packet) []rtcp.Packet {
	if !rtcpDue(now, p.lastRTCP, p.kind) || !p.receives() {
		return pkts
	}
	p.lastRTCP = now
	for s := range p.live() {
		s.Rest(now)
		pkts = appendReport(pkts, s.ReceptionReport(now, s.fractionLost))
		if r, ok := s.RTXReceptionReport(now); ok {
			pkts = appendReport(pkts, r)
		}
	}
	if hasReferenceTime(pkts) {
		return pkts
	}
	return append(pkts, &rtcp.ExtendedReport{Reports: []rtcp.ReportBlock{
		&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: now.NTP()},
	}})
}

// maxReports is how many report blocks or SDES chunks fit into one RTCP packet: a count of five bits (RFC 3550 section 6.4.1).
const maxReports = 31

func appendReport(pkts []rtcp.Packet, r rtcp.ReceptionReport) []rtcp.Packet {
	for _, pkt := range pkts {
		if rr, ok := pkt.(*rtcp.ReceiverReport); ok && len(rr.Reports) < maxReports {
			rr.Reports = append(rr.Reports, r)
			return pkts
		}
	}
	return append(pkts, &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{r}})
}

func hasReferenceTime(pkts []rtcp.Packet) bool {
	for _, pkt := range pkts {
		xr, ok := pkt.(*rtcp.ExtendedReport)
		if !ok {
			continue
		}
		for _, b := range xr.Reports {
			if _, ok := b.(*rtcp.ReceiverReferenceTimeReportBlock); ok {
				return true
			}
		}
	}
	return false
}

// rtcpDue reports whether a producer or consumer has to report again. As in mediasoup, that is a little before the longest
// interval of its kind is over, because a transport asks all of them at one time. last 0 = it has not reported yet.
func rtcpDue(now, last unit.Time, kind api.MediaKind) bool {
	interval := wirertcp.MaxVideoInterval
	if kind == api.MediaKindAudio {
		interval = wirertcp.MaxAudioInterval
	}
	elapsed := now.Sub(last).Truncate(time.Millisecond)
	return last == 0 || elapsed*23/20 >= interval
}
