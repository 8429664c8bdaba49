package sctp

import (
	"encoding/binary"
	"time"

	"gazpacho/engine/unit"
)

// Chosen here: how acknowledgements look. A SACK answers a packet, so its size bounds what a packet makes us send: blocks and
// duplicates take at most sackShare times the bytes that came since the last one.
const (
	maxBlocks     = 48 // of a SACK
	maxDuplicates = 8
	sackShare     = 2

	// sackDelay is how long a packet may wait for an acknowledgement. RFC 9260 section 6.2 allows 500 ms and recommends 200,
	// which a sender adds to the round trips that it measures.
	sackDelay = 50 * time.Millisecond

	// keptWords is how large a set may stay while nothing is missing.
	keptWords = 4
)

// received follows which transmission sequence numbers came, and when to acknowledge them (RFC 9260 section 6.2).
type received struct {
	cumulative tsn    // all up to here came
	highest    tsn    // of those that came
	seen       tsnSet // those above cumulative
	duplicates []tsn
	unacked    int  // packets with data since the last SACK
	bytes      int  // of those packets
	soon       bool // the next SACK must not wait
	sackAt     unit.Time
}

func (r *received) init(first tsn) {
	*r = received{cumulative: first - 1, highest: first - 1, sackAt: unit.Never}
}

// ahead returns how far t is beyond the cumulative number; 0 for what came long ago.
func (r *received) ahead(t tsn) uint32 {
	if !t.after(r.cumulative) {
		return 0
	}
	return uint32(t - r.cumulative)
}

// has tells whether t came; it is not too far ahead.
func (r *received) has(t tsn) bool {
	return !t.after(r.cumulative) || !t.after(r.highest) && r.seen.has(t)
}

// add enters a number that is new and not too far ahead.
func (r *received) add(t tsn) {
	if t == r.cumulative+1 && r.highest == r.cumulative { // nothing is missing
		r.cumulative, r.highest = t, t
		return
	}
	r.seen.reserve(r.cumulative+1, int(t-r.cumulative))
	r.seen.add(t)
	if t.after(r.highest) {
		r.highest = t
	}
	r.soon = true // something is missing, or was: RFC 9260 section 6.2
	r.advance()
}

func (r *received) addDuplicate(t tsn) {
	r.soon = true
	if len(r.duplicates) < maxDuplicates {
		r.duplicates = append(r.duplicates, t)
	}
}

// advance moves the cumulative number over all that came.
func (r *received) advance() {
	end := r.seen.next(r.cumulative+1, r.highest+1, false)
	for t := r.cumulative + 1; t != end; t++ {
		r.seen.remove(t)
	}
	r.cumulative = end - 1
	if r.cumulative == r.highest && len(r.seen.words) > keptWords {
		r.seen = tsnSet{}
	}
}

// forward skips what the peer gave up, up to and including t (RFC 3758 section 3.6). It calls f with each number that had come.
func (r *received) forward(t tsn, f func(tsn)) {
	end := t + 1
	if t.after(r.highest) {
		end = r.highest + 1
	}
	for u := r.seen.next(r.cumulative+1, end, true); u != end; u = r.seen.next(u+1, end, true) {
		r.seen.remove(u)
		f(u)
	}
	r.cumulative = t
	if t.after(r.highest) {
		r.highest = t
	}
	r.soon = true
	r.advance()
}

// noteData is called after a packet of n bytes with data. Every second packet is acknowledged at once (RFC 9260 section 6.2).
func (r *received) noteData(now unit.Time, n int, immediate bool) {
	r.unacked++
	r.bytes += n
	r.soon = r.soon || immediate || r.unacked >= 2
	r.sackAt = min(r.sackAt, now.Add(sackDelay))
}

// mustAcknowledge tells whether a SACK has to be sent now.
func (r *received) mustAcknowledge(now unit.Time) bool { return r.soon || r.sackAt <= now }

// mayAcknowledge tells whether a SACK has something to say, so that it may travel with what is sent.
func (r *received) mayAcknowledge() bool { return r.soon || r.unacked > 0 }

// maxSack returns how long the next SACK may be.
func (r *received) maxSack() int { return max(sackShare*r.bytes, chunkHeaderLen+sackLen) }

// appendSack appends a SACK that fits into room, and takes note of it. The window is a_rwnd.
func (r *received) appendSack(b []byte, window uint32, room int) []byte {
	start := len(b)
	b = append(b, typeSack, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(r.cumulative))
	b = binary.BigEndian.AppendUint32(b, window)
	b = append(b, 0, 0, 0, 0)
	room -= chunkHeaderLen + sackLen
	blocks, duplicates := 0, 0
	for from, end := r.cumulative+1, r.highest+1; blocks < maxBlocks && room >= 4; blocks++ {
		first := r.seen.next(from, end, true)
		if first == end {
			break
		}
		from = r.seen.next(first, end, false)
		b = binary.BigEndian.AppendUint16(b, uint16(first-r.cumulative))
		b = binary.BigEndian.AppendUint16(b, uint16(from-1-r.cumulative))
		room -= 4
	}
	for ; duplicates < len(r.duplicates) && room >= 4; duplicates++ {
		b = binary.BigEndian.AppendUint32(b, uint32(r.duplicates[duplicates]))
		room -= 4
	}
	counts := b[start+chunkHeaderLen+8:]
	binary.BigEndian.PutUint16(counts, uint16(blocks))
	binary.BigEndian.PutUint16(counts[2:], uint16(duplicates))
	r.duplicates, r.unacked, r.bytes, r.soon, r.sackAt = r.duplicates[:0], 0, 0, false, unit.Never
	return endTLV(b, start)
}
