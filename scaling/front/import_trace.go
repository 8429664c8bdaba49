package front

import (
	"slices"

	"gazpacho/engine/api"
)

// The original's traces are its application's: that would see what others ask for. So an import is traced where its packets first arrive,
// at the far end of a relay that the home feeds. Nobody else is told, and it costs nothing at the home.

// tracing is where an import is traced.
type tracing struct {
	relay *relay // nil for nowhere
	// indices has the encodings by the SSRCs, and payloadTypes what the original's are, by those that they have on the pipe.
	indices      map[uint32]int
	payloadTypes map[uint8]uint8
}

// traceProducer has the node tell what happens to a producer's packets.
func traceProducer(o *operation, p *producer) *gate {
	if p.imported == nil {
		return o.passThen(p.node, func(api.ResponseBody) { p.settings.keep(o.req.Method, o.req.Body) })
	}
	body, err := api.BodyOf[api.ProducerEnableTraceEventRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	m := p.imported
	m.traceAt(nil)
	m.traces = slices.Clone(body.Events)
	m.trace()
	return o.answer(nil, nil)
}

// trace looks which relay is to trace now.
func (m *importedMedia) trace() {
	var first *relay
	for _, r := range m.producer.relays {
		if r.source == nil && len(m.traces) > 0 {
			first = r
			break
		}
	}
	if first != m.tracing.relay {
		m.traceAt(first)
	}
}

// traceAgain is trace after a relay was made, or is fed from elsewhere.
func (m *importedMedia) traceAgain(r *relay) {
	if m.tracing.relay == r {
		m.traceAt(nil)
	}
	m.trace()
}

// traceAt has a relay trace what the application wants to hear of, and no other one.
func (m *importedMedia) traceAt(r *relay) {
	if old := m.tracing.relay; old != nil && !old.ended {
		old.node.tell(api.MethodProducerEnableTraceEvent, m.id, &api.ProducerEnableTraceEventRequest{})
	}
	m.tracing = tracing{relay: r}
	if r == nil {
		return
	}
	m.tracing.indices, m.tracing.payloadTypes = map[uint32]int{}, map[uint8]uint8{}
	ssrcs := r.ssrcs
	for i, e := range r.requests(&ssrcs).Produce.RTPParameters.Encodings {
		m.tracing.indices[*e.SSRC] = i
	}
	for _, c := range m.request.RTPMapping.Codecs {
		m.tracing.payloadTypes[c.MappedPayloadType] = c.PayloadType
	}
	r.node.tell(api.MethodProducerEnableTraceEvent, m.id, &api.ProducerEnableTraceEventRequest{Events: m.traces})
}

// hearRelay takes what nodes tell of relays, which have the id of the import. Scores and the like are those of the home.
func (m *importedMedia) hearRelay(n *node, e *api.Notification) {
	body, ok := e.Body.(*api.ProducerTraceNotification)
	if !ok || body == nil || m.tracing.relay == nil || m.tracing.relay.node != n {
		return
	}
	told := *body
	told.Info = m.asOriginal(body.Info)
	m.front.emit(m.id, e.Event, &told)
}

// asOriginal returns what is traced of a packet or a report with the SSRC and the payload type of the original.
func (m *importedMedia) asOriginal(info api.ProducerTraceInfo) api.ProducerTraceInfo {
	switch info := info.(type) {
	case *api.ProducerRTPTraceInfo:
		return &api.ProducerRTPTraceInfo{RTPPacket: m.packetAsOriginal(info.RTPPacket), IsRTX: info.IsRTX}
	case *api.ProducerKeyFrameTraceInfo:
		return &api.ProducerKeyFrameTraceInfo{RTPPacket: m.packetAsOriginal(info.RTPPacket), IsRTX: info.IsRTX}
	case *api.ProducerPLITraceInfo:
		return &api.ProducerPLITraceInfo{SSRC: m.originalSSRC(info.SSRC)}
	case *api.ProducerFIRTraceInfo:
		return &api.ProducerFIRTraceInfo{SSRC: m.originalSSRC(info.SSRC)}
	case *api.ProducerSrTraceInfo:
		report := *info
		report.SSRC = m.originalSSRC(info.SSRC)
		return &report
	}
	return info
}

func (m *importedMedia) packetAsOriginal(p *api.RTPPacketDump) *api.RTPPacketDump {
	if p == nil {
		return nil
	}
	packet := *p
	packet.SSRC = m.originalSSRC(p.SSRC)
	if pt, ok := m.tracing.payloadTypes[p.PayloadType]; ok {
		packet.PayloadType = pt
	}
	return &packet
}

// originalSSRC returns the SSRC of the original's encoding: what the RTP parameters say, or the scores, which know it from packets.
func (m *importedMedia) originalSSRC(onPipe uint32) uint32 {
	i, ok := m.tracing.indices[onPipe]
	if !ok {
		return onPipe
	}
	if ssrc := m.request.RTPParameters.Encodings[i].SSRC; ssrc != nil {
		return *ssrc
	}
	for _, s := range m.scores.Scores {
		if int(s.EncodingIdx) == i {
			return s.SSRC
		}
	}
	return onPipe
}

// traceEventTypes returns what is traced, in the order of a producer's dump.
func (m *importedMedia) traceEventTypes() (types []api.ProducerTraceEventType) {
	for _, t := range []api.ProducerTraceEventType{
		api.ProducerTraceEventTypeRTP, api.ProducerTraceEventTypeKeyFrame, api.ProducerTraceEventTypeNACK,
		api.ProducerTraceEventTypePLI, api.ProducerTraceEventTypeFIR, api.ProducerTraceEventTypeSR,
	} {
		if slices.Contains(m.traces, t) {
			types = append(types, t)
		}
	}
	return types
}
