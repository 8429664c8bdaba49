package api

// RTPObserverAddProducerRequest is FBS.RtpObserver.AddProducerRequest.
type RTPObserverAddProducerRequest struct {
	ProducerID string
}

// RTPObserverRemoveProducerRequest is FBS.RtpObserver.RemoveProducerRequest.
type RTPObserverRemoveProducerRequest struct {
	ProducerID string
}
