package medialab_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/medialab"
	"gazpacho/engine/unit"
)

// goal bounds what a phase of a scene shows. Zero bounds do not count.
type goal struct {
	scene, phase        string
	freeze, lateFreeze  time.Duration // the longest, and the longest after 2 s
	media               unit.Bitrate  // at least, in the second half
	frames              float64       // a second at least, in the second half
	dropped             float64       // at most
	queue               time.Duration // at most, on average
	top, met, reached   time.Duration // at most
	used                float64       // share of the link, at least
	concealed           float64       // at most
	estimate            unit.Bitrate  // at least
	changes             float64       // a minute, at most
	least, most, others unit.Bitrate
}

// goals are those of docs/media.md, with some room. Scenes that take long and show nothing else have none.
var goals = []goal{
	{scene: "VP9 SVC", phase: "-> 600 k", freeze: 500 * time.Millisecond, media: 280 * kbps, frames: 19, dropped: 0.05, queue: 60 * time.Millisecond},
	{scene: "VP9 SVC", phase: "-> 200 k", freeze: 1100 * time.Millisecond, lateFreeze: time.Second, media: 110 * kbps, frames: 18, queue: 60 * time.Millisecond},
	{scene: "VP9 SVC", phase: "-> 2 M", top: 4 * time.Second, frames: 19, changes: 6},
	{scene: "VP8 simulcast", phase: "-> 600 k", freeze: 500 * time.Millisecond, media: 240 * kbps, frames: 19, dropped: 0.05, queue: 60 * time.Millisecond},
	{scene: "VP8 simulcast", phase: "-> 300 k", freeze: 600 * time.Millisecond, media: 90 * kbps, frames: 18, dropped: 0.05, queue: 60 * time.Millisecond},
	{scene: "VP8 simulcast", phase: "-> 3 M", top: 4 * time.Second, frames: 19, changes: 6},
	{scene: "suddenly 500 k, with sound", phase: "-> 500 k", freeze: 500 * time.Millisecond, media: 240 * kbps, frames: 18, queue: 60 * time.Millisecond, concealed: 0.02},
	{scene: "VP9 SVC, layers that fit", phase: "-> 600 k", freeze: 500 * time.Millisecond, media: 480 * kbps, frames: 19, dropped: 0.05, queue: 60 * time.Millisecond},
	{scene: "stalled for 10 s", phase: "back", freeze: 1500 * time.Millisecond, media: 900 * kbps},

	{scene: "random loss", phase: "2 %", freeze: 500 * time.Millisecond, frames: 19, estimate: 1100 * kbps},
	{scene: "random loss", phase: "5 %", freeze: 500 * time.Millisecond, frames: 19, estimate: 1000 * kbps},
	{scene: "random loss", phase: "10 %", freeze: 500 * time.Millisecond, frames: 18, estimate: 700 * kbps},
	{scene: "bursts of 200 ms", phase: "every 5 s", freeze: time.Second, frames: 16, estimate: 700 * kbps},
	{scene: "bursts of packets", phase: "5 %", freeze: 500 * time.Millisecond, frames: 18, estimate: 700 * kbps},
	{scene: "reordering", phase: "5 % by 20 ms", freeze: 200 * time.Millisecond, frames: 19, estimate: 1100 * kbps},
	{scene: "jitter", phase: "up to 40 ms", freeze: 300 * time.Millisecond, frames: 19, media: 800 * kbps, queue: 60 * time.Millisecond},
	{scene: "600 ms round trip, 2 %", phase: "2 M", freeze: 1300 * time.Millisecond, frames: 19, media: 850 * kbps},

	{scene: "filled, 150 k", phase: "150 k", used: 0.75, queue: 60 * time.Millisecond},
	{scene: "filled, 500 k", phase: "500 k", used: 0.9, freeze: 500 * time.Millisecond, queue: 60 * time.Millisecond},
	{scene: "filled, 1 M", phase: "1 M", used: 0.87, queue: 60 * time.Millisecond},
	{scene: "filled, steps", phase: "-> 1.5 M", used: 0.83, queue: 60 * time.Millisecond, met: time.Second},
	{scene: "filled, steps", phase: "-> 3 M", used: 0.75, queue: 60 * time.Millisecond, reached: 5 * time.Second},
	{scene: "filled, steps", phase: "-> 750 k", used: 0.83, queue: 60 * time.Millisecond, met: time.Second},
	{scene: "filled, managed queue", phase: "2 M, CoDel", used: 0.8, queue: 60 * time.Millisecond},
	{scene: "filled, token bucket", phase: "2 M, 30 kB", used: 0.8, freeze: time.Second, frames: 18, dropped: 0.02, queue: 60 * time.Millisecond},
	{scene: "filled, beside 1 M", phase: "1 M of others", used: 0.9, freeze: 500 * time.Millisecond, frames: 19, others: 950 * kbps, queue: 60 * time.Millisecond},
	{scene: "filled, beside 1 M", phase: "and back", used: 0.8, freeze: 500 * time.Millisecond, frames: 19, reached: 5 * time.Second},
	{scene: "filled, LTE", phase: "4 M on average", used: 0.55, freeze: time.Second, frames: 17, dropped: 0.02, queue: 60 * time.Millisecond},
	{scene: "filled, Wi-Fi", phase: "8 M at best", freeze: 1500 * time.Millisecond, frames: 17, dropped: 0.02, queue: 60 * time.Millisecond},
	{scene: "filled, beside a download", phase: "a download", least: 900 * kbps, most: 2000 * kbps, others: 900 * kbps},
	{scene: "filled, a longer way", phase: "80 ms longer", used: 0.75, queue: 60 * time.Millisecond},
	{scene: "filled, a longer way", phase: "250 ms longer", used: 0.65, queue: 60 * time.Millisecond},
}

func TestGoals(t *testing.T) {
	checked := 0
	for _, scene := range slices.Concat(medialab.Narrowing, medialab.Losses, medialab.Filled) {
		if !slices.ContainsFunc(goals, func(g goal) bool { return g.scene == scene.Name }) {
			continue
		}
		t.Run(scene.Name, func(t *testing.T) {
			for _, r := range scene.Play(1).Results {
				for _, g := range goals {
					if g.scene == r.Scene && g.phase == r.Phase {
						checked++
						g.check(t, &r)
					}
				}
			}
		})
	}
	require.GreaterOrEqual(t, checked, len(goals))
}

func (g *goal) check(t *testing.T, r *medialab.Result) {
	atMost := func(what string, got, limit float64) {
		if limit > 0 && got > limit {
			t.Errorf("%s: %v, and at most %v is wanted\n%s\n%s", what, got, limit, medialab.TableHeader, r.Row())
		}
	}
	atLeast := func(what string, got, limit float64) {
		if got < limit {
			t.Errorf("%s: %v, and at least %v is wanted\n%s\n%s", what, got, limit, medialab.TableHeader, r.Row())
		}
	}
	atMost("the longest freeze", r.LongestFreeze.Seconds(), g.freeze.Seconds())
	atMost("the longest freeze after 2 s", r.LateFreeze.Seconds(), g.lateFreeze.Seconds())
	atMost("dropped", r.Dropped, g.dropped)
	atMost("queue", r.Queue.Seconds(), g.queue.Seconds())
	atMost("met after", r.Met.Seconds(), g.met.Seconds())
	if g.reached > 0 {
		atLeast("90 % reached", float64(r.Reached), 0)
		atMost("90 % reached after", r.Reached.Seconds(), g.reached.Seconds())
	}
	atMost("concealed", r.Concealed, g.concealed)
	atMost("changes", r.Changes, g.changes)
	atMost("media", float64(r.SecondHalf), float64(g.most))
	atLeast("media", float64(r.SecondHalf), float64(max(g.media, g.least)))
	atLeast("frames", r.SecondRate, g.frames)
	atLeast("used", r.Used, g.used)
	atLeast("estimate", float64(r.Estimate), float64(g.estimate))
	atLeast("others", float64(r.Cross), float64(g.others))
	if g.top > 0 {
		atLeast("top layer", float64(r.TopAfter), 0)
		atMost("top layer after", r.TopAfter.Seconds(), g.top.Seconds())
	}
}
