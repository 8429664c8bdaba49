package rtpstream

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// From mediasoup:
const (
	maxRetransmissionDelayVideo = 2000 * time.Millisecond
	maxRetransmissionDelayAudio = 1000 * time.Millisecond
	// maxReferenceAge is above the distance of packets in any honest stream (Opus with a packet time of 120 ms, screen
	// sharing at 1 frame per second): only a stream that really stopped reaches it.
	maxReferenceAge = 2000 * time.Millisecond
)

// restAfter is how long a stream must be silent to give memory back. Chosen here: a receiver that misses a packet has asked for it
// often enough by then, and waits for a key frame.
const restAfter = 5 * time.Second

// Send is a stream that we send to a consumer's peer.
type Send struct {
	params     Params
	window     sentWindow
	line       timeline
	capturedAt unit.Time // of the packet with the newest timestamp, 0 when unknown
	score      score
	counter    unit.Counter
	buffer     *buffer      // of packets kept for retransmission; nil as long as there are none
	queue      []unit.SeqNo // to be sent again, from queued on
	queued     int
	rtt        roundTrip
	rrtr       seen
	rtxSeq     unit.SeqNo
	rtx        bool
	// keySeq is the number of the newest key frame's first packet, keyStamp its timestamp.
	keySeq   unit.SeqNo
	keyStamp unit.Timestamp
	hasKey   bool
	scarce   bool // see SetScarce

	// What the peer reported last.
	packetsLost  int32
	jitter       uint32
	fractionLost uint8

	repaired, retransmitted                     uint64
	nackCount, nackPacketCount                  uint64
	pliCount, firCount                          uint64
	sentPriorScore                              uint64
	lostPriorScore                              int32
	repairedPriorScore, retransmittedPriorScore uint64
}

// Sent is what a consumer changed in a packet for its receiver.
type Sent struct {
	SequenceNumber unit.SeqNo
	Timestamp      unit.Timestamp
	Marker         bool
	// Rewrite is how the consumer rewrote the packet; it comes back in the Retransmission. The stream does not interpret it.
	Rewrite uint64
	// Length is that of the whole packet as sent, header included, without SRTP.
	Length int
	// CapturedAt is when the media was captured, in our clock; 0 when unknown. Sender reports then fall back to the time
	// of sending.
	CapturedAt unit.Time
}

// NewSend returns a stream that has sent nothing yet. Its score begins at 10. With p.UseNACK it keeps packets for
// retransmission: video for 2 s, audio for 1 s, at most 2500, and none that lies in more than 1600 bytes. Call SetRTX for an RTX stream.
func NewSend(now unit.Time, p Params) *Send {
	p.normalize()
	p.RTXSSRC, p.RTXPayloadType = 0, 0
	return &Send{params: p, score: newScore(now), counter: unit.NewCounter(unit.DefaultCounterWindow)}
}

// Params returns the stream's parameters, RTX included.
func (s *Send) Params() *Params { return &s.params }

// SetRTX makes retransmissions go to an RTX stream whose sequence numbers begin at firstSeq, which should be random.
func (s *Send) SetRTX(payloadType uint8, ssrc unit.SSRC, firstSeq unit.SeqNo) {
	s.params.RTXPayloadType, s.params.RTXSSRC = payloadType, ssrc
	s.rtx, s.rtxSeq = true, firstSeq
}

// HandlePacket records a packet that the consumer is about to send, and keeps a reference (pkt.Retain) for retransmission
// unless the packet is far above an MTU. It
// reports false when the packet must not be sent: a packet with its sequence number was sent already, or it is too old to know.
// The receiver's SRTP would drop it as a replay, and to encrypt another packet under the same number would reveal the key
// (RFC 7714 section 8): whatever a producer's peer sends, that must not happen.
func (s *Send) HandlePacket(now unit.Time, pkt *packet.Packet, sent Sent) bool {
	first := !s.window.started
	v := s.window.take(sent.SequenceNumber)
	if v == discarded {
		return false
	}
	if s.line.update(now, v, sent.Timestamp, first) {
		s.capturedAt = sent.CapturedAt
	}
	s.noteKeyFrame(pkt, &sent)
	if s.params.UseNACK && pkt.Size() <= maxKeptSize {
		s.keep(pkt, sent)
	}
	s.counter.Update(now, sent.Length, len(pkt.Payload()))
	return true
}

// noteKeyFrame remembers where the newest key frame begins, while packets from before it are kept.
func (s *Send) noteKeyFrame(pkt *packet.Packet, sent *Sent) {
	switch {
	case pkt.Codec.KeyFrame && (!s.hasKey || sent.Timestamp.After(s.keyStamp)):
		s.keySeq, s.keyStamp, s.hasKey = sent.SequenceNumber, sent.Timestamp, true
	case s.hasKey && sent.SequenceNumber.Sub(s.keySeq) > maxBufferItems:
		s.hasKey = false
	}
}

// keep keeps a packet for retransmission.
func (s *Send) keep(pkt *packet.Packet, sent Sent) {
	if s.buffer == nil {
		delay := maxRetransmissionDelayVideo
		if s.params.kind() == api.MediaKindAudio {
			delay = maxRetransmissionDelayAudio
		}
		s.buffer = newBuffer(delay, s.params.ClockRate)
	}
	s.buffer.insert(sent.SequenceNumber, stored{pkt: pkt, rewrite: sent.Rewrite, ts: sent.Timestamp, marker: sent.Marker})
}

// SetRewrite replaces the Rewrite of a packet that was just handled. It does nothing if the packet was not kept.
func (s *Send) SetRewrite(seq unit.SeqNo, rewrite uint64) {
	if s.buffer == nil {
		return
	}
	if item := s.buffer.get(seq); item != nil {
		item.rewrite = rewrite
	}
}

// Pause releases all kept packets.
func (s *Send) Pause() {
	s.release()
	s.jitter = 0
}

func (s *Send) release() {
	s.queue, s.queued = nil, 0
	if s.buffer != nil {
		s.buffer.clear()
		s.buffer = nil
	}
}

// Rest gives memory back if nothing was sent for 5 s: kept packets, which no receiver asks for any more, and what counts recent ones.
// A late packet is then too old to be sent. Call it now and then.
func (s *Send) Rest(now unit.Time) {
	if now.Sub(s.line.maxAt) < restAfter || !s.counter.Rest(now) {
		return
	}
	s.window.rest()
	s.release()
}

// Close releases all kept packets; the stream must not be used afterwards.
func (s *Send) Close() { s.Pause() }

// sentWindowLen is how far behind the newest packet a late one may be sent: more than a received stream accepts (MaxMisorder),
// so that nothing is lost by it. (Chosen here.)
const sentWindowLen = 2048

// sentWindow knows which sequence numbers of a sent stream were used, so that none is used twice. It takes 280 bytes while packets are
// sent.
type sentWindow struct {
	used     *usedNumbers // nil: none may be used that is not newer than max
	discards uint64
	max      unit.SeqNo
	started  bool
}

// usedNumbers has a bit for each number, as a ring.
type usedNumbers [sentWindowLen / 64]uint64

// take marks seq as used, and returns discarded if it was used before or is too old to know. Half the number space ahead
// counts as newer, as in SRTP (RFC 3711 section 3.3.1).
func (w *sentWindow) take(seq unit.SeqNo) verdict {
	ahead := seq.Sub(w.max)
	switch {
	case !w.started:
		w.started, w.used = true, new(usedNumbers)
		w.advance(seq, sentWindowLen)
		return inOrder
	case ahead > 0:
		w.wake()
		w.advance(seq, ahead)
		return inOrder
	case ahead > -sentWindowLen && w.used != nil && !w.has(seq):
		w.set(seq)
		return misordered
	}
	w.discards++
	return discarded
}

// advance makes seq, which is n ahead, the newest number.
func (w *sentWindow) advance(seq unit.SeqNo, n int) {
	if n >= sentWindowLen {
		*w.used = usedNumbers{}
	} else {
		for i := w.max + 1; i != seq; i++ {
			w.used[i%sentWindowLen/64] &^= 1 << (i % 64)
		}
	}
	w.max = seq
	w.set(seq)
}

// rest gives memory back. What is not newer than all numbers so far is refused from now on.
func (w *sentWindow) rest() { w.used = nil }

// wake undoes rest: all numbers so far count as used.
func (w *sentWindow) wake() {
	if w.used != nil {
		return
	}
	w.used = new(usedNumbers)
	for i := range w.used {
		w.used[i] = ^uint64(0)
	}
}

func (w *sentWindow) has(seq unit.SeqNo) bool { return w.used[seq%sentWindowLen/64]&(1<<(seq%64)) != 0 }

func (w *sentWindow) set(seq unit.SeqNo) { w.used[seq%sentWindowLen/64] |= 1 << (seq % 64) }
