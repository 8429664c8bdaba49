package bwe

import (
	"math"
	"time"

	"gazpacho/engine/unit"
)

// From mediasoup:
const (
	firstProbeScale   = 3 // times the initial bitrate
	secondProbeScale  = 6
	furtherProbeScale = 2   // times the result of a probe that succeeded
	furtherProbe      = 0.7 // of its bitrate is what a probe has to show for a further one
)

// Chosen here: when to probe again. mediasoup does so every 5 s while the application sends little; here a path on which more is
// desired than estimated is probed soon, and less often the longer probes fail.
const (
	firstProbeInterval = 1500 * time.Millisecond
	probeBackoff       = 1.5
	lastProbeInterval  = 2500 * time.Millisecond
	failedInterval     = 6 * time.Second // at most, when decreases follow probes that seemed to succeed
	afterDecrease      = time.Second     // queues drain first
	deceivedTime       = time.Minute     // in which two results were wrong: after that, each raises the estimate by deceivedScale at most
	deceivedScale      = 1.1
	desiredRoom        = 1.15            // times what is desired is probed for: layers are taken when there is some room beyond them
	resultPenalty      = 3 * time.Second // a decrease before a successful probe's result was used for so long shows that it was wrong,
	changedPath        = 0.7             // unless it is to less than that share of the estimate before
)

// probing decides when to probe and for what.
type probing struct {
	begun     bool // the initial probes were sent
	startedAt unit.Time
	target    float64 // of the newest cluster; 0: no result is awaited
	interval  time.Duration
	limit     time.Duration // of interval
	successAt unit.Time
	before    float64 // the estimate before that success
	decreased unit.Time
	deceived  [2]unit.Time // when results were wrong last, the older one first
}

func newProbing() probing {
	return probing{interval: firstProbeInterval, limit: lastProbeInterval}
}

// demand is what a decision needs to know, in bits per second.
type demand struct {
	estimate, initial float64
	desired, ceiling  float64 // desired bitrate, and the most that the estimate may become
	clear             bool    // neither queues nor losses
	scale             float64 // of the bitrate to probe for
}

// decide returns the bitrates to probe for now, 0 for none.
func (p *probing) decide(now unit.Time, d demand) (first, second float64) {
	if p.target > 0 && now.Sub(p.startedAt) > probeResultAfter {
		p.failed()
	}
	wanted := desiredRoom*d.desired > d.estimate && d.ceiling > d.estimate
	if !wanted || !d.clear || p.target > 0 {
		return 0, 0
	}
	if !p.begun && d.scale == furtherProbeScale {
		p.begun = true
		first = min(firstProbeScale*d.initial, d.ceiling)
		if second = min(secondProbeScale*d.initial, d.ceiling); second <= first {
			second = 0
		}
		p.start(now, max(first, second))
		return first, second
	}
	if now < p.nextAt() {
		return 0, 0
	}
	first = min(d.scale*d.estimate, d.ceiling)
	p.start(now, first)
	return first, 0
}

func (p *probing) start(now unit.Time, target float64) { p.startedAt, p.target = now, target }

// nextAt returns when the next probe may be, as far as time decides.
func (p *probing) nextAt() unit.Time {
	return max(p.startedAt.Add(p.interval), p.decreased.Add(afterDecrease))
}

// result takes the result of a probe, and the estimate that there was before. After a success, the next probe is due at once.
func (p *probing) result(now unit.Time, estimate, bitrate float64) {
	if p.target == 0 {
		return
	}
	if bitrate < furtherProbe*p.target {
		return // a later packet of the cluster may still complete it; otherwise the timeout does
	}
	if p.successAt == 0 || now.Sub(p.successAt) > resultPenalty { // else it goes on from the last one
		p.before = estimate
		if p.decreased == 0 {
			p.before = math.Inf(1) // nothing was known of the path
		}
	}
	p.target, p.successAt = 0, now
	p.interval, p.limit = firstProbeInterval, max(p.limit/2, lastProbeInterval)
	p.startedAt = now.Add(-p.interval)
}

// believed returns what the estimate may become by a result. A path that passes bursts more quickly than anything longer, as token
// buckets do, deceives probes again and again.
func (p *probing) believed(now unit.Time, estimate, bitrate float64) float64 {
	if p.deceived[0] != 0 && now.Sub(p.deceived[0]) < deceivedTime {
		return min(bitrate, estimate*deceivedScale)
	}
	return bitrate
}

// unused takes that for a while much less was sent than is estimated. That proves no result.
func (p *probing) unused(d time.Duration) {
	if p.successAt != 0 {
		p.successAt = p.successAt.Add(d)
	}
}

// failed makes the next probe wait longer.
func (p *probing) failed() {
	p.target = 0
	p.interval = min(time.Duration(float64(p.interval)*probeBackoff), p.limit)
}

// demandGrew makes the next probe due.
func (p *probing) demandGrew(now unit.Time) {
	if p.target == 0 && p.begun {
		p.interval = firstProbeInterval
		p.startedAt = min(p.startedAt, now.Add(-p.interval))
	}
}

// fell takes that the estimate decreased. If it falls far below what it was before the last success, the path has changed, and that
// result need not have been wrong.
func (p *probing) fell(now unit.Time, bitrate float64) {
	p.decreased = now
	if p.successAt != 0 && now.Sub(p.successAt) < resultPenalty && bitrate > changedPath*p.before {
		p.deceived = [2]unit.Time{p.deceived[1], now}
		p.limit = min(2*p.limit, failedInterval)
		p.interval = p.limit
		p.startedAt = now
	}
	p.successAt = 0
}
