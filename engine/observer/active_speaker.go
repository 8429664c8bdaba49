package observer

import (
	"slices"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// From mediasoup:
const (
	minActiveSpeakerInterval = 100 * time.Millisecond
	maxActiveSpeakerInterval = 5 * time.Second
	// levelIdleTimeout is how long a producer may send nothing before it counts as silent (DTX, mute, loss).
	levelIdleTimeout = 40 * time.Millisecond
	// By how much a speaker's activity, as the logarithm of its ratio to the dominant speaker's, has to be greater over
	// the immediate, medium and long term, to become dominant.
	immediateMargin = 3.0
	mediumMargin    = 2.0
	longMargin      = 0.0
)

// ActiveSpeaker finds the dominant speaker (mediasoup's ActiveSpeakerObserver), by the method of I. Volfin and I. Cohen,
// "Dominant speaker identification for multipoint videoconferencing", Computer Speech & Language 27 (2013) 895–910.
//
// The activity of each speaker is scored over three spans of time (see activity). A speaker becomes dominant by being more
// active than the dominant one over all three at once: neither a cough nor a short word is enough, and a pause for breath does
// not end dominance.
type ActiveSpeaker struct {
	base
	speakers []*speaker // in the order in which they were added
	byID     map[string]*speaker
	dominant *speaker // nil: none yet
}

// speaker is one producer.
type speaker struct {
	id     string
	paused bool
	levels levels
}

// NewActiveSpeaker returns an observer with its first interval running. The interval is at least 100 ms and at most 5 s,
// whatever opts says.
func NewActiveSpeaker(now unit.Time, id string, opts *api.ActiveSpeakerObserverOptions) *ActiveSpeaker {
	interval := time.Duration(opts.Interval) * time.Millisecond
	interval = min(max(interval, minActiveSpeakerInterval), maxActiveSpeakerInterval)
	return &ActiveSpeaker{base: newBase(now, id, interval), byID: make(map[string]*speaker)}
}

// AddProducer starts watching a producer. One that is watched already gives mediasoup's error.
func (o *ActiveSpeaker) AddProducer(now unit.Time, id string, kind api.MediaKind, paused bool) error {
	if err := requireAudio(kind); err != nil {
		return err
	}
	if o.byID[id] != nil {
		return api.Errorf("Producer already in map")
	}
	s := &speaker{id: id, paused: paused, levels: newLevels(now)}
	o.speakers = append(o.speakers, s)
	o.byID[id] = s
	return nil
}

// RemoveProducer stops watching a producer. If it was dominant, another one becomes dominant at once or, while the observer is
// paused, after that.
func (o *ActiveSpeaker) RemoveProducer(now unit.Time, id string) {
	s := o.byID[id]
	if s == nil {
		return
	}
	delete(o.byID, id)
	i := slices.Index(o.speakers, s)
	o.speakers = slices.Delete(o.speakers, i, i+1)
	if s == o.dominant {
		o.dominant = nil
		if !o.Paused() {
			o.update(now)
		}
	}
}

// ProducerPaused keeps the producer from becoming dominant; if it is, it stays so until another one speaks.
func (o *ActiveSpeaker) ProducerPaused(_ unit.Time, id string) {
	if s := o.byID[id]; s != nil {
		s.paused = true
	}
}

// ProducerResumed lets the producer become dominant again.
func (o *ActiveSpeaker) ProducerResumed(_ unit.Time, id string) {
	if s := o.byID[id]; s != nil {
		s.paused = false
	}
}

// HandleLevel records one packet's level.
func (o *ActiveSpeaker) HandleLevel(now unit.Time, id string, level rtp.AudioLevel) {
	if o.Paused() {
		return
	}
	if s := o.byID[id]; s != nil {
		s.levels.add(now, maxLevel-min(level.Volume, maxLevel))
	}
}

// Pause stops the interval; the dominant speaker stays.
func (o *ActiveSpeaker) Pause(unit.Time) { o.next = unit.Never }

// HandleTimeout ends an interval and chooses the dominant speaker.
func (o *ActiveSpeaker) HandleTimeout(now unit.Time) {
	if o.due(now) {
		o.update(now)
	}
}

func (o *ActiveSpeaker) update(now unit.Time) {
	for _, s := range o.speakers {
		if now.Sub(s.levels.changedAt) > levelIdleTimeout {
			s.levels.add(now, minLevel)
		}
	}
	if s := o.decide(); s != o.dominant {
		o.dominant = s
		o.notify(api.EventActiveSpeakerObserverDominantSpeaker, &api.ActiveSpeakerObserverDominantSpeakerNotification{ProducerID: s.id})
	}
}

// decide returns the speaker that should be dominant: the current one unless a challenger is ahead over all spans; of several,
// the one that is furthest ahead over the medium one.
func (o *ActiveSpeaker) decide() *speaker {
	leader := o.incumbent()
	if leader == nil || len(o.speakers) == 1 {
		return leader
	}
	reference := leader.levels.activity()
	best := mediumMargin
	for _, s := range o.speakers {
		if s == o.dominant || s.paused {
			continue
		}
		a := s.levels.activity()
		immediate, medium, long := a.immediate-reference.immediate, a.medium-reference.medium, a.long-reference.long
		if immediate > immediateMargin && medium > best && long > longMargin {
			leader, best = s, medium
		}
	}
	return leader
}

// incumbent returns the dominant speaker; while there is none, the first one, preferably not paused.
func (o *ActiveSpeaker) incumbent() *speaker {
	if o.dominant != nil || len(o.speakers) == 0 {
		return o.dominant
	}
	for _, s := range o.speakers {
		if !s.paused {
			return s
		}
	}
	return o.speakers[0]
}
