package media

import (
	"slices"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// maxHeld is how many packets are held back at most (upstream's TargetLayerRetransmissionBufferSize): the oldest go first.
const maxHeld = 30

// WritePacket writes pkt for this consumer's receiver into dst, which has room for len(pkt.Data)+MaxHeaderGrowth bytes:
// a new header and the payload. It keeps a reference of pkt if it may have to retransmit it. Len 0 = nothing is sent.
func (c *Consumer) WritePacket(now unit.Time, pkt *packet.Packet, dst []byte) Outgoing {
	if !c.Active() {
		c.drops.Inactive++
		c.seq.Drop(uint16(pkt.SequenceNumber))
		return Outgoing{}
	}
	if !c.takes(pkt.PayloadType) {
		c.drops.PayloadType++
		c.seq.Drop(uint16(pkt.SequenceNumber))
		return Outgoing{}
	}
	d := c.selector.decide(pkt)
	switch d.action {
	case forward:
		return c.forward(now, pkt, dst, d)
	case hold:
		c.hold(pkt)
		return Outgoing{}
	case dropEmpty:
		c.drops.Empty++
	case dropDTX:
		c.drops.DTX++
	}
	c.seq.Drop(uint16(pkt.SequenceNumber))
	return Outgoing{}
}

func (c *Consumer) forward(now unit.Time, pkt *packet.Packet, dst []byte, d decision) Outgoing {
	if d.sync {
		c.seq.Sync(uint16(pkt.SequenceNumber - 1))
	}
	out := c.write(now, pkt, dst)
	if !d.keyFrame {
		return out
	}
	if out.Len == 0 {
		c.releaseHeld()
		return out
	}
	c.keepHeldAfter(pkt.SequenceNumber)
	out.More = len(c.held) > 0
	return out
}

// write gives the packet its number and writes it.
func (c *Consumer) write(now unit.Time, pkt *packet.Packet, dst []byte) Outgoing {
	seq, ok := c.seq.Input(uint16(pkt.SequenceNumber))
	if !ok {
		c.drops.Sequence++
		return Outgoing{}
	}
	h := rtp.Header{
		Marker: pkt.Marker, PayloadType: pkt.PayloadType, SequenceNumber: unit.SeqNo(seq),
		Timestamp: pkt.Timestamp, SSRC: c.ssrc,
	}
	out, b := c.writeHeader(pkt, dst, h)
	b = append(b, pkt.Payload()...)
	out.Len = len(b)
	sent := rtpstream.Sent{
		SequenceNumber: h.SequenceNumber, Timestamp: h.Timestamp, Marker: h.Marker, Length: out.Len,
	}
	if !c.send.HandlePacket(now, pkt, sent) {
		c.drops.Sequence++
		return Outgoing{}
	}
	if c.trace != 0 {
		c.tracePacket(now, pkt, h, out.Len, false)
	}
	return out
}

// hold keeps a packet until the key frame that it may belong to.
func (c *Consumer) hold(pkt *packet.Packet) {
	i, found := slices.BinarySearchFunc(c.held, pkt.SequenceNumber, func(h *packet.Packet, seq unit.SeqNo) int {
		return h.SequenceNumber.Sub(seq)
	})
	if found {
		c.drops.KeyFrame++
		return
	}
	pkt.Retain()
	if len(c.held) == maxHeld {
		if i == 0 {
			pkt.Release()
			c.drops.KeyFrame++
			return
		}
		c.dropHeld(1)
		i--
	}
	c.held = slices.Insert(c.held, i, pkt)
}

// keepHeldAfter releases what came before the key frame.
func (c *Consumer) keepHeldAfter(seq unit.SeqNo) {
	n := 0
	for n < len(c.held) && !c.held[n].SequenceNumber.After(seq) {
		n++
	}
	c.dropHeld(n)
}

// dropHeld gives up the n oldest held packets.
func (c *Consumer) dropHeld(n int) {
	for _, pkt := range c.held[:n] {
		pkt.Release()
	}
	c.drops.KeyFrame += uint32(n)
	c.held = slices.Delete(c.held, 0, n)
}

// releaseHeld gives up all held packets and their list.
func (c *Consumer) releaseHeld() {
	c.dropHeld(len(c.held))
	c.held = nil
}

// WriteHeldBack writes the next packet that was held back until the key frame just written; call it until Len is 0 after
// a WritePacket with More.
func (c *Consumer) WriteHeldBack(now unit.Time, dst []byte) Outgoing {
	for len(c.held) > 0 && !c.selector.needSync {
		pkt := c.held[0]
		c.held = slices.Delete(c.held, 0, 1)
		out := c.WritePacket(now, pkt, dst)
		pkt.Release()
		if out.Len > 0 {
			out.More = len(c.held) > 0
			return out
		}
	}
	if len(c.held) == 0 {
		c.held = nil
	}
	return Outgoing{}
}
