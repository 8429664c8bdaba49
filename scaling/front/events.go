package front

import "gazpacho/engine/api"

// handleEvent takes what a node tells. What is about hidden objects is for the front; so is what a relay tells under its producer's
// id. Everything else goes to the application, after the tables have taken note.
func (f *Front) handleEvent(n *node, e *api.Notification) {
	obj, ok := f.objects[e.HandlerID]
	if !ok {
		if f.handleLast(n, e) {
			return
		}
		if h := f.hidden[e.HandlerID]; h != nil {
			h.handleEvent(n, e)
		}
		return
	}
	if p, ok := obj.(*producer); ok && p.imported != nil {
		p.imported.hearRelay(n, e)
		return
	}
	if at := obj.base().node; at == nil || at.place() != n {
		return
	}
	switch obj := obj.(type) {
	case *transport:
		obj.handleEvent(e)
	case *producer:
		if e.Event == api.EventProducerScore {
			f.options.Emit(e)
			if body, ok := e.Body.(*api.ProducerScoreNotification); ok {
				obj.setScores(body)
			}
			return
		}
	case *consumer:
		if obj.handleEvent(e) {
			return
		}
	case *dataConsumer:
		if e.Event == api.EventDataConsumerClosedByPeer {
			f.options.Emit(e)
			obj.forget()
			return
		}
	}
	f.options.Emit(e)
}

// handleEvent takes note of what restoring the transport depends on.
func (t *transport) handleEvent(e *api.Notification) {
	switch body := e.Body.(type) {
	case *api.WebRtcTransportDTLSStateChangeNotification:
		t.dtlsBegun = t.dtlsBegun || body.DTLSState != api.DTLSStateNew
	case *api.PlainTransportTupleNotification:
		t.told.peer = body.Tuple
	case *api.PlainTransportRTCPTupleNotification:
		t.told.rtcpPeer = body.Tuple
	}
}

// handleEvent takes note of what the node tells of the consumer. It returns true if that is not for the application.
func (c *consumer) handleEvent(e *api.Notification) bool {
	switch body := e.Body.(type) {
	case *api.ConsumerLayersChangeNotification:
		was := c.spatial
		c.spatial = -1
		if body.Layers != nil {
			c.spatial = int(body.Layers.SpatialLayer)
		}
		if c.encodings() > 1 && c.spatial >= 0 && c.spatial != was {
			c.told = nil // its node tells the scores of another stream next, also if they are the same
		}
		if c.relay != nil {
			c.relay.adjust()
		}
	case *api.ConsumerScoreNotification:
		if body.Score != nil {
			c.score = body.Score.Score
		}
		if c.relay != nil && !c.isPipe() {
			if !c.creating {
				c.tellScore()
			}
			return true
		}
	}
	return false
}
