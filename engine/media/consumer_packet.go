package media

import (
	"slices"

	"gazpacho/engine/layer"
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// WritePacket writes pkt for this consumer's receiver into dst, which has room for len(pkt.Data)+MaxHeaderGrowth bytes:
// a new header and the payload. It keeps a reference of pkt if it may have to retransmit it. Len 0 = nothing is sent.
func (c *Consumer) WritePacket(now unit.Time, pkt *packet.Packet, dst []byte) Outgoing {
	return c.process(now, pkt, dst, false)
}

// process decides on a packet and applies the decision. late: the packet was held, and will not be held again.
func (c *Consumer) process(now unit.Time, pkt *packet.Packet, dst []byte, late bool) Outgoing {
	encoding := c.encodingOf(pkt)
	s := c.stream(encoding)
	switch {
	case s == nil:
		c.drops.Stream++
		return Outgoing{}
	case !c.Active():
		c.drops.Inactive++
		c.leaveOut(s, pkt, encoding)
		return Outgoing{}
	case !c.takes(pkt.PayloadType):
		c.drops.PayloadType++
		c.leaveOut(s, pkt, encoding)
		return Outgoing{}
	}
	d := c.selector.Decide(now, pkt, encoding)
	switch d.Action {
	case layer.Forward:
		return c.forward(now, s, pkt, dst, &d)
	case layer.Hold:
		c.waitForKeyFrame(now)
		if !late {
			c.hold(s, pkt)
			return Outgoing{}
		}
		c.drops.KeyFrame++
	case layer.DropEmpty:
		c.drops.Empty++
	case layer.DropDTX:
		c.drops.DTX++
	case layer.DropLayer, layer.Ignore:
		c.drops.Layer++
	}
	if d.Action != layer.Ignore {
		s.seq.Drop(uint16(pkt.SequenceNumber))
	}
	return Outgoing{}
}

// leaveOut closes the gap of a packet that is not forwarded, if its stream is the one that the receiver gets.
func (c *Consumer) leaveOut(s *sentStream, pkt *packet.Packet, encoding int) {
	if c.selector.Forwards(encoding) {
		s.seq.Drop(uint16(pkt.SequenceNumber))
	}
}

// forward sends a packet. The key frame with which a stream begins releases the packets that were held until it.
func (c *Consumer) forward(now unit.Time, s *sentStream, pkt *packet.Packet, dst []byte, d *layer.Decision) Outgoing {
	s.sync(pkt.SequenceNumber, d.Sync)
	begins := d.Sync != layer.Continue && pkt.Codec.KeyFrame
	if begins {
		c.dropKeyFrameRequest(pkt.SSRC)
		c.endKeyFrameWait(now, s)
	}
	if d.Sync == layer.Switch {
		s.send.ResetScore(now, rtpstream.MaxScore, false)
	}
	if d.LayersChanged {
		c.notifyLayers()
	}
	if d.Sync == layer.Switch {
		c.notifyScore()
	}
	out := c.write(now, s, pkt, dst, d)
	if !begins {
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

// write gives the packet its number and writes it.
func (c *Consumer) write(now unit.Time, s *sentStream, pkt *packet.Packet, dst []byte, d *layer.Decision) Outgoing {
	seq, ok := s.seq.Input(uint16(pkt.SequenceNumber))
	if !ok {
		c.drops.Sequence++
		return Outgoing{}
	}
	h := rtp.Header{
		Marker: d.Marker, PayloadType: pkt.PayloadType, SequenceNumber: unit.SeqNo(seq),
		Timestamp: pkt.Timestamp - d.TimestampOffset, SSRC: s.ssrc,
	}
	r := rewriteVP8(d.VP8)
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
	switch {
	case !s.wantsKeyFrame:
	case pkt.Codec.KeyFrame:
		s.wantsKeyFrame = false
	default:
		c.passOnKeyFrameRequest(now, s)
	}
	if s.seq.MaxOutput() == seq {
		s.complete = h.Marker
	}
	c.last = lastSent{stream: s, seq: h.SequenceNumber, rewrite: r}
	if c.trace != 0 {
		c.tracePacket(now, pkt, h, out.Len, false)
	}
	return out
}

// WriteHeldBack writes the next packet that was held until the key frame just written; call it until Len is 0 after a
// WritePacket with More.
func (c *Consumer) WriteHeldBack(now unit.Time, dst []byte) Outgoing {
	s := c.late
	if s == nil {
		return Outgoing{}
	}
	for len(s.held) > 0 {
		pkt := s.held[0]
		s.held = slices.Delete(s.held, 0, 1)
		out := c.process(now, pkt, dst, true)
		pkt.Release()
		if out.Len > 0 {
			out.More = len(s.held) > 0
			return out
		}
	}
	s.held, c.late = nil, nil
	return Outgoing{}
}

// SetTransportCC records the transport-wide sequence number that the transport wrote into the last packet of WritePacket or
// WriteHeldBack, at Outgoing.TransportCC. Without RTX, a retransmission repeats it: see rewrite.
func (c *Consumer) SetTransportCC(seq unit.SeqNo) {
	if c.last.stream != nil {
		c.last.stream.send.SetRewrite(c.last.seq, uint64(c.last.rewrite.withTransportCC(seq)))
	}
}
