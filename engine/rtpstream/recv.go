package rtpstream

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
	wirertcp "gazpacho/engine/wire/rtcp"
)

// RecvOptions are the choices of a producer for its streams.
type RecvOptions struct {
	// NACKDelay is how long a gap may stay open before it is reported; mediasoup's producers use DefaultNACKDelay.
	NACKDelay time.Duration
	// InactivityCheck sets the score to 0 when no packet came for 1.5 s (5 s with DTX).
	InactivityCheck bool
}

// From mediasoup:
const (
	// DefaultNACKDelay is the delay of mediasoup's producers (SendNackDelayMs): it lets mere reordering pass.
	DefaultNACKDelay = 10 * time.Millisecond

	inactivityInterval    = 1500 * time.Millisecond
	inactivityIntervalDTX = 5000 * time.Millisecond
	layersInterval        = 1500 * time.Millisecond
)

// Recv is a stream that a producer's peer sends to us.
type Recv struct {
	params  Params
	options RecvOptions
	kind    codec.Kind

	seq    sequence
	line   timeline
	score  score
	loss   lossReport
	jitter jitter
	layers layerCounters // media and repaired packets
	// templates describe the layers of streams with dependency descriptors; nil for other codecs. They came with templatesFrom.
	templates     *codec.DependencyStructure
	templatesFrom unit.SeqNo
	received      uint32     // media packets
	nack          *nackList  // nil without UseNACK
	rtx           *rtxStream // nil without RTX
	rtt           roundTrip

	sr seen
	// reported and captured tie timestamps to the sender's clock, by its last report and its last abs-capture-time.
	reported, captured clockPoint

	// Inactivity: the check is due at inactiveAt, but a packet may have come since it was armed.
	inactiveAt   unit.Time
	lastActive   unit.Time
	layersAt     unit.Time
	activeLayers uint32 // a bit per spatial layer
	inactive     bool
	paused       bool
	firSeq       uint8

	repaired, retransmitted                     uint64
	nackCount, nackPacketCount, pliCount        uint64
	firCount, payloadErrors                     uint64
	expectedPriorScore, receivedPriorScore      uint32
	repairedPriorScore, retransmittedPriorScore uint64
	output                                      RecvOutput
}

// RecvOutput is what a Recv asks for since the last Reset.
type RecvOutput struct {
	// RTCP holds NACK, PLI and FIR packets for the peer.
	RTCP []rtcp.Packet
	// ScoreChanged: Score() differs from PreviousScore, the score before the first change.
	ScoreChanged  bool
	PreviousScore uint8
	// SpatialLayersChanged: LayerActive of some layer changed (streams with several spatial layers in one SSRC).
	SpatialLayersChanged bool
}

// Reset empties o for the next call. RTCP keeps its room, but no reference to the packets.
func (o *RecvOutput) Reset() {
	clear(o.RTCP)
	*o = RecvOutput{RTCP: o.RTCP[:0]}
}

// NewRecv returns a stream that has received nothing yet. Its score begins at 10.
func NewRecv(now unit.Time, p Params, o RecvOptions) *Recv {
	p.normalize()
	r := &Recv{
		params: p, options: o, kind: codec.KindOf(p.MimeType),
		score: newScore(now), layers: newLayerCounters(&p),
		inactiveAt: unit.Never, layersAt: unit.Never, lastActive: now,
	}
	if r.kind.UsesDependencyDescriptor() {
		r.templates = &codec.DependencyStructure{}
	}
	if p.UseNACK {
		r.nack = newNACKList(o.NACKDelay)
	}
	if p.RTXSSRC != 0 {
		r.rtx = &rtxStream{}
	}
	if p.SpatialLayers > 1 {
		r.layersAt = now.Add(layersInterval)
	}
	r.armInactivity(now)
	return r
}

// Params returns the stream's parameters, RTX included.
func (r *Recv) Params() *Params { return &r.params }

// SetRTX adds an RTX stream (RFC 4588), or replaces the one there is.
func (r *Recv) SetRTX(payloadType uint8, ssrc unit.SSRC) {
	r.params.RTXPayloadType, r.params.RTXSSRC = payloadType, ssrc
	r.rtx = &rtxStream{}
}

// HasRTX reports whether there is an RTX stream.
func (r *Recv) HasRTX() bool { return r.rtx != nil }

// HandlePacket takes a media packet of this stream, with its own (not mapped) payload type and SSRC, and with
// pkt.Extensions filled in. It describes the payload into pkt.Codec when the payload type is the stream's. It reports
// false when the sequence number is out of order beyond repair; such a packet must not be forwarded.
func (r *Recv) HandlePacket(now unit.Time, pkt *packet.Packet) bool {
	first := !r.seq.started
	v := r.seq.update(pkt.SequenceNumber)
	if v == discarded {
		return false
	}
	r.line.update(now, v, pkt.Timestamp, first)
	if first {
		r.templatesFrom = pkt.SequenceNumber // those of a sender before are as old as that
	}
	r.describe(pkt)
	if v == restarted {
		r.handleRestart()
	}
	if r.repair(now, pkt, false) && r.rtx == nil {
		// Without RTX the original itself was sent again.
		r.retransmitted++
		r.repaired++
	}
	r.jitter.update(pkt.ReceivedAt, pkt.Timestamp, r.params.ClockRate)
	if pkt.Extensions.HasCaptureTime {
		if point, ok := newClockPoint(pkt.Extensions.CaptureTime, pkt.Timestamp); ok {
			r.captured = point
		}
	}
	r.received++
	r.count(now, pkt)
	return true
}

// handleRestart gives up what is missing. At least the packet before was discarded, hence the key frame.
func (r *Recv) handleRestart() {
	if r.nack != nil {
		r.nack.reset()
	}
	if !r.paused {
		r.RequestKeyFrame()
	}
}

// HandleRTXPacket takes a packet of the RTX stream. It unwraps it (payload type, SSRC and sequence number become the
// original's) and describes its payload into pkt.Codec. It reports true when the original was missing, so that it has to
// be forwarded like the original.
func (r *Recv) HandleRTXPacket(now unit.Time, pkt *packet.Packet) bool {
	if r.nack == nil || r.rtx == nil || pkt.PayloadType != r.params.RTXPayloadType {
		return false
	}
	if r.rtx.seq.update(pkt.SequenceNumber) == discarded {
		return false
	}
	r.rtx.received++
	if !pkt.DecodeRTX(r.params.PayloadType, r.params.SSRC) {
		return false
	}
	// Before the first media packet nothing can be missing.
	if !r.seq.started || r.seq.updateAgain(pkt.SequenceNumber) == discarded {
		return false
	}
	r.describe(pkt)
	r.retransmitted++
	if !r.repair(now, pkt, true) {
		return false
	}
	r.repaired++
	r.count(now, pkt)
	return true
}

// describe fills pkt.Codec. A malformed payload is forwarded as one about which nothing is known.
func (r *Recv) describe(pkt *packet.Packet) {
	if pkt.PayloadType != r.params.PayloadType {
		return
	}
	templates := r.templates
	if r.hasTemplatesSince(pkt.SequenceNumber) {
		templates = new(*r.templates)
	}
	switch err := templates.Parse(r.kind, pkt.Payload(), pkt.Extensions.DependencyDescriptor, &pkt.Codec); {
	case err != nil:
		r.payloadErrors++
	case pkt.Codec.HasDependency && pkt.Codec.KeyFrame && templates == r.templates:
		r.templatesFrom = pkt.SequenceNumber
	}
}

// hasTemplatesSince reports whether a packet is late, and the templates came with a newer one: it must not replace them.
// (mediasoup lets it, and takes all packets to be of the lowest layer until the next key frame.)
func (r *Recv) hasTemplatesSince(seq unit.SeqNo) bool {
	if r.templates == nil {
		return false
	}
	ahead := r.templatesFrom.Sub(seq)
	known, _ := r.templates.Layers()
	return known > 0 && ahead > 0 && ahead <= r.seq.max.Sub(seq)
}

// repair feeds the packet to the NACK generator, puts what is to be asked for into the output, and reports whether the
// packet was missing.
func (r *Recv) repair(now unit.Time, pkt *packet.Packet, rtx bool) bool {
	if r.nack == nil || r.paused {
		return false
	}
	repaired, full := r.nack.receive(now, pkt.SequenceNumber, pkt.Codec.KeyFrame, rtx)
	r.sendNACKs()
	if full {
		r.RequestKeyFrame()
	}
	return repaired
}

func (r *Recv) sendNACKs() {
	if batch := r.nack.batch; len(batch) > 0 {
		r.nackCount++
		r.nackPacketCount += uint64(len(batch))
		r.output.RTCP = wirertcp.AppendNACKs(r.output.RTCP, r.params.SSRC, batch)
	}
}

// count adds the packet to the rates and, unless it holds nothing but padding, ends inactivity.
func (r *Recv) count(now unit.Time, pkt *packet.Packet) {
	r.layers.update(now, pkt)
	if len(pkt.Payload()) == 0 {
		return
	}
	r.lastActive = now
	if r.inactive {
		r.inactive = false
		r.resetScore(now, MaxScore)
		r.armInactivity(now)
	}
}

// RequestKeyFrame puts a PLI (or, if the peer supports only that, a FIR) into the output. KeyFrameRequests decides when.
func (r *Recv) RequestKeyFrame() {
	// The sender SSRC should be 0, as no media sender is involved, but some implementations (GStreamer) want this one.
	ssrc := uint32(r.params.SSRC)
	switch {
	case r.params.UsePLI:
		r.pliCount++
		r.output.RTCP = append(r.output.RTCP, &rtcp.PictureLossIndication{SenderSSRC: ssrc, MediaSSRC: ssrc})
	case r.params.UseFIR:
		r.firCount++
		r.firSeq++
		r.output.RTCP = append(r.output.RTCP, &rtcp.FullIntraRequest{
			SenderSSRC: ssrc, MediaSSRC: ssrc,
			FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: r.firSeq}},
		})
	}
}

// Pause stops the inactivity check and asking for missing packets, and resets jitter. HandlePacket may go on.
func (r *Recv) Pause() {
	r.paused = true
	r.inactiveAt = unit.Never
	if r.nack != nil {
		r.nack.reset()
	}
	r.jitter = jitter{}
}

// Resume undoes Pause.
func (r *Recv) Resume(now unit.Time) {
	r.paused = false
	r.lastActive = now
	if !r.inactive {
		r.armInactivity(now)
	}
}

// Rest gives memory back if nothing was received for 5 s: what counts recent packets, and room for lists. Call it now and then.
func (r *Recv) Rest(now unit.Time) {
	if now.Sub(r.lastActive) < restAfter {
		return
	}
	r.layers.rest(now)
	if r.nack != nil {
		r.nack.rest()
	}
}

// Output returns what is to be done; the caller handles it after every call and then resets it.
func (r *Recv) Output() *RecvOutput { return &r.output }
