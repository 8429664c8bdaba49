package medialab_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/medialab"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

// camera is a picture of a conference, screen that of a shared screen.
var (
	camera = medialab.Video{Layers: []unit.Bitrate{60 * kbps, 150 * kbps, 450 * kbps}, SVC: true}
	screen = medialab.Video{Layers: []unit.Bitrate{100 * kbps, 300 * kbps, 900 * kbps}, SVC: true}
)

var back = simnet.Conditions{Delay: 25 * time.Millisecond}

// Ten publishers with sound share a narrow link: the one that the application prefers is as sharp as it can be, nobody's picture
// stands, and the sound of none suffers.
func TestTenPublishersShareALink(t *testing.T) {
	for _, rate := range []unit.Bitrate{2600 * kbps, 3500 * kbps} {
		l := medialab.New(1)
		first := l.Publish(screen, true)
		for range 9 {
			l.Publish(camera, true)
		}
		l.Net.Advance(3 * time.Second)
		s := l.Subscribe(medialab.Shaped(rate), back, 0)
		for _, p := range l.Publishers {
			priority := uint8(1)
			if p == first {
				priority = 20
			}
			s.Watch(p, priority)
		}
		l.Net.Advance(20 * time.Second)
		s.Mark()
		l.Net.Advance(20 * time.Second)
		views := s.Views()
		t.Logf("%d kbit/s: %+v, concealed %.2f %%, estimate %d kbit/s", rate/kbps, views, 100*s.Concealed(), s.Estimate()/kbps)
		require.Equal(t, 2, views[0].Spatial, "the preferred one is sharp")
		require.Greater(t, views[0].FrameRate, 12.0)
		for i, v := range views {
			require.Greater(t, v.FrameRate, 4.5, "publisher %d", i)
			require.Less(t, v.LongestFreeze, 1500*time.Millisecond, "publisher %d", i)
		}
		require.Less(t, s.Concealed(), 0.02)
	}
}

// A link that becomes narrow hardly harms the sound on it.
func TestSoundDoesNotSuffer(t *testing.T) {
	l := medialab.New(1)
	for range 4 {
		l.Publish(camera, true)
	}
	l.Net.Advance(3 * time.Second)
	s := l.Subscribe(medialab.Shaped(3000*kbps), back, 0)
	for _, p := range l.Publishers {
		s.Watch(p, 1)
	}
	for _, rate := range []unit.Bitrate{3000 * kbps, 900 * kbps, 2000 * kbps, 700 * kbps} {
		s.SetRate(rate)
		s.Mark()
		l.Net.Advance(20 * time.Second)
		t.Logf("%d kbit/s: %+v, concealed %.2f %%", rate/kbps, s.Views(), 100*s.Concealed())
		require.Less(t, s.Concealed(), 0.03)
	}
}

// A receiver that loses a lot, and one that loses everything, change nothing for the others, and ask the publisher for at most one
// key frame a second.
func TestALossyReceiverHarmsNobody(t *testing.T) {
	for name, bad := range map[string]simnet.Conditions{
		"a lot":      {Delay: 25 * time.Millisecond, Loss: 0.4},
		"everything": {Delay: 25 * time.Millisecond, Loss: 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := medialab.New(1)
			p := l.Publish(medialab.VP8, false)
			l.Net.Advance(3 * time.Second)
			var good []*medialab.Subscriber
			for range 4 {
				s := l.Subscribe(medialab.Shaped(3000*kbps), back, 0)
				s.Watch(p, 1)
				good = append(good, s)
			}
			lossy := l.Subscribe(medialab.Shaped(3000*kbps), back, 0)
			lossy.Watch(p, 1)
			l.Net.Advance(10 * time.Second)
			for _, s := range good {
				s.Mark()
			}
			lossy.SetConditions(bad)
			before := p.PLIs
			l.Net.Advance(20 * time.Second)
			for _, s := range good {
				v := s.Views()[0]
				require.Zero(t, v.Freezes)
				require.Equal(t, 2, v.Spatial)
				require.Greater(t, v.FrameRate, 19.0)
			}
			t.Logf("%d key frames asked for in 20 s", p.PLIs-before)
			require.LessOrEqual(t, p.PLIs-before, 21)
		})
	}
}

// Subscribers behind one narrow link, who do not know of each other, share it within a factor of 2, whether they come together or
// late.
func TestSubscribersShareALink(t *testing.T) {
	for _, test := range []struct {
		n     int
		apart time.Duration
	}{{2, 20 * time.Second}, {4, 0}} {
		rates := share(test.n, test.apart)
		t.Logf("%d, %v apart: %d kbit/s", test.n, test.apart, rates)
		require.LessOrEqual(t, slices.Max(rates), 2*slices.Min(rates))
		sum := 0
		for _, r := range rates {
			sum += r
		}
		require.Greater(t, sum, 1500)
	}
}

// share returns what n subscribers get of a link of 2 Mbit/s, in kbit/s, over 40 s after the last one came.
func share(n int, apart time.Duration) (rates []int) {
	l := medialab.New(1)
	for range 8 {
		l.Publish(camera, false)
	}
	l.Net.Advance(3 * time.Second)
	var all []*medialab.Subscriber
	for i := range n {
		s := l.Subscribe(medialab.Shaped(2000*kbps), back, 0)
		if i > 0 {
			s.Share(all[0])
			l.Net.Advance(apart)
		}
		for _, p := range l.Publishers {
			s.Watch(p, 1)
		}
		all = append(all, s)
	}
	l.Net.Advance(20 * time.Second)
	for _, s := range all {
		rates = append(rates, -s.Media)
	}
	l.Net.Advance(40 * time.Second)
	for i, s := range all {
		rates[i] = (rates[i] + s.Media) * 8 / 40 / 1000
	}
	return rates
}
