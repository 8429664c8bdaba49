package api

// ActiveSpeakerObserverOptions is FBS.ActiveSpeakerObserver.ActiveSpeakerObserverOptions.
type ActiveSpeakerObserverOptions struct {
	Interval uint16
}

// ActiveSpeakerObserverDominantSpeakerNotification is FBS.ActiveSpeakerObserver.DominantSpeakerNotification.
type ActiveSpeakerObserverDominantSpeakerNotification struct {
	ProducerID string
}
