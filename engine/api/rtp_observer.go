package api

// RTPObserverAddProducerRequest lets an observer watch a producer (FBS.RtpObserver.AddProducerRequest).
type RTPObserverAddProducerRequest struct {
	ProducerID string
}

// RTPObserverRemoveProducerRequest stops an observer from watching a producer (FBS.RtpObserver.RemoveProducerRequest).
type RTPObserverRemoveProducerRequest struct {
	ProducerID string
}
