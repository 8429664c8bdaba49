package transport

import (
	"cmp"
	"errors"
	"slices"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/srtp"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
)

// probationSSRC is the SSRC of the probation stream, mediasoup's value. Peers report on it as on any other.
const probationSSRC = 1234

// unprotectRTP decrypts and authenticates b in place. When there is state for too many SSRCs, it drops that of unused ones.
func (t *Transport) unprotectRTP(r *srtp.Receiver, b []byte) ([]byte, error) {
	clear, err := r.UnprotectRTP(b)
	if !errors.Is(err, srtp.ErrTooManySSRCs) {
		return clear, err
	}
	var inUse []unit.SSRC
	for _, p := range t.producers {
		inUse = p.AppendSSRCs(inUse)
	}
	r.Renew(inUse)
	return r.UnprotectRTP(b)
}

// handleRTP takes an RTP packet in clear. It owns b.
func (t *Transport) handleRTP(now unit.Time, b *packet.Buffer) {
	pkt := packet.New(b, now)
	defer pkt.Release()
	if err := pkt.Parse(b.Bytes()); err != nil {
		t.drops.RTPMalformed++
		return
	}
	t.routeRTP(now, pkt)
}

// routeRTP gives a parsed packet to its producer. The caller keeps its own reference.
func (t *Transport) routeRTP(now unit.Time, pkt *packet.Packet) {
	if len(pkt.Data) > maxRTPLen {
		t.drops.TooLarge++
		return
	}
	t.asking.earn(len(pkt.Data))
	t.recordArrival(now, pkt)
	p := t.listener.find(&pkt.Packet, &t.recvIDs)
	if p == nil {
		t.drops.RTPUnknown++
		return
	}
	// The producer rewrites payload type and SSRC: take the sizes first.
	length, payload := len(pkt.Data), len(pkt.Payload())
	result, forward := p.HandlePacket(now, pkt)
	switch result {
	case media.Media:
		t.counters.rtpReceived.Update(now, length, payload)
	case media.Retransmission:
		t.counters.rtxReceived.Update(now, length, payload)
	case media.Discarded:
		t.drops.RTPDiscarded++
	}
	if forward && len(p.subscribers) > 0 {
		pkt.Retain()
		p.pending = append(p.pending, pkt)
	}
	t.changed(p)
}

// handleRTCP takes a compound packet in clear.
func (t *Transport) handleRTCP(now unit.Time, b []byte) {
	pkts, err := wirertcp.Parse(b)
	if err != nil {
		t.drops.RTCPMalformed++
	}
	var reference uint64
	for _, pkt := range pkts {
		t.dispatchRTCP(now, pkt)
		if xr, ok := pkt.(*rtcp.ExtendedReport); ok {
			reference = cmp.Or(referenceTime(xr), reference)
		}
	}
	// Once for the whole datagram, not for each of its reports: this costs time for each consumer, and may send to others.
	if reference != 0 {
		for _, c := range t.consumers {
			c.HandleRRTR(now, reference)
		}
	}
	for i, c := range t.addressed {
		t.drainConsumer(now, c)
		t.addressed[i] = nil
	}
	t.addressed = t.addressed[:0]
	t.drainOutgoing(now)
}

// referenceTime returns the last receiver reference time of a report (RFC 3611 section 4.4), 0 for none.
func referenceTime(xr *rtcp.ExtendedReport) (ntp uint64) {
	for _, block := range xr.Reports {
		if r, ok := block.(*rtcp.ReceiverReferenceTimeReportBlock); ok {
			ntp = r.NTPTimestamp
		}
	}
	return ntp
}

func (t *Transport) dispatchRTCP(now unit.Time, pkt rtcp.Packet) {
	switch pkt := pkt.(type) {
	case *rtcp.ReceiverReport:
		t.handleReceptionReports(now, pkt.Reports)
	case *rtcp.SenderReport:
		if p := t.listener.bySSRC[unit.SSRC(pkt.SSRC)]; p != nil {
			p.HandleSenderReport(now, pkt)
			t.changed(p)
		} else {
			t.drops.RTCPUnknown++
		}
		t.handleReceptionReports(now, pkt.Reports)
	case *rtcp.PictureLossIndication:
		t.handleKeyFrameRequest(now, media.PLI, unit.SSRC(pkt.MediaSSRC))
	case *rtcp.FullIntraRequest:
		for _, entry := range pkt.FIR {
			t.handleKeyFrameRequest(now, media.FIR, unit.SSRC(entry.SSRC))
		}
	case *rtcp.TransportLayerNack:
		if c := t.bySSRC[unit.SSRC(pkt.MediaSSRC)]; c != nil {
			c.HandleNACK(now, pkt)
			t.retransmit(now, c)
			t.address(c)
		} else {
			t.drops.RTCPUnknown++
		}
	case *rtcp.ExtendedReport:
		t.handleExtendedReport(now, pkt)
	case *rtcp.SourceDescription, *rtcp.Goodbye:
		// Nothing to do: the application's parameters describe the streams, and its requests end them.
	default:
		if !t.handleBWE(now, pkt) {
			t.drops.RTCPUnsupported++
		}
	}
}

func (t *Transport) handleReceptionReports(now unit.Time, reports []rtcp.ReceptionReport) {
	for i := range reports {
		ssrc := unit.SSRC(reports[i].SSRC)
		switch c := t.bySSRC[ssrc]; {
		case c != nil:
			c.HandleReceptionReport(now, &reports[i])
			t.env.Figures.reported(&reports[i], c.RTT())
			t.address(c)
		case ssrc == probationSSRC, t.byRTXSSRC[ssrc] != nil:
		default:
			t.drops.RTCPUnknown++
		}
	}
	t.handleBWEReports(now, reports)
}

func (t *Transport) handleKeyFrameRequest(now unit.Time, kind media.KeyFrameRequestKind, ssrc unit.SSRC) {
	c := t.bySSRC[ssrc]
	if c == nil {
		if ssrc != probationSSRC {
			t.drops.RTCPUnknown++
		}
		return
	}
	c.HandleKeyFrameRequest(now, kind, ssrc)
	t.address(c)
}

// address remembers that the RTCP datagram being handled is about c.
func (t *Transport) address(c *Consumer) {
	if !slices.Contains(t.addressed, c) {
		t.addressed = append(t.addressed, c)
	}
}

func (t *Transport) handleExtendedReport(now unit.Time, xr *rtcp.ExtendedReport) {
	for _, block := range xr.Reports {
		dlrr, ok := block.(*rtcp.DLRRReportBlock)
		if !ok {
			continue
		}
		for _, r := range dlrr.Reports {
			// RFC 3611 section 4.5: a sub-block without an SSRC is about the packet's sender.
			if r.SSRC == 0 {
				r.SSRC = xr.SenderSSRC
			}
			if p := t.listener.bySSRC[unit.SSRC(r.SSRC)]; p != nil {
				p.HandleDLRR(now, r)
				t.changed(p)
			} else {
				t.drops.RTCPUnknown++
			}
		}
	}
}

// HandleProducerSend takes PRODUCER_SEND: an RTP packet from the application. As in mediasoup, the packet's content finds the
// producer, not the id that the notification is addressed to.
func (t *Transport) HandleProducerSend(now unit.Time, data []byte) {
	t.received(now, len(data))
	if len(data) > maxRTPLen {
		t.drops.TooLarge++
		return
	}
	b := packet.NewBuffer(len(data))
	b.SetLen(copy(b.Space(), data))
	t.handleRTP(now, b)
}

// HandleSendRTCP takes TRANSPORT_SEND_RTCP: RTCP from the application.
func (t *Transport) HandleSendRTCP(now unit.Time, data []byte) error {
	if !t.options.Direct {
		return api.Errorf("RTCP can be sent by the application through a direct Transport only")
	}
	t.received(now, len(data))
	t.handleRTCP(now, data)
	return nil
}
