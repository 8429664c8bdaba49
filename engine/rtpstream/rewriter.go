package rtpstream

// SeqRewriter maps the sequence numbers of a stream from which packets are dropped, so that the output has no gaps
// where packets were dropped on purpose, and keeps those where packets were lost. It works for any width up to 16 bits: RTP
// sequence numbers (16), VP8 picture ids (15) and the like. It is upstream's SeqManager, with intervals in place of a
// table of dropped numbers.
type SeqRewriter struct{}

// NewSeqRewriter returns a rewriter of numbers with the given width in bits; the first output is offset by initial.
func NewSeqRewriter(bits uint8, initial uint16) SeqRewriter { return SeqRewriter{} }

// Sync makes in the number that continues the output without a gap: in+1 maps to the newest output plus 1... (in itself
// maps to the newest output). Call it as upstream does: Sync(seq - 1) before Input(seq).
func (s *SeqRewriter) Sync(in uint16) {}

// Drop takes note that in is not forwarded.
func (s *SeqRewriter) Drop(in uint16) {}

// Input returns the number under which in is forwarded; false when it was dropped before (or is too old to tell).
func (s *SeqRewriter) Input(in uint16) (out uint16, ok bool) { return 0, false }

// MaxInput returns the newest number that came in.
func (s *SeqRewriter) MaxInput() uint16 { return 0 }

// MaxOutput returns the newest number that went out.
func (s *SeqRewriter) MaxOutput() uint16 { return 0 }
