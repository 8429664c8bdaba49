// Package observer watches the audio producers of a router: AudioLevel reports how loud they are, ActiveSpeaker which one is
// the dominant speaker. Both are pure machines and know a producer by its id and by the audio levels (RFC 6464) that its packets
// carry.
//
// Behaviour, intervals and thresholds are those of mediasoup's RtpObservers of release 3.27.1; what differs says so.
package observer

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// Observer is the interface of both kinds. A method that takes an id ignores one that was not added.
type Observer interface {
	// AddProducer starts watching a producer. The error is an *api.Error and changes nothing: the producer is not audio,
	// or (ActiveSpeaker) already watched.
	AddProducer(now unit.Time, id string, kind api.MediaKind, paused bool) error
	// RemoveProducer stops watching a producer, on request or because it closed.
	RemoveProducer(now unit.Time, id string)
	ProducerPaused(now unit.Time, id string)
	ProducerResumed(now unit.Time, id string)
	// HandleLevel takes the audio level of one packet that the producer forwards. It does not allocate.
	HandleLevel(now unit.Time, id string, level rtp.AudioLevel)
	// Pause stops the observer until Resume; both do nothing the second time.
	Pause(now unit.Time)
	Resume(now unit.Time)
	Paused() bool
	HandleTimeout(now unit.Time)
	NextTimeout() unit.Time
	// Output is what happened since its last Reset; drain it after every call.
	Output() *Output
}

// Output is what an observer asks for after a call.
type Output struct {
	// Notifications are for the application. HandlerID is the observer's id.
	Notifications []api.Notification
}

// Empty reports whether there is nothing to do.
func (o *Output) Empty() bool { return len(o.Notifications) == 0 }

// Reset empties the output after the caller has handled it.
func (o *Output) Reset() { *o = Output{} }

// base is the state that both kinds share.
type base struct {
	id       string
	interval time.Duration
	next     unit.Time
	output   Output
}

func newBase(now unit.Time, id string, interval time.Duration) base {
	return base{id: id, interval: interval, next: now.Add(interval)}
}

// Paused reports whether the observer is paused.
func (b *base) Paused() bool { return b.next == unit.Never }

// Resume starts the next interval.
func (b *base) Resume(now unit.Time) {
	if b.Paused() {
		b.next = now.Add(b.interval)
	}
}

// NextTimeout returns when the interval ends, unit.Never while paused.
func (b *base) NextTimeout() unit.Time { return b.next }

// Output returns what is to be done.
func (b *base) Output() *Output { return &b.output }

// due reports whether the interval is over, and begins the next one.
func (b *base) due(now unit.Time) bool {
	if now < b.next || b.Paused() {
		return false
	}
	b.next = now.Add(b.interval)
	return true
}

func (b *base) notify(event api.Event, body api.NotificationBody) {
	b.output.Notifications = append(b.output.Notifications, api.Notification{HandlerID: b.id, Event: event, Body: body})
}

// requireAudio refuses producers that an observer cannot watch.
func requireAudio(kind api.MediaKind) error {
	if kind != api.MediaKindAudio {
		return api.TypeErrorf("not an audio Producer")
	}
	return nil
}
