package media

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

func (c *Consumer) notify(e api.Event, body api.NotificationBody) {
	c.out.Notifications = append(c.out.Notifications, api.Notification{HandlerID: c.id, Event: e, Body: body})
}

// Score returns the consumer's and its producer's scores.
func (c *Consumer) Score() *api.ConsumerScore {
	s := &api.ConsumerScore{
		Score: rtpstream.MaxScore, ProducerScore: rtpstream.MaxScore, ProducerScores: slices.Clone(c.scores),
	}
	if c.typ == api.RTPTypePipe {
		return s // upstream's constants
	}
	stream, _ := c.selector.Stream()
	s.Score, s.ProducerScore = c.streams[0].send.Score(), stream.Score
	return s
}

// notifyScore tells the application of the scores, which for a pipe do not change. They take the place of the last ones if it
// was told nothing since.
func (c *Consumer) notifyScore() {
	if c.typ == api.RTPTypePipe {
		return
	}
	if n := len(c.out.Notifications); n > 0 && c.out.Notifications[n-1].Event == api.EventConsumerScore {
		c.out.Notifications = c.out.Notifications[:n-1]
	}
	c.notify(api.EventConsumerScore, &api.ConsumerScoreNotification{Score: c.Score()})
}

// Response returns the answer to the request that created the consumer; valid after Attach. Simple
// consumers and pipes have no preferred layers.
func (c *Consumer) Response() *api.TransportConsumeResponse {
	return &api.TransportConsumeResponse{
		Paused: c.paused, ProducerPaused: c.producerPaused, Score: c.Score(), PreferredLayers: c.preferredLayers(),
	}
}

// notifyLayers tells the application which layers are forwarded.
func (c *Consumer) notifyLayers() {
	c.notify(api.EventConsumerLayersChange, &api.ConsumerLayersChangeNotification{
		Layers: shownLayers(c.selector.Layers().Current),
	})
}

// consumerTraces are the trace events in the order of upstream's dumps.
var consumerTraces = []api.ConsumerTraceEventType{
	api.ConsumerTraceEventTypeRTP, api.ConsumerTraceEventTypeKeyFrame, api.ConsumerTraceEventTypeNACK,
	api.ConsumerTraceEventTypePLI, api.ConsumerTraceEventTypeFIR,
}

// EnableTraceEvents sets which trace events are notified; all others are off.
func (c *Consumer) EnableTraceEvents(types []api.ConsumerTraceEventType) {
	c.trace = 0
	for _, t := range types {
		c.trace.add(uint8(t))
	}
}

func (c *Consumer) notifyTrace(
	now unit.Time, t api.ConsumerTraceEventType, d api.TraceDirection, info api.ConsumerTraceInfo,
) {
	c.notify(api.EventConsumerTrace, &api.ConsumerTraceNotification{
		Type: t, Timestamp: now.Milliseconds(), Direction: d, Info: info,
	})
}

// traceRequest notifies of what the receiver asks for.
func (c *Consumer) traceRequest(now unit.Time, t api.ConsumerTraceEventType, info api.ConsumerTraceInfo) {
	if c.trace.has(uint8(t)) {
		c.notifyTrace(now, t, api.TraceDirectionIn, info)
	}
}

// tracePacket notifies of a sent packet: as key frame if that is wanted and it is one, else as RTP.
func (c *Consumer) tracePacket(now unit.Time, pkt *packet.Packet, h rtp.Header, size int, isRTX bool) {
	switch {
	case c.trace.has(uint8(api.ConsumerTraceEventTypeKeyFrame)) && pkt.Codec.KeyFrame:
		c.notifyTrace(now, api.ConsumerTraceEventTypeKeyFrame, api.TraceDirectionOut,
			&api.ConsumerKeyFrameTraceInfo{RTPPacket: c.dumpSent(pkt, h, size), IsRTX: isRTX})
	case c.trace.has(uint8(api.ConsumerTraceEventTypeRTP)):
		c.notifyTrace(now, api.ConsumerTraceEventTypeRTP, api.TraceDirectionOut,
			&api.ConsumerRTPTraceInfo{RTPPacket: c.dumpSent(pkt, h, size), IsRTX: isRTX})
	}
}

func (c *Consumer) dumpSent(pkt *packet.Packet, h rtp.Header, size int) *api.RTPPacketDump {
	d := dumpPacket(pkt)
	d.PayloadType, d.SSRC, d.Marker = h.PayloadType, uint32(h.SSRC), h.Marker
	d.SequenceNumber, d.Timestamp = uint16(h.SequenceNumber), uint32(h.Timestamp)
	d.Size = uint64(size)
	if c.ids.MID != 0 {
		d.MID = string(c.mid)
	}
	return d
}

// Dump returns the consumer's state.
func (c *Consumer) Dump() *api.ConsumerDumpResponse {
	l := c.selector.Layers()
	d := &api.ConsumerDump{
		Base:                  c.dumpBase(),
		PreferredSpatialLayer: &l.Preferred.Spatial, PreferredTemporalLayer: &l.Preferred.Temporal,
		TargetSpatialLayer: &l.Target.Spatial, TargetTemporalLayer: &l.Target.Temporal,
		CurrentSpatialLayer: &l.Current.Spatial, CurrentTemporalLayer: &l.Current.Temporal,
	}
	for i := range c.streams {
		d.RTPStreams = append(d.RTPStreams, *c.streams[i].send.Dump())
	}
	return &api.ConsumerDumpResponse{Data: d}
}

func (c *Consumer) dumpBase() *api.ConsumerBaseConsumerDump {
	b := &api.ConsumerBaseConsumerDump{
		ID: c.id, Type: c.typ, ProducerID: c.producerID, Kind: c.kind, RTPParameters: c.params.shown,
		ConsumableRTPEncodings: slices.Clone(c.consumable),
		Paused:                 c.paused, ProducerPaused: c.producerPaused, Priority: c.priority,
	}
	for pt := range uint8(128) {
		if c.takes(pt) {
			b.SupportedCodecPayloadTypes = append(b.SupportedCodecPayloadTypes, pt)
		}
	}
	for _, t := range consumerTraces {
		if c.trace.has(uint8(t)) {
			b.TraceEventTypes = append(b.TraceEventTypes, t)
		}
	}
	return b
}

// Stats returns the statistics of the sent streams. Upstream adds those of the producer's stream: see ProducerStream.
func (c *Consumer) Stats(now unit.Time) *api.ConsumerGetStatsResponse {
	r := &api.ConsumerGetStatsResponse{}
	for i := range c.streams {
		r.Stats = append(r.Stats, *c.streams[i].send.Stats(now))
	}
	return r
}
