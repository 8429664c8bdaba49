package api

// ActiveSpeakerObserverOptions configures an observer of the loudest speaker
// (FBS.ActiveSpeakerObserver.ActiveSpeakerObserverOptions).
type ActiveSpeakerObserverOptions struct {
	Interval uint16 // milliseconds between two decisions
}

// ActiveSpeakerObserverDominantSpeakerNotification tells who speaks now
// (FBS.ActiveSpeakerObserver.DominantSpeakerNotification).
type ActiveSpeakerObserverDominantSpeakerNotification struct {
	ProducerID string
}
