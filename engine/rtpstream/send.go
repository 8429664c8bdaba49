package rtpstream

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// Send is a stream that we send to a consumer's peer.
type Send struct{}

// Sent is what a consumer changed in a packet for its receiver.
type Sent struct {
	SequenceNumber unit.SeqNo
	Timestamp      unit.Timestamp
	Marker         bool
	// Rewrite is the consumer's own note on how the payload descriptor was rewritten; it comes back in the
	// Retransmission. The stream does not look into it.
	Rewrite uint64
	// Length is that of the whole packet as sent, header included, without SRTP.
	Length int
	// CapturedAt is when the media was captured, in our clock; 0 when unknown. Sender reports then fall back to the time
	// of sending.
	CapturedAt unit.Time
}

// Retransmission is a packet that is to be sent again. With RTX the header carries payload type, SSRC and sequence
// number given here, and OSN goes in front of the (rewritten) payload (RFC 4588 section 4).
type Retransmission struct {
	Packet         *packet.Packet
	SSRC           unit.SSRC
	PayloadType    uint8
	SequenceNumber unit.SeqNo
	Timestamp      unit.Timestamp
	Marker         bool
	Rewrite        uint64
	// RTX says that the packet goes out on the RTX stream, with OSN as the original sequence number.
	RTX bool
	OSN unit.SeqNo
}

// NewSend returns a stream that has sent nothing yet. Its score begins at 10. With p.UseNACK it keeps packets for
// retransmission: video for 2 s, audio for 1 s, at most 2500.
func NewSend(now unit.Time, p Params) *Send { return nil }

// Params returns the stream's parameters, RTX included.
func (s *Send) Params() *Params { return nil }

// SetRTX makes retransmissions go to an RTX stream whose sequence numbers go on from firstSeq, which should be random.
func (s *Send) SetRTX(payloadType uint8, ssrc unit.SSRC, firstSeq unit.SeqNo) {}

// HasRTX reports whether SetRTX was called.
func (s *Send) HasRTX() bool { return false }

// HandlePacket takes note of a packet that the consumer is about to send, and keeps a reference (pkt.Retain) for
// retransmission. It reports false when the packet must not be sent: its sequence number makes no sense, or it was sent
// already (SRTP would reuse its key stream).
func (s *Send) HandlePacket(now unit.Time, pkt *packet.Packet, sent Sent) bool { return false }

// HandleNACK queues what the peer misses and we still have, each packet at most once per round-trip time. Call
// NextRetransmission until it reports false.
func (s *Send) HandleNACK(now unit.Time, n *rtcp.TransportLayerNack) {}

// NextRetransmission takes the next packet to be sent again. Packet stays valid until the next call of HandlePacket,
// Pause or Close; who keeps it longer retains it.
func (s *Send) NextRetransmission() (Retransmission, bool) { return Retransmission{}, false }

// HandleKeyFrameRequest counts a PLI (fir false) or a FIR.
func (s *Send) HandleKeyFrameRequest(fir bool) {}

// HandleReceptionReport takes the peer's report about this stream: loss, round-trip time, score.
func (s *Send) HandleReceptionReport(now unit.Time, rr *rtcp.ReceptionReport) {}

// HandleRRTR takes the peer's receiver reference time (RFC 3611 section 4.4), which DLRR answers.
func (s *Send) HandleRRTR(now unit.Time, ntp uint64) {}

// SenderReport returns a sender report; false when nothing was sent, or nothing for 2 s (the RTP clock would then be
// a guess).
func (s *Send) SenderReport(now unit.Time) (rtcp.SenderReport, bool) { return rtcp.SenderReport{}, false }

// DLRR returns the answer to the last receiver reference time; false when none came.
func (s *Send) DLRR(now unit.Time) (rtcp.DLRRReport, bool) { return rtcp.DLRRReport{}, false }

// SDES returns the chunk with the stream's CNAME (RFC 3550 section 6.5).
func (s *Send) SDES() rtcp.SourceDescriptionChunk { return rtcp.SourceDescriptionChunk{} }

// Pause releases all kept packets.
func (s *Send) Pause() {}

// Close releases all kept packets; the stream must not be used afterwards.
func (s *Send) Close() {}

// ResetScore sets the score without telling (upstream's ResetScore with notify false) or with a change in TakeScoreChange.
func (s *Send) ResetScore(now unit.Time, score uint8, notify bool) {}

// TakeScoreChange reports whether the score changed since it was last asked, and what it was before.
func (s *Send) TakeScoreChange() (previous uint8, changed bool) { return 0, false }

// Score returns the stream's quality from 0 (dead) to 10.
func (s *Send) Score() uint8 { return 0 }

// ActiveSince returns when the score last left 0.
func (s *Send) ActiveSince() unit.Time { return 0 }

// FractionLost returns the fraction lost of the peer's last report, in 1/256.
func (s *Send) FractionLost() uint8 { return 0 }

// LossPercentage returns FractionLost as a percentage.
func (s *Send) LossPercentage() float32 { return 0 }

// RTT returns the last measured round-trip time, 0 when unknown.
func (s *Send) RTT() time.Duration { return 0 }

// MaxTimestamp returns the newest RTP timestamp that was sent.
func (s *Send) MaxTimestamp() unit.Timestamp { return 0 }

// Bitrate returns the rate of media sent, retransmissions left out.
func (s *Send) Bitrate(now unit.Time) unit.Bitrate { return 0 }

// Dump returns the stream as the worker protocol's dumps show it.
func (s *Send) Dump() *api.RTPStreamDump { return nil }

// Stats returns the stream's statistics: SendStats around BaseStats.
func (s *Send) Stats(now unit.Time) *api.RTPStreamStats { return nil }
