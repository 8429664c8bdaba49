package bwe

import (
	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// SenderConfig configures a Sender. Rates are in bits per second.
type SenderConfig struct {
	Type api.BWEType
	// InitialBitrate is where the estimate begins: the transport's initialAvailableOutgoingBitrate.
	InitialBitrate unit.Bitrate
	// MinBitrate and MaxBitrate bound the estimate, 0 for no bound: min- and maxOutgoingBitrate.
	MinBitrate, MaxBitrate unit.Bitrate
}

// Sender estimates how much may be sent to the peer, mediasoup's TransportCongestionControlClient with what is below it. A
// transport has one as soon as one of its video consumers negotiated transport-cc or REMB.
//
// How a transport uses it:
//
//   - each RTP packet sent: HandlePacketSent, whose result goes into the packet's transport-wide sequence number when it
//     has room for one. With transport-cc only packets that carry the number may be counted, with REMB all;
//
//   - RTCP received: HandleTransportFeedback, HandleREMB, HandleReceptionReport;
//
//   - after each of these and after HandleTimeout: when Output().BitrateChanged, distribute AvailableBitrate to the
//     consumers, call SetDesiredBitrate, and emit TraceInfo; then send probation packets as long as NextProbe asks for them:
//
//     for size := s.NextProbe(now); size > 0; size = s.NextProbe(now) {
//     seq := s.HandleProbeSent(now, size)
//     // send a probation packet (SSRC 1234) of size bytes with seq
//     }
type Sender struct {
	bweType   api.BWEType
	connected bool
	limits    limits
	available unit.Bitrate
	announced unit.Bitrate // with the last BitrateChanged
	eventAt   unit.Time    // when that was, or what counts as one

	history       history
	report        report
	clock         peerClock
	delay         interArrival
	trend         trendline
	queue         queueing
	throughput    throughput
	rate          aimd
	loss          lossControl
	losses        lossHistory
	prober        prober
	probing       probing
	probed        bool // a probe raised the estimate since the last update
	remb          rembLimit
	sent          unit.RateCounter
	silence       silence
	flight        flight
	fullAt        unit.Time // when the path's queue stood last
	others        others
	sentBytes     uint64
	why           explanation
	estimatedAt   unit.Time // when feedback last updated the estimate
	lastArrivalAt unit.Time // when feedback last reported an arrival
	output        SenderOutput
}

// SenderOutput is what a Sender asks for. The caller drains it after each call and then calls Reset.
type SenderOutput struct {
	// BitrateChanged asks for a new distribution of AvailableBitrate: the first time, when it changed much, and once a
	// second.
	BitrateChanged bool
}

// Reset empties the output.
func (o *SenderOutput) Reset() { *o = SenderOutput{} }

// NewSender returns a Sender. It has no estimate before TransportConnected.
func NewSender(c SenderConfig) *Sender {
	s := &Sender{bweType: c.Type, sent: unit.NewRateCounter(sentWindow)}
	s.limits.initial = max(c.InitialBitrate, minimumBitrate)
	s.limits.configured.min, s.limits.configured.max = c.MinBitrate, c.MaxBitrate
	s.limits.apply()
	s.silence = newSilence()
	s.history = newHistory(minSent)
	return s
}

// Type returns whether the peer sends transport-wide feedback or REMB.
func (s *Sender) Type() api.BWEType { return s.bweType }

// Output returns what has to be done.
func (s *Sender) Output() *SenderOutput { return &s.output }

// TransportConnected starts estimating.
func (s *Sender) TransportConnected(now unit.Time) {
	if s.connected {
		return
	}
	s.connected = true
	s.forget()
	start := float64(s.limits.initial)
	if s.available > 0 {
		start = float64(s.available)
	}
	s.rate = newAIMD(now, start)
	s.probing = newProbing()
	s.loss = lossControl{}
	s.silence = newSilence()
	s.lastArrivalAt = now
	s.remb = rembLimit{connectedAt: now}
	s.limits.apply()
	s.available = s.limits.clamp(start)
	s.why = explanation{}
	s.announce(now)
}

// TransportDisconnected stops estimating and probing, and forgets what is desired.
func (s *Sender) TransportDisconnected(now unit.Time) {
	s.connected = false
	s.limits.desired = 0
	s.limits.effective.set(now, 0, true)
	s.prober.stop()
}

// forget drops what was measured on an old path or against an old clock.
func (s *Sender) forget() {
	if s.throughput.ring == nil && s.bweType == api.BWETypeTransportCc {
		s.throughput = newThroughput()
	}
	s.throughput.reset()
	s.delay, s.trend, s.queue = interArrival{}, newTrendline(), queueing{}
	s.clock = peerClock{}
	s.flight, s.others = flight{}, others{}
}

// HandlePacketSent records an RTP packet of size bytes (header included) that is being sent, and returns its transport-wide
// sequence number.
func (s *Sender) HandlePacketSent(now unit.Time, size int) unit.SeqNo {
	return s.handleSent(now, size, false)
}

// NextProbe returns the size in bytes of the probation packet to send now, 0 when none is due. A packet that comes out
// some bytes longer or shorter does no harm. It must be followed by HandleProbeSent.
func (s *Sender) NextProbe(now unit.Time) int {
	if !s.connected {
		return 0
	}
	return s.prober.next(now)
}

// HandleProbeSent is HandlePacketSent for a probation packet.
func (s *Sender) HandleProbeSent(now unit.Time, size int) unit.SeqNo {
	return s.handleSent(now, size, true)
}

func (s *Sender) handleSent(now unit.Time, size int, probe bool) unit.SeqNo {
	p := sentPacket{at: now, size: uint32(size), probe: s.prober.sent(now, size, probe)}
	s.sent.Update(now, size)
	s.sentBytes += uint64(size)
	if s.bweType == api.BWETypeTransportCc {
		s.silence.sent(now)
	}
	s.remb.bytes += size
	s.flight.sent(now)
	return s.history.add(p)
}

// SetDesiredBitrate sets the bitrate that the consumers would use if bandwidth were unlimited. The estimate need not grow much
// beyond it, and probes go up to it. It follows a fall slowly unless force is set, as in mediasoup: force is for consumers that
// were paused or closed.
func (s *Sender) SetDesiredBitrate(now unit.Time, desired unit.Bitrate, force bool) {
	s.limits.desired = min(desired, absoluteMaxBitrate)
	s.limits.effective.set(now, s.limits.desired, force)
	s.limits.start = max(s.available, minimumBitrate)
	s.applyLimits(now)
}

// SetMinBitrate bounds the estimate from below; 0 means no bound.
func (s *Sender) SetMinBitrate(now unit.Time, limit unit.Bitrate) {
	s.limits.configured.min = limit
	s.applyLimits(now)
}

// SetMaxBitrate bounds the estimate from above; 0 means no bound.
func (s *Sender) SetMaxBitrate(now unit.Time, limit unit.Bitrate) {
	s.limits.configured.max = limit
	s.applyLimits(now)
}

func (s *Sender) applyLimits(now unit.Time) {
	rose := s.limits.apply()
	if !s.connected {
		return
	}
	if rose {
		s.probing.demandGrew(now)
	}
	s.update(now)
}

// AvailableBitrate returns the estimate in bits per second; 0 before the transport connected.
func (s *Sender) AvailableBitrate() unit.Bitrate { return s.available }

// Distributed is to be called whenever AvailableBitrate was distributed for another reason than BitrateChanged: the next
// periodic BitrateChanged is then a second away (mediasoup's RescheduleNextAvailableBitrateEvent).
func (s *Sender) Distributed(now unit.Time) { s.eventAt, s.announced = now, s.available }

// PacketLoss returns the share of lost packets, 0 to 1, weighted towards the latest feedback (rtpPacketLossSent).
func (s *Sender) PacketLoss() float64 { return s.losses.average }

// TraceInfo describes the estimate for the transport's trace event.
func (s *Sender) TraceInfo() *api.BWETraceInfo {
	l := &s.limits
	return &api.BWETraceInfo{
		BWEType:                 s.bweType,
		DesiredBitrate:          uint64(l.desired),
		EffectiveDesiredBitrate: uint64(l.effective.value),
		MinBitrate:              uint64(l.min),
		MaxBitrate:              uint64(l.max),
		StartBitrate:            uint64(l.start),
		MaxPaddingBitrate:       uint64(l.maxPadding),
		AvailableBitrate:        uint64(s.available),
	}
}
