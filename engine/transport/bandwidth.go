package transport

import (
	"cmp"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// defaultOutgoingBitrate is the first estimate unless the application gives one, in bits per second; mediasoup's value.
const defaultOutgoingBitrate = 600000

// maxREMB bounds the bitrate that a peer's REMB may name, in bits per second. Chosen here: a float from the network must not
// overflow an integer.
const maxREMB = 1 << 50

// The probation stream is padding that probes for bandwidth. Clients know its SSRC, payload type and MID (those of mediasoup's
// ProbationGenerator).
const (
	probationPayloadType = 127
	probationMID         = "probator"
	maxProbationSize     = 1400 // bytes; mediasoup's value
)

// hasFeedback reports whether a codec names the RTCP feedback of the given type.
func hasFeedback(params *api.RTPParameters, kind string) bool {
	return slices.ContainsFunc(params.Codecs, func(c api.RTPCodecParameters) bool {
		return slices.ContainsFunc(c.RTCPFeedback, func(f api.RTCPFeedback) bool { return f.Type == kind })
	})
}

// bweType returns the kind of estimation that a producer's or consumer's parameters allow: transport-wide feedback is preferred
// to REMB.
func bweType(params *api.RTPParameters, ids media.ExtensionIDs) (t api.BWEType, ok bool) {
	switch {
	case ids.TransportCC != 0 && hasFeedback(params, "transport-cc"):
		return api.BWETypeTransportCc, true
	case ids.AbsSendTime != 0 && hasFeedback(params, "goog-remb"):
		return api.BWETypeREMB, true
	}
	return 0, false
}

// estimateIncoming starts the feedback that the peer's own estimation needs, once a producer allows it.
func (t *Transport) estimateIncoming(now unit.Time, p *Producer) {
	kind, ok := bweType(p.RTPParameters(), p.ExtensionIDs())
	if !ok || t.bweIn != nil {
		return
	}
	t.bweIn = bwe.NewReceiver(kind)
	t.bweIn.SetMaxIncomingBitrate(now, unit.Bitrate(t.bitrates.maxIncoming))
	if t.backend.connected() {
		t.bweIn.TransportConnected(now)
	}
}

// estimateOutgoing starts the estimation of what may be sent to the peer, once a video consumer allows it. From then on consumers
// choose their layers by it.
func (t *Transport) estimateOutgoing(now unit.Time, c *Consumer) {
	kind, ok := bweType(c.RTPParameters(), c.ExtensionIDs())
	if t.bweOut == nil && ok && c.Kind() == api.MediaKindVideo {
		t.bweOut = bwe.NewSender(bwe.SenderConfig{
			Type:           kind,
			InitialBitrate: unit.Bitrate(initialBitrate(t.options.InitialAvailableOutgoingBitrate)),
			MinBitrate:     unit.Bitrate(t.bitrates.minOutgoing), MaxBitrate: unit.Bitrate(t.bitrates.maxOutgoing),
		})
		for _, o := range t.consumers {
			o.SetExternallyManagedBitrate(now)
		}
		if t.backend.connected() {
			t.bweOut.TransportConnected(now)
		}
	}
	if t.bweOut != nil {
		c.SetExternallyManagedBitrate(now)
		c.SetCongestion(now, t.congestion)
	}
}

func initialBitrate(rate *uint64) uint64 {
	if rate == nil {
		return defaultOutgoingBitrate
	}
	return *rate
}

// recordArrival gives the estimation a received packet, before its producer rewrites it.
func (t *Transport) recordArrival(now unit.Time, pkt *packet.Packet) {
	if t.bweIn == nil {
		return
	}
	a := bwe.Arrival{SSRC: pkt.SSRC, Size: len(pkt.Payload())}
	a.TransportCC, a.HasTransportCC = rtp.ParseTransportCC(extension(&pkt.Packet, t.recvIDs.TransportCC))
	a.AbsSendTime, a.HasAbsSendTime = rtp.ParseAbsSendTime(extension(&pkt.Packet, t.recvIDs.AbsSendTime))
	t.bweIn.HandlePacket(now, a)
	t.drainIncoming(now)
}

// drainIncoming sends the feedback for the peer's estimation.
func (t *Transport) drainIncoming(now unit.Time) {
	if out := t.bweIn.Output(); len(out.RTCP) > 0 {
		t.sendFeedback(now, out.RTCP)
		out.Reset()
	}
	t.lowerDeadline(t.bweIn.NextTimeout())
}

// assignTransportSeq records an outgoing packet for the estimate. If the packet has the header extension, it writes and returns
// the packet's transport-wide sequence number.
func (t *Transport) assignTransportSeq(now unit.Time, b []byte, o media.Outgoing) (seq unit.SeqNo, numbered bool) {
	switch {
	case t.bweOut == nil:
	case t.bweOut.Type() == api.BWETypeREMB:
		t.bweOut.HandlePacketSent(now, o.Len)
	case o.TransportCC != 0:
		seq = t.bweOut.HandlePacketSent(now, o.Len)
		rtp.PutTransportCC(b[o.TransportCC:], seq)
		return seq, true
	}
	return 0, false
}

// drainOutgoing distributes the estimate if it changed, and sends the probes that the estimation asks for.
func (t *Transport) drainOutgoing(now unit.Time) {
	if t.bweOut == nil {
		return
	}
	changed := t.bweOut.Output().BitrateChanged
	t.bweOut.Output().Reset()
	if changed {
		t.distribute(now)
		t.updateDesiredBitrate(now, false)
		t.traceBWE(now)
		t.explainEstimate()
	}
	t.probe(now)
	t.lowerDeadline(t.bweOut.NextTimeout())
}

// distribute gives the available bitrate to the consumers, layer by layer and by falling priority: one layer each in the first
// round, then as many as the priority says, until nothing more fits (mediasoup's rule).
func (t *Transport) distribute(now unit.Time) {
	wanting := t.wanting[:0]
	for _, c := range t.consumers {
		if c.BitratePriority() > 0 {
			wanting = append(wanting, c)
		}
	}
	slices.SortStableFunc(wanting, func(a, b *Consumer) int { return cmp.Compare(b.BitratePriority(), a.BitratePriority()) })
	t.repairRate = unit.Bitrate((1-repairWeight)*float64(t.repairRate) + repairWeight*float64(t.counters.rtxSent.Rate(now)))
	available := t.bweOut.AvailableBitrate()
	available -= min(t.reserved(now), available/maxReserved)
	considerLoss := t.bweOut.Type() == api.BWETypeREMB
	for round := 0; available > 0; round++ {
		before := available
		for _, c := range wanting {
			layers := 1
			if round > 0 {
				layers = int(c.BitratePriority())
			}
			for range layers {
				used := c.IncreaseLayer(now, available, considerLoss)
				if used == 0 {
					break
				}
				available -= min(used, available)
			}
		}
		if available == before {
			break
		}
	}
	for _, c := range wanting {
		t.explainLayers(c, c.ApplyLayers(now))
		t.drainConsumer(now, c)
	}
	t.distributed = t.bweOut.AvailableBitrate()
	clear(wanting)
	t.wanting = wanting
}

// Chosen here:
const (
	// maxReserved bounds what is taken from the estimate for audio and retransmissions: a half of it.
	maxReserved = 2
	// repairWeight is that of the last second's retransmissions, in their average: a burst of losses should not cost a layer.
	repairWeight = 0.2
)

// reserved returns what goes over the path besides video, as far as the estimate is about it: audio, and retransmissions of late. Video
// gets the rest.
func (t *Transport) reserved(now unit.Time) unit.Bitrate {
	if t.bweOut.Type() == api.BWETypeREMB {
		return 0
	}
	rate := t.repairRate
	for _, c := range t.consumers {
		if c.Kind() == api.MediaKindAudio && c.ExtensionIDs().TransportCC != 0 {
			rate += c.Bitrate(now)
		}
	}
	return rate
}

// followCongestion has the consumers send less while the path is congested, from the next picture on. It is cheap enough to be called
// before each batch, so that it needs no timer.
func (t *Transport) followCongestion(now unit.Time) {
	if t.bweOut == nil {
		return
	}
	level := t.bweOut.Congestion(now)
	if level == t.congestion {
		return
	}
	t.congestion = level
	for _, c := range t.consumers {
		c.SetCongestion(now, level)
		t.drainConsumer(now, c)
	}
}

// updateDesiredBitrate gives the estimation the bitrate that the consumers would use if bandwidth were unlimited.
func (t *Transport) updateDesiredBitrate(now unit.Time, force bool) {
	var total unit.Bitrate
	for _, c := range t.consumers {
		total += c.DesiredBitrate(now)
	}
	if total > 0 {
		total += t.reserved(now)
	}
	t.bweOut.SetDesiredBitrate(now, total, force)
}

// redistribute follows consumers that came, left or need another bitrate.
func (t *Transport) redistribute(now unit.Time, force bool) {
	if t.bweOut == nil || !t.backend.connected() {
		return
	}
	t.distribute(now)
	t.bweOut.Distributed(now)
	t.updateDesiredBitrate(now, force)
	t.drainOutgoing(now)
}

func (t *Transport) traceBWE(now unit.Time) {
	if slices.Contains(t.trace, api.TransportTraceEventTypeBWE) {
		t.emitTrace(now, api.TransportTraceEventTypeBWE, t.bweOut.TraceInfo())
	}
}

func (t *Transport) emitTrace(now unit.Time, kind api.TransportTraceEventType, info api.TransportTraceInfo) {
	t.emit(t.id, api.EventTransportTrace, &api.TransportTraceNotification{
		Type: kind, Timestamp: now.Milliseconds(), Direction: api.TraceDirectionOut, Info: info,
	})
}

// estimationTimeout does what is due in the estimation and returns the next deadline.
func (t *Transport) estimationTimeout(now unit.Time) unit.Time {
	next := unit.Never
	if t.bweIn != nil {
		t.bweIn.HandleTimeout(now)
		t.drainIncoming(now)
		next = t.bweIn.NextTimeout()
	}
	if t.bweOut != nil {
		t.bweOut.HandleTimeout(now)
		t.drainOutgoing(now)
		next = min(next, t.bweOut.NextTimeout())
	}
	return next
}

// handleBWE takes RTCP for the estimate, and reports false for other RTCP. handleRTCP drains the output.
func (t *Transport) handleBWE(now unit.Time, pkt rtcp.Packet) bool {
	if t.bweOut == nil {
		return false
	}
	switch pkt := pkt.(type) {
	case *rtcp.TransportLayerCC:
		t.bweOut.HandleTransportFeedback(now, pkt)
	case *rtcp.ReceiverEstimatedMaximumBitrate:
		t.bweOut.HandleREMB(now, unit.Bitrate(min(max(pkt.Bitrate, 0), maxREMB)))
	default:
		return false
	}
	return true
}

// handleBWEReports takes the peer's reports about the consumers' streams.
func (t *Transport) handleBWEReports(now unit.Time, reports []rtcp.ReceptionReport) {
	if t.bweOut == nil {
		return
	}
	for i := range reports {
		if c := t.bySSRC[unit.SSRC(reports[i].SSRC)]; c != nil {
			rtt := time.Duration(float64(c.RTT()) * float64(time.Millisecond))
			t.bweOut.HandleReceptionReport(now, &reports[i], rtt)
		}
	}
}

// probation is the state of the padding stream.
type probation struct {
	seq       unit.SeqNo
	timestamp unit.Timestamp
}

// probe sends the padding that the estimation asks for.
func (t *Transport) probe(now unit.Time) {
	if !t.backend.connected() {
		return
	}
	t.mustBeEmpty("probation")
	for size := t.bweOut.NextProbe(now); size > 0; size = t.bweOut.NextProbe(now) {
		seq := t.bweOut.HandleProbeSent(now, size)
		t.sendProbation(now, min(size, maxProbationSize), seq)
	}
	t.backend.flush()
}

// sendProbation sends one packet of the padding stream. It has the header extensions that the peer knows from the first
// consumer that carries transport-wide numbers or send times.
func (t *Transport) sendProbation(now unit.Time, size int, seq unit.SeqNo) {
	i := slices.IndexFunc(t.consumers, func(c *Consumer) bool {
		ids := c.ExtensionIDs()
		return c.Kind() == api.MediaKindVideo && (ids.TransportCC != 0 || ids.AbsSendTime != 0)
	})
	if i < 0 {
		return
	}
	b := t.space(size)
	o := t.writeProbation(now, b, size, seq, t.consumers[i].ExtensionIDs())
	t.counters.probationSent.Update(now, o.Len, o.Len-o.HeaderLen)
	t.backend.sendRTP(now, t.consumers[i], b, o)
	if slices.Contains(t.trace, api.TransportTraceEventTypeProbation) {
		t.emitTrace(now, api.TransportTraceEventTypeProbation, nil)
	}
}

func (t *Transport) writeProbation(now unit.Time, b []byte, size int, seq unit.SeqNo, ids media.ExtensionIDs) media.Outgoing {
	p := &t.probation
	p.seq++
	p.timestamp += 20 // mediasoup's step
	var values [5]byte
	var exts [3]rtp.Extension
	n := 0
	add := func(id uint8, value []byte) {
		if id != 0 {
			exts[n] = rtp.Extension{ID: id, Value: value}
			n++
		}
	}
	rtp.PutAbsSendTime(values[:3], now)
	rtp.PutTransportCC(values[3:], seq)
	add(ids.MID, []byte(probationMID))
	add(ids.AbsSendTime, values[:3])
	add(ids.TransportCC, values[3:])
	header := rtp.AppendHeader(b[:0], rtp.Header{
		PayloadType: probationPayloadType, SequenceNumber: p.seq, Timestamp: p.timestamp, SSRC: probationSSRC,
	}, exts[:n])
	// The payload is zeros: only its size matters.
	length := max(size, len(header)+1)
	clear(b[len(header):length])
	return media.Outgoing{Len: length, HeaderLen: len(header)}
}
