package rtpstream

import "slices"

// Chosen here:
const (
	// maxRuns bounds the runs of dropped numbers that a rewriter remembers: two seconds of a stream that drops every
	// other frame, at 60 frames per second.
	maxRuns = 128
	// maxRewriterMisorder is how far behind a forgotten number a late one is refused; what is older than that belongs to
	// a sender that restarted.
	maxRewriterMisorder = MaxMisorder
)

// SeqRewriter maps the numbers of a stream from which packets are dropped, so that the output has no gaps where packets
// were dropped on purpose, and keeps those where packets were lost. It works for any width up to 16 bits: RTP sequence
// numbers (16), VP8 picture ids (15) and the like. It does what mediasoup's SeqManager does, with runs of dropped numbers
// in place of a list of each.
//
// An offset maps numbers newer than all runs it has forgotten; each run that it remembers reduces the offset for the
// numbers behind it. A run is forgotten, that is merged into the offset, when it falls out of the half of the number
// space before the newest number, or when there are too many.
type SeqRewriter struct {
	runs    []seqRun // oldest first
	dropped uint16   // numbers in runs
	mask    uint16
	initial uint16
	offset  uint16
	// maxOut is without initial.
	maxIn, maxOut, maxForwarded uint16
	// floor is the newest number about which nothing is known any more, if hasFloor.
	floor    uint16
	hasFloor bool
	started  bool
	// dropping says that the newest number was dropped.
	dropping bool
}

// seqRun is a run of dropped numbers.
type seqRun struct{ start, n uint16 }

// NewSeqRewriter returns a rewriter of numbers with the given width in bits (3 to 16); outputs are offset by initial.
func NewSeqRewriter(bits uint8, initial uint16) SeqRewriter {
	if bits < 3 || bits > 16 {
		panic("rtpstream: a sequence rewriter has 3 to 16 bits")
	}
	return SeqRewriter{mask: uint16(1<<bits - 1), initial: initial}
}

// Sync makes the number after in continue the output without a gap, wherever the input was before; in itself and the
// numbers before are refused from now on. So call Sync(seq-1) before Input(seq).
func (s *SeqRewriter) Sync(in uint16) {
	in &= s.mask
	s.runs, s.dropped = s.runs[:0], 0
	s.offset = s.maxOut - in
	s.maxIn, s.maxForwarded = in, in
	s.floor, s.hasFloor, s.started, s.dropping = in, true, true, false
}

// SyncAfterGap is Sync, but leaves out one number of the output: the receiver then knows that what came before is
// incomplete.
func (s *SeqRewriter) SyncAfterGap(in uint16) {
	s.Sync(in)
	s.offset++
}

// Drop closes the gap of a number that is not forwarded. It has an effect only as long as no newer number was forwarded, and
// none before the first number that goes out.
func (s *SeqRewriter) Drop(in uint16) {
	in &= s.mask
	switch {
	case !s.started:
		return
	case s.newer(in, s.maxIn):
		s.maxIn, s.dropping = in, true
	case !s.dropping || !s.newer(in, s.maxForwarded):
		return
	}
	s.insert(in)
	s.expire()
	if len(s.runs) > maxRuns {
		s.forget(s.runs[0].n)
	}
}

// Input returns the number under which in is forwarded; false when it was dropped before or is too old to know.
func (s *SeqRewriter) Input(in uint16) (out uint16, ok bool) {
	in &= s.mask
	if !s.started {
		s.started, s.maxIn, s.maxForwarded, s.maxOut = true, in, in, in
		return (in + s.initial) & s.mask, true
	}
	if s.newer(in, s.maxIn) {
		s.maxIn, s.maxForwarded, s.dropping = in, in, false
	}
	s.expire()
	if s.hasFloor && (s.floor-in)&s.mask < min(maxRewriterMisorder, s.mask/2) {
		return 0, false
	}
	before, ok := s.droppedBefore(in)
	if !ok {
		return 0, false
	}
	out = (in + s.offset - before) & s.mask
	if s.newer(out, s.maxOut) {
		s.maxOut = out
	}
	return (out + s.initial) & s.mask, true
}

// MaxInput returns the newest number that came in.
func (s *SeqRewriter) MaxInput() uint16 { return s.maxIn }

// MaxOutput returns the newest number that went out.
func (s *SeqRewriter) MaxOutput() uint16 { return (s.maxOut + s.initial) & s.mask }

// newer reports whether a is ahead of b by less than half the number space.
func (s *SeqRewriter) newer(a, b uint16) bool {
	d := (a - b) & s.mask
	return d != 0 && d <= s.mask/2
}

// droppedBefore returns how many of the remembered numbers are older than in; false when in is one of them.
func (s *SeqRewriter) droppedBefore(in uint16) (n uint16, ok bool) {
	n = s.dropped
	for i := len(s.runs) - 1; i >= 0; i-- {
		r := s.runs[i]
		if !s.newer(r.start, in) {
			return n, (in-r.start)&s.mask >= r.n
		}
		n -= r.n
	}
	return n, true
}

// insert puts a number into the runs; it is newer than all but the latest ones.
func (s *SeqRewriter) insert(in uint16) {
	i := len(s.runs) // the run that begins after in
	for i > 0 && s.newer(s.runs[i-1].start, in) {
		i--
	}
	if i > 0 && (in-s.runs[i-1].start)&s.mask < s.runs[i-1].n {
		return
	}
	s.dropped++
	joinsOlder := i > 0 && (in-s.runs[i-1].start)&s.mask == s.runs[i-1].n
	joinsNewer := i < len(s.runs) && (in+1)&s.mask == s.runs[i].start
	switch {
	case joinsOlder && joinsNewer:
		s.runs[i-1].n += 1 + s.runs[i].n
		s.runs = slices.Delete(s.runs, i, i+1)
	case joinsOlder:
		s.runs[i-1].n++
	case joinsNewer:
		s.runs[i].start, s.runs[i].n = in, s.runs[i].n+1
	default:
		s.runs = slices.Insert(s.runs, i, seqRun{start: in, n: 1})
	}
}

// expire forgets numbers that fell out of the half of the number space before the newest one.
func (s *SeqRewriter) expire() {
	for len(s.runs) > 0 && s.newer(s.runs[0].start, s.maxIn) {
		ahead := (s.runs[0].start - s.maxIn) & s.mask
		s.forgetSilently(min(s.runs[0].n, s.mask/2-ahead+1))
	}
	if s.hasFloor && s.newer(s.floor, s.maxIn) {
		s.hasFloor = false
	}
}

// forget merges the first n numbers of the oldest run into the offset; older numbers cannot be mapped any more.
func (s *SeqRewriter) forget(n uint16) {
	s.floor, s.hasFloor = (s.runs[0].start+n-1)&s.mask, true
	s.forgetSilently(n)
}

func (s *SeqRewriter) forgetSilently(n uint16) {
	r := &s.runs[0]
	s.offset -= n
	s.dropped -= n
	r.start, r.n = (r.start+n)&s.mask, r.n-n
	if r.n == 0 {
		s.runs = slices.Delete(s.runs, 0, 1)
	}
}
