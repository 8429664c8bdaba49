package bwe

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Upstream's values.
const (
	feedbackInterval       = 100 * time.Millisecond
	limitationREMBInterval = 1500 * time.Millisecond
	unlimitedREMBs         = 4 // how often a lifted limit is announced
)

// Receiver is the receiving side's part in bandwidth estimation, upstream's TransportCongestionControlServer. A transport
// has one as soon as one of its producers negotiated transport-cc or REMB.
type Receiver struct {
	bweType     api.BWEType
	connected   bool
	maxIncoming unit.Bitrate
	limitedAt   unit.Time // when the last REMB that only states the limit left
	unlimited   int       // REMBs to come that say that the limit is gone
	arrivals    arrivals
	feedbackAt  unit.Time
	count       uint8 // of feedback packets
	mediaSSRC   unit.SSRC
	loss        lossHistory
	remb        *rembEstimator
	output      ReceiverOutput
}

// Arrival describes an RTP packet that arrived from the peer.
type Arrival struct {
	SSRC unit.SSRC
	Size int // bytes of payload, as upstream counts it for REMB
	// HasTransportCC says that the packet carries the transport-wide sequence number TransportCC.
	HasTransportCC bool
	TransportCC    unit.SeqNo
	// HasAbsSendTime says that the packet carries AbsSendTime, in units of 1/2^18 s modulo 64 s.
	HasAbsSendTime bool
	AbsSendTime    uint32
}

// ReceiverOutput is what a Receiver wants done: RTCP packets for the peer, each to be sent at once. The caller drains it
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
func (r *Receiver) TransportConnected(now unit.Time) { r.connected = true }

// TransportDisconnected stops it.
func (r *Receiver) TransportDisconnected(now unit.Time) {
	r.connected = false
	r.feedbackAt = unit.Never
}

// SetMaxIncomingBitrate limits what the peer is told that it may send; 0 lifts the limit.
func (r *Receiver) SetMaxIncomingBitrate(now unit.Time, limit unit.Bitrate) { r.maxIncoming = limit }

// HandlePacket takes note of an RTP packet.
func (r *Receiver) HandlePacket(now unit.Time, a Arrival) {}

// HandleTimeout builds the feedback that is due.
func (r *Receiver) HandleTimeout(now unit.Time) {}

// NextTimeout returns when feedback is due, unit.Never while there is nothing to report.
func (r *Receiver) NextTimeout() unit.Time { return r.feedbackAt }
