package transport

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/unit"
)

// How much a transport asks its peer to send again. A packet of a dozen bytes with a number far ahead pretends a thousand losses,
// each of which is asked for up to ten times: without a bound, who sends such packets from a victim's address has the victim sent
// a hundred times as much. An honest peer's losses cost a few bytes for each thousand that arrive. Chosen here:
const (
	nackFloor = 250 // bytes a second for a peer that sends next to nothing
	// maxNACKCredit bounds what the bytes received may save up. It asks for more than a second of any stream.
	maxNACKCredit = 64 << 10
)

// nackBudget is a token bucket for the NACKs of a transport: each byte of media received earns one. It may be overdrawn by one
// NACK. What it does not allow is dropped; what is still missing is asked for again later. The zero value has a second's floor.
type nackBudget struct {
	left int
	at   unit.Time // of the last refill by time
}

func (b *nackBudget) earn(n int) { b.left = min(b.left+n, maxNACKCredit) }

// allow reports whether a NACK may be sent, which it then pays for.
func (b *nackBudget) allow(now unit.Time, nack *rtcp.TransportLayerNack) bool {
	elapsed := min(now.Sub(b.at), time.Second)
	if earned := int(nackFloor * elapsed / time.Second); earned > 0 {
		b.at = now
		b.left = max(b.left, min(b.left+earned, nackFloor))
	}
	if b.left <= 0 {
		return false
	}
	b.left -= nack.MarshalSize() + sealOverhead
	return true
}

// withinBudget returns the feedback of a producer without the NACKs that the budget does not allow.
func (t *Transport) withinBudget(now unit.Time, pkts []rtcp.Packet) []rtcp.Packet {
	kept := pkts[:0]
	for _, pkt := range pkts {
		if nack, ok := pkt.(*rtcp.TransportLayerNack); ok && !t.asking.allow(now, nack) {
			t.drops.NACKsUnsent++
			continue
		}
		kept = append(kept, pkt)
	}
	return kept
}
