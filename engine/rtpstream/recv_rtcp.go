package rtpstream

import (
	"math"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
)

// HandleSenderReport takes a sender report about this stream. As in mediasoup, this is when the score is computed.
func (r *Recv) HandleSenderReport(now unit.Time, sr *rtcp.SenderReport) {
	// A sender without a clock reports 0, which says nothing (RFC 3550 section 6.4.1).
	if sr.NTPTime != 0 {
		r.sr = seen{compact: unit.CompactNTP(sr.NTPTime), at: now, ok: true}
		r.reported = clockPoint{sr.NTPTime, unit.Timestamp(sr.RTPTime)}
	}
	r.updateScore(now)
}

// HandleRTXSenderReport takes a sender report about the RTX stream.
func (r *Recv) HandleRTXSenderReport(now unit.Time, sr *rtcp.SenderReport) {
	if r.rtx != nil {
		r.rtx.sr = seen{compact: unit.CompactNTP(sr.NTPTime), at: now, ok: true}
	}
}

// HandleDLRR takes the peer's answer to a receiver reference time report; it gives the round-trip time (RFC 3611
// section 4.5).
func (r *Recv) HandleDLRR(now unit.Time, b rtcp.DLRRReport) {
	r.rtt = measureRoundTrip(now, b.LastRR, b.DLRR)
	if r.nack != nil {
		r.nack.rtt = r.rtt
	}
}

// ReceptionReport returns the report block about this stream and begins a new interval. worstRemoteFractionLost is the
// worst fraction lost (in 1/256) among the consumers of this stream: with in-band FEC it is reported instead of ours when
// it is worse, so that the sender adds enough redundancy for them. Without UseInBandFEC it is ignored.
func (r *Recv) ReceptionReport(now unit.Time, worstRemoteFractionLost uint8) rtcp.ReceptionReport {
	if !r.params.UseInBandFEC {
		worstRemoteFractionLost = 0
	}
	b := rtcp.ReceptionReport{
		SSRC:               uint32(r.params.SSRC),
		LastSequenceNumber: r.seq.extendedMax(),
		Jitter:             uint32(r.jitter.value),
	}
	r.loss.next(r.seq.expected(), r.received, worstRemoteFractionLost, &b)
	b.LastSenderReport, b.Delay = r.sr.answer(now)
	return b
}

// RTXReceptionReport returns the report block about the RTX stream; false when there is none. Jitter is not measured.
func (r *Recv) RTXReceptionReport(now unit.Time) (rtcp.ReceptionReport, bool) {
	if r.rtx == nil {
		return rtcp.ReceptionReport{}, false
	}
	b := rtcp.ReceptionReport{SSRC: uint32(r.params.RTXSSRC), LastSequenceNumber: r.rtx.seq.extendedMax()}
	r.rtx.loss.next(r.rtx.seq.expected(), r.rtx.received, 0, &b)
	b.LastSenderReport, b.Delay = r.rtx.sr.answer(now)
	return b, true
}

// updateScore adds a sample for the time since the last sender report.
func (r *Recv) updateScore(now unit.Time) {
	expected := r.seq.expected() - r.expectedPriorScore
	received := r.received - r.receivedPriorScore
	repaired := uint32(r.repaired - r.repairedPriorScore)
	retransmitted := uint32(r.retransmitted - r.retransmittedPriorScore)
	r.expectedPriorScore, r.receivedPriorScore = r.seq.expected(), r.received
	r.repairedPriorScore, r.retransmittedPriorScore = r.repaired, r.retransmitted
	if r.inactive {
		return
	}
	sample := uint8(MaxScore)
	switch {
	case expected == 0:
	case received == 0:
		sample = 0
	default:
		sample = r.interval(expected, received, repaired, retransmitted)
	}
	r.score.add(now, sample)
	r.checkScore()
}

// interval returns the sample for an interval in which packets came.
func (r *Recv) interval(expected, received, repaired, retransmitted uint32) uint8 {
	lost := uint32(0)
	if expected > received {
		lost = min(expected-received, received)
	}
	if repaired > lost {
		if r.rtx != nil {
			repaired = lost
		} else {
			// Packets sent again count as received, too, and hide the loss they repaired.
			repaired = min(repaired, received)
			lost = repaired
		}
	}
	return deliveryScore(received, lost, repaired, retransmitted)
}

func (r *Recv) resetScore(now unit.Time, value uint8) {
	r.score.reset(now, value, true)
	r.checkScore()
}

// checkScore puts a change of the score into the output; several changes between two calls of Reset become one.
func (r *Recv) checkScore() {
	previous, changed := r.score.take()
	if !changed {
		return
	}
	o := &r.output
	if !o.ScoreChanged {
		o.PreviousScore = previous
	}
	o.ScoreChanged = o.PreviousScore != r.score.value
}

// jitter is the interarrival jitter of RFC 3550 section 6.4.1 in timestamp units.
type jitter struct {
	value   float64
	transit int32
	started bool
}

func (j *jitter) update(receivedAt unit.Time, ts unit.Timestamp, clockRate uint32) {
	if clockRate == 0 {
		return
	}
	// Seconds and the rest apart, for the product of nanoseconds and clock rate would overflow.
	seconds, rest := int64(receivedAt)/int64(time.Second), int64(receivedAt)%int64(time.Second)
	arrival := uint32(seconds*int64(clockRate)) + uint32(rest*int64(clockRate)/int64(time.Second))
	transit := int32(arrival - uint32(ts))
	d := float64(transit - j.transit)
	j.transit = transit
	if !j.started {
		j.started = true
		return
	}
	j.value += (max(d, -d) - j.value) / 16
}

// lossReport computes the loss of a received stream between two reports (RFC 3550 appendix A.3).
type lossReport struct {
	expectedPrior, receivedPrior uint32
	lost                         int32 // now
	reported                     int64 // to the peer
	fraction                     uint8 // in the last interval, in 1/256
}

// next begins a new interval and puts loss into the block. When worst, the fraction lost among the receivers of the
// stream, exceeds our own, that one is reported.
func (l *lossReport) next(expected, received uint32, worst uint8, r *rtcp.ReceptionReport) {
	prior := l.lost
	l.lost = max(int32(expected-received), 0)
	interval, got := expected-l.expectedPrior, received-l.receivedPrior
	l.expectedPrior, l.receivedPrior = expected, received
	l.fraction = 0
	if lost := int32(interval - got); interval != 0 && lost > 0 {
		l.fraction = uint8(min(math.Round(float64(lost)*256/float64(interval)), math.MaxUint8))
	}
	r.FractionLost = l.fraction
	if worst > l.fraction {
		r.FractionLost = worst
		l.reported += int64(worst) * int64(interval) >> 8
	} else {
		l.reported += int64(l.lost - prior)
	}
	wirertcp.SetTotalLost(r, l.reported)
}

// rtxStream is the RTX stream that repairs a received stream.
type rtxStream struct {
	seq      sequence
	loss     lossReport
	received uint32
	sr       seen
}
