package sctp

// maxGap is how many chunks may wait behind a missing one. pion sorts what waits each time a chunk comes, under its lock, so
// that tens of thousands would keep a core busy for minutes and block who sends. Ours: two megabytes of full chunks.
const maxGap = 2048

// tsnWindow follows which transmission sequence numbers came in. It may take a chunk for received that pion refused later; that
// only makes it more generous.
type tsnWindow struct {
	cumulative uint32 // all up to here came
	seen       [maxGap / 64]uint64
}

// accept tells whether a chunk is near enough, and notes it.
func (w *tsnWindow) accept(tsn uint32) bool {
	ahead := tsn - w.cumulative
	if int32(ahead) <= 0 {
		return true // a duplicate, which pion reports to the sender
	}
	if ahead > maxGap {
		return false
	}
	word, bit := w.at(tsn)
	*word |= bit
	w.advance()
	return true
}

// forward skips what the peer gave up (RFC 3758).
func (w *tsnWindow) forward(tsn uint32) {
	ahead := tsn - w.cumulative
	if int32(ahead) <= 0 {
		return
	}
	for range min(ahead, maxGap) {
		w.cumulative++
		word, bit := w.at(w.cumulative)
		*word &^= bit
	}
	w.cumulative = tsn
	w.advance()
}

func (w *tsnWindow) advance() {
	for {
		word, bit := w.at(w.cumulative + 1)
		if *word&bit == 0 {
			return
		}
		*word &^= bit
		w.cumulative++
	}
}

func (w *tsnWindow) at(tsn uint32) (word *uint64, bit uint64) {
	i := tsn % maxGap
	return &w.seen[i/64], 1 << (i % 64)
}
