package bwe

import (
	"math"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// startPhase is how long the peer's estimate is adopted at once, as in mediasoup.
const startPhase = 2 * time.Second

// Chosen here:
const (
	rembIncrease = 1.25 // per second towards the peer's estimate, afterwards; mediasoup's 1.08 takes long to recover
	maxReported  = 64   // streams whose reception reports are compared with the ones before
	// The peer's estimate follows what arrives on average over a second, so that is how long a probe lasts; it is moderate
	// because of that, and only serves while media alone does not fill the estimate.
	rembProbeTime  = time.Second
	rembProbeScale = 1.2
	rembProbeShare = 0.9
	rembSuccess    = 1.1 // times the estimate before
)

// rembLimit is the peer's estimate, and the losses in its reception reports.
type rembLimit struct {
	value       float64 // bit/s; 0: none was received, or there is no limit
	connectedAt unit.Time
	grownAt     unit.Time
	reports     []reported
	bytes       int // sent since the last report
}

// reported is the last reception report about a stream.
type reported struct {
	ssrc     uint32
	sequence uint32
	lost     uint32
}

// bound applies the peer's estimate.
func (l *rembLimit) bound(bitrate float64) float64 {
	if l.value > 0 {
		return min(bitrate, l.value)
	}
	return bitrate
}

// compare returns how many packets a report speaks of and how many of them were lost.
func (l *rembLimit) compare(r *rtcp.ReceptionReport) (expected, lost int) {
	current := reported{r.SSRC, r.LastSequenceNumber, r.TotalLost}
	for i := range l.reports {
		if p := &l.reports[i]; p.ssrc == r.SSRC {
			expected = int(int32(current.sequence - p.sequence))
			lost = int(int32(current.lost-p.lost) << 8 >> 8) // 24 bits, signed (RFC 3550 section 6.4.1)
			*p = current
			if expected <= 0 || expected > 1<<16 {
				return 0, 0
			}
			return expected, min(lost, expected)
		}
	}
	if len(l.reports) < maxReported {
		l.reports = append(l.reports, current)
	}
	return 0, 0
}

// HandleREMB takes the peer's estimate in bits per second; it counts in REMB mode only. 0 means that there is no limit.
func (s *Sender) HandleREMB(now unit.Time, bitrate unit.Bitrate) {
	if !s.connected || s.bweType != api.BWETypeREMB {
		return
	}
	l := &s.remb
	if float64(bitrate) > rembSuccess*l.value {
		s.probing.result(now, s.rate.bitrate, s.probing.target)
	}
	l.value = float64(bitrate)
	before := s.rate.bitrate
	elapsed := min(now.Sub(l.grownAt), time.Second).Seconds()
	l.grownAt = now
	switch {
	case s.loss.hold() || l.value <= s.rate.bitrate:
	case now.Sub(l.connectedAt) <= startPhase:
		s.rate.set(now, l.value)
	default:
		s.rate.set(now, min(l.value, s.rate.bitrate*math.Pow(rembIncrease, elapsed)))
	}
	s.moved(before, CauseREMB, CauseREMB)
	s.update(now)
}

// HandleReceptionReport takes a report block of the peer about one of our streams, and the round-trip time derived from
// it (0 when unknown). It counts in REMB mode only; transport-wide feedback is faster and more exact.
func (s *Sender) HandleReceptionReport(now unit.Time, report *rtcp.ReceptionReport, rtt time.Duration) {
	if !s.connected || s.bweType != api.BWETypeREMB {
		return
	}
	if rtt > 0 {
		s.rate.rtt = min(rtt, maxRTT)
	}
	expected, lost := s.remb.compare(report)
	if expected == 0 {
		return
	}
	s.losses.add(max(lost, 0), expected)
	bytes := s.remb.bytes
	s.remb.bytes = 0
	before := s.rate.bitrate
	// Packets were sent at our estimate, bounded by the peer's.
	s.applyLoss(now, s.loss.add(now, expected, lost, bytes, s.remb.bound(before)))
	if s.rate.bitrate < before {
		s.probing.fell(now, s.rate.bitrate)
	}
	s.update(now)
}
