package bwe_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

// step changes the path, lets time pass, and says between what the estimate is then and what it is on average. Zero
// bounds do not count.
type step struct {
	name             string
	change           func(p *path)
	lasts            time.Duration
	min, max         unit.Bitrate // at the end
	minMean, maxMean unit.Bitrate
}

func rate(r unit.Bitrate) simnet.Conditions {
	// The queue holds 250 ms.
	return simnet.Conditions{Delay: 25 * time.Millisecond, Rate: r, Queue: int(r / 8 / 4)}
}

func become(c simnet.Conditions) func(p *path) {
	return func(p *path) { p.link.SetConditions(c) }
}

func TestPlans(t *testing.T) {
	back := simnet.Conditions{Delay: 25 * time.Millisecond}
	lossy := func(c simnet.Conditions, loss float64) simnet.Conditions { c.Loss = loss; return c }
	for _, plan := range []struct {
		name  string
		o     options
		steps []step
	}{
		{"a wide path", options{desired: 3000 * kbps, link: rate(50_000 * kbps)}, []step{
			{name: "2 s", lasts: 2 * time.Second, min: 2500 * kbps, max: 4100 * kbps},
			{name: "30 s", lasts: 28 * time.Second, min: 3000 * kbps},
		}},
		{"steps", options{desired: 3000 * kbps, link: rate(1000 * kbps)}, []step{
			{name: "1 Mbit/s, 3 s", lasts: 3 * time.Second, min: 600 * kbps, max: 1300 * kbps},
			{name: "1 Mbit/s, 10 s", lasts: 7 * time.Second, min: 700 * kbps, max: 1150 * kbps},
			{name: "1 Mbit/s, 60 s", lasts: 50 * time.Second, min: 700 * kbps, max: 1150 * kbps, minMean: 800 * kbps, maxMean: 1050 * kbps},
			{name: "300 kbit/s, 3 s", change: become(rate(300 * kbps)), lasts: 3 * time.Second, max: 350 * kbps},
			{name: "300 kbit/s, 30 s", lasts: 27 * time.Second, min: 200 * kbps, max: 350 * kbps, minMean: 220 * kbps, maxMean: 330 * kbps},
			{name: "2 Mbit/s, 10 s", change: become(rate(2000 * kbps)), lasts: 10 * time.Second, min: 1500 * kbps, max: 2300 * kbps},
			{name: "2 Mbit/s, 60 s", lasts: 50 * time.Second, min: 1500 * kbps, minMean: 1600 * kbps, maxMean: 2100 * kbps},
		}},
		{"2 % loss", options{desired: 2000 * kbps, link: lossy(rate(10_000*kbps), 0.02)}, []step{
			{name: "5 s", lasts: 5 * time.Second, min: 1900 * kbps},
			{name: "60 s", lasts: 55 * time.Second, min: 1900 * kbps, minMean: 1900 * kbps},
		}},
		{"2 % loss at a bottleneck", options{desired: 2000 * kbps, link: lossy(rate(1000*kbps), 0.02)}, []step{
			{name: "5 s", lasts: 5 * time.Second, min: 600 * kbps, max: 1300 * kbps},
			{name: "60 s", lasts: 55 * time.Second, min: 700 * kbps, minMean: 780 * kbps, maxMean: 1050 * kbps},
		}},
		{"15 % loss that is the path's own", options{desired: 2000 * kbps, link: lossy(rate(10_000*kbps), 0.15)}, []step{
			{name: "30 s", lasts: 30 * time.Second},
			{name: "90 s", lasts: 60 * time.Second, minMean: 1000 * kbps},
		}},
		{"a policer", options{desired: 3000 * kbps, link: simnet.Conditions{Delay: 25 * time.Millisecond, Rate: 1000 * kbps, Queue: 6000}}, []step{
			{name: "5 s", lasts: 5 * time.Second, max: 1500 * kbps},
			{name: "60 s", lasts: 55 * time.Second, minMean: 700 * kbps, maxMean: 1250 * kbps},
		}},
	} {
		t.Run(plan.name, func(t *testing.T) {
			for seed := range uint64(3) {
				o := plan.o
				o.seed, o.back = seed, back
				runPlan(t, newPath(t, o), plan.steps)
			}
		})
	}
}

func runPlan(t *testing.T, p *path, steps []step) {
	for _, s := range steps {
		if s.change != nil {
			s.change(p)
		}
		p.mark()
		sent := p.media
		p.net.Advance(s.lasts)
		t.Logf("%s: %v; media %d kbit/s, %+v", s.name, p, (p.media-sent)*8/int(s.lasts.Milliseconds()), p.link.Stats())
		now, mean := p.sender.AvailableBitrate(), p.mean()
		require.GreaterOrEqual(t, now, s.min, s.name)
		require.GreaterOrEqual(t, mean, s.minMean, s.name)
		if s.max > 0 {
			require.LessOrEqual(t, now, s.max, s.name)
		}
		if s.maxMean > 0 {
			require.LessOrEqual(t, mean, s.maxMean, s.name)
		}
	}
}
