package rtpstream

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// RecvOptions are the choices of a producer for its streams.
type RecvOptions struct {
	// NACKDelay is how long a gap may stay open before it is reported; upstream's producers use DefaultNACKDelay.
	NACKDelay time.Duration
	// InactivityCheck sets the score to 0 when no packet came for 1.5 s (5 s with DTX).
	InactivityCheck bool
}

// DefaultNACKDelay is the delay upstream's producers use (SendNackDelayMs): it lets mere reordering pass.
const DefaultNACKDelay = 10 * time.Millisecond

// Recv is a stream that a producer's peer sends to us.
type Recv struct{}

// RecvOutput is what a Recv wants to have done since the last Reset.
type RecvOutput struct {
	// RTCP holds NACK, PLI and FIR packets for the peer.
	RTCP []rtcp.Packet
	// ScoreChanged says that Score() differs from PreviousScore, the score before the first change.
	ScoreChanged  bool
	PreviousScore uint8
	// SpatialLayersChanged says that LayerActive of some layer changed (streams with several spatial layers in one SSRC).
	SpatialLayersChanged bool
}

// Reset empties o for the next call; RTCP keeps its room, its packets belong to who took them.
func (o *RecvOutput) Reset() {}

// NewRecv returns a stream that has received nothing yet. Its score begins at 10.
func NewRecv(now unit.Time, p Params, o RecvOptions) *Recv { return nil }

// Params returns the stream's parameters, RTX included.
func (r *Recv) Params() *Params { return nil }

// SetRTX adds an RTX stream (RFC 4588), or replaces the one there is.
func (r *Recv) SetRTX(payloadType uint8, ssrc unit.SSRC) {}

// HasRTX reports whether SetRTX was called.
func (r *Recv) HasRTX() bool { return false }

// HandlePacket takes a media packet of this stream, with its own (not mapped) payload type and SSRC, and with
// pkt.Extensions filled in. It describes the payload into pkt.Codec when the payload type is the stream's. It reports
// false when the sequence number is out of order beyond repair; such a packet must not be forwarded.
func (r *Recv) HandlePacket(now unit.Time, pkt *packet.Packet) bool { return false }

// HandleRTXPacket takes a packet of the RTX stream. It unwraps it (payload type, SSRC and sequence number become the
// original's) and describes its payload into pkt.Codec. It reports true when the original was missing, so that it is to
// be forwarded as if it had come by itself.
func (r *Recv) HandleRTXPacket(now unit.Time, pkt *packet.Packet) bool { return false }

// HandleSenderReport takes a sender report about this stream. As upstream, this is when the score is computed.
func (r *Recv) HandleSenderReport(now unit.Time, sr *rtcp.SenderReport) {}

// HandleRTXSenderReport takes a sender report about the RTX stream.
func (r *Recv) HandleRTXSenderReport(now unit.Time, sr *rtcp.SenderReport) {}

// HandleDLRR takes the peer's answer to a receiver reference time report; it gives the round-trip time (RFC 3611
// section 4.5).
func (r *Recv) HandleDLRR(now unit.Time, b rtcp.DLRRReport) {}

// ReceptionReport returns the report block about this stream and begins a new interval. worstRemoteFractionLost is the
// worst fraction lost (in 1/256) among the consumers of this stream: with in-band FEC the sender is told that one
// instead, when it is worse than ours, so that it adds enough redundancy for them. Without UseInBandFEC it is ignored.
func (r *Recv) ReceptionReport(now unit.Time, worstRemoteFractionLost uint8) rtcp.ReceptionReport {
	return rtcp.ReceptionReport{}
}

// RTXReceptionReport returns the report block about the RTX stream; false when there is none.
func (r *Recv) RTXReceptionReport(now unit.Time) (rtcp.ReceptionReport, bool) {
	return rtcp.ReceptionReport{}, false
}

// RequestKeyFrame puts a PLI (or, if the peer supports that alone, a FIR) into the output. Throttle it through KeyFrameRequests.
func (r *Recv) RequestKeyFrame() {}

// Pause stops the inactivity check and forgets open gaps: a paused producer's packets do not reach HandlePacket... 
func (r *Recv) Pause() {}

// Resume starts the inactivity check again.
func (r *Recv) Resume(now unit.Time) {}

// Score returns the stream's quality from 0 (dead) to 10.
func (r *Recv) Score() uint8 { return 0 }

// ActiveSince returns when the score last left 0.
func (r *Recv) ActiveSince() unit.Time { return 0 }

// FractionLost returns the fraction lost in the last report interval, in 1/256.
func (r *Recv) FractionLost() uint8 { return 0 }

// RTT returns the last measured round-trip time, 0 when unknown.
func (r *Recv) RTT() time.Duration { return 0 }

// MaxTimestamp returns the newest RTP timestamp.
func (r *Recv) MaxTimestamp() unit.Timestamp { return 0 }

// SenderReport returns what the last sender report said: NTP time and the RTP timestamp it corresponds to, and when
// it arrived. It reports false when none came, or when the sender has no clock (NTP time 0).
func (r *Recv) SenderReport() (ntp uint64, ts unit.Timestamp, receivedAt unit.Time, ok bool) { return }

// Bitrate returns the rate of media plus repaired packets.
func (r *Recv) Bitrate(now unit.Time) unit.Bitrate { return 0 }

// BitrateUpTo returns the rate of everything a receiver of the given layers needs: all lower spatial layers, and the
// spatial layer up to the temporal one. It is 0 when the layer itself carries nothing.
func (r *Recv) BitrateUpTo(now unit.Time, spatial, temporal uint8) unit.Bitrate { return 0 }

// SpatialLayerBitrate returns the rate of one spatial layer.
func (r *Recv) SpatialLayerBitrate(now unit.Time, spatial uint8) unit.Bitrate { return 0 }

// LayerBitrate returns the rate of exactly one layer.
func (r *Recv) LayerBitrate(now unit.Time, spatial, temporal uint8) unit.Bitrate { return 0 }

// LayerActive reports whether the spatial layer carried traffic at the last check (every 1.5 s, streams with several
// spatial layers only).
func (r *Recv) LayerActive(spatial uint8) bool { return false }

// HandleTimeout does what is due at now: NACKs, the inactivity check, the check of spatial layers.
func (r *Recv) HandleTimeout(now unit.Time) {}

// NextTimeout returns when HandleTimeout has to be called, unit.Never when nothing is waited for.
func (r *Recv) NextTimeout() unit.Time { return unit.Never }

// Output returns what is to be done; the caller handles it after every call and then resets it.
func (r *Recv) Output() *RecvOutput { return nil }

// Dump returns the stream as the worker protocol's dumps show it.
func (r *Recv) Dump() *api.RTPStreamDump { return nil }

// Stats returns the stream's statistics: RecvStats around BaseStats.
func (r *Recv) Stats(now unit.Time) *api.RTPStreamStats { return nil }
