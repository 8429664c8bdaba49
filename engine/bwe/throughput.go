package bwe

import (
	"time"

	"gazpacho/engine/unit"
)

// Chosen here: the window over which throughput is measured. It spans several frames, and is short enough to follow the path.
const (
	minThroughputPackets = 10
	throughputPackets    = 20 // that the window has at least, once there were so many
	minThroughputRing    = 64 // it grows with the packet rate
	maxThroughputPackets = 512
	throughputTime       = 500 * time.Millisecond
	maxThroughputTime    = 5 * time.Second
)

// throughput measures at what rate packets get through, from when they were sent and when they arrived. It is robust
// against pauses of the sender: the longest gap counts as the second longest.
type throughput struct {
	ring     []transfer // by arrival, oldest at first
	first, n int
	bytes    int
	from     unit.Time // packets sent earlier do not count
}

type transfer struct {
	sent, arrived unit.Time
	size          int32
	waited        time.Duration
	before        int32 // bytes that were sent before it and are taken to have arrived, because the feedback was lost
}

func newThroughput() throughput { return throughput{ring: make([]transfer, minThroughputRing)} }

func (t *throughput) at(i int) *transfer { return &t.ring[(t.first+i)%len(t.ring)] }

func (t *throughput) reset() { t.first, t.n, t.bytes = 0, 0, 0 }

// restart measures from now on: what was sent at a lower rate would make it look as if the path did not carry the new one.
func (t *throughput) restart(now unit.Time) {
	t.reset()
	t.from = now
}

// add takes a packet that arrived.
func (t *throughput) add(x transfer) {
	if x.sent < t.from {
		return
	}
	if t.n == len(t.ring) {
		t.makeRoom()
	}
	t.n++
	t.bytes += int(x.size) + int(x.before)
	i := t.n - 1
	for ; i > 0 && t.at(i-1).arrived > x.arrived; i-- {
		*t.at(i) = *t.at(i - 1)
	}
	*t.at(i) = x
	newest := t.at(t.n - 1).arrived
	for t.n > 1 && (newest.Sub(t.at(0).arrived) > maxThroughputTime ||
		t.n > throughputPackets && newest.Sub(t.at(1).arrived) >= throughputTime) {
		t.drop()
	}
}

func (t *throughput) makeRoom() {
	if t.n == maxThroughputPackets {
		t.drop()
		return
	}
	larger := make([]transfer, 2*len(t.ring))
	for i := range t.n {
		larger[i] = *t.at(i)
	}
	t.ring, t.first = larger, 0
}

func (t *throughput) drop() {
	t.bytes -= int(t.at(0).size) + int(t.at(0).before)
	t.first = (t.first + 1) % len(t.ring)
	t.n--
}

// rate returns the throughput in bits per second, 0 while there are too few packets.
func (t *throughput) rate() float64 {
	if t.n < minThroughputPackets {
		return 0
	}
	var sent, arrived gaps
	sent.start(t.at(0).sent)
	arrived.start(t.at(0).arrived)
	for i := 1; i < t.n; i++ {
		sent.add(t.at(i).sent)
		arrived.add(t.at(i).arrived)
	}
	// The packets of the window end intervals; the first one ends one that began outside.
	bytes := t.bytes - int(t.at(0).size) - int(t.at(0).before)
	slower := max(sent.robust(), arrived.robust())
	if slower <= 0 {
		return 0
	}
	return float64(bytes) * 8 / slower.Seconds()
}

// Chosen here: when the rate of arrivals is that of the path, because packets queue for it.
const (
	fullWaiting = 20 * time.Millisecond // that each packet waits
	fullPackets = 8
	minFullTime = 80 * time.Millisecond
	maxFullTime = 400 * time.Millisecond // if that has fullPackets, else ...
	fewFullTime = 3 * time.Second        // ... on narrow paths
)

// full returns at what rate packets arrived while all of them had to wait for others: what the path carries, however much is
// sent. It is 0 when the newest packets did not have to wait, or for too short a time. The longest gap counts as the second longest:
// the path may have stood still.
func (t *throughput) full() float64 {
	if t.n < 2 || t.at(t.n-1).waited < fullWaiting {
		return 0
	}
	var g gaps
	g.start(t.at(t.n - 1).arrived)
	bytes, i := 0, t.n-1
	for ; i > 0 && t.at(i).waited >= fullWaiting && (g.span() < maxFullTime || t.n-1-i < fullPackets && g.span() < fewFullTime); i-- {
		bytes += int(t.at(i).size) + int(t.at(i).before)
		g.addBefore(t.at(i - 1).arrived) // its carrying began when the one before had been carried
	}
	took := g.robust()
	if t.n-1-i < fullPackets || took < minFullTime {
		return 0
	}
	return float64(bytes) * 8 / took.Seconds()
}

// gaps measures a span of time and the two longest gaps in it.
type gaps struct {
	first, last     unit.Time
	longest, second time.Duration
}

func (g *gaps) start(t unit.Time) { g.first, g.last = t, t }

func (g *gaps) add(t unit.Time) {
	g.first = min(g.first, t)
	g.note(t.Sub(g.last))
	g.last = max(g.last, t)
}

// addBefore is add for a time before all others.
func (g *gaps) addBefore(t unit.Time) {
	g.note(g.first.Sub(t))
	g.first = t
}

func (g *gaps) note(gap time.Duration) {
	switch {
	case gap > g.longest:
		g.longest, g.second = gap, g.longest
	case gap > g.second:
		g.second = gap
	}
}

func (g *gaps) span() time.Duration { return g.last.Sub(g.first) }

// robust returns the span with the longest gap shortened to the second longest.
func (g *gaps) robust() time.Duration { return g.last.Sub(g.first) - g.longest + g.second }
