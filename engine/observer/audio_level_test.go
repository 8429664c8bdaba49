package observer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/observer"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

func audioLevel(t *testing.T, opts api.AudioLevelObserverOptions, ids ...string) *fixture {
	t.Helper()
	o, err := observer.NewAudioLevel(start, "observer", &opts)
	require.NoError(t, err)
	return newFixture(t, o, ids...)
}

func volumes(at time.Duration, v ...api.Volume) notice {
	return notice{at, api.Notification{
		HandlerID: "observer",
		Event:     api.EventAudioLevelObserverVolumes,
		Body:      &api.AudioLevelObserverVolumesNotification{Volumes: v},
	}}
}

func silence(at time.Duration) notice {
	return notice{at, api.Notification{HandlerID: "observer", Event: api.EventAudioLevelObserverSilence}}
}

func TestAudioLevelThreshold(t *testing.T) {
	for threshold, ok := range map[int8]bool{-127: true, -128: true, -1: true, 0: true, 1: false, 127: false} {
		_, err := observer.NewAudioLevel(start, "o", &api.AudioLevelObserverOptions{Threshold: threshold})
		if ok {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, api.TypeErrorf("invalid threshold value %d", threshold), err)
	}
}

func TestIntervalBounds(t *testing.T) {
	for _, c := range []struct {
		given           uint16
		level, speaking time.Duration
	}{
		{0, 250 * ms, 100 * ms},
		{99, 250 * ms, 100 * ms},
		{101, 250 * ms, 101 * ms},
		{249, 250 * ms, 249 * ms},
		{251, 251 * ms, 251 * ms},
		{5000, 5000 * ms, 5000 * ms},
		{5001, 5000 * ms, 5000 * ms},
		{65535, 5000 * ms, 5000 * ms},
	} {
		level, err := observer.NewAudioLevel(start, "o", &api.AudioLevelObserverOptions{Interval: c.given})
		require.NoError(t, err)
		require.Equal(t, start.Add(c.level), level.NextTimeout(), c.given)
		active := observer.NewActiveSpeaker(start, "o", &api.ActiveSpeakerObserverOptions{Interval: c.given})
		require.Equal(t, start.Add(c.speaking), active.NextTimeout(), c.given)
	}
}

// A conversation: one speaks, then two, then none. Silence is notified once.
func TestAudioLevelConversation(t *testing.T) {
	s := audioLevel(t, api.AudioLevelObserverOptions{MaxEntries: 2, Threshold: -60, Interval: 500}, "a", "b", "c")
	s.speak(500*ms, voices{"a": -127, "b": -127, "c": -127})
	require.Empty(t, s.take(), "silence is no news at the beginning")
	s.speak(500*ms, voices{"a": -30, "b": -127, "c": -61})
	s.speak(500*ms, voices{"a": -30, "b": -20, "c": -60})
	s.speak(1500*ms, voices{"a": -61, "b": -127})
	s.speak(500*ms, voices{"c": -60})
	require.Equal(t, []notice{
		volumes(1000*ms, api.Volume{ProducerID: "a", Volume: -30}),
		volumes(1500*ms, api.Volume{ProducerID: "b", Volume: -20}, api.Volume{ProducerID: "a", Volume: -30}),
		silence(2000 * ms),
		volumes(3500*ms, api.Volume{ProducerID: "c", Volume: -60}),
	}, s.take())
}

// The average is over the packets of the interval, whole decibels towards the louder, as in mediasoup; less than ten
// packets make none.
func TestAudioLevelAverage(t *testing.T) {
	s := audioLevel(t, api.AudioLevelObserverOptions{MaxEntries: 9, Threshold: -127, Interval: 400}, "a", "few", "loud")
	s.speak(180*ms, voices{"a": -40, "few": -1, "loud": 0})
	s.speak(20*ms, voices{"a": -49, "loud": 0})
	s.speak(200*ms, nil)
	require.Equal(t, []notice{
		volumes(400*ms, api.Volume{ProducerID: "loud", Volume: 0}, api.Volume{ProducerID: "a", Volume: -40}),
	}, s.take(), "409 / 10, and nine packets are too few")
}

// 400 packets a second for 5 s, all silent: the sum does not fit 16 bits, in which mediasoup keeps it.
func TestAudioLevelManyPackets(t *testing.T) {
	s := audioLevel(t, api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -100, Interval: 5000}, "a")
	for range 2000 {
		s.o.HandleLevel(s.now, "a", rtp.AudioLevel{Volume: 127})
	}
	s.pass(5 * time.Second)
	require.Empty(t, s.take())
}

func TestAudioLevelMaxEntries(t *testing.T) {
	for max, want := range map[uint16][]api.Volume{
		0: {},
		1: {{ProducerID: "c", Volume: -5}},
		2: {{ProducerID: "c", Volume: -5}, {ProducerID: "a", Volume: -7}},
		9: {{ProducerID: "c", Volume: -5}, {ProducerID: "a", Volume: -7}, {ProducerID: "b", Volume: -7}},
	} {
		s := audioLevel(t, api.AudioLevelObserverOptions{MaxEntries: max, Threshold: -80, Interval: 1000}, "a", "b", "c")
		s.speak(time.Second, voices{"a": -7, "b": -7, "c": -5})
		require.Equal(t, []notice{volumes(time.Second, want...)}, s.take(), "%d; among equals the one added first", max)
	}
}

// A paused producer counts no more, and what it sent in the interval is forgotten.
func TestAudioLevelProducerPaused(t *testing.T) {
	s := audioLevel(t, api.AudioLevelObserverOptions{MaxEntries: 2, Threshold: -80, Interval: 1000}, "a", "b")
	require.NoError(t, s.o.AddProducer(start, "paused", api.MediaKindAudio, true))
	s.speak(800*ms, voices{"a": -20, "b": -30, "paused": -1})
	s.o.ProducerPaused(s.now, "a")
	s.speak(200*ms, voices{"a": -20, "b": -30, "paused": -1})
	require.Equal(t, []notice{volumes(1000*ms, api.Volume{ProducerID: "b", Volume: -30})}, s.take())
	s.o.ProducerResumed(s.now, "a")
	s.o.ProducerResumed(s.now, "paused")
	s.speak(1000*ms, voices{"a": -25, "paused": -1})
	require.Equal(t, []notice{
		volumes(2000*ms, api.Volume{ProducerID: "paused", Volume: -1}, api.Volume{ProducerID: "a", Volume: -25}),
	}, s.take())
}

func TestAudioLevelRemoveProducer(t *testing.T) {
	s := audioLevel(t, api.AudioLevelObserverOptions{MaxEntries: 3, Threshold: -80, Interval: 1000}, "a", "b", "c")
	s.speak(500*ms, voices{"a": -20, "b": -30, "c": -40})
	s.o.RemoveProducer(s.now, "b")
	s.speak(500*ms, voices{"a": -20, "b": -30, "c": -40})
	require.Equal(t, []notice{
		volumes(1000*ms, api.Volume{ProducerID: "a", Volume: -20}, api.Volume{ProducerID: "c", Volume: -40}),
	}, s.take())
	s.o.RemoveProducer(s.now, "a")
	s.o.RemoveProducer(s.now, "c")
	s.pass(time.Second)
	require.Equal(t, []notice{silence(2 * time.Second)}, s.take())
}

// Adding a producer again changes nothing.
func TestAudioLevelAddTwice(t *testing.T) {
	s := audioLevel(t, api.AudioLevelObserverOptions{MaxEntries: 3, Threshold: -80, Interval: 1000}, "a")
	s.speak(500*ms, voices{"a": -20})
	require.NoError(t, s.o.AddProducer(s.now, "a", api.MediaKindAudio, true))
	s.speak(500*ms, voices{"a": -40})
	require.Equal(t, []notice{volumes(1000*ms, api.Volume{ProducerID: "a", Volume: -30})}, s.take())
}

// Pausing ends the sound: silence at once, if there was sound, and nothing of the interval is left.
func TestAudioLevelPause(t *testing.T) {
	s := audioLevel(t, api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -80, Interval: 1000}, "a")
	s.o.Pause(s.now)
	s.o.Resume(s.now)
	require.Empty(t, s.take(), "it was silent")
	s.speak(1500*ms, voices{"a": -20})
	require.Equal(t, []notice{volumes(1000*ms, api.Volume{ProducerID: "a", Volume: -20})}, s.take())
	s.o.Pause(s.now)
	s.o.Pause(s.now)
	require.Equal(t, []notice{silence(1500 * ms)}, s.take())
	s.speak(5*time.Second, voices{"a": -20})
	require.Equal(t, unit.Never, s.o.NextTimeout())
	s.o.Resume(s.now)
	s.pass(2 * time.Second)
	require.Empty(t, s.take(), "what came before Resume does not count")
	s.speak(1000*ms, voices{"a": -50})
	require.Equal(t, []notice{volumes(9500*ms, api.Volume{ProducerID: "a", Volume: -50})}, s.take())
}
