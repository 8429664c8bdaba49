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

func activeSpeaker(t *testing.T, interval uint16, ids ...string) *stage {
	t.Helper()
	return newStage(t, observer.NewActiveSpeaker(start, "observer", &api.ActiveSpeakerObserverOptions{Interval: interval}), ids...)
}

// dominants returns who got the floor, in order.
func dominants(t *testing.T, heard []notice) (ids []string) {
	t.Helper()
	for _, n := range heard {
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

// Who is alone has the floor, speaking or not, and the application is told once.
func TestActiveSpeakerAlone(t *testing.T) {
	s := activeSpeaker(t, 300, "a")
	s.pass(3 * time.Second)
	heard := s.take()
	require.Equal(t, []string{"a"}, dominants(t, heard))
	require.Equal(t, 300*ms, heard[0].at)
}

// Speech at -20 dBov over noise at -70 takes the floor, within about a second, and hands it on.
func TestActiveSpeakerConversation(t *testing.T) {
	s := activeSpeaker(t, 300, "a", "b", "c")
	quiet := voices{"a": -70, "b": -70, "c": -70}
	s.speak(2*time.Second, quiet)
	require.Equal(t, []string{"a"}, dominants(t, s.take()), "the first, as long as nobody speaks")
	for _, id := range []string{"b", "c", "a", "c"} {
		begin := s.now.Sub(start)
		v := voices{"a": -70, "b": -70, "c": -70}
		v[id] = -20
		s.speak(4*time.Second, v)
		heard := s.take()
		require.Equal(t, []string{id}, dominants(t, heard))
		require.LessOrEqual(t, heard[0].at-begin, 1500*ms)
		s.speak(2*time.Second, quiet)
		require.Empty(t, s.take(), "who stops keeps the floor until somebody else speaks")
	}
}

// A cough is loud and short, a word is short: neither takes the floor.
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

// Both speak at once: the one who has the floor keeps it.
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

// The floor follows noise that becomes louder, in steps of 15 s, so that a fan switched on loses the floor again.
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

// Whoever is always as loud as can be has no noise floor, and is heard.
func TestActiveSpeakerAlwaysLoud(t *testing.T) {
	for volume, want := range map[int]string{0: "b", -9: "b", -10: "a"} {
		s := activeSpeaker(t, 300, "a", "b")
		s.speak(3*time.Second, voices{"a": -127, "b": volume})
		require.Equal(t, []string{want}, dominants(t, s.take()), volume)
	}
}

// Somebody who speaks and sends nothing any more (DTX, a lost connection) is silent, and can be replaced.
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

// A paused producer does not take the floor, but keeps it.
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

// When all are paused the first has the floor, as in mediasoup for a paused one that is alone.
func TestActiveSpeakerAllPaused(t *testing.T) {
	s := activeSpeaker(t, 300)
	for _, id := range []string{"a", "b"} {
		require.NoError(t, s.o.AddProducer(start, id, api.MediaKindAudio, true))
	}
	s.pass(time.Second)
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
}

// When the dominant speaker leaves, the next one is told at once, but not by a paused observer.
func TestActiveSpeakerLeaves(t *testing.T) {
	s := activeSpeaker(t, 1000, "a", "b", "c")
	s.speak(time.Second, voices{"a": -70, "b": -70, "c": -70})
	require.Equal(t, []string{"a"}, dominants(t, s.take()))
	s.speak(500*ms, voices{"a": -20, "b": -70, "c": -20})
	s.o.RemoveProducer(s.now, "b")
	require.Empty(t, s.take(), "b did not have the floor")
	s.o.RemoveProducer(s.now, "a")
	heard := s.take()
	require.Equal(t, []string{"c"}, dominants(t, heard))
	require.Equal(t, 1500*ms, heard[0].at)

	require.NoError(t, s.o.AddProducer(s.now, "d", api.MediaKindAudio, false))
	s.o.Pause(s.now)
	s.o.RemoveProducer(s.now, "c")
	require.Empty(t, s.take(), "paused")
	s.o.Resume(s.now)
	s.pass(time.Second)
	require.Equal(t, []string{"d"}, dominants(t, s.take()))
	s.o.RemoveProducer(s.now, "d")
	s.pass(time.Second)
	require.Empty(t, s.take(), "nobody is left")
}

// A paused observer listens to nobody. After Resume, be it an hour later, the next who speaks takes the floor.
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

// Whatever is sent, the floor is held by a producer that is there, and nobody gets it twice in a row.
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
