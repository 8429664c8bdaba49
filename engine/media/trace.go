package media

import (
	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// traceSet is a set of trace event types, one bit each.
type traceSet[T ~uint8] uint8

func (s traceSet[T]) has(t T) bool { return s&(1<<t) != 0 }

// set replaces the set.
func (s *traceSet[T]) set(types []T) {
	*s = 0
	for _, t := range types {
		*s |= 1 << t
	}
}

// list returns those of all that are in the set.
func (s traceSet[T]) list(all []T) (types []T) {
	for _, t := range all {
		if s.has(t) {
			types = append(types, t)
		}
	}
	return types
}

// ofPacket returns the event that a packet is: a key frame if that is enabled and it is one, else RTP.
func (s traceSet[T]) ofPacket(pkt *packet.Packet, keyFrame, rtp T) (t T, enabled bool) {
	if pkt.Codec.KeyFrame && s.has(keyFrame) {
		return keyFrame, true
	}
	return rtp, s.has(rtp)
}

// consumerTraces are the trace events in the order of mediasoup's dumps.
var consumerTraces = []api.ConsumerTraceEventType{
	api.ConsumerTraceEventTypeRTP, api.ConsumerTraceEventTypeKeyFrame, api.ConsumerTraceEventTypeNACK,
	api.ConsumerTraceEventTypePLI, api.ConsumerTraceEventTypeFIR,
}

// EnableTraceEvents sets which trace events are notified; all others are off.
func (c *Consumer) EnableTraceEvents(types []api.ConsumerTraceEventType) { c.trace.set(types) }

func (c *Consumer) notifyTrace(
	now unit.Time, t api.ConsumerTraceEventType, d api.TraceDirection, info api.ConsumerTraceInfo,
) {
	c.notify(api.EventConsumerTrace, &api.ConsumerTraceNotification{
		Type: t, Timestamp: now.Milliseconds(), Direction: d, Info: info,
	})
}

// traceRequest notifies of the receiver's feedback.
func (c *Consumer) traceRequest(now unit.Time, t api.ConsumerTraceEventType, info api.ConsumerTraceInfo) {
	if c.trace.has(t) {
		c.notifyTrace(now, t, api.TraceDirectionIn, info)
	}
}

// tracePacket notifies of a sent packet.
func (c *Consumer) tracePacket(now unit.Time, pkt *packet.Packet, h rtp.Header, size int, isRTX bool) {
	t, enabled := c.trace.ofPacket(pkt, api.ConsumerTraceEventTypeKeyFrame, api.ConsumerTraceEventTypeRTP)
	if !enabled {
		return
	}
	dump := c.dumpSent(pkt, h, size)
	var info api.ConsumerTraceInfo = &api.ConsumerRTPTraceInfo{RTPPacket: dump, IsRTX: isRTX}
	if t == api.ConsumerTraceEventTypeKeyFrame {
		info = &api.ConsumerKeyFrameTraceInfo{RTPPacket: dump, IsRTX: isRTX}
	}
	c.notifyTrace(now, t, api.TraceDirectionOut, info)
}

// producerTraces are the trace events in the order of mediasoup's dumps, with SR, which those leave out, at the end.
var producerTraces = []api.ProducerTraceEventType{
	api.ProducerTraceEventTypeRTP, api.ProducerTraceEventTypeKeyFrame, api.ProducerTraceEventTypeNACK,
	api.ProducerTraceEventTypePLI, api.ProducerTraceEventTypeFIR, api.ProducerTraceEventTypeSR,
}

// EnableTraceEvents sets which trace events are notified; all others are off.
func (p *Producer) EnableTraceEvents(types []api.ProducerTraceEventType) { p.trace.set(types) }

func (p *Producer) notifyTrace(
	now unit.Time, t api.ProducerTraceEventType, d api.TraceDirection, info api.ProducerTraceInfo,
) {
	p.notify(api.EventProducerTrace, &api.ProducerTraceNotification{
		Type: t, Timestamp: now.Milliseconds(), Direction: d, Info: info,
	})
}

// tracePacket notifies of a received packet.
func (p *Producer) tracePacket(now unit.Time, pkt *packet.Packet, isRTX bool) {
	t, enabled := p.trace.ofPacket(pkt, api.ProducerTraceEventTypeKeyFrame, api.ProducerTraceEventTypeRTP)
	if !enabled {
		return
	}
	dump := dumpReceived(pkt, &p.ids)
	var info api.ProducerTraceInfo = &api.ProducerRTPTraceInfo{RTPPacket: dump, IsRTX: isRTX}
	if t == api.ProducerTraceEventTypeKeyFrame {
		info = &api.ProducerKeyFrameTraceInfo{RTPPacket: dump, IsRTX: isRTX}
	}
	p.notifyTrace(now, t, api.TraceDirectionIn, info)
}

// traceFeedback notifies of feedback to the peer.
func (p *Producer) traceFeedback(now unit.Time, pkt rtcp.Packet) {
	var t api.ProducerTraceEventType
	var info api.ProducerTraceInfo
	switch f := pkt.(type) {
	case *rtcp.PictureLossIndication:
		t, info = api.ProducerTraceEventTypePLI, &api.ProducerPLITraceInfo{SSRC: f.MediaSSRC}
	case *rtcp.FullIntraRequest:
		t, info = api.ProducerTraceEventTypeFIR, &api.ProducerFIRTraceInfo{SSRC: f.MediaSSRC}
	case *rtcp.TransportLayerNack:
		t = api.ProducerTraceEventTypeNACK
	default:
		return
	}
	if p.trace.has(t) {
		p.notifyTrace(now, t, api.TraceDirectionOut, info)
	}
}

func (p *Producer) traceSenderReport(now unit.Time, sr *rtcp.SenderReport) {
	if !p.trace.has(api.ProducerTraceEventTypeSR) {
		return
	}
	p.notifyTrace(now, api.ProducerTraceEventTypeSR, api.TraceDirectionIn, &api.ProducerSrTraceInfo{
		SSRC: sr.SSRC, NTPSec: uint32(sr.NTPTime >> 32), NTPFrac: uint32(sr.NTPTime), RTPTS: sr.RTPTime,
		PacketCount: sr.PacketCount, OctetCount: sr.OctetCount,
	})
}

// dumpReceived describes a packet of the peer, before payload type and SSRC are mapped.
func dumpReceived(pkt *packet.Packet, ids *ExtensionIDs) *api.RTPPacketDump {
	d := dumpPacket(pkt)
	d.PayloadType, d.SSRC, d.Marker = pkt.PayloadType, uint32(pkt.SSRC), pkt.Marker
	d.SequenceNumber, d.Timestamp = uint16(pkt.SequenceNumber), uint32(pkt.Timestamp)
	d.Size = uint64(len(pkt.Data))
	d.MID, d.RID, d.RRID = extensionString(pkt, ids.MID), extensionString(pkt, ids.RID), extensionString(pkt, ids.RRID)
	if ids.TransportCC != 0 {
		if seq, ok := rtp.ParseTransportCC(pkt.Extension(ids.TransportCC)); ok {
			d.WideSequenceNumber = new(uint16(seq))
		}
	}
	return d
}

// dumpPacket fills in what does not change from producer to consumer.
func dumpPacket(pkt *packet.Packet) *api.RTPPacketDump {
	return &api.RTPPacketDump{
		IsKeyFrame:    pkt.Codec.KeyFrame,
		PayloadSize:   uint64(len(pkt.Payload())),
		SpatialLayer:  pkt.Codec.SpatialLayer,
		TemporalLayer: pkt.Codec.TemporalLayer,
	}
}

func extensionString(pkt *packet.Packet, id uint8) string {
	if id == 0 {
		return ""
	}
	return string(pkt.Extension(id))
}

func (c *Consumer) dumpSent(pkt *packet.Packet, h rtp.Header, size int) *api.RTPPacketDump {
	d := dumpPacket(pkt)
	d.PayloadType, d.SSRC, d.Marker = h.PayloadType, uint32(h.SSRC), h.Marker
	d.SequenceNumber, d.Timestamp = uint16(h.SequenceNumber), uint32(h.Timestamp)
	d.Size = uint64(size)
	if c.ids.MID != 0 {
		d.MID = string(c.mid)
	}
	return d
}
