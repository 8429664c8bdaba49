package observer

import (
	"cmp"
	"slices"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// From mediasoup:
const (
	minAudioLevelInterval = 250 * time.Millisecond
	maxAudioLevelInterval = 5 * time.Second
	// minAudioLevelPackets is how many packets of an interval make an average.
	minAudioLevelPackets = 10
)

// AudioLevel lists the loudest producers once per interval, and reports when all are silent (mediasoup's
// AudioLevelObserver).
type AudioLevel struct {
	base
	maxEntries int
	threshold  int8
	producers  []*loudness // in the order in which they were added
	byID       map[string]*loudness
	silence    bool // the last notification was a silence, or there was none yet
}

// loudness sums what one producer sent in this interval.
type loudness struct {
	id     string
	paused bool
	sum    uint32 // of levels in -dBov
	count  uint32
}

// NewAudioLevel returns an observer with its first interval running. The interval is at least 250 ms and at most 5 s,
// whatever opts says. The error is an *api.Error: a threshold above 0 dBov.
func NewAudioLevel(now unit.Time, id string, opts *api.AudioLevelObserverOptions) (*AudioLevel, error) {
	if opts.Threshold > 0 {
		return nil, api.TypeErrorf("invalid threshold value %d", opts.Threshold)
	}
	interval := time.Duration(opts.Interval) * time.Millisecond
	interval = min(max(interval, minAudioLevelInterval), maxAudioLevelInterval)
	return &AudioLevel{
		base:       newBase(now, id, interval),
		maxEntries: int(opts.MaxEntries),
		threshold:  opts.Threshold,
		byID:       make(map[string]*loudness),
		silence:    true,
	}, nil
}

// AddProducer starts watching a producer; as in mediasoup, one that is watched already stays as it is.
func (o *AudioLevel) AddProducer(_ unit.Time, id string, kind api.MediaKind, paused bool) error {
	if err := requireAudio(kind); err != nil {
		return err
	}
	if o.byID[id] == nil {
		p := &loudness{id: id, paused: paused}
		o.producers = append(o.producers, p)
		o.byID[id] = p
	}
	return nil
}

// RemoveProducer stops watching a producer.
func (o *AudioLevel) RemoveProducer(_ unit.Time, id string) {
	if p := o.byID[id]; p != nil {
		delete(o.byID, id)
		i := slices.Index(o.producers, p)
		o.producers = slices.Delete(o.producers, i, i+1)
	}
}

// ProducerPaused forgets what the producer sent in this interval.
func (o *AudioLevel) ProducerPaused(_ unit.Time, id string) {
	if p := o.byID[id]; p != nil {
		*p = loudness{id: id, paused: true}
	}
}

// ProducerResumed lets the producer count again.
func (o *AudioLevel) ProducerResumed(_ unit.Time, id string) {
	if p := o.byID[id]; p != nil {
		p.paused = false
	}
}

// HandleLevel adds one packet's level to the interval.
func (o *AudioLevel) HandleLevel(_ unit.Time, id string, level rtp.AudioLevel) {
	if o.Paused() {
		return
	}
	if p := o.byID[id]; p != nil && !p.paused {
		p.sum += uint32(level.Volume)
		p.count++
	}
}

// Pause stops the interval and forgets it; if producers were loud last, it notifies of silence.
func (o *AudioLevel) Pause(unit.Time) {
	if o.Paused() {
		return
	}
	o.next = unit.Never
	o.clear()
	o.fallSilent()
}

// HandleTimeout ends an interval and notifies of the producers that were loud in it.
func (o *AudioLevel) HandleTimeout(now unit.Time) {
	if !o.due(now) {
		return
	}
	volumes := o.volumes()
	o.clear()
	if len(volumes) == 0 {
		o.fallSilent()
		return
	}
	o.silence = false
	volumes = volumes[:min(len(volumes), o.maxEntries)]
	o.notify(api.EventAudioLevelObserverVolumes, &api.AudioLevelObserverVolumesNotification{Volumes: volumes})
}

// volumes returns the producers that reached the threshold, the loudest first; among equals the one that was added first.
func (o *AudioLevel) volumes() []api.Volume {
	var volumes []api.Volume
	for _, p := range o.producers {
		if p.count < minAudioLevelPackets {
			continue
		}
		// Whole decibels, rounded up as mediasoup does.
		if volume := -int8(p.sum / p.count); volume >= o.threshold {
			volumes = append(volumes, api.Volume{ProducerID: p.id, Volume: volume})
		}
	}
	slices.SortStableFunc(volumes, func(a, b api.Volume) int { return cmp.Compare(b.Volume, a.Volume) })
	return volumes
}

func (o *AudioLevel) clear() {
	for _, p := range o.producers {
		p.sum, p.count = 0, 0
	}
}

func (o *AudioLevel) fallSilent() {
	if !o.silence {
		o.silence = true
		o.notify(api.EventAudioLevelObserverSilence, nil)
	}
}
