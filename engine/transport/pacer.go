package transport

import (
	"slices"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// Chosen here: for how long at the pace what is sent at once may take, the wait for which a timer is set at least, so that it is not
// one for each packet, and for how long a packet is held back at most.
const (
	paceBurst    = 20 * time.Millisecond
	minPaceBurst = 3 << 10 // bytes
	minPaceWait  = 5 * time.Millisecond
	maxPaceWait  = 200 * time.Millisecond
)

// pacer holds packets of video back that would fill the queue before a narrow path: key frames that come to several consumers at
// once, most of all. What is held back can still be left out if the path turns out to be congested, what is in the queue cannot, and
// sound does not wait behind it. While the path was not full of late, as wide ones never are, nothing is held back.
type pacer struct {
	rate    unit.Bitrate // 0: none
	left    int          // bytes that may be sent now; below 0 after what does not wait, or comes in one piece
	at      unit.Time    // of the last refill
	waiting []paced      // from first on, oldest first
	first   int
	next    [1]*packet.Packet // room for the one that is released
}

// paced is a packet that waits to be given to its consumer.
type paced struct {
	to  *Consumer
	pkt *packet.Packet
	at  unit.Time // when it came
}

// refill earns what may be sent since the last call. Like a resendBudget it earns whole bytes only, so that nothing is lost by many short
// steps.
func (p *pacer) refill(now unit.Time, rate unit.Bitrate) {
	perSecond := int64(rate / 8)
	depth := max(int(perSecond*int64(paceBurst)/int64(time.Second)), minPaceBurst)
	earned := int(perSecond * int64(min(now.Sub(p.at), time.Second)) / int64(time.Second))
	p.left, p.rate = max(p.left, -depth), rate
	if earned > 0 || rate == 0 {
		p.left, p.at = p.left+earned, now
	}
	p.left = min(p.left, depth)
}

func (p *pacer) isEmpty() bool { return p.first == len(p.waiting) }

// mayRelease reports whether the oldest packet may be sent.
func (p *pacer) mayRelease(now unit.Time) bool {
	return !p.isEmpty() && (p.rate == 0 || p.left > 0 || now.Sub(p.waiting[p.first].at) >= maxPaceWait)
}

func (p *pacer) hold(now unit.Time, to *Consumer, pkts []*packet.Packet) {
	if len(p.waiting)+len(pkts) > cap(p.waiting) {
		p.waiting, p.first = slices.Delete(p.waiting, 0, p.first), 0 // before it grows
	}
	for _, pkt := range pkts {
		pkt.Retain()
		p.waiting = append(p.waiting, paced{to, pkt, now})
	}
}

// take removes the oldest packet.
func (p *pacer) take() paced {
	oldest := p.waiting[p.first]
	p.waiting[p.first] = paced{}
	p.first++
	if p.isEmpty() {
		p.waiting, p.first = p.waiting[:0], 0
	}
	return oldest
}

// forget drops what waits for a consumer.
func (p *pacer) forget(c *Consumer) {
	p.waiting, p.first = slices.Delete(p.waiting, 0, p.first), 0
	p.waiting = slices.DeleteFunc(p.waiting, func(x paced) bool {
		if x.to == c {
			x.pkt.Release()
		}
		return x.to == c
	})
}

// nextTimeout returns when the oldest packet may be sent.
func (p *pacer) nextTimeout() unit.Time {
	switch {
	case p.isEmpty():
		return unit.Never
	case p.rate == 0:
		return p.at
	}
	earning := time.Duration(int64(max(1-p.left, 0)) * 8 * int64(time.Second) / int64(p.rate))
	return min(p.at.Add(max(earning, minPaceWait)), p.waiting[p.first].at.Add(maxPaceWait))
}

// refillPacer follows the estimate, and reports whether packets are paced.
func (t *Transport) refillPacer(now unit.Time) bool {
	rate := unit.Bitrate(0)
	if t.bweOut != nil {
		rate = t.bweOut.PacingRate(now)
	}
	if rate > 0 || !t.pacer.isEmpty() {
		t.pacer.refill(now, rate)
	}
	return rate > 0
}

// pace sends those of c's packets that may be sent now, and holds the others back.
func (t *Transport) pace(now unit.Time, c *Consumer, pkts []*packet.Packet) {
	if c.Kind() != api.MediaKindVideo {
		t.forward(now, c, pkts, false)
		return
	}
	limited := t.refillPacer(now)
	t.releasePaced(now)
	sent := 0
	if t.pacer.isEmpty() {
		sent = t.forward(now, c, pkts, limited)
	}
	if sent < len(pkts) {
		t.pacer.hold(now, c, pkts[sent:])
		t.lowerDeadline(t.pacer.nextTimeout())
	}
}

// releasePaced sends what may be sent now of what was held back.
func (t *Transport) releasePaced(now unit.Time) {
	for t.pacer.mayRelease(now) {
		x := t.pacer.take()
		t.pacer.next[0] = x.pkt
		t.forward(now, x.to, t.pacer.next[:], false)
		x.pkt.Release()
		t.drainConsumer(now, x.to)
	}
}

// paceTimeout is what is due of the pacer; it returns when something will be.
func (t *Transport) paceTimeout(now unit.Time) unit.Time {
	if t.pacer.isEmpty() {
		return unit.Never
	}
	t.followCongestion(now)
	t.refillPacer(now)
	t.releasePaced(now)
	return t.pacer.nextTimeout()
}
