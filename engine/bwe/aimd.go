package bwe

import (
	"math"
	"time"

	"gazpacho/engine/unit"
)

// From draft-ietf-rmcat-gcc-02 section 5.5.
const (
	decreaseFactor   = 0.85
	increasePerSec   = 1.08
	throughputMargin = 1.5 // an estimate does not grow beyond this times what was seen to arrive
	responseOverhead = 100 * time.Millisecond
)

// From mediasoup:
const (
	marginOffset    = 10_000 // bit/s that the estimate may grow beyond throughputMargin
	minIncrease     = 4000   // bit/s per second
	defaultRTT      = 200 * time.Millisecond
	minReduction    = 10 * time.Millisecond // between two decreases, when the round-trip time is shorter
	maxReduction    = 200 * time.Millisecond
	typicalPacket   = 1200 // bytes
	framesPerSecond = 30
)

// Chosen here: the least factors of a decrease while the application sends much less than the estimate, or while no queue stands. Its
// throughput then says little about the path, and a single overuse must not bring the estimate down to it.
const (
	limitedDecrease = 0.7
	gentleDecrease  = 0.93
)

// Chosen here: what is sent of what the path was seen to carry, after its queue has filled; and for how long it must not be overused until
// that is over.
const (
	fullFactor  = 0.9
	overuseOver = 300 * time.Millisecond
)

// aimd turns the state of the path into a bitrate: additive or multiplicative increase, multiplicative decrease.
type aimd struct {
	bitrate   float64 // bit/s
	state     rateState
	changedAt unit.Time
	rtt       time.Duration
	capacity  capacity
	limited   bool    // the application sends much less than bitrate
	before    float64 // bitrate when the path began to be overused, 0 while it is not
	hold      bool    // do not increase: packets are being lost
	gentle    bool    // no queue stands
}

type rateState uint8

const (
	rateHold rateState = iota
	rateIncrease
)

func newAIMD(now unit.Time, bitrate float64) aimd {
	return aimd{bitrate: bitrate, changedAt: now, rtt: defaultRTT}
}

// set makes an estimate known by other means current.
func (a *aimd) set(now unit.Time, bitrate float64) { a.bitrate, a.changedAt = bitrate, now }

// update takes the state of the path, and in bits per second the throughput and what the path was seen to carry at most, 0 when
// unknown.
func (a *aimd) update(now unit.Time, u usage, throughput, full float64) {
	if u != overusing && now.Sub(a.changedAt) > overuseOver {
		a.before = 0
	}
	switch u {
	case overusing:
		if a.before == 0 {
			a.before = a.bitrate
		}
		switch {
		case full > 0:
			a.settle(now, full)
		case a.mayDecrease(now, throughput):
			a.decrease(now, throughput)
		}
	case underusing:
		a.state = rateHold // queues drain
	case normal:
		if a.state == rateHold {
			a.state, a.changedAt = rateIncrease, now
			return
		}
		a.increase(now, throughput)
	}
}

// mayDecrease reports whether the last change had time to take effect, or things are much worse.
func (a *aimd) mayDecrease(now unit.Time, throughput float64) bool {
	interval := min(max(a.rtt, minReduction), maxReduction)
	return now.Sub(a.changedAt) >= interval || !a.limited && throughput > 0 && throughput < a.bitrate/2 ||
		a.state == rateIncrease
}

func (a *aimd) decrease(now unit.Time, throughput float64) {
	bitrate := throughput * decreaseFactor
	switch {
	case throughput == 0:
		bitrate = a.bitrate * decreaseFactor
	case bitrate > a.bitrate && a.capacity.known():
		bitrate = a.capacity.bps() * decreaseFactor
	}
	if a.gentle {
		bitrate = max(bitrate, a.bitrate*gentleDecrease)
	}
	if a.limited {
		bitrate = max(bitrate, a.bitrate*limitedDecrease)
	} else if throughput > 0 {
		if a.capacity.below(throughput) {
			a.capacity.reset()
		}
		a.capacity.add(throughput, capacityWeight)
	}
	a.bitrate = min(a.bitrate, bitrate)
	a.state, a.changedAt = rateHold, now
}

// settle decreases to a little less than what the path carries, so that its queue drains. It may be called again and again while
// that takes: what the path carries becomes known better.
func (a *aimd) settle(now unit.Time, full float64) {
	a.state, a.changedAt = rateHold, now
	if bitrate := full * fullFactor; bitrate < a.before {
		a.bitrate = bitrate
		if a.capacity.below(full) {
			a.capacity.reset()
		}
		a.capacity.add(full, capacityWeight)
	}
}

func (a *aimd) increase(now unit.Time, throughput float64) {
	elapsed := min(now.Sub(a.changedAt), time.Second).Seconds()
	a.changedAt = now
	if a.capacity.above(throughput) {
		a.capacity.reset()
	}
	if a.hold {
		return
	}
	bitrate := a.bitrate
	if a.capacity.known() {
		bitrate += a.additive() * elapsed
	} else {
		bitrate += max(bitrate*(math.Pow(increasePerSec, elapsed)-1), 1000*elapsed)
	}
	limit := throughputMargin*throughput + marginOffset
	a.bitrate = max(a.bitrate, min(bitrate, limit))
}

// additive returns the growth in bit/s per second near the capacity: a packet per response time.
func (a *aimd) additive() float64 {
	frame := a.bitrate / 8 / framesPerSecond
	packet := frame / math.Ceil(frame/typicalPacket)
	response := 2 * (a.rtt + responseOverhead)
	return max(packet*8/response.Seconds(), minIncrease)
}

// From mediasoup:
const (
	capacityWeight       = 0.05 // of a new sample
	minCapacityDeviation = 0.4  // variance in kbit/s, divided by the capacity
	maxCapacityDeviation = 2.5
	capacityBounds       = 3 // standard deviations
)

// capacity averages the rates at which the path was found to be full (draft-ietf-rmcat-gcc-02 section 5.5). While the
// throughput agrees with it, the estimate approaches it in small steps. Rates are in kbit/s.
type capacity struct {
	estimate  float64 // 0: unknown
	deviation float64
}

func (c *capacity) add(bps, weight float64) {
	sample := bps / 1000
	if c.estimate == 0 {
		c.estimate = sample
		c.deviation = max(c.deviation, minCapacityDeviation)
	}
	c.estimate = (1-weight)*c.estimate + weight*sample
	err := c.estimate - sample
	c.deviation = (1-weight)*c.deviation + weight*err*err/max(c.estimate, 1)
	c.deviation = min(max(c.deviation, minCapacityDeviation), maxCapacityDeviation)
}

func (c *capacity) known() bool { return c.estimate > 0 }

// reset forgets the average. How much samples deviate from it is a property of the path and stays.
func (c *capacity) reset() { c.estimate = 0 }

func (c *capacity) bps() float64 { return c.estimate * 1000 }

// above and below report whether a throughput contradicts the average.
func (c *capacity) above(bps float64) bool { return c.known() && bps > c.bps()+c.margin() }
func (c *capacity) below(bps float64) bool { return c.known() && bps < c.bps()-c.margin() }

func (c *capacity) margin() float64 {
	return capacityBounds * math.Sqrt(c.deviation*c.estimate) * 1000
}
