package media

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
)

// KeyFrameRequestKind is which of RTCP's two messages asked for a key frame.
type KeyFrameRequestKind uint8

// The messages of RFC 4585 section 6.3.1 and RFC 5104 section 3.5.1.
const (
	PLI KeyFrameRequestKind = iota
	FIR
)

// HandleNACK queues the packets that the receiver misses and that are still there for retransmission.
func (c *Consumer) HandleNACK(now unit.Time, n *rtcp.TransportLayerNack) {
	if !c.Active() {
		return
	}
	c.traceRequest(now, api.ConsumerTraceEventTypeNACK, nil)
	if s := c.bySSRC(unit.SSRC(n.MediaSSRC)); s != nil {
		s.send.HandleNACK(now, n)
		c.waits(now, s)
	}
}

// HandleReceptionReport takes a report block of an RR or SR about one of the consumer's media SSRCs.
func (c *Consumer) HandleReceptionReport(now unit.Time, r *rtcp.ReceptionReport) {
	s := c.bySSRC(unit.SSRC(r.SSRC))
	if s == nil {
		return
	}
	s.send.HandleReceptionReport(now, r)
	c.patience.calm(now)
	if _, changed := s.send.TakeScoreChange(); changed {
		c.notifyScore()
		if c.Active() && !c.external {
			c.selector.Reconsider(now, false)
			c.notifyChange()
		}
	}
	c.checkFractionLost()
}

// HandleRRTR takes a receiver reference time (RFC 3611 section 4.4) of the receiver, as NTP timestamp.
func (c *Consumer) HandleRRTR(now unit.Time, ntp uint64) {
	for i := range c.streams {
		c.streams[i].send.HandleRRTR(now, ntp)
	}
}

// HandleKeyFrameRequest takes a PLI or FIR about ssrc, one of MediaSSRCs.
func (c *Consumer) HandleKeyFrameRequest(now unit.Time, kind KeyFrameRequestKind, ssrc unit.SSRC) {
	s := c.bySSRC(ssrc)
	if c.kind != api.MediaKindVideo || s == nil {
		return
	}
	if kind == FIR {
		c.traceRequest(now, api.ConsumerTraceEventTypeFIR, &api.ConsumerFIRTraceInfo{SSRC: uint32(ssrc)})
	} else {
		c.traceRequest(now, api.ConsumerTraceEventTypePLI, &api.ConsumerPLITraceInfo{SSRC: uint32(ssrc)})
	}
	s.send.HandleKeyFrameRequest(kind == FIR)
	if !c.Active() {
		return
	}
	s.wantsKeyFrame = true
	c.passOnKeyFrameRequest(now, s)
}

// keyFrameInterval is how often a receiver's requests are passed on, for each stream. Chosen here: all receivers pay for a key frame.
const keyFrameInterval = time.Second

// passOnKeyFrameRequest passes a request of the receiver on if the time has come; else the next packet of the stream tries
// again. A key frame on the way answers it.
func (c *Consumer) passOnKeyFrameRequest(now unit.Time, s *sentStream) {
	if now < s.nextKeyFrameRequest {
		return
	}
	s.wantsKeyFrame, s.nextKeyFrameRequest = false, now.Add(keyFrameInterval)
	if c.relay {
		c.requestKeyFrame(c.mapped[c.indexOf(s)])
		return
	}
	c.selector.RequestKeyFrame(layer.CurrentOnly)
}

// AppendRTCP appends sender report, source description and DLRR when they are due. Chunks and blocks go into packets of
// pkts while those have room. Streams that have been silent for long give memory back.
func (c *Consumer) AppendRTCP(now unit.Time, pkts []rtcp.Packet) []rtcp.Packet {
	if !rtcpDue(now, c.lastRTCP, c.kind) {
		return pkts
	}
	c.lastRTCP = now
	for i := range c.streams {
		send := c.streams[i].send
		sr, ok := send.SenderReport(now)
		if !ok {
			send.Rest(now)
			continue
		}
		pkts = appendChunk(append(pkts, &sr), send.SDES())
		if dlrr, ok := send.DLRR(now); ok {
			pkts = appendDLRR(pkts, dlrr)
		}
	}
	return pkts
}

// maxSDESLen is the length in bytes from which a source description gets no further chunk: with one more, of at most 268 bytes, it
// still fits into a compound packet.
const maxSDESLen = 900

func appendChunk(pkts []rtcp.Packet, chunk rtcp.SourceDescriptionChunk) []rtcp.Packet {
	for _, pkt := range pkts {
		if sdes, ok := pkt.(*rtcp.SourceDescription); ok && len(sdes.Chunks) < maxReports && sdes.MarshalSize() < maxSDESLen {
			sdes.Chunks = append(sdes.Chunks, chunk)
			return pkts
		}
	}
	return append(pkts, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{chunk}})
}

func appendDLRR(pkts []rtcp.Packet, r rtcp.DLRRReport) []rtcp.Packet {
	for _, pkt := range pkts {
		xr, ok := pkt.(*rtcp.ExtendedReport)
		if !ok {
			continue
		}
		for _, b := range xr.Reports {
			if dlrr, ok := b.(*rtcp.DLRRReportBlock); ok && len(dlrr.Reports) < maxReports {
				dlrr.Reports = append(dlrr.Reports, r)
				return pkts
			}
		}
	}
	return append(pkts, &rtcp.ExtendedReport{Reports: []rtcp.ReportBlock{
		&rtcp.DLRRReportBlock{Reports: []rtcp.DLRRReport{r}},
	}})
}
