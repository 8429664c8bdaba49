package rtpstream

import (
	"time"
	"unicode/utf8"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
)

// HandleKeyFrameRequest counts a PLI (fir false) or a FIR.
func (s *Send) HandleKeyFrameRequest(fir bool) {
	if fir {
		s.firCount++
		return
	}
	s.pliCount++
}

// HandleReceptionReport takes the peer's report about this stream: loss, round-trip time, score.
func (s *Send) HandleReceptionReport(now unit.Time, rr *rtcp.ReceptionReport) {
	s.rtt = measureRoundTrip(now, rr.LastSenderReport, rr.Delay)
	s.packetsLost = wirertcp.TotalLost(rr)
	s.fractionLost = rr.FractionLost
	s.jitter = rr.Jitter
	s.score.add(now, s.interval())
}

// interval returns the score's sample for the time since the last report.
func (s *Send) interval() uint8 {
	sent := uint32(s.counter.Packets() - s.sentPriorScore)
	repaired := uint32(s.repaired - s.repairedPriorScore)
	retransmitted := uint32(s.retransmitted - s.retransmittedPriorScore)
	total := max(s.packetsLost, 0)
	lost := uint32(max(total-s.lostPriorScore, 0))
	s.sentPriorScore, s.lostPriorScore = s.counter.Packets(), total
	s.repairedPriorScore, s.retransmittedPriorScore = s.repaired, s.retransmitted
	if sent == 0 {
		return MaxScore
	}
	lost = min(lost, sent)
	return deliveryScore(sent, lost, min(repaired, lost), retransmitted)
}

// HandleRRTR takes the peer's receiver reference time (RFC 3611 section 4.4), which DLRR answers.
func (s *Send) HandleRRTR(now unit.Time, ntp uint64) {
	s.rrtr = seen{compact: unit.CompactNTP(ntp), at: now, ok: true}
}

// SenderReport returns a sender report; false when nothing was sent, or nothing for 2 s: the RTP clock, which is
// extrapolated from the newest packet's capture (or sending), would then be a guess.
func (s *Send) SenderReport(now unit.Time) (rtcp.SenderReport, bool) {
	if s.counter.Packets() == 0 || now.Sub(s.line.maxAt).Truncate(time.Millisecond) > maxReferenceAge {
		return rtcp.SenderReport{}, false
	}
	reference := s.line.maxAt
	if s.capturedAt != 0 {
		reference = s.capturedAt
	}
	// The time of capture is an estimate: it may lie ahead of now, and then the clock is extrapolated backwards. (mediasoup
	// does not, and sound and picture drift apart when packets are faster than the sender reports from which the sender's
	// clock is known.)
	elapsed := now.Sub(reference).Microseconds() * int64(s.params.ClockRate) / int64(time.Second/time.Microsecond)
	return rtcp.SenderReport{
		SSRC:        uint32(s.params.SSRC),
		NTPTime:     now.NTP(),
		RTPTime:     uint32(s.line.max) + uint32(elapsed),
		PacketCount: uint32(s.counter.Packets()),
		OctetCount:  uint32(s.counter.Bytes()),
	}, true
}

// DLRR returns the answer to the last receiver reference time; false when none came.
func (s *Send) DLRR(now unit.Time) (rtcp.DLRRReport, bool) {
	last, delay := s.rrtr.answer(now)
	return rtcp.DLRRReport{SSRC: uint32(s.params.SSRC), LastRR: last, DLRR: delay}, s.rrtr.ok
}

// maxCNAMELen is the most that an item of SDES can hold, in bytes: the length has one byte (RFC 3550 section 6.5).
const maxCNAMELen = 255

// shortCNAME returns the CNAME, or the part of a longer one that can be sent, in whole characters.
func shortCNAME(name string) string {
	if len(name) <= maxCNAMELen {
		return name
	}
	n := maxCNAMELen
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
}

// SDES returns the chunk with the stream's CNAME (RFC 3550 section 6.5).
func (s *Send) SDES() rtcp.SourceDescriptionChunk {
	return rtcp.SourceDescriptionChunk{
		Source: uint32(s.params.SSRC),
		Items:  []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: shortCNAME(s.params.CNAME)}},
	}
}

// ResetScore forgets the score's history and sets the score; with notify, TakeScoreChange reports the change.
func (s *Send) ResetScore(now unit.Time, score uint8, notify bool) { s.score.reset(now, score, notify) }

// TakeScoreChange reports whether the score changed since it was last asked, and what it was before.
func (s *Send) TakeScoreChange() (previous uint8, changed bool) { return s.score.take() }

// Score returns the stream's quality from 0 (dead) to 10.
func (s *Send) Score() uint8 { return s.score.value }

// ActiveSince returns when the score last left 0.
func (s *Send) ActiveSince() unit.Time { return s.score.activeSince }

// FractionLost returns the fraction lost of the peer's last report, in 1/256.
func (s *Send) FractionLost() uint8 { return s.fractionLost }

// LossPercentage returns FractionLost as a percentage.
func (s *Send) LossPercentage() float32 { return float32(s.fractionLost) * 100 / 256 }

// RTT returns the last measured round-trip time, 0 when unknown.
func (s *Send) RTT() time.Duration { return s.rtt.duration() }

// MaxTimestamp returns the newest RTP timestamp that was sent.
func (s *Send) MaxTimestamp() unit.Timestamp { return s.line.max }

// NewestTimestamp returns MaxTimestamp and when the first packet with it was sent.
func (s *Send) NewestTimestamp() (ts unit.Timestamp, sentAt unit.Time) {
	return s.line.max, s.line.maxAt
}

// Bitrate returns the rate of media sent, retransmissions left out.
func (s *Send) Bitrate(now unit.Time) unit.Bitrate { return s.counter.Rate(now) }

// Dump returns the stream as the worker protocol's dumps show it.
func (s *Send) Dump() *api.RTPStreamDump { return dump(&s.params, s.score.value, s.rtx) }

// Stats returns the stream's statistics: SendStats around BaseStats.
func (s *Send) Stats(now unit.Time) *api.RTPStreamStats {
	base := baseStats(now, &s.params)
	base.PacketsLost = s.packetsLost
	base.FractionLost = s.fractionLost
	base.Jitter = s.jitter
	base.PacketsDiscarded = s.window.discards
	base.PacketsRetransmitted = s.retransmitted
	base.PacketsRepaired = s.repaired
	base.NACKCount, base.NACKPacketCount = s.nackCount, s.nackPacketCount
	base.PLICount, base.FIRCount = s.pliCount, s.firCount
	base.RoundTripTime = s.rtt.milliseconds()
	base.Score = s.score.value
	return &api.RTPStreamStats{Data: &api.RTPStreamSendStats{
		Base:        &api.RTPStreamStats{Data: base},
		PacketCount: s.counter.Packets(),
		ByteCount:   s.counter.Bytes(),
		Bitrate:     uint64(s.counter.Rate(now)),
	}}
}
