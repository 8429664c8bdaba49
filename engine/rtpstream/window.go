package rtpstream

import "gazpacho/engine/unit"

// sentWindowLen is how far behind the newest packet a late one may be sent, ours: more than what a received stream lets
// pass (MaxMisorder), so that nothing is lost to it.
const sentWindowLen = 2048

// sentWindow knows which sequence numbers of a sent stream were used, so that none is used twice. It takes 280 bytes.
type sentWindow struct {
	used     [sentWindowLen / 64]uint64 // a bit for each number, as a ring
	discards uint64
	max      unit.SeqNo
	started  bool
}

// take uses seq, and reports discarded if it was used before or is too old to tell. Half the number space ahead counts as
// newer, as SRTP has it (RFC 3711 section 3.3.1).
func (w *sentWindow) take(seq unit.SeqNo) verdict {
	ahead := seq.Sub(w.max)
	switch {
	case !w.started:
		w.started = true
		w.advance(seq, sentWindowLen)
		return inOrder
	case ahead > 0:
		w.advance(seq, ahead)
		return inOrder
	case ahead > -sentWindowLen && !w.has(seq):
		w.set(seq)
		return misordered
	}
	w.discards++
	return discarded
}

// advance makes seq, which is n ahead, the newest number.
func (w *sentWindow) advance(seq unit.SeqNo, n int) {
	if n >= sentWindowLen {
		w.used = [len(w.used)]uint64{}
	} else {
		for i := w.max + 1; i != seq; i++ {
			w.used[i%sentWindowLen/64] &^= 1 << (i % 64)
		}
	}
	w.max = seq
	w.set(seq)
}

func (w *sentWindow) has(seq unit.SeqNo) bool { return w.used[seq%sentWindowLen/64]&(1<<(seq%64)) != 0 }

func (w *sentWindow) set(seq unit.SeqNo) { w.used[seq%sentWindowLen/64] |= 1 << (seq % 64) }
