package rtpstream

import (
	"time"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// maxBufferItems is the most packets kept for retransmission, blank slots included, as in mediasoup.
const maxBufferItems = 2500

// maxKeptSize is the most bytes that a packet may take to be kept. Chosen here: media stays below an MTU, and it bounds what the kept
// packets of a stream take: 2500 * 1600 bytes = 4 MB. A larger packet leaves a blank slot, like a lost one.
const maxKeptSize = packet.SmallSize

// Chosen here: how the ring grows and shrinks.
const (
	bufferGrowth    = 16  // and a quarter
	bufferKeptSlots = 128 // a ring of this size is not worth shrinking
)

// stored is a packet kept for retransmission with what the consumer changed in it. It takes 24 bytes; the sequence number
// follows from its position.
type stored struct {
	pkt      *packet.Packet // nil: a blank slot
	rewrite  uint64
	ts       unit.Timestamp
	resentAt uint16 // in milliseconds, wrapping after a minute; valid when sent > 0
	sent     uint8  // how many times it was sent again, at most 255
	marker   bool
}

// buffer keeps sent packets, ordered by sequence number and by timestamp, for as long as a receiver may ask for them:
// mediasoup's RetransmissionBuffer as a ring that grows with the stream's packet rate and shrinks again. It holds one
// reference to each packet.
type buffer struct {
	ring      []stored
	head      int
	n         int
	first     unit.SeqNo // of the oldest slot, which is never blank, nor is the newest
	maxItems  int
	maxDelay  time.Duration
	clockRate uint32
}

func newBuffer(maxDelay time.Duration, clockRate uint32) *buffer {
	return &buffer{maxItems: maxBufferItems, maxDelay: maxDelay, clockRate: clockRate}
}

// at returns the slot with index i, counted from the oldest.
func (b *buffer) at(i int) *stored {
	i += b.head
	if i >= len(b.ring) {
		i -= len(b.ring)
	}
	return &b.ring[i]
}

func (b *buffer) newest() *stored { return b.at(b.n - 1) }

func (b *buffer) newestSeq() unit.SeqNo { return b.first + unit.SeqNo(b.n-1) }

// get returns the packet with the given sequence number, nil when it is not there.
func (b *buffer) get(seq unit.SeqNo) *stored {
	if i := seq.Sub(b.first); i >= 0 && i < b.n {
		if s := b.at(i); s.pkt != nil {
			return s
		}
	}
	return nil
}

// insert keeps the packet, and a reference to it, if it fits in: not older than what the buffer keeps, not there yet, and
// with a timestamp in order. It reports whether it does.
func (b *buffer) insert(seq unit.SeqNo, s stored) bool {
	if b.n > 0 {
		newest := b.newest().ts
		if s.ts.After(newest) {
			if seq.Before(b.newestSeq()) {
				// Older by number, newer by time: the numbering has moved on.
				b.clear()
			}
			newest = s.ts
		}
		b.removeOld(newest)
	}
	switch {
	case b.n == 0:
		b.grow(1)
		b.n, b.first = 1, seq
		b.put(0, s)
		return true
	case seq.Sub(b.newestSeq()) > 0:
		return b.append(seq, s)
	case seq.Sub(b.first) < 0:
		return b.prepend(seq, s)
	}
	return b.fill(seq.Sub(b.first), s)
}

// append adds a packet that is newer than all others.
func (b *buffer) append(seq unit.SeqNo, s stored) bool {
	if newest := b.newest().ts; s.ts.Before(newest) {
		if !b.tooOld(s.ts, newest) {
			return false
		}
		// The sender's clock was reset. mediasoup would keep nothing until it has caught up.
		b.clear()
		return b.insert(seq, s)
	}
	added := seq.Sub(b.newestSeq())
	for b.n > 0 && b.n+added > b.maxItems {
		b.removeOldest()
	}
	if b.n == 0 {
		added, b.first = 1, seq
	}
	b.grow(b.n + added)
	for i := range added - 1 {
		*b.at(b.n + i) = stored{}
	}
	b.n += added
	b.put(b.n-1, s)
	return true
}

// prepend adds a packet that is older than all others.
func (b *buffer) prepend(seq unit.SeqNo, s stored) bool {
	added := -seq.Sub(b.first)
	if b.tooOld(s.ts, b.newest().ts) || s.ts.After(b.at(0).ts) || b.n+added > b.maxItems {
		return false
	}
	b.grow(b.n + added)
	b.head -= added
	if b.head < 0 {
		b.head += len(b.ring)
	}
	b.n, b.first = b.n+added, seq
	for i := 1; i < added; i++ {
		*b.at(i) = stored{}
	}
	b.put(0, s)
	return true
}

// fill puts a packet into a blank slot if its timestamp fits between its neighbours'.
func (b *buffer) fill(i int, s stored) bool {
	if b.at(i).pkt != nil {
		return false
	}
	older, newer := i-1, i+1
	for b.at(older).pkt == nil {
		older--
	}
	for b.at(newer).pkt == nil {
		newer++
	}
	if s.ts.Before(b.at(older).ts) || s.ts.After(b.at(newer).ts) {
		return false
	}
	b.put(i, s)
	return true
}

func (b *buffer) put(i int, s stored) {
	s.pkt.Retain()
	*b.at(i) = s
}

// tooOld reports whether ts lies more than the longest retransmission delay before newest.
func (b *buffer) tooOld(ts, newest unit.Timestamp) bool {
	if b.clockRate == 0 || ts.After(newest) {
		return false
	}
	ms := uint64(uint32(newest-ts)) * 1000 / uint64(b.clockRate)
	return ms > uint64(b.maxDelay.Milliseconds())
}

// removeOld removes what is too old in comparison to newest.
func (b *buffer) removeOld(newest unit.Timestamp) {
	for b.n > 0 && b.tooOld(b.at(0).ts, newest) {
		b.removeOldest()
	}
	b.shrink()
}

// removeOldest removes the oldest packet and the blank slots behind it.
func (b *buffer) removeOldest() {
	for {
		s := b.at(0)
		if s.pkt != nil {
			s.pkt.Release()
			*s = stored{}
		}
		b.head++
		if b.head == len(b.ring) {
			b.head = 0
		}
		b.n--
		b.first++
		if b.n == 0 || b.at(0).pkt != nil {
			return
		}
	}
}

// clear removes everything and gives the ring back.
func (b *buffer) clear() {
	for b.n > 0 {
		b.removeOldest()
	}
	b.ring, b.head = nil, 0
}

// grow makes room for n slots.
func (b *buffer) grow(n int) {
	if n > len(b.ring) {
		b.resize(min(max(n, len(b.ring)+len(b.ring)/4+bufferGrowth), b.maxItems))
	}
}

// shrink gives memory back when three quarters of the ring are idle.
func (b *buffer) shrink() {
	if len(b.ring) > bufferKeptSlots && b.n < len(b.ring)/4 {
		b.resize(len(b.ring) / 2)
	}
}

func (b *buffer) resize(size int) {
	ring := make([]stored, size)
	for i := range b.n {
		ring[i] = *b.at(i)
	}
	b.ring, b.head = ring, 0
}
