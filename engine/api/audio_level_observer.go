package api

// AudioLevelObserverOptions is FBS.AudioLevelObserver.AudioLevelObserverOptions.
type AudioLevelObserverOptions struct {
	MaxEntries uint16
	Threshold  int8
	Interval   uint16
}

// Volume is FBS.AudioLevelObserver.Volume.
type Volume struct {
	ProducerID string
	Volume     int8
}

// AudioLevelObserverVolumesNotification is FBS.AudioLevelObserver.VolumesNotification.
type AudioLevelObserverVolumesNotification struct {
	Volumes []Volume
}
