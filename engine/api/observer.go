package api

// RTPObserverAddProducerRequest lets an observer watch a producer (FBS.RtpObserver.AddProducerRequest).
type RTPObserverAddProducerRequest struct {
	ProducerID string
}

// RTPObserverRemoveProducerRequest stops an observer from watching a producer (FBS.RtpObserver.RemoveProducerRequest).
type RTPObserverRemoveProducerRequest struct {
	ProducerID string
}

// AudioLevelObserverOptions configures an observer of audio levels (FBS.AudioLevelObserver.AudioLevelObserverOptions).
type AudioLevelObserverOptions struct {
	MaxEntries uint16 // most producers that one notification lists
	Threshold  int8   // dBov, from -127 (silence) to 0: quieter producers are not listed
	Interval   uint16 // milliseconds between two notifications
}

// Volume is how loud a producer was during the last interval (FBS.AudioLevelObserver.Volume).
type Volume struct {
	ProducerID string
	Volume     int8 // dBov, average over the interval
}

// AudioLevelObserverVolumesNotification lists the loudest producers, loudest first
// (FBS.AudioLevelObserver.VolumesNotification).
type AudioLevelObserverVolumesNotification struct {
	Volumes []Volume
}

// ActiveSpeakerObserverOptions configures an observer of the loudest speaker
// (FBS.ActiveSpeakerObserver.ActiveSpeakerObserverOptions).
type ActiveSpeakerObserverOptions struct {
	Interval uint16 // milliseconds between two decisions
}

// ActiveSpeakerObserverDominantSpeakerNotification names the dominant speaker
// (FBS.ActiveSpeakerObserver.DominantSpeakerNotification).
type ActiveSpeakerObserverDominantSpeakerNotification struct {
	ProducerID string
}
