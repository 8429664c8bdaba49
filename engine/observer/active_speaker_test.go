package observer_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/observer"
	"gazpacho/engine/wire/rtp"
)

func activeSpeaker(t *testing.T, interval uint16, ids ...string) *fixture {
	t.Helper()
	return newFixture(t, observer.NewActiveSpeaker(start, "observer", &api.ActiveSpeakerObserverOptions{Interval: interval}), ids...)
}

// dominants returns the producers that became dominant, in order.
func dominants(t *testing.T, notified []notice) (ids []string) {
	t.Helper()
	for _, n := range notified {
		require.Equal(t, "observer", n.HandlerID)
		require.Equal(t, api.EventActiveSpeakerObserverDominantSpeaker, n.Event)
		ids = append(ids, n.Body.(*api.ActiveSpeakerObserverDominantSpeakerNotification).ProducerID)
	}
	return ids
}

func TestActiveSpeakerNobody(t *testing.T) {
	s := activeSpeaker(t, 300)
	s.pass(10 * time.Second)
	require.Empty(t, s.take())
}

func TestActiveSpeakerAddTwice(t *testing.T) {
	s := activeSpeaker(t, 300, "a")
	require.Equal(t, api.Errorf("Producer already in map"), s.o.AddProducer(start, "a", api.MediaKindAudio, false))
	s.o.RemoveProducer(start, "a")
	require.NoError(t, s.o.AddProducer(start, "a", api.MediaKindAudio, false))
}

// A single producer is dominant, speaking or not, and that is notified once.
func TestActiveSpeakerAlone(t *testing.T) {
	s := activeSpeaker(t, 300, "a")
	s.pass(3 * time.Second)
	notified := s.take()
	require.Equal(t, []string{"a"}, dominants(t, notified))
	require.Equal(t, 300*ms, notified[0].at)
}

// Speech at -20 dBov over noise at -70 becomes dominant within about a second, and so does the next speaker.
func TestActiveSpeakerConversation(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "b", "c")
	quiet := voices{"a": -70, "b": -70, "c": -70}
	s.speak(2*time.Second, quiet)
	require.Equal(t, []string{"a"}, dominants(t, s.take()), "the first, as long as none speaks")
	for _, id := range []string{"b", "c", "a", "c"} {
		begin := s.now.Sub(start)
		v := voices{"a": -70, "b": -70, "c": -70}
		v[id] = -20
		s.speak(4*time.Second, v)
		notified := s.take()
		require.Equal(t, []string{id}, dominants(t, notified))
		require.LessOrEqual(t, notified[0].at-begin, 1500*ms)
		s.speak(2*time.Second, quiet)
		require.Empty(t, s.take(), "stays dominant until another one speaks")
	}
}

// A cough is loud and short, a word is short: neither is enough.
func TestActiveSpeakerShortSounds(t *testing.T) {
	for _, length := range []time.Duration{40 * ms, 100 * ms} {
		s := activeSpeaker(t, 100, "a", "b")
		s.speak(time.Second, voices{"a": -70, "b": -70})
		s.speak(3*time.Second, voices{"a": -25, "b": -70})
		s.take()
		for range 5 {
			s.speak(length, voices{"a": -25, "b": -5})
			s.speak(2*time.Second, voices{"a": -25, "b": -70})
		}
		require.Empty(t, s.take(), length)
	}
}

// Both speak at once: the dominant one stays.
func TestActiveSpeakerDoubleTalk(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "b")
	s.speak(time.Second, voices{"a": -70, "b": -70})
	s.speak(2*time.Second, voices{"a": -70, "b": -20})
	require.Equal(t, []string{"a", "b"}, dominants(t, s.take()))
	s.speak(10*time.Second, voices{"a": -20, "b": -20})
	require.Empty(t, s.take())
}

// Constant noise is no speech, however loud: the noise floor of each producer is tracked.
func TestActiveSpeakerLoudNoise(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "fan")
	s.speak(time.Second, voices{"a": -70, "fan": -40})
	s.speak(5*time.Second, voices{"a": -70, "fan": -40})
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
	s.speak(3*time.Second, voices{"a": -70, "fan": -15})
	require.Equal(t, []string{"fan"}, dominants(t, s.take()), "speech over the noise")
}

// The floor follows noise that becomes louder, in steps of 15 s, so that a fan switched on does not stay dominant.
func TestActiveSpeakerNoiseThatBegins(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "fan")
	s.speak(time.Second, voices{"a": -70, "fan": -100})
	s.speak(2*time.Second, voices{"a": -70, "fan": -30})
	require.Equal(t, []string{"a", "fan"}, dominants(t, s.take()), "a new sound is speech at first")
	s.speak(2*time.Minute, voices{"a": -70, "fan": -30})
	require.Empty(t, s.take())
	s.speak(2*time.Second, voices{"a": -25, "fan": -30})
	require.Equal(t, []string{"a"}, dominants(t, s.take()), "the fan is noise by now")
}

// A producer at full level all the time has no noise floor, and counts as speaking.
func TestActiveSpeakerAlwaysLoud(t *testing.T) {
	for volume, want := range map[int]string{0: "b", -9: "b", -10: "a"} {
		s := activeSpeaker(t, 300, "a", "b")
		s.speak(3*time.Second, voices{"a": -127, "b": volume})
		require.Equal(t, []string{want}, dominants(t, s.take()), volume)
	}
}

// A speaker that sends nothing any more (DTX, a lost connection) is silent, and can be replaced.
func TestActiveSpeakerThatVanishes(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "b")
	s.speak(time.Second, voices{"a": -70, "b": -70})
	s.speak(2*time.Second, voices{"a": -70, "b": -20})
	require.Equal(t, []string{"a", "b"}, dominants(t, s.take()))
	s.speak(3*time.Second, voices{"a": -30})
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
}

// Packets of 60 ms are worth three of 20 ms, as long as a decision does not fall more than 40 ms behind one: then the
// producer counts as silent, as in mediasoup.
func TestActiveSpeakerLongPackets(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "b")
	s.pass(30 * ms)
	send := func(d time.Duration, level uint8) {
		for range d / (60 * ms) {
			s.o.HandleLevel(s.now, "b", rtp.AudioLevel{Volume: level})
			s.pass(60 * ms)
		}
	}
	send(time.Second, 70)
	send(1500*ms, 20)
	require.Equal(t, []string{"a", "b"}, dominants(t, s.take()))
}

// A paused producer does not become dominant, but stays so.
func TestActiveSpeakerPausedProducer(t *testing.T) {
	s := activeSpeaker(t, 300)
	require.NoError(t, s.o.AddProducer(start, "a", api.MediaKindAudio, true))
	require.NoError(t, s.o.AddProducer(start, "b", api.MediaKindAudio, false))
	s.speak(time.Second, voices{"a": -70, "b": -70})
	s.speak(2*time.Second, voices{"a": -20, "b": -70})
	require.Equal(t, []string{"b"}, dominants(t, s.take()), "the first that is not paused")
	s.o.ProducerPaused(s.now, "b")
	s.speak(2*time.Second, voices{"a": -20})
	require.Empty(t, s.take())
	s.o.ProducerResumed(s.now, "a")
	s.speak(2*time.Second, voices{"a": -20})
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
}

// When all are paused, the first is dominant, as in mediasoup a single paused one is.
func TestActiveSpeakerAllPaused(t *testing.T) {
	s := activeSpeaker(t, 300)
	for _, id := range []string{"a", "b"} {
		require.NoError(t, s.o.AddProducer(start, id, api.MediaKindAudio, true))
	}
	s.pass(time.Second)
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
}

// When the dominant speaker is removed, the next one is notified at once, but not by a paused observer.
func TestActiveSpeakerLeaves(t *testing.T) {
	s := activeSpeaker(t, 1000, "a", "b", "c")
	s.speak(time.Second, voices{"a": -70, "b": -70, "c": -70})
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
	s.speak(500*ms, voices{"a": -20, "b": -70, "c": -20})
	s.o.RemoveProducer(s.now, "b")
	require.Empty(t, s.take(), "b was not dominant")
	s.o.RemoveProducer(s.now, "a")
	notified := s.take()
	require.Equal(t, []string{"c"}, dominants(t, notified))
	require.Equal(t, 1500*ms, notified[0].at)

	require.NoError(t, s.o.AddProducer(s.now, "d", api.MediaKindAudio, false))
	s.o.Pause(s.now)
	s.o.RemoveProducer(s.now, "c")
	require.Empty(t, s.take(), "paused")
	s.o.Resume(s.now)
	s.pass(time.Second)
	require.Equal(t, []string{"d"}, dominants(t, s.take()))
	s.o.RemoveProducer(s.now, "d")
	s.pass(time.Second)
	require.Empty(t, s.take(), "none is left")
}

// A paused observer ignores levels. After Resume, even an hour later, the next speaker becomes dominant.
func TestActiveSpeakerPausedObserver(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "b")
	s.speak(time.Second, voices{"a": -70, "b": -70})
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
	s.o.Pause(s.now)
	s.speak(3*time.Second, voices{"a": -70, "b": -20})
	s.pass(2 * time.Hour)
	s.o.Resume(s.now)
	s.pass(time.Second)
	require.Empty(t, s.take())
	s.speak(2*time.Second, voices{"a": -70, "b": -20})
	require.Equal(t, []string{"b"}, dominants(t, s.take()))
}

// A level that is older than the last one is ignored, and so is what no level can be.
func TestActiveSpeakerOddLevels(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "b")
	s.o.HandleLevel(start.Add(-time.Second), "b", rtp.AudioLevel{Volume: 0})
	s.speak(2*time.Second, voices{"a": -255, "b": -200})
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
}

// Whatever is sent, the dominant speaker is a producer that exists, and none is notified twice in a row.
func TestActiveSpeakerRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := activeSpeaker(t, 100)
	ids := []string{"a", "b", "c", "d", "e"}
	there := make(map[string]bool)
	last := ""
	for range 20000 {
		id := ids[rng.IntN(len(ids))]
		switch rng.IntN(60) {
		case 0:
			if !there[id] {
				require.NoError(t, s.o.AddProducer(s.now, id, api.MediaKindAudio, rng.IntN(4) == 0))
			}
			there[id] = true
		case 1:
			there[id] = false
			if id == last {
				last = ""
			}
			s.o.RemoveProducer(s.now, id)
		case 2:
			s.o.ProducerPaused(s.now, id)
		case 3:
			s.o.ProducerResumed(s.now, id)
		default:
			s.o.HandleLevel(s.now, id, rtp.AudioLevel{Volume: uint8(rng.IntN(128))})
		}
		s.pass(time.Duration(rng.IntN(10)) * ms)
		for _, id := range dominants(t, s.take()) {
			require.True(t, there[id])
			require.NotEqual(t, last, id)
			last = id
		}
	}
	require.NotEmpty(t, last)
}
