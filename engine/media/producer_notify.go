package media

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
)

func (p *Producer) notify(e api.Event, body api.NotificationBody) {
	p.out.Notifications = append(p.out.Notifications, api.Notification{HandlerID: p.id, Event: e, Body: body})
}

// update publishes a change to consumers. It replaces a queued change of the same kind and stream: so a peer cannot queue
// more than one of each.
func (p *Producer) update(u StreamUpdate) {
	for i := range p.out.Streams {
		if o := &p.out.Streams[i]; o.Kind == u.Kind && o.Stream.Encoding == u.Stream.Encoding {
			u.PreviousScore = o.PreviousScore
			*o = u
			return
		}
	}
	p.out.Streams = append(p.out.Streams, u)
}

// drain moves a stream's output into the producer's own.
func (p *Producer) drain(now unit.Time, s *recvStream) {
	o := s.Output()
	if len(o.RTCP) > 0 {
		for _, pkt := range o.RTCP {
			p.traceFeedback(now, pkt)
		}
		p.out.RTCP = append(p.out.RTCP, o.RTCP...)
	}
	if o.ScoreChanged {
		p.update(StreamUpdate{Kind: layer.StreamScore, Stream: p.info(s), PreviousScore: o.PreviousScore})
		p.notifyScore()
	}
	if o.SpatialLayersChanged {
		s.bitrates = measureBitrates(now, s.Recv)
		p.update(StreamUpdate{Kind: layer.StreamLayers, Stream: p.info(s)})
	}
	o.Reset()
}

// notifyScore notifies of all scores. They replace a score notification that is queued last.
func (p *Producer) notifyScore() {
	if n := len(p.out.Notifications); n > 0 && p.out.Notifications[n-1].Event == api.EventProducerScore {
		p.out.Notifications = p.out.Notifications[:n-1]
	}
	var scores []api.ProducerScore
	for s := range p.live() {
		params := s.Params()
		scores = append(scores, api.ProducerScore{
			EncodingIdx: uint32(s.encoding), SSRC: uint32(params.SSRC), RID: params.RID, Score: s.Score(),
		})
	}
	p.notify(api.EventProducerScore, &api.ProducerScoreNotification{Scores: scores})
}

// Dump returns the producer's state.
func (p *Producer) Dump() *api.ProducerDumpResponse {
	d := &api.ProducerDumpResponse{
		ID: p.id, Kind: p.kind, Type: p.typ, RTPParameters: p.params.shown, Paused: p.paused,
		RTPMapping:      &api.RTPMapping{Codecs: p.dumpCodecs(), Encodings: slices.Clone(p.mapping.Encodings)},
		TraceEventTypes: p.trace.list(producerTraces),
	}
	for s := range p.live() {
		d.RTPStreams = append(d.RTPStreams, *s.Dump())
	}
	return d
}

// dumpCodecs returns each payload type's mapping once.
func (p *Producer) dumpCodecs() []api.CodecMapping {
	var codecs []api.CodecMapping
	for pt, mapped := range p.payloadTypes {
		if mapped != unmapped {
			codecs = append(codecs, api.CodecMapping{PayloadType: uint8(pt), MappedPayloadType: mapped})
		}
	}
	return codecs
}

// Stats returns statistics per stream.
func (p *Producer) Stats(now unit.Time) *api.ProducerGetStatsResponse {
	r := &api.ProducerGetStatsResponse{}
	for s := range p.live() {
		r.Stats = append(r.Stats, *s.Stats(now))
	}
	return r
}

// StreamStats returns the statistics of the stream with the given mapped SSRC, nil if there is none. mediasoup's consumer
// statistics end with those of the producer's stream it forwards: see Consumer.ProducerStream.
func (p *Producer) StreamStats(now unit.Time, mapped unit.SSRC) *api.RTPStreamStats {
	if s := p.byMapped(mapped); s != nil {
		return s.Stats(now)
	}
	return nil
}
