package api

// Creates returns the id of the object that the request creates, empty for none.
func (r *Request) Creates() string {
	switch body := r.Body.(type) {
	case *WorkerCreateRouterRequest:
		return idOf(body, func() string { return body.RouterID })
	case *WorkerCreateWebRtcServerRequest:
		return idOf(body, func() string { return body.WebRtcServerID })
	case *RouterCreatePlainTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *RouterCreatePipeTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *RouterCreateWebRtcTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *RouterCreateDirectTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *RouterCreateActiveSpeakerObserverRequest:
		return idOf(body, func() string { return body.RTPObserverID })
	case *RouterCreateAudioLevelObserverRequest:
		return idOf(body, func() string { return body.RTPObserverID })
	case *TransportProduceRequest:
		return idOf(body, func() string { return body.ProducerID })
	case *TransportConsumeRequest:
		return idOf(body, func() string { return body.ConsumerID })
	case *TransportProduceDataRequest:
		return idOf(body, func() string { return body.DataProducerID })
	case *TransportConsumeDataRequest:
		return idOf(body, func() string { return body.DataConsumerID })
	}
	return ""
}

// Closes returns the id of the object that the request closes, empty for none.
func (r *Request) Closes() string {
	switch body := r.Body.(type) {
	case *WorkerCloseRouterRequest:
		return idOf(body, func() string { return body.RouterID })
	case *WorkerCloseWebRtcServerRequest:
		return idOf(body, func() string { return body.WebRtcServerID })
	case *RouterCloseTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *RouterCloseRTPObserverRequest:
		return idOf(body, func() string { return body.RTPObserverID })
	case *TransportCloseProducerRequest:
		return idOf(body, func() string { return body.ProducerID })
	case *TransportCloseConsumerRequest:
		return idOf(body, func() string { return body.ConsumerID })
	case *TransportCloseDataProducerRequest:
		return idOf(body, func() string { return body.DataProducerID })
	case *TransportCloseDataConsumerRequest:
		return idOf(body, func() string { return body.DataConsumerID })
	}
	return ""
}

// idOf returns what id returns, but for a body that is nil.
func idOf[B any](body *B, id func() string) string {
	if body == nil {
		return ""
	}
	return id()
}
