package front

import "gazpacho/engine/api"

// creates returns the id of the object that a request creates, empty for none.
func creates(req *api.Request) string {
	switch body := req.Body.(type) {
	case *api.WorkerCreateRouterRequest:
		return idOf(body, func() string { return body.RouterID })
	case *api.WorkerCreateWebRtcServerRequest:
		return idOf(body, func() string { return body.WebRtcServerID })
	case *api.RouterCreatePlainTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *api.RouterCreatePipeTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *api.RouterCreateWebRtcTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *api.RouterCreateDirectTransportRequest:
		return idOf(body, func() string { return body.TransportID })
	case *api.RouterCreateActiveSpeakerObserverRequest:
		return idOf(body, func() string { return body.RTPObserverID })
	case *api.RouterCreateAudioLevelObserverRequest:
		return idOf(body, func() string { return body.RTPObserverID })
	case *api.TransportProduceRequest:
		return idOf(body, func() string { return body.ProducerID })
	case *api.TransportConsumeRequest:
		return idOf(body, func() string { return body.ConsumerID })
	case *api.TransportProduceDataRequest:
		return idOf(body, func() string { return body.DataProducerID })
	case *api.TransportConsumeDataRequest:
		return idOf(body, func() string { return body.DataConsumerID })
	}
	return ""
}

func idOf[B any](body *B, id func() string) string {
	if body == nil {
		return ""
	}
	return id()
}
