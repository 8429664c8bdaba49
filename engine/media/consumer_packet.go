package media

import (
	"slices"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// WritePacket writes pkt for this consumer's receiver into dst, which has room for len(pkt.Data)+MaxHeaderGrowth bytes:
// a new header and the payload. It keeps a reference of pkt if it may have to retransmit it. Len 0 = nothing is sent.
func (c *Consumer) WritePacket(now unit.Time, pkt *packet.Packet, dst []byte) Outgoing {
	s := c.stream(pkt)
	if s == nil {
		c.drops.Stream++
		return Outgoing{}
	}
	return c.process(now, s, pkt, dst, false)
}

// process decides on a packet and applies the decision. late: it was held back before and will not be again.
func (c *Consumer) process(now unit.Time, s *sentStream, pkt *packet.Packet, dst []byte, late bool) Outgoing {
	switch {
	case !c.Active():
		c.drops.Inactive++
		c.leaveOut(s, pkt)
		return Outgoing{}
	case !c.takes(pkt.PayloadType):
		c.drops.PayloadType++
		c.leaveOut(s, pkt)
		return Outgoing{}
	}
	d := c.selector.decide(now, pkt, s)
	switch d.action {
	case forward:
		return c.forward(now, s, pkt, dst, &d)
	case hold:
		if !late {
			c.hold(s, pkt)
			return Outgoing{}
		}
		c.drops.KeyFrame++
	case dropEmpty:
		c.drops.Empty++
	case dropDTX:
		c.drops.DTX++
	case dropLayer, ignore:
		c.drops.Layer++
	}
	if d.action != ignore {
		s.seq.Drop(uint16(pkt.SequenceNumber))
	}
	return Outgoing{}
}

// leaveOut takes note of a packet that is not forwarded, if its stream is the one that the receiver gets.
func (c *Consumer) leaveOut(s *sentStream, pkt *packet.Packet) {
	if c.selector.counts(pkt) {
		s.seq.Drop(uint16(pkt.SequenceNumber))
	}
}

func (c *Consumer) forward(now unit.Time, s *sentStream, pkt *packet.Packet, dst []byte, d *decision) Outgoing {
	switch {
	case d.sync && d.gap && s.started && !s.complete:
		s.seq.SyncAfterGap(uint16(pkt.SequenceNumber - 1))
	case d.sync:
		s.seq.Sync(uint16(pkt.SequenceNumber - 1))
	case s.started && jumps(pkt.SequenceNumber.Sub(unit.SeqNo(s.seq.MaxInput()))):
		// What the receiver gets goes on: numbers must not come twice (see Send.HandlePacket), nor thousands be missing. But
		// it is to know that something is, as the stream took the second packet only.
		s.seq.SyncAfterGap(uint16(pkt.SequenceNumber - 1))
	}
	if d.switched {
		s.send.ResetScore(now, rtpstream.MaxScore, false)
	}
	if d.keyFrame {
		c.dropKeyFrameRequest(pkt.SSRC)
	}
	if d.switched || d.layersChanged {
		c.notifyLayers()
	}
	if d.switched {
		c.notifyScore()
	}
	out := c.write(now, s, pkt, dst, d)
	if !d.keyFrame {
		return out
	}
	if out.Len == 0 {
		c.releaseHeld(s)
		return out
	}
	c.keepHeldAfter(s, pkt.SequenceNumber)
	out.More = len(s.held) > 0
	c.late = s
	return out
}

// jumps says whether a packet so far ahead of the newest is one of a sender that began anew or comes back from an outage.
func jumps(ahead int) bool { return ahead <= -rtpstream.MaxMisorder || ahead >= rtpstream.MaxDropout }

// write gives the packet its number and writes it.
func (c *Consumer) write(now unit.Time, s *sentStream, pkt *packet.Packet, dst []byte, d *decision) Outgoing {
	seq, ok := s.seq.Input(uint16(pkt.SequenceNumber))
	if !ok {
		c.drops.Sequence++
		return Outgoing{}
	}
	h := rtp.Header{
		Marker: d.marker, PayloadType: pkt.PayloadType, SequenceNumber: unit.SeqNo(seq),
		Timestamp: pkt.Timestamp - d.tsOffset, SSRC: s.ssrc,
	}
	r := d.rewrite
	if c.sendsTime() {
		r = r.withSendTime(now)
	}
	out, b := c.writeHeader(pkt, dst, h, r)
	b = r.appendPayload(b, pkt)
	out.Len = len(b)
	sent := rtpstream.Sent{
		SequenceNumber: h.SequenceNumber, Timestamp: h.Timestamp, Marker: h.Marker, Rewrite: uint64(r), Length: out.Len,
		CapturedAt: pkt.CapturedAt,
	}
	if !s.send.HandlePacket(now, pkt, sent) {
		c.drops.Sequence++
		return Outgoing{}
	}
	s.started = true
	if s.seq.MaxOutput() == seq {
		s.complete = h.Marker
	}
	c.last = lastSent{stream: s, seq: h.SequenceNumber, rewrite: r}
	if c.trace != 0 {
		c.tracePacket(now, pkt, h, out.Len, false)
	}
	return out
}

// WriteHeldBack writes the next packet that was held back until the key frame just written; call it until Len is 0 after
// a WritePacket with More.
func (c *Consumer) WriteHeldBack(now unit.Time, dst []byte) Outgoing {
	s := c.late
	if s == nil {
		return Outgoing{}
	}
	for len(s.held) > 0 {
		pkt := s.held[0]
		s.held = slices.Delete(s.held, 0, 1)
		out := c.process(now, s, pkt, dst, true)
		pkt.Release()
		if out.Len > 0 {
			out.More = len(s.held) > 0
			return out
		}
	}
	s.held, c.late = nil, nil
	return Outgoing{}
}

// SetTransportCC tells the transport-wide sequence number that the transport wrote into the packet last returned by
// WritePacket or WriteHeldBack, at Outgoing.TransportCC. Without RTX, a retransmission repeats it: see rewrite.
func (c *Consumer) SetTransportCC(seq unit.SeqNo) {
	if c.last.stream != nil {
		c.last.stream.send.SetRewrite(c.last.seq, uint64(c.last.rewrite.withTransportCC(seq)))
	}
}
