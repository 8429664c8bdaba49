package rtpstream

import (
	"sort"
	"time"

	"gazpacho/engine/unit"
)

// From mediasoup (NackGenerator):
const (
	maxNACKAge     = 10000 // in sequence numbers
	maxNACKPackets = 1000
	maxNACKRetries = 10
	nackInterval   = 40 * time.Millisecond
)

// maxKeyFrames bounds the key frames remembered. (Chosen here; mediasoup bounds them by age only.)
const maxKeyFrames = 64

// gap is a packet that is missing.
type gap struct {
	since   unit.Time
	sentAt  unit.Time
	seq     unit.SeqNo
	retries uint8
}

// nackList asks for missing packets: mediasoup's NackGenerator. Gaps are in order of sequence numbers, which is the order
// in which they appeared, so that those never asked for are always a tail.
type nackList struct {
	delay     time.Duration
	timer     unit.Time
	rtt       roundTrip
	gaps      []gap
	asked     int // how many gaps, from the front, were asked for at least once
	keyFrames []unit.SeqNo
	batch     []unit.SeqNo
	last      unit.SeqNo
	started   bool
}

func newNACKList(delay time.Duration) *nackList {
	return &nackList{delay: delay, timer: unit.Never}
}

// reset forgets everything but the round-trip time.
func (n *nackList) reset() {
	n.gaps, n.keyFrames, n.asked, n.started, n.timer = n.gaps[:0], n.keyFrames[:0], 0, false, unit.Never
}

// rest gives the room of empty lists back.
func (n *nackList) rest() {
	n.batch = nil
	if len(n.gaps) == 0 {
		n.gaps = nil
	}
}

// receive records a packet. repaired: it was missing, or it came by RTX before the packet itself. full: too much is
// missing, only a key frame helps. The batch holds what is to be asked for.
func (n *nackList) receive(now unit.Time, seq unit.SeqNo, keyFrame, rtx bool) (repaired, full bool) {
	n.batch = n.batch[:0]
	switch {
	case !n.started:
		n.started, n.last = true, seq
		n.addKeyFrame(seq, keyFrame)
		return false, false
	case !seq.After(n.last):
		return n.remove(seq), false
	}
	n.addKeyFrame(seq, keyFrame)
	full = !n.addGaps(now, n.last+1, seq)
	n.last = seq
	n.askNew(now)
	if n.timer == unit.Never && len(n.gaps) > 0 {
		n.timer = now.Add(nackInterval)
	}
	return rtx, full
}

// tick fills the batch with all that is to be asked for, first or again.
func (n *nackList) tick(now unit.Time) {
	n.batch = n.batch[:0]
	n.askAgain(now)
	n.askNew(now)
	n.dropExhausted()
	n.timer = unit.Never
	if len(n.gaps) > 0 {
		n.timer = now.Add(nackInterval)
	}
}

// askNew puts the gaps into the batch that were never asked for and are open for long enough.
func (n *nackList) askNew(now unit.Time) {
	for ; n.asked < len(n.gaps); n.asked++ {
		g := &n.gaps[n.asked]
		if now.Sub(g.since) < n.delay {
			return
		}
		n.ask(now, g)
	}
}

// askAgain puts the gaps into the batch that were asked for a round trip ago.
func (n *nackList) askAgain(now unit.Time) {
	pace := n.rtt.pace()
	for i := range n.gaps[:n.asked] {
		if g := &n.gaps[i]; now.Sub(g.sentAt) >= pace {
			n.ask(now, g)
		}
	}
}

func (n *nackList) ask(now unit.Time, g *gap) {
	n.batch = append(n.batch, g.seq)
	g.sentAt = now
	g.retries++
}

// dropExhausted gives up gaps that were asked for often enough.
func (n *nackList) dropExhausted() {
	kept, asked := n.gaps[:0], 0
	for i, g := range n.gaps {
		if g.retries >= maxNACKRetries {
			continue
		}
		if i < n.asked {
			asked++
		}
		kept = append(kept, g)
	}
	n.gaps, n.asked = kept, asked
}

// find returns the index of the first gap that is not older than seq.
func (n *nackList) find(seq unit.SeqNo) int {
	return sort.Search(len(n.gaps), func(i int) bool { return !n.gaps[i].seq.Before(seq) })
}

// remove closes the gap at seq; false when there is none.
func (n *nackList) remove(seq unit.SeqNo) bool {
	i := n.find(seq)
	if i == len(n.gaps) || n.gaps[i].seq != seq {
		return false
	}
	n.gaps = append(n.gaps[:i], n.gaps[i+1:]...)
	if i < n.asked {
		n.asked--
	}
	return true
}

// removeBefore closes all gaps older than seq; false when there are none.
func (n *nackList) removeBefore(seq unit.SeqNo) bool {
	i := n.find(seq)
	n.gaps = append(n.gaps[:0], n.gaps[i:]...)
	n.asked = max(n.asked-i, 0)
	return i > 0
}

// addGaps opens gaps from first up to, without, next. When there would be too many it closes those before the oldest key
// frames; when that does not help it closes all and reports false.
func (n *nackList) addGaps(now unit.Time, first, next unit.SeqNo) bool {
	n.removeBefore(next - maxNACKAge)
	added := int(next - first)
	for len(n.gaps)+added > maxNACKPackets {
		if !n.removeUntilKeyFrame() {
			n.gaps, n.asked = n.gaps[:0], 0
			return false
		}
	}
	for seq := first; seq != next; seq++ {
		n.gaps = append(n.gaps, gap{seq: seq, since: now})
	}
	return true
}

// removeUntilKeyFrame closes the gaps before the oldest key frame that has any before it; what precedes a key frame is
// not needed any more. It reports false when there is no such key frame.
func (n *nackList) removeUntilKeyFrame() bool {
	for len(n.keyFrames) > 0 {
		if n.removeBefore(n.keyFrames[0]) {
			return true
		}
		n.keyFrames = append(n.keyFrames[:0], n.keyFrames[1:]...)
	}
	return false
}

// addKeyFrame remembers where key frames are, and forgets old ones.
func (n *nackList) addKeyFrame(seq unit.SeqNo, keyFrame bool) {
	oldest := seq - maxNACKAge
	i := 0
	for i < len(n.keyFrames) && n.keyFrames[i].Before(oldest) {
		i++
	}
	if keyFrame && len(n.keyFrames)-i == maxKeyFrames {
		i++
	}
	if i > 0 {
		n.keyFrames = append(n.keyFrames[:0], n.keyFrames[i:]...)
	}
	if keyFrame {
		n.keyFrames = append(n.keyFrames, seq)
	}
}
