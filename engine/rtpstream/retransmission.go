package rtpstream

import (
	"math"
	"math/bits"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// Retransmission is a packet that is to be sent again. With RTX, payload type, SSRC and sequence number are those of the
// RTX stream, and OSN goes in front of the (rewritten) payload (RFC 4588 section 4).
type Retransmission struct {
	Packet         *packet.Packet
	SSRC           unit.SSRC
	PayloadType    uint8
	SequenceNumber unit.SeqNo
	Timestamp      unit.Timestamp
	Marker         bool
	Rewrite        uint64
	// RTX says that the packet goes out on the RTX stream.
	RTX bool
	// OSN is the original sequence number.
	OSN unit.SeqNo
}

// SetScarce says whether the path is congested. Retransmissions are limited then to what repairs the picture that is to be seen
// next: packets of the base temporal layer, not older than the newest key frame.
func (s *Send) SetScarce(scarce bool) { s.scarce = scarce }

// Scarce returns what SetScarce was given last.
func (s *Send) Scarce() bool { return s.scarce }

// helps reports whether a retransmission is worth its bandwidth while that is scarce. What is older than a key frame is needed by
// nothing that follows, and what is of a higher temporal layer only by pictures that need not be shown.
func (s *Send) helps(seq unit.SeqNo, item *stored) bool {
	if s.hasKey && seq.Before(s.keySeq) {
		return false
	}
	return item.pkt.Codec.TemporalLayer == 0
}

// HandleNACK queues what the peer misses and we still have, each packet at most once per round-trip time. Call
// NextRetransmission until it reports false, or DropQueue.
func (s *Send) HandleNACK(now unit.Time, n *rtcp.TransportLayerNack) {
	s.nackCount++
	for _, pair := range n.Nacks {
		lost := uint16(pair.LostPackets)
		s.nackPacketCount += uint64(1 + bits.OnesCount16(lost))
		if s.buffer == nil {
			continue
		}
		seq := unit.SeqNo(pair.PacketID)
		s.enqueue(now, seq)
		for ; lost != 0; lost >>= 1 {
			seq++
			if lost&1 != 0 {
				s.enqueue(now, seq)
			}
		}
	}
}

// enqueue puts a packet into the queue unless it is gone or was sent again less than a round trip ago.
func (s *Send) enqueue(now unit.Time, seq unit.SeqNo) {
	item := s.buffer.get(seq)
	if item == nil || len(s.queue) == maxBufferItems || s.scarce && !s.helps(seq, item) {
		return
	}
	nowMS := uint16(now.Milliseconds())
	if item.sent > 0 && time.Duration(nowMS-item.resentAt)*time.Millisecond <= s.rtt.pace() {
		return
	}
	item.resentAt = nowMS
	if item.sent < math.MaxUint8 {
		item.sent++
	}
	s.queue = append(s.queue, seq)
}

// NextRetransmission takes the next packet to be sent again. Packet stays valid until the next call of HandlePacket,
// Pause or Close; to keep it longer, retain it.
func (s *Send) NextRetransmission() (Retransmission, bool) {
	for s.queued < len(s.queue) {
		seq := s.queue[s.queued]
		s.queued++
		// What the queue holds are sequence numbers, not packets: the buffer may have dropped some meanwhile.
		if item := s.buffer.get(seq); item != nil {
			return s.retransmit(seq, item), true
		}
	}
	s.queue, s.queued = s.queue[:0], 0
	return Retransmission{}, false
}

// DropQueue forgets what is queued. The peer may ask again at once for what was not sent again before. It returns true if
// the path is congested and something that would have helped was dropped.
func (s *Send) DropQueue() (harmed bool) {
	harmed = s.scarce && s.queued < len(s.queue)
	for _, seq := range s.queue[s.queued:] {
		if item := s.buffer.get(seq); item != nil && item.sent > 0 {
			item.sent--
		}
	}
	s.queue, s.queued = s.queue[:0], 0
	return harmed
}

func (s *Send) retransmit(seq unit.SeqNo, item *stored) Retransmission {
	s.retransmitted++
	if item.sent == 1 {
		s.repaired++
	}
	r := Retransmission{
		Packet: item.pkt, SSRC: s.params.SSRC, PayloadType: s.params.PayloadType, SequenceNumber: seq,
		Timestamp: item.ts, Marker: item.marker, Rewrite: item.rewrite, OSN: seq,
	}
	if s.rtx {
		r.RTX, r.SSRC, r.PayloadType, r.SequenceNumber = true, s.params.RTXSSRC, s.params.RTXPayloadType, s.rtxSeq
		s.rtxSeq++
	}
	return r
}
