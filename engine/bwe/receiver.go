package bwe

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// From mediasoup:
const (
	feedbackInterval       = 100 * time.Millisecond
	limitationREMBInterval = 1500 * time.Millisecond
	unlimitedREMBs         = 4 // how often a lifted limit is announced
)

// A packet that comes late has all that came after it reported again, up to arrivalWindow. Each arrival pays for that much of a
// feedback, in bytes, which is enough for one late packet in each feedback; beyond that what is known already is left out, or
// few packets could make us send many. Chosen here.
const (
	feedbackPerArrival = 8
	maxFeedbackCredit  = 64 << 10
)

// Receiver is the receiving side of bandwidth estimation, mediasoup's TransportCongestionControlServer. A transport
// has one as soon as one of its producers negotiated transport-cc or REMB.
type Receiver struct {
	bweType     api.BWEType
	connected   bool
	maxIncoming unit.Bitrate
	limitedAt   unit.Time // when the last REMB that only states the limit left
	unlimited   int       // REMBs still to be sent to lift the limit
	arrivals    arrivals
	feedbackAt  unit.Time
	credit      int   // bytes of feedback that arrivals paid for
	count       uint8 // of feedback packets
	mediaSSRC   unit.SSRC
	loss        lossHistory
	remb        *rembEstimator
	output      ReceiverOutput
}

// Arrival describes an RTP packet that arrived from the peer.
type Arrival struct {
	SSRC unit.SSRC
	Size int // bytes of payload, as mediasoup counts it for REMB
	// HasTransportCC: the packet carries the transport-wide sequence number TransportCC.
	HasTransportCC bool
	TransportCC    unit.SeqNo
	// HasAbsSendTime: the packet carries AbsSendTime, in units of 1/2^18 s modulo 64 s.
	HasAbsSendTime bool
	AbsSendTime    uint32
}

// ReceiverOutput is what a Receiver asks for: RTCP packets for the peer, each to be sent at once. The caller drains it
// after each call and then calls Reset.
type ReceiverOutput struct {
	RTCP []rtcp.Packet // *rtcp.TransportLayerCC and *rtcp.ReceiverEstimatedMaximumBitrate
}

// Reset empties the output.
func (o *ReceiverOutput) Reset() {
	clear(o.RTCP)
	o.RTCP = o.RTCP[:0]
}

// NewReceiver returns a Receiver of the given type: transport-wide feedback, or REMB.
func NewReceiver(bweType api.BWEType) *Receiver {
	r := &Receiver{bweType: bweType, feedbackAt: unit.Never}
	if bweType == api.BWETypeREMB {
		r.remb = newREMBEstimator()
	}
	return r
}

// Type returns what NewReceiver was given.
func (r *Receiver) Type() api.BWEType { return r.bweType }

// Output returns what is to be sent.
func (r *Receiver) Output() *ReceiverOutput { return &r.output }

// PacketLoss returns the share of lost packets, 0 to 1, weighted towards the latest feedback (rtpPacketLossReceived).
func (r *Receiver) PacketLoss() float64 { return r.loss.average }

// AvailableBitrate returns the estimate for what the peer may send, 0 when there is none: with transport-cc the peer
// estimates itself.
func (r *Receiver) AvailableBitrate() unit.Bitrate {
	if r.remb == nil {
		return 0
	}
	return r.remb.bitrate()
}

// TransportConnected starts feedback.
func (r *Receiver) TransportConnected(now unit.Time) {
	r.connected = true
	r.feedbackAt = unit.Never
	r.schedule(now)
}

// TransportDisconnected stops it.
func (r *Receiver) TransportDisconnected(unit.Time) {
	r.connected = false
	r.feedbackAt = unit.Never
}

// SetMaxIncomingBitrate limits the bitrate that is announced to the peer, in bits per second; 0 lifts the limit.
func (r *Receiver) SetMaxIncomingBitrate(now unit.Time, limit unit.Bitrate) {
	lifted := r.maxIncoming > 0 && limit == 0
	r.maxIncoming = limit
	r.unlimited = 0
	if lifted && r.bweType == api.BWETypeTransportCc {
		r.unlimited = unlimitedREMBs
		r.sendLimitation(now)
	}
}

// HandlePacket records an RTP packet.
func (r *Receiver) HandlePacket(now unit.Time, a Arrival) {
	switch {
	case r.remb != nil && a.HasAbsSendTime:
		if r.remb.add(now, a) {
			r.sendEstimate(now)
		}
	case r.remb == nil && a.HasTransportCC:
		if !r.arrivals.add(now, a.TransportCC) {
			return
		}
		r.credit = min(r.credit+feedbackPerArrival, maxFeedbackCredit)
		r.mediaSSRC = a.SSRC
		r.schedule(now)
		if r.limitedAt == 0 || now.Sub(r.limitedAt) > limitationREMBInterval {
			r.sendLimitation(now)
		}
	}
}

// schedule makes the next feedback due: at the next of the instants that are feedbackInterval apart, so that a single packet
// is reported as soon as one of a stream.
func (r *Receiver) schedule(now unit.Time) {
	if r.connected && r.feedbackAt == unit.Never && r.arrivals.pending() {
		r.feedbackAt = now - now%unit.Time(feedbackInterval) + unit.Time(feedbackInterval)
	}
}

// HandleTimeout builds the feedback that is due.
func (r *Receiver) HandleTimeout(now unit.Time) {
	if r.feedbackAt > now {
		return
	}
	r.feedbackAt = unit.Never
	for r.arrivals.pending() {
		if r.credit < 0 {
			r.arrivals.skipReported()
			if !r.arrivals.pending() {
				return
			}
		}
		packet, lost, count := buildFeedback(&r.arrivals)
		r.credit -= packet.MarshalSize() - feedbackFixed
		packet.MediaSSRC, packet.FbPktCount = uint32(r.mediaSSRC), r.count
		r.count++
		r.loss.add(lost, count)
		r.output.RTCP = append(r.output.RTCP, packet)
	}
}

// NextTimeout returns when feedback is due, unit.Never while there is nothing to report.
func (r *Receiver) NextTimeout() unit.Time { return r.feedbackAt }

// sendLimitation announces the limit to a peer that gets transport-wide feedback, or that it was lifted (a bitrate of 0).
func (r *Receiver) sendLimitation(now unit.Time) {
	switch {
	case r.maxIncoming > 0:
	case r.unlimited > 0:
		r.unlimited--
	default:
		return
	}
	r.limitedAt = now
	r.sendREMB(r.maxIncoming, nil)
}

// sendEstimate announces our estimate to the peer.
func (r *Receiver) sendEstimate(now unit.Time) {
	bitrate, ssrcs := r.remb.report(now)
	if r.maxIncoming > 0 {
		bitrate = min(bitrate, r.maxIncoming)
	}
	r.sendREMB(bitrate, ssrcs)
}

func (r *Receiver) sendREMB(bitrate unit.Bitrate, ssrcs []uint32) {
	r.output.RTCP = append(r.output.RTCP, &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: float32(bitrate), SSRCs: ssrcs})
}
