package media

import (
	"slices"

	"gazpacho/engine/layer"
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// sentStream is one stream that the receiver gets.
type sentStream struct {
	ssrc unit.SSRC
	seq  rtpstream.SeqRewriter
	send *rtpstream.Send
	// held are packets that wait for a key frame, in order of sequence number. They are all of one received stream.
	held []*packet.Packet
	// started: something was sent. complete: the newest packet sent ends a frame (its marker is set).
	started, complete bool
	// wantsKeyFrame: the receiver asked for a key frame, and that was not passed on yet. It may be from nextKeyFrameRequest on.
	wantsKeyFrame bool
	// unrepaired: retransmissions were dropped while the path was congested.
	unrepaired          bool
	nextKeyFrameRequest unit.Time
}

// lastSent is the packet last written, for SetTransportCC.
type lastSent struct {
	stream  *sentStream
	seq     unit.SeqNo
	rewrite rewrite
}

// maxHeld is the most packets that are held (mediasoup's TargetLayerRetransmissionBufferSize): the oldest are given up first.
const maxHeld = 30

// sync continues the sent sequence numbers with a packet that is about to be forwarded.
func (s *sentStream) sync(seq unit.SeqNo, how layer.Sync) {
	before := uint16(seq - 1)
	switch how {
	case layer.Continue:
		if s.started && jumps(seq.Sub(unit.SeqNo(s.seq.MaxInput()))) {
			// The sent stream goes on: numbers must not come twice (see Send.HandlePacket), nor thousands be missing. The gap
			// shows that something is: the producer's stream accepted the second packet only.
			s.seq.SyncAfterGap(before)
		}
	case layer.Resync:
		s.seq.Sync(before)
	case layer.Switch:
		if s.started && !s.complete {
			s.seq.SyncAfterGap(before)
		} else {
			s.seq.Sync(before)
		}
	}
}

// jumps reports whether a packet so far ahead of the newest is of a sender that restarted or comes back from an outage.
func jumps(ahead int) bool { return ahead <= -rtpstream.MaxMisorder || ahead >= rtpstream.MaxDropout }

// stream returns the one that packets of an encoding are forwarded in, nil if there is none.
func (c *Consumer) stream(encoding int) *sentStream {
	if len(c.streams) == 1 {
		return &c.streams[0]
	}
	// A pipe's streams are those of the producer, one for each.
	if encoding < 0 {
		return nil
	}
	return &c.streams[encoding]
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

// hold keeps a packet until the key frame that it may belong to. One far above an MTU is given up: it would hold memory that no
// ordinary packet takes.
func (c *Consumer) hold(s *sentStream, pkt *packet.Packet) {
	if pkt.Size() > packet.SmallSize {
		c.drops.KeyFrame++
		return
	}
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

// keepHeldAfter releases the packets from before the key frame.
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
	c.drops.KeyFrame += uint64(n)
	s.held = slices.Delete(s.held, 0, n)
}

// releaseHeld gives up all held packets and their list.
func (c *Consumer) releaseHeld(s *sentStream) {
	c.dropHeld(s, len(s.held))
	s.held = nil
}
