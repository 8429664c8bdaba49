package rtpstream

import (
	"math"

	"github.com/pion/rtcp"

	wirertcp "gazpacho/engine/wire/rtcp"
)

// lossReport computes the loss of a received stream between two reports (RFC 3550 appendix A.3).
type lossReport struct {
	expectedPrior, receivedPrior uint32
	lost                         int32 // now
	reported                     int64 // what the peer was told
	fraction                     uint8 // in the last interval, in 1/256
}

// next begins a new interval and puts loss into the block. When worst, the fraction lost among the receivers of the
// stream, exceeds the own one, the peer is told that one.
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

// rtxStream is what we know of the RTX stream that repairs a received stream.
type rtxStream struct {
	seq      sequence
	loss     lossReport
	received uint32
	sr       seen
}
