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

const (
	ms    = time.Millisecond
	start = unit.Time(1_000_000_000_000)
)

// fixture sends the levels of producers to an observer on a virtual clock, and collects its notifications.
type fixture struct {
	t        *testing.T
	o        observer.Observer
	now      unit.Time
	notified []notice
}

// notice is a notification and when it came, in time since start.
type notice struct {
	at time.Duration
	api.Notification
}

func newFixture(t *testing.T, o observer.Observer, ids ...string) *fixture {
	s := &fixture{t: t, o: o, now: start}
	for _, id := range ids {
		require.NoError(t, o.AddProducer(s.now, id, api.MediaKindAudio, false))
	}
	return s
}

// voices is the volume (dBov, 0 is the loudest) at which each producer sends; one that is not in it sends nothing.
type voices map[string]int

// speak lets d pass, in which every producer of v sends a packet each 20 ms, the first one now.
func (s *fixture) speak(d time.Duration, v voices) {
	s.t.Helper()
	for end := s.now.Add(d); s.now < end; s.pass(20 * ms) {
		for id, volume := range v {
			s.o.HandleLevel(s.now, id, rtp.AudioLevel{Volume: uint8(-volume)})
			s.drain()
		}
	}
}

// pass lets d pass.
func (s *fixture) pass(d time.Duration) {
	s.t.Helper()
	for end := s.now.Add(d); ; {
		next := s.o.NextTimeout()
		if next > end {
			s.now = end
			return
		}
		require.Greater(s.t, next, s.now, "a timeout is in the future")
		s.now = next
		s.o.HandleTimeout(s.now)
		s.drain()
	}
}

func (s *fixture) drain() {
	for _, n := range s.o.Output().Notifications {
		s.notified = append(s.notified, notice{s.now.Sub(start), n})
	}
	s.o.Output().Reset()
	require.True(s.t, s.o.Output().Empty())
}

// take returns the notifications since the last take.
func (s *fixture) take() []notice {
	s.drain()
	notified := s.notified
	s.notified = nil
	return notified
}

// both returns one observer of each kind with an interval of one second.
func both(t *testing.T) map[string]observer.Observer {
	t.Helper()
	level, err := observer.NewAudioLevel(start, "observer", &api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -80, Interval: 1000})
	require.NoError(t, err)
	active := observer.NewActiveSpeaker(start, "observer", &api.ActiveSpeakerObserverOptions{Interval: 1000})
	return map[string]observer.Observer{"AudioLevel": level, "ActiveSpeaker": active}
}

func TestAddProducerRefusesVideo(t *testing.T) {
	for name, o := range both(t) {
		err := o.AddProducer(start, "v", api.MediaKindVideo, false)
		require.Equal(t, api.TypeErrorf("not an audio Producer"), err, name)
	}
}

func TestUnknownProducersAreIgnored(t *testing.T) {
	for name, o := range both(t) {
		s := newFixture(t, o)
		o.RemoveProducer(start, "x")
		o.ProducerPaused(start, "x")
		o.ProducerResumed(start, "x")
		s.speak(3*time.Second, voices{"x": -10})
		require.Empty(t, s.take(), name)
	}
}

// Pause stops the clock, Resume begins a new interval; both do nothing the second time.
func TestPauseAndResume(t *testing.T) {
	for name, o := range both(t) {
		require.False(t, o.Paused(), name)
		require.Equal(t, start.Add(time.Second), o.NextTimeout())
		o.Resume(start.Add(300 * ms))
		require.Equal(t, start.Add(time.Second), o.NextTimeout(), "not paused")
		for range 2 {
			o.Pause(start.Add(400 * ms))
			require.True(t, o.Paused())
			require.Equal(t, unit.Never, o.NextTimeout())
		}
		o.HandleTimeout(start.Add(5 * time.Second))
		require.True(t, o.Paused())
		o.Resume(start.Add(5 * time.Second))
		o.Resume(start.Add(5500 * ms))
		require.False(t, o.Paused())
		require.Equal(t, start.Add(6*time.Second), o.NextTimeout())
		require.True(t, o.Output().Empty())
	}
}

// A late call of HandleTimeout is one tick, and the next interval begins with it; an early one is none.
func TestLateTimeout(t *testing.T) {
	for name, o := range both(t) {
		o.HandleTimeout(start.Add(999 * ms))
		require.Equal(t, start.Add(time.Second), o.NextTimeout(), name)
		o.HandleTimeout(start.Add(3500 * ms))
		require.Equal(t, start.Add(4500*ms), o.NextTimeout(), name)
	}
}

func TestHandleLevelAllocatesNothing(t *testing.T) {
	for name, o := range both(t) {
		newFixture(t, o, "a", "b")
		now := start
		require.Zero(t, testing.AllocsPerRun(100, func() {
			now = now.Add(20 * ms)
			o.HandleLevel(now, "b", rtp.AudioLevel{Volume: 30, Voice: true})
		}), name)
	}
}

func BenchmarkHandleLevel(b *testing.B) {
	o := observer.NewActiveSpeaker(start, "observer", &api.ActiveSpeakerObserverOptions{Interval: 300})
	id := "5b8a1fb2-6a33-4a6b-8e12-5c0f4e0d7a11"
	if err := o.AddProducer(start, id, api.MediaKindAudio, false); err != nil {
		b.Fatal(err)
	}
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(20 * ms)
		o.HandleLevel(now, id, rtp.AudioLevel{Volume: 30})
	}
}
