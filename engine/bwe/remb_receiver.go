package bwe

import (
	"time"

	"gazpacho/engine/unit"
)

// Chosen here: when an estimate is announced to the peer, and how many streams it names. mediasoup's interval is between
// 200 ms and a second.
const (
	rembInterval    = time.Second
	minREMBInterval = 200 * time.Millisecond
	rembFall        = 0.97 // of the last one announced: announce at once
	rembUpdate      = 100 * time.Millisecond
	rembFallUpdate  = 20 * time.Millisecond  // while the path is overused
	rembWarmUp      = 500 * time.Millisecond // until there is an estimate
	maxREMBStreams  = 32
	rembStreamTime  = 2 * time.Second // after which a silent stream is not named, as in mediasoup
)

// rembEstimator estimates what the peer may send from when its packets were sent (abs-send-time) and when they arrived:
// draft-ietf-rmcat-gcc-02 with the delay-based controller on the receiving side. What it takes for overuse, and what follows from that,
// is as in Sender: a key frame, or those of several streams, must not cost their bitrate.
type rembEstimator struct {
	incoming    unit.RateCounter
	delay       interArrival
	trend       trendline
	queue       queueing
	throughput  throughput
	way         time.Duration // of the newest packet, by two clocks
	rate        aimd
	sent        int64 // abs-send-time of the last packet, unwrapped
	beganAt     unit.Time
	updatedAt   unit.Time
	announcedAt unit.Time
	announced   float64
	full        bool // the path was overused once: growth is cautious from then on
	streams     [maxREMBStreams]rembStream
	n           int
}

type rembStream struct {
	ssrc unit.SSRC
	seen unit.Time
}

func newREMBEstimator() *rembEstimator {
	return &rembEstimator{incoming: unit.NewRateCounter(unit.DefaultRateWindow), trend: newTrendline(), throughput: newThroughput()}
}

// bitrate returns the estimate, 0 when there is none yet.
func (e *rembEstimator) bitrate() unit.Bitrate { return unit.Bitrate(e.rate.bitrate) }

// add takes a packet and returns true when the estimate is to be announced.
func (e *rembEstimator) add(now unit.Time, a Arrival) bool {
	if e.beganAt == 0 {
		e.beganAt, e.sent = now, int64(a.AbsSendTime)
	}
	e.note(now, a.SSRC)
	e.incoming.Update(now, a.Size)
	step := (int64(a.AbsSendTime) - e.sent) & 0xffffff
	if step >= 1<<23 {
		step -= 1 << 24
	}
	e.sent += step
	e.measure(now, unit.Time(e.sent*1953125>>9), a.Size) // 1e9 / 2^18 nanoseconds are 5^9 / 2^9
	since := now.Sub(e.updatedAt)
	if since >= rembUpdate || since >= rembFallUpdate && e.usage() == overusing {
		e.update(now)
	}
	if e.rate.bitrate == 0 {
		return false
	}
	silent := now.Sub(e.announcedAt)
	return silent >= rembInterval || silent >= minREMBInterval && e.rate.bitrate < rembFall*e.announced
}

// measure takes what a packet shows of the path.
func (e *rembEstimator) measure(now, sent unit.Time, size int) {
	way := now.Sub(sent)
	if change := way - e.way; change > maxClockDrift || change < -maxClockDrift {
		e.queue = queueing{}
		e.throughput.reset()
	}
	e.way = way
	waited := e.queue.add(now, now, way)
	e.throughput.add(transfer{sent: sent, arrived: now, size: int32(size), waited: waited})
	if d, ok := e.delay.add(sent, now, now); ok {
		e.trend.add(d)
	}
}

func (e *rembEstimator) usage() usage { return e.trend.usage(e.queue.standingBeyond(e.rate.bitrate)) }

func (e *rembEstimator) update(now unit.Time) {
	e.updatedAt = now
	incoming := float64(e.incoming.Rate(now))
	if e.rate.bitrate == 0 {
		if now.Sub(e.beganAt) < rembWarmUp {
			return
		}
		// The counter averages over a whole window, of which only a part has passed.
		e.rate = newAIMD(now, throughputMargin*incoming+marginOffset)
	}
	u, standing := e.usage(), e.queue.standingBeyond(e.rate.bitrate)
	e.full = e.full || u == overusing
	if !e.full && u == normal {
		e.rate.bitrate = max(e.rate.bitrate, throughputMargin*incoming+marginOffset)
	}
	e.rate.hold, e.rate.gentle = standing > highQueueing, standing < fullQueueing
	e.rate.update(now, u, e.throughput.rate(), e.throughput.full())
}

// note remembers the stream as one of those that the estimate is about.
func (e *rembEstimator) note(now unit.Time, ssrc unit.SSRC) {
	oldest := 0
	for i := range e.streams[:e.n] {
		if e.streams[i].ssrc == ssrc {
			e.streams[i].seen = now
			return
		}
		if e.streams[i].seen < e.streams[oldest].seen {
			oldest = i
		}
	}
	if e.n < maxREMBStreams {
		oldest = e.n
		e.n++
	}
	e.streams[oldest] = rembStream{ssrc, now}
}

// report returns the contents of the REMB packet to be sent: bitrate and SSRCs.
func (e *rembEstimator) report(now unit.Time) (unit.Bitrate, []uint32) {
	e.announcedAt, e.announced = now, e.rate.bitrate
	ssrcs := make([]uint32, 0, e.n)
	for _, s := range e.streams[:e.n] {
		if now.Sub(s.seen) <= rembStreamTime {
			ssrcs = append(ssrcs, uint32(s.ssrc))
		}
	}
	return unit.Bitrate(e.rate.bitrate), ssrcs
}
