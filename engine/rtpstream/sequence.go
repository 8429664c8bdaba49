package rtpstream

import "gazpacho/engine/unit"

// From RFC 3550 appendix A.1, in sequence numbers.
const (
	// MaxDropout is how far ahead of the newest packet another one may be; beyond that, the sender has restarted.
	MaxDropout = 3000
	// MaxMisorder is the same for packets behind it; the value is mediasoup's.
	MaxMisorder = 1500
)

// verdict says what a sequence number means for its stream.
type verdict uint8

const (
	inOrder    verdict = iota // newer than all before
	misordered                // late or repeated, but close
	restarted                 // the sender restarted: the second packet in a row far from the others
	discarded                 // far from the others
)

// sequence follows the sequence numbers of a received or sent stream as RFC 3550 appendix A.1 describes.
type sequence struct {
	cycles    uint32 // in units of the sequence number space, shifted left by 16
	before    uint32 // packets expected before the last restart
	discards  uint64
	base, max unit.SeqNo
	bad       unit.SeqNo // what would be the second in a row, if hasBad
	hasBad    bool
	started   bool
}

// update classifies seq and, unless it is discarded, counts it.
func (s *sequence) update(seq unit.SeqNo) verdict {
	if !s.started {
		s.started, s.base, s.max = true, seq, seq
		return inOrder
	}
	switch ahead := seq.Sub(s.max); {
	case ahead >= 0 && ahead < MaxDropout:
		if seq < s.max { // the one raw comparison: newer, yet numerically smaller, is a wrap
			s.cycles += 1 << 16
		}
		s.max = seq
		return inOrder
	case ahead < 0 && ahead > -MaxMisorder:
		return misordered
	case s.hasBad && seq == s.bad:
		s.restart(seq)
		return restarted
	}
	s.bad, s.hasBad = seq+1, true
	s.discards++
	return discarded
}

// updateAgain is update for a packet that was sent again, which may be very old and never is the beginning of a new series.
// (mediasoup takes two of those in a row for a new series, and counts what is between them and the newest packet as lost.)
func (s *sequence) updateAgain(seq unit.SeqNo) verdict {
	bad, hasBad := s.bad, s.hasBad
	s.hasBad = false
	v := s.update(seq)
	s.bad, s.hasBad = bad, hasBad
	return v
}

// restart begins a new series at seq. Packets expected so far stay expected, so that differences between reports go on.
func (s *sequence) restart(seq unit.SeqNo) {
	s.before = s.expected()
	s.base, s.max, s.cycles, s.hasBad = seq, seq, 0, false
}

// expected returns how many packets the sender has sent according to the sequence numbers.
func (s *sequence) expected() uint32 {
	if !s.started {
		return 0
	}
	return s.before + s.extendedMax() - uint32(s.base) + 1
}

// extendedMax returns the highest sequence number with the number of cycles in its upper half.
func (s *sequence) extendedMax() uint32 { return s.cycles + uint32(s.max) }

// timeline follows the newest RTP timestamp of a stream.
type timeline struct {
	max   unit.Timestamp
	maxAt unit.Time
}

// update records a packet with verdict v. It reports whether the packet is the new reference. An in-order packet whose timestamp
// went back becomes the reference as well: the sender was paused for long, or restarted.
func (t *timeline) update(now unit.Time, v verdict, ts unit.Timestamp, first bool) bool {
	if !first && v != restarted && !ts.After(t.max) && (v != inOrder || ts == t.max) {
		return false
	}
	t.max, t.maxAt = ts, now
	return true
}
