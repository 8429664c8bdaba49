package bwe

import (
	"cmp"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/unit"
)

// report is the contents of one feedback packet, reused for the next.
type report struct {
	arrived     []acknowledged // by arrival
	sent, lost  int            // packets with a new status; lost is negative when more arrived late than were lost
	bytes       int            // of these
	newest      unit.Time      // when the newest packet that arrived was sent
	clock       unit.Time      // the peer's, at the last arrival
	left        int            // statuses to read
	number      int64          // of the next status
	deltas      []*rtcp.RecvDelta
	skipped     int  // bytes whose feedback was lost
	interrupted bool // the packet has fewer statuses than it announced
}

// acknowledged is a packet that arrived.
type acknowledged struct {
	number int64
	transfer
	probe uint16
}

// peerClock unwraps the reference times of feedback and notices jumps.
type peerClock struct {
	reference int64 // in ticks of referenceTick, unwrapped
	seen      unit.Time
	valid     bool
}

// read returns the reference time as an instant of the peer's clock; jumped when it does not agree with how much time
// passed here.
func (c *peerClock) read(now unit.Time, reference uint32) (t unit.Time, jumped bool) {
	const wrap = referenceMask + 1
	step := (int64(reference) - c.reference) & referenceMask
	if step >= wrap/2 {
		step -= wrap
	}
	if !c.valid {
		c.reference, c.seen, c.valid = int64(reference), now, true
		return unit.Time(c.reference * int64(referenceTick)), false
	}
	passed := time.Duration(step) * referenceTick
	drift := passed - now.Sub(c.seen)
	c.reference, c.seen = c.reference+step, now
	return unit.Time(c.reference * int64(referenceTick)), drift > maxClockDrift || drift < -maxClockDrift
}

// read reads a feedback packet. Whatever it contains, the work is bounded by the packets that are remembered.
func (r *report) read(h *history, f *rtcp.TransportLayerCC, reference unit.Time) {
	*r = report{
		arrived: r.arrived[:0], clock: reference, left: int(f.PacketStatusCount),
		number: h.unwrap(f.BaseSequenceNumber), deltas: f.RecvDeltas,
	}
	r.skipped = h.skipped(r.number)
	for _, chunk := range f.PacketChunks {
		if r.left <= 0 || r.number >= h.next || r.interrupted {
			break
		}
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			r.run(h, c.PacketStatusSymbol, min(int(c.RunLength), r.left))
		case *rtcp.StatusVectorChunk:
			for _, symbol := range c.SymbolList[:min(len(c.SymbolList), r.left)] {
				r.run(h, symbol, 1)
			}
		}
	}
	h.skipped(r.number)
	slices.SortFunc(r.arrived, func(a, b acknowledged) int {
		return cmp.Or(cmp.Compare(a.arrived, b.arrived), cmp.Compare(a.number, b.number))
	})
}

// run takes n equal statuses.
func (r *report) run(h *history, symbol uint16, n int) {
	r.left -= n
	end := r.number + int64(n)
	switch symbol {
	case rtcp.TypeTCCPacketReceivedSmallDelta, rtcp.TypeTCCPacketReceivedLargeDelta:
		for ; r.number < end && len(r.deltas) > 0; r.number++ {
			r.clock += unit.Time(r.deltas[0].Delta) * unit.Time(time.Microsecond)
			r.deltas = r.deltas[1:]
			r.received(h, true)
		}
		r.interrupted = r.number < end
	case rtcp.TypeTCCPacketReceivedWithoutDelta:
		r.each(h, h.missing, end, func() { r.received(h, false) })
	default:
		r.each(h, h.flying, end, func() { r.missing(h) })
	}
	r.number = end
}

// each calls f with number at each member of a set before end.
func (r *report) each(h *history, set numberSet, end int64, f func()) {
	end = min(end, h.next)
	for r.number = set.from(max(r.number, h.begin()), end); r.number < end; r.number = set.from(r.number+1, end) {
		f()
	}
}

// received takes the status of a packet that arrived.
func (r *report) received(h *history, timed bool) {
	p := h.get(r.number)
	if p == nil {
		return
	}
	switch p.state {
	case arrived:
		return
	case lost:
		r.lost-- // it was only late
	default:
		r.sent++
		r.bytes += int(p.size)
	}
	h.mark(r.number, arrived)
	r.newest = max(r.newest, p.at)
	if timed {
		t := transfer{sent: p.at, arrived: r.clock, size: int32(p.size), before: int32(r.skipped)}
		r.skipped = 0
		r.arrived = append(r.arrived, acknowledged{r.number, t, p.probe})
	}
}

// missing takes the status of a packet in flight that did not arrive.
func (r *report) missing(h *history) {
	h.mark(r.number, lost)
	r.sent++
	r.lost++
	r.bytes += int(h.slot(r.number).size)
}
