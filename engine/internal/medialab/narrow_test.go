package medialab_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/medialab"
)

// A picture that hardly fits is kept or given up, but not again and again.
func TestNoSeeSaw(t *testing.T) {
	scene := find(t, medialab.Narrowing, "a picture that hardly fits")
	for seed := uint64(1); seed <= 4; seed++ {
		r := scene.Play(seed).Results[1]
		require.LessOrEqual(t, r.Changes, 4.0, "a minute; seed %d", seed)
		require.LessOrEqual(t, r.LongestFreeze, 600*time.Millisecond)
	}
}

// Key frames of eight pictures at once do not fill the queue before a narrow link, so that sound does not wait behind them.
func TestKeyFramesOfSeveralPicturesArePaced(t *testing.T) {
	l := medialab.New(1)
	for range 8 {
		l.Publish(camera, true)
	}
	l.Net.Advance(3 * time.Second)
	s := l.Subscribe(medialab.Shaped(4000*kbps), back, 0)
	for _, p := range l.Publishers {
		s.Watch(p, 1)
	}
	l.Net.Advance(10 * time.Second)
	s.SetRate(2000 * kbps)
	l.Net.Advance(20 * time.Second)
	s.Mark()
	longest := time.Duration(0)
	for range 5 {
		for _, p := range l.Publishers {
			p.KeyFrame()
		}
		longest = max(longest, s.LongestQueue(2*time.Second))
	}
	t.Logf("the longest queue: %v; concealed: %.2f %%", longest, 100*s.Concealed())
	require.Less(t, longest, 70*time.Millisecond)
	require.Less(t, s.Concealed(), 0.005)
}

// Receivers report at other times than Chromium's: more often, or less.
func TestReceiversThatReportAtOtherTimes(t *testing.T) {
	for _, interval := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond} {
		t.Run(interval.String(), func(t *testing.T) {
			l := medialab.New(1)
			l.Publish(medialab.VP9, false)
			l.Net.Advance(3 * time.Second)
			s := l.Subscribe(medialab.Shaped(2000*kbps), back, 0)
			s.Feedback = interval
			s.Watch(l.Publishers[0], 1)
			l.Net.Advance(15 * time.Second)
			s.Mark()
			s.SetRate(600 * kbps)
			l.Net.Advance(15 * time.Second)
			narrow := s.Views()[0]
			s.SetRate(2000 * kbps)
			l.Net.Advance(5 * time.Second)
			s.Mark()
			l.Net.Advance(10 * time.Second)
			wide := s.Views()[0]
			t.Logf("%+v, then %+v", narrow, wide)
			require.Equal(t, 1, narrow.Spatial)
			require.Greater(t, narrow.FrameRate, 18.0)
			require.Less(t, narrow.LongestFreeze, 600*time.Millisecond)
			require.Equal(t, 2, wide.Spatial)
			require.Zero(t, wide.Freezes)
		})
	}
}
