package media

import (
	"slices"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// sentStream is one stream that the receiver gets.
type sentStream struct {
	ssrc unit.SSRC
	seq  rtpstream.SeqRewriter
	send *rtpstream.Send
	// held are packets held back until a key frame, in order of sequence number. They are all of one received stream.
	held []*packet.Packet
	// needSync makes a selector without layers begin anew with a key frame.
	needSync bool
	// started: something was sent. complete: the newest packet sent ends a frame (its marker is set).
	started, complete bool
}

// lastSent is the packet last written, for SetTransportCC.
type lastSent struct {
	stream  *sentStream
	seq     unit.SeqNo
	rewrite rewrite
}

// maxHeld is how many packets are held back at most (upstream's TargetLayerRetransmissionBufferSize): the oldest go first.
const maxHeld = 30

// stream returns the one that a packet is forwarded in, nil if it is of no consumable encoding.
func (c *Consumer) stream(pkt *packet.Packet) *sentStream {
	if len(c.streams) == 1 {
		return &c.streams[0]
	}
	// A pipe's streams are those of the producer, one for each.
	if i := c.encodingOf(pkt); i >= 0 {
		return &c.streams[i]
	}
	return nil
}

// encodingOf returns the index of the consumable encoding that a packet is of, -1 if none.
func (c *Consumer) encodingOf(pkt *packet.Packet) int {
	// A router numbers encodings as its producer does.
	if i := pkt.Encoding; i < len(c.mapped) && c.mapped[i] == pkt.SSRC {
		return i
	}
	return slices.Index(c.mapped, pkt.SSRC)
}

// bySSRC returns the sent stream with the given SSRC, nil if there is none.
func (c *Consumer) bySSRC(ssrc unit.SSRC) *sentStream {
	for i := range c.streams {
		if c.streams[i].ssrc == ssrc {
			return &c.streams[i]
		}
	}
	return nil
}

// hold keeps a packet until the key frame that it may belong to.
func (c *Consumer) hold(s *sentStream, pkt *packet.Packet) {
	i, found := slices.BinarySearchFunc(s.held, pkt.SequenceNumber, func(h *packet.Packet, seq unit.SeqNo) int {
		return h.SequenceNumber.Sub(seq)
	})
	if found {
		c.drops.KeyFrame++
		return
	}
	pkt.Retain()
	if len(s.held) == maxHeld {
		if i == 0 {
			pkt.Release()
			c.drops.KeyFrame++
			return
		}
		c.dropHeld(s, 1)
		i--
	}
	s.held = slices.Insert(s.held, i, pkt)
}

// keepHeldAfter releases what came before the key frame.
func (c *Consumer) keepHeldAfter(s *sentStream, seq unit.SeqNo) {
	n := 0
	for n < len(s.held) && !s.held[n].SequenceNumber.After(seq) {
		n++
	}
	c.dropHeld(s, n)
}

// dropHeld gives up the n oldest held packets.
func (c *Consumer) dropHeld(s *sentStream, n int) {
	for _, pkt := range s.held[:n] {
		pkt.Release()
	}
	c.drops.KeyFrame += uint32(n)
	s.held = slices.Delete(s.held, 0, n)
}

// releaseHeld gives up all held packets and their list.
func (c *Consumer) releaseHeld(s *sentStream) {
	c.dropHeld(s, len(s.held))
	s.held = nil
}
