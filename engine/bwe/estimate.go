package bwe

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// From mediasoup: when an estimate is announced.
const (
	announceInterval = time.Second
	announceFall     = 0.75
	announceRise     = 1.5
	// announceProbe is as announceRise, after a probe. Chosen here: it may be what a higher layer waits for.
	announceProbe = 1.1
)

// Chosen here:
const (
	// sentWindow is the time over which the sending rate is averaged, and usedShare the share of the estimate from which on
	// the application counts as using it (mediasoup's value).
	sentWindow = 500 * time.Millisecond
	usedShare  = 0.65
	// staleAfter is how long feedback about queues and losses holds. When nothing is sent any more, because the estimate fell
	// below the least that the application can send, only a probe can find out that things are better.
	staleAfter = time.Second
	// maxRTT bounds the round-trip time that is believed.
	maxRTT    = 5 * time.Second
	rttWeight = 0.125 // RFC 6298 section 2
)

// HandleTransportFeedback takes the peer's transport-wide feedback. It may claim anything: statuses of packets that were not
// sent are ignored.
func (s *Sender) HandleTransportFeedback(now unit.Time, feedback *rtcp.TransportLayerCC) {
	if !s.connected || s.bweType != api.BWETypeTransportCc {
		return
	}
	reference, jumped := s.clock.read(now, feedback.ReferenceTime)
	if jumped {
		s.throughput.reset()
		s.delay, s.trend, s.queue = interArrival{}, newTrendline(), queueing{}
	}
	r := &s.report
	r.read(&s.history, feedback, reference)
	s.flight.fed(now, s.history.oldest())
	if r.sent == 0 && len(r.arrived) == 0 {
		return
	}
	s.losses.add(max(r.lost, 0), r.sent)
	if len(r.arrived) > 0 {
		if now.Sub(s.lastArrivalAt) > staleAfter {
			s.delay, s.trend, s.loss.excess = interArrival{}, newTrendline(), 0
		}
		s.lastArrivalAt = now
		s.silence.broken()
	}
	s.estimate(now, r)
	if len(r.arrived) > 0 {
		s.measureRTT(now, r.newest)
	}
	s.update(now)
}

// estimate updates the estimate from feedback.
func (s *Sender) estimate(now unit.Time, r *report) {
	s.take(now, r)
	before := s.rate.bitrate
	sending, full := float64(s.sent.Rate(now)), s.throughput.full()
	if s.sharing(now, sending, full) {
		s.share(now, r)
		return
	}
	standing := s.queue.standingBeyond(s.rate.bitrate)
	if standing > fullQueueing {
		s.fullAt = now
	}
	s.rate.limited = sending < usedShare*s.rate.bitrate
	if s.rate.limited {
		s.probing.unused(min(now.Sub(s.estimatedAt), staleAfter))
	}
	s.estimatedAt = now
	s.rate.hold, s.rate.gentle = s.loss.hold() || standing > highQueueing, standing < fullQueueing
	if len(r.arrived) > 0 {
		s.rate.update(now, s.trend.usage(standing), s.throughput.rate(), full)
		s.moved(before, CauseGrowth, CauseOveruse)
	}
	s.loss.queued = s.queue.average > lossyQueueing
	s.loss.unqueued = !s.loss.queued
	s.applyLoss(now, s.loss.add(now, r.sent, r.lost, r.bytes, s.rate.bitrate))
	if s.rate.bitrate < before {
		s.rate.bitrate = max(s.rate.bitrate, float64(s.limits.min)) // to come back from less would take long
		s.probing.fell(now, s.rate.bitrate)
	}
	s.applyProbes(now, r)
}

// take measures what arrived.
func (s *Sender) take(now unit.Time, r *report) {
	for _, a := range r.arrived {
		a.waited = s.queue.add(now, a.arrived, a.arrived.Sub(a.sent))
		s.throughput.add(a.transfer)
		if d, ok := s.delay.add(a.sent, a.arrived, now); ok {
			s.trend.add(d)
		}
		if a.probe != 0 {
			s.prober.arrived(a)
		}
	}
}

// applyLoss decreases the estimate for losses, though not below what gets through less a margin, or takes such decreases
// back.
func (s *Sender) applyLoss(now unit.Time, v verdict) {
	before := s.rate.bitrate
	switch {
	case v.restore > s.rate.bitrate:
		s.raise(now, v.restore)
	case v.factor < 1:
		floor := min(s.rate.bitrate, s.throughput.rate()*decreaseFactor)
		s.rate.set(now, max(s.rate.bitrate*v.factor, floor))
	}
	s.moved(before, CauseRestored, CauseLoss)
}

// applyProbes raises the estimate to what probes showed.
func (s *Sender) applyProbes(now unit.Time, r *report) {
	var last uint16
	for _, a := range r.arrived {
		if a.probe == 0 || a.probe == last {
			continue
		}
		last = a.probe
		bitrate, ok := s.prober.evaluate(last)
		if !ok {
			continue
		}
		s.probing.result(now, s.rate.bitrate, bitrate)
		bitrate = s.probing.believed(now, s.rate.bitrate, bitrate)
		if bitrate > s.rate.bitrate && s.trend.state != overusing && !s.loss.high() {
			before := s.rate.bitrate
			s.raise(now, bitrate)
			s.moved(before, CauseProbe, CauseProbe)
			s.probed = true
		}
	}
}

// raise sets the estimate to one that is known to be higher.
func (s *Sender) raise(now unit.Time, bitrate float64) {
	s.rate.set(now, bitrate)
	s.throughput.restart(now)
}

func (s *Sender) measureRTT(now, sent unit.Time) {
	rtt := min(max(now.Sub(sent), 0), maxRTT)
	s.flight.empty = max(rtt-s.queue.newest, 0)
	s.rate.rtt += time.Duration(rttWeight * float64(rtt-s.rate.rtt))
}

// update brings the announced estimate in line and probes when there is reason to.
func (s *Sender) update(now unit.Time) {
	bitrate := s.rate.bitrate
	if s.bweType == api.BWETypeREMB {
		bitrate = s.remb.bound(bitrate)
	}
	s.available = s.limits.clamp(bitrate)
	s.probe(now, bitrate)
	before, after, rise := float64(s.announced), float64(s.available), announceRise
	if s.probed {
		s.probed, rise = false, announceProbe
	}
	if after < announceFall*before || after > rise*before || now.Sub(s.eventAt) >= announceInterval {
		s.announce(now)
	}
}

func (s *Sender) announce(now unit.Time) {
	s.announced, s.eventAt = s.available, now
	s.output.BitrateChanged = true
}

func (s *Sender) probe(now unit.Time, bitrate float64) {
	d := demand{
		estimate: bitrate,
		initial:  float64(s.limits.initial),
		desired:  float64(s.limits.effective.value),
		ceiling:  float64(s.limits.max),
		clear:    s.trend.state != overusing && !s.loss.high() && !s.others.present,
		scale:    furtherProbeScale,
	}
	lasts := probeTime
	if s.bweType == api.BWETypeREMB {
		lasts = rembProbeTime
		d.scale = rembProbeScale
		d.clear = d.clear && float64(s.sent.Rate(now)) < rembProbeShare*bitrate
	} else if now.Sub(s.lastArrivalAt) > staleAfter {
		d.clear = true
	}
	first, second := s.probing.decide(now, d)
	if first > 0 {
		s.prober.probe(now, first, lasts)
	}
	if second > 0 {
		s.prober.probe(now, second, lasts)
	}
}

// HandleTimeout runs what is due; afterwards probes may be due as well.
func (s *Sender) HandleTimeout(now unit.Time) {
	if !s.connected {
		return
	}
	if s.silence.at <= now {
		s.silence.decreased()
		s.fallBack(now)
	}
	s.update(now)
}

// NextTimeout returns when to call HandleTimeout, or NextProbe has something; unit.Never when not connected.
func (s *Sender) NextTimeout() unit.Time {
	if !s.connected {
		return unit.Never
	}
	return min(s.eventAt.Add(announceInterval), s.prober.nextAt(), s.silence.at)
}

// fallBack decreases the estimate because no feedback comes.
func (s *Sender) fallBack(now unit.Time) {
	s.prober.stop()
	s.probing.fell(now, s.rate.bitrate)
	floor := 0.0
	if !s.silence.hadFeedback {
		floor = noFeedbackFactor * float64(s.limits.initial)
	}
	before := s.rate.bitrate
	s.rate.set(now, min(before, max(before*silenceFactor, floor)))
	s.moved(before, CauseSilence, CauseSilence)
}
