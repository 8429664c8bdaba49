package bwe

import (
	"math/bits"
	"time"

	"gazpacho/engine/unit"
)

// Chosen here: sizes of the ring of sent packets, powers of two, and how long one without feedback keeps its place when the ring
// could grow instead. The greatest ring holds a second at 16,000 packets a second; a peer that gives no feedback at all
// costs no more than maxUnreported.
const (
	minSent       = 1 << 8
	maxUnreported = 1 << 9
	maxSent       = 1 << 14
	feedbackDelay = 1500 * time.Millisecond
)

// packetState is the state of a packet according to feedback.
type packetState uint8

const (
	inFlight packetState = iota + 1 // 0: no packet
	lost
	arrived
)

// sentPacket is a packet that was sent.
type sentPacket struct {
	at    unit.Time
	size  uint32
	probe uint16 // its cluster, 0 = none
	state packetState
}

// history numbers the packets that are sent and remembers the newest. Numbers are unwrapped: the wire carries them modulo
// 1<<16.
//
// A few bytes of feedback can be about thousands of packets, again and again. So the packets that it can still change are in sets,
// and those that it cannot change cost a 64th of a step each.
type history struct {
	ring      []sentPacket
	flying    numberSet // that no feedback was about
	missing   numberSet // that did not arrive, as far as we know: those, and the lost
	next      int64
	mentioned int64 // the first number that feedback has not reached yet
}

func newHistory(size int) history {
	return history{ring: make([]sentPacket, size), flying: make(numberSet, size/64), missing: make(numberSet, size/64), next: 1}
}

// slot returns the place for a number.
func (h *history) slot(n int64) *sentPacket { return &h.ring[n&int64(len(h.ring)-1)] }

// add records a packet and returns its number.
func (h *history) add(p sentPacket) unit.SeqNo {
	limit := maxSent
	if h.mentioned == 0 {
		limit = maxUnreported
	}
	if old := h.slot(h.next); old.state == inFlight && p.at.Sub(old.at) < feedbackDelay && len(h.ring) < limit {
		h.grow()
	}
	*h.slot(h.next) = p
	h.mark(h.next, inFlight)
	h.next++
	return unit.SeqNo(h.next - 1)
}

func (h *history) grow() {
	larger := newHistory(2 * len(h.ring))
	for n := h.begin(); n < h.next; n++ {
		if p := h.slot(n); p.state != 0 {
			*larger.slot(n) = *p
			larger.mark(n, p.state)
		}
	}
	h.ring, h.flying, h.missing = larger.ring, larger.flying, larger.missing
}

// mark gives a packet another state.
func (h *history) mark(n int64, state packetState) {
	h.slot(n).state = state
	h.flying.put(n, state == inFlight)
	h.missing.put(n, state != arrived)
}

// begin returns the oldest number that is remembered; next is the first that is not yet.
func (h *history) begin() int64 { return max(h.next-int64(len(h.ring)), 0) }

// unwrap returns the number nearest to the next one.
func (h *history) unwrap(seq uint16) int64 {
	return h.next + int64(unit.SeqNo(seq).Sub(unit.SeqNo(h.next)))
}

// get returns the packet with that number, nil when it is unknown.
func (h *history) get(n int64) *sentPacket {
	if n < h.begin() || n >= h.next || h.slot(n).state == 0 {
		return nil
	}
	return h.slot(n)
}

// oldest returns when the oldest packet was sent that is newer than all that feedback was about, 0 if there is none.
func (h *history) oldest() unit.Time {
	if p := h.get(max(h.mentioned, h.begin())); p != nil {
		return p.at
	}
	return 0
}

// skipped advances mentioned to n and returns how many bytes were sent with the numbers in between: the feedback about
// them was lost.
func (h *history) skipped(n int64) (bytes int) {
	n = min(n, h.next)
	for i := max(h.mentioned, h.begin()); i < n; i++ {
		bytes += int(h.slot(i).size)
	}
	h.mentioned = max(h.mentioned, n)
	return bytes
}

// numberSet is a set of the numbers that a history remembers: a bit for each place of its ring.
type numberSet []uint64

func (s numberSet) word(n int64) *uint64 { return &s[n>>6&int64(len(s)-1)] }

func (s numberSet) put(n int64, in bool) {
	if bit := uint64(1) << (n & 63); in {
		*s.word(n) |= bit
	} else {
		*s.word(n) &^= bit
	}
}

// from returns the first number of the set from n on, end if there is none before that.
func (s numberSet) from(n, end int64) int64 {
	for n < end {
		if w := *s.word(n) >> (n & 63); w != 0 {
			return min(n+int64(bits.TrailingZeros64(w)), end)
		}
		n = n&^63 + 64
	}
	return end
}
