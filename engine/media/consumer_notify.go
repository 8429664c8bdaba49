package media

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
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
		return s // constants, as in mediasoup
	}
	stream, _ := c.selector.Stream()
	s.Score, s.ProducerScore = c.streams[0].send.Score(), stream.Score
	return s
}

// notifyScore notifies of the scores; those of a pipe do not change. They replace a score notification that is queued last.
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

// notifyLayers notifies of the layers that are forwarded.
func (c *Consumer) notifyLayers() {
	c.notify(api.EventConsumerLayersChange, &api.ConsumerLayersChangeNotification{
		Layers: shownLayers(c.selector.Layers().Current),
	})
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
		TraceEventTypes: c.trace.list(consumerTraces),
	}
	for pt := range uint8(128) {
		if c.takes(pt) {
			b.SupportedCodecPayloadTypes = append(b.SupportedCodecPayloadTypes, pt)
		}
	}
	return b
}

// Stats returns the statistics of the sent streams. mediasoup adds those of the producer's stream: see ProducerStream.
func (c *Consumer) Stats(now unit.Time) *api.ConsumerGetStatsResponse {
	r := &api.ConsumerGetStatsResponse{}
	for i := range c.streams {
		r.Stats = append(r.Stats, *c.streams[i].send.Stats(now))
	}
	return r
}
