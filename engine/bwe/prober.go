package bwe

import (
	"math"
	"time"

	"gazpacho/engine/unit"
)

// From mediasoup:
const (
	minProbePackets   = 5
	maxProbePacket    = 1400 // bytes
	probeTimeout      = 5 * time.Second
	probeResultAfter  = time.Second // when no result is to be expected any more
	maxProbeInterval  = time.Second // from the first packet of a cluster to the last, sent or arrived
	minProbeReceived  = 0.8         // of a cluster's packets and bytes
	maxProbeRatio     = 2           // arriving to sending rate
	unsaturatedRatio  = 0.9         // the path was not full when the packets arrived at this times the sending rate
	targetUtilization = 0.95
)

// Chosen here:
const (
	// probeTime is how long a cluster lasts: mediasoup's 15 ms are too short to measure a rate when arrivals jitter.
	probeTime      = 25 * time.Millisecond
	minProbePacket = 200 // bytes
	maxClusters    = 4   // that wait
	clusterResults = 8
)

// cluster is a burst of packets that tests whether the path carries a bitrate.
type cluster struct {
	id       uint16 // not 0
	bitrate  float64
	created  unit.Time
	started  unit.Time // 0: not yet
	bytes    int
	packets  int
	minBytes int
}

// result collects what arrived of a cluster.
type result struct {
	id                        uint16
	bitrate                   float64
	minBytes                  int
	packets, bytes            int
	firstSent, lastSent       unit.Time
	firstArrived, lastArrived unit.Time
	lastSentSize, firstSize   int
}

// prober sends clusters and evaluates them.
type prober struct {
	waiting [maxClusters]cluster // the first is being sent
	n       int
	lastID  uint16
	results [clusterResults]result // by id
}

// probe appends a cluster of the given length; beyond maxClusters it does nothing.
func (p *prober) probe(now unit.Time, bitrate float64, lasts time.Duration) {
	if p.n == maxClusters {
		return
	}
	p.lastID = p.lastID%math.MaxUint16 + 1
	minBytes := max(int(bitrate*lasts.Seconds()/8), minProbePackets*minProbePacket)
	p.waiting[p.n] = cluster{id: p.lastID, bitrate: bitrate, created: now, minBytes: minBytes}
	p.n++
	p.results[p.lastID%clusterResults] = result{id: p.lastID, bitrate: bitrate, minBytes: minBytes}
}

// stop drops all clusters.
func (p *prober) stop() { p.n = 0 }

func (p *prober) pop() {
	copy(p.waiting[:], p.waiting[1:p.n])
	p.n--
}

// next returns how long the packet is that is to be sent now, 0 when none is due.
func (p *prober) next(now unit.Time) int {
	for p.n > 0 && now.Sub(p.waiting[0].created) > probeTimeout {
		p.pop()
	}
	if p.n == 0 || p.nextAt() > now {
		return 0
	}
	c := &p.waiting[0]
	return min(max(c.minBytes/minProbePackets, minProbePacket), maxProbePacket)
}

// nextAt returns when the next packet is due: when those sent took as long as they should at the cluster's bitrate.
func (p *prober) nextAt() unit.Time {
	if p.n == 0 {
		return unit.Never
	}
	c := &p.waiting[0]
	if c.started == 0 {
		return c.created
	}
	return c.started.Add(time.Duration(float64(c.bytes) * 8 / c.bitrate * float64(time.Second)))
}

// sent records a packet, media or probe, and returns the cluster to which it belongs, 0 when to none. Media joins a
// cluster that has begun, but does not begin one.
func (p *prober) sent(now unit.Time, size int, probe bool) uint16 {
	if p.n == 0 || !probe && p.waiting[0].started == 0 {
		return 0
	}
	c := &p.waiting[0]
	if c.started == 0 {
		c.started = now
	}
	c.bytes += size
	c.packets++
	id := c.id
	if c.bytes >= c.minBytes && c.packets >= minProbePackets {
		p.pop()
	}
	return id
}

// arrived records the arrival of a packet of a cluster.
func (p *prober) arrived(a acknowledged) {
	r := &p.results[a.probe%clusterResults]
	if r.id != a.probe {
		return
	}
	if r.packets == 0 {
		r.firstSent, r.firstArrived, r.lastArrived = a.sent, a.arrived, a.arrived
		r.firstSize = int(a.size)
	}
	r.firstSent = min(r.firstSent, a.sent)
	if a.sent >= r.lastSent {
		r.lastSent, r.lastSentSize = a.sent, int(a.size)
	}
	if a.arrived < r.firstArrived {
		r.firstArrived, r.firstSize = a.arrived, int(a.size)
	}
	r.lastArrived = max(r.lastArrived, a.arrived)
	r.packets++
	r.bytes += int(a.size)
}

// evaluate returns what the cluster shows that the path carries, in bits per second; false while it is incomplete or when
// it shows nothing.
func (p *prober) evaluate(id uint16) (bitrate float64, ok bool) {
	r := &p.results[id%clusterResults]
	if r.id != id || float64(r.packets) < minProbePackets*minProbeReceived ||
		float64(r.bytes) < float64(r.minBytes)*minProbeReceived {
		return 0, false
	}
	sent, arrived := r.lastSent.Sub(r.firstSent), r.lastArrived.Sub(r.firstArrived)
	if sent <= 0 || arrived <= 0 || sent > maxProbeInterval || arrived > maxProbeInterval {
		return 0, false
	}
	// Sending the last packet took time that is not in the interval; receiving the first one did as well.
	sendRate := float64(r.bytes-r.lastSentSize) * 8 / sent.Seconds()
	arrivalRate := float64(r.bytes-r.firstSize) * 8 / arrived.Seconds()
	switch {
	case arrivalRate > maxProbeRatio*sendRate:
		return 0, false
	case arrivalRate < unsaturatedRatio*sendRate:
		return targetUtilization * arrivalRate, true
	default:
		return min(sendRate, arrivalRate), true
	}
}
