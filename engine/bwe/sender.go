package bwe

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// SenderConfig is what a Sender is made with. Rates are in bits per second.
type SenderConfig struct {
	Type api.BWEType
	// InitialBitrate is where the estimate begins: the transport's initialAvailableOutgoingBitrate.
	InitialBitrate unit.Bitrate
	// MinBitrate and MaxBitrate bound the estimate, 0 for no bound: min- and maxOutgoingBitrate.
	MinBitrate, MaxBitrate unit.Bitrate
}

// Sender estimates how much may be sent to the peer, upstream's TransportCongestionControlClient with what is below it. A
// transport has one as soon as one of its video consumers negotiated transport-cc or REMB.
//
// How a transport uses it:
//
//   - each RTP packet sent: HandlePacketSent, whose result goes into the packet's transport-wide sequence number (with REMB
//     only into probation packets and media that carry the extension, otherwise nowhere);
//   - RTCP received: HandleTransportFeedback, HandleREMB, HandleReceptionReport;
//   - after each of these and after HandleTimeout: when Output().BitrateChanged, distribute AvailableBitrate to the
//     consumers, call SetDesiredBitrate, and emit TraceInfo; then send probation packets as long as NextProbe asks for them:
//
//     for size := s.NextProbe(now); size > 0; size = s.NextProbe(now) {
//     seq := s.HandleProbeSent(now, size)
//     // send a probation packet (SSRC 1234) of size bytes with seq
//     }
type Sender struct {
	bweType api.BWEType
	output  SenderOutput
}

// SenderOutput is what a Sender has to say. The caller drains it after each call and then calls Reset.
type SenderOutput struct {
	// BitrateChanged asks for a new distribution of AvailableBitrate: the first time, when it changed much, and once a
	// second.
	BitrateChanged bool
}

// Reset empties the output.
func (o *SenderOutput) Reset() { *o = SenderOutput{} }

// NewSender returns a Sender. It has no estimate before TransportConnected.
func NewSender(c SenderConfig) *Sender { return &Sender{bweType: c.Type} }

// Type returns whether the peer sends transport-wide feedback or REMB.
func (s *Sender) Type() api.BWEType { return s.bweType }

// Output returns what has to be done.
func (s *Sender) Output() *SenderOutput { return &s.output }

// TransportConnected starts estimating.
func (s *Sender) TransportConnected(now unit.Time) {}

// TransportDisconnected stops estimating and probing, and forgets what is desired.
func (s *Sender) TransportDisconnected(now unit.Time) {}

// HandlePacketSent takes note of an RTP packet of size bytes (header included) that is being sent, and returns its
// transport-wide sequence number.
func (s *Sender) HandlePacketSent(now unit.Time, size int) unit.SeqNo { return 0 }

// NextProbe returns the size in bytes of the probation packet to send now, 0 when none is due. See HandleProbeSent.
func (s *Sender) NextProbe(now unit.Time) int { return 0 }

// HandleProbeSent is HandlePacketSent for a probation packet.
func (s *Sender) HandleProbeSent(now unit.Time, size int) unit.SeqNo { return 0 }

// HandleTransportFeedback takes the peer's transport-wide feedback. It may say anything: what it says about packets that
// were not sent is ignored.
func (s *Sender) HandleTransportFeedback(now unit.Time, feedback *rtcp.TransportLayerCC) {}

// HandleREMB takes the peer's estimate; it counts in REMB mode only.
func (s *Sender) HandleREMB(now unit.Time, bitrate unit.Bitrate) {}

// HandleReceptionReport takes a report block of the peer about one of our streams, and the round-trip time derived from
// it (0 when unknown). Losses in it count in REMB mode only; transport-wide feedback knows them sooner.
func (s *Sender) HandleReceptionReport(now unit.Time, report *rtcp.ReceptionReport, rtt time.Duration) {}

// SetDesiredBitrate tells what the consumers would use if they could. The estimate need not grow beyond that by much, and
// bandwidth is probed for up to there. It follows a fall slowly unless force is set (upstream's rule): forced is what
// pausing and closing consumers brings.
func (s *Sender) SetDesiredBitrate(now unit.Time, desired unit.Bitrate, force bool) {}

// SetMinBitrate and SetMaxBitrate bound the estimate; 0 means no bound.
func (s *Sender) SetMinBitrate(now unit.Time, limit unit.Bitrate) {}

// SetMaxBitrate is described at SetMinBitrate.
func (s *Sender) SetMaxBitrate(now unit.Time, limit unit.Bitrate) {}

// AvailableBitrate returns the estimate; 0 before the transport connected.
func (s *Sender) AvailableBitrate() unit.Bitrate { return 0 }

// Distributed is to be called whenever AvailableBitrate was distributed for another reason than BitrateChanged: the next
// periodic BitrateChanged is then a second away (upstream's RescheduleNextAvailableBitrateEvent).
func (s *Sender) Distributed(now unit.Time) {}

// PacketLoss returns the share of lost packets, 0 to 1, weighted towards the latest feedback (rtpPacketLossSent).
func (s *Sender) PacketLoss() float64 { return 0 }

// TraceInfo describes the estimate for the transport's trace event.
func (s *Sender) TraceInfo() *api.BWETraceInfo { return &api.BWETraceInfo{} }

// HandleTimeout runs what is due; afterwards probes may be due as well.
func (s *Sender) HandleTimeout(now unit.Time) {}

// NextTimeout returns when HandleTimeout wants to be called, or NextProbe has something; unit.Never when not connected.
func (s *Sender) NextTimeout() unit.Time { return unit.Never }
