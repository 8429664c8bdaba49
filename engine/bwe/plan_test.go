package bwe_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

// step changes the path, lets time pass, and bounds the estimate at its end and on average. Zero
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
	return simnet.Conditions{
		Delay: 25 * time.Millisecond, Jitter: 2 * time.Millisecond, Rate: r, Queue: int(r / 8 / 4),
	}
}

func become(c simnet.Conditions) func(p *path) {
	return func(p *path) { p.link.SetConditions(c) }
}

var back = simnet.Conditions{Delay: 25 * time.Millisecond, Jitter: 2 * time.Millisecond}

func lossy(c simnet.Conditions, loss float64) simnet.Conditions {
	c.Loss = loss
	return c
}

func jittery(c simnet.Conditions, jitter time.Duration) simnet.Conditions {
	c.Jitter = jitter
	return c
}

func reordered(c simnet.Conditions) simnet.Conditions {
	c.Reorder, c.ReorderBy = 0.05, 30*time.Millisecond
	return c
}

// simulcast is what an application sends that can only choose between three bitrates.
var simulcast = []unit.Bitrate{150 * kbps, 500 * kbps, 1500 * kbps}

type plan struct {
	name  string
	o     options
	steps []step
}

func TestPlans(t *testing.T) {
	for _, plans := range [][]plan{adaptive, lossyPlans, disturbed, layered, faulty, remb} {
		for _, plan := range plans {
			t.Run(plan.name, func(t *testing.T) {
				for seed := range uint64(2) {
					o := plan.o
					o.seed = seed
					if o.back == (simnet.Conditions{}) {
						o.back = back
					}
					runPlan(t, newPath(t, o), plan.steps)
				}
			})
		}
	}
}

// adaptive: the application follows the estimate.
var adaptive = []plan{
	{"a wide path", options{desired: 3000 * kbps, link: rate(50_000 * kbps)}, []step{
		{name: "2 s", lasts: 2 * time.Second, min: 2500 * kbps, max: 4100 * kbps},
		{name: "30 s", lasts: 28 * time.Second, min: 3000 * kbps, max: 4100 * kbps},
	}},
	{"steps", options{desired: 3000 * kbps, link: rate(1000 * kbps)}, []step{
		{name: "1 Mbit/s, 3 s", lasts: 3 * time.Second, min: 700 * kbps, max: 1200 * kbps},
		{name: "1 Mbit/s, 10 s", lasts: 7 * time.Second, min: 750 * kbps, max: 1150 * kbps},
		{name: "1 Mbit/s, 60 s", lasts: 50 * time.Second, min: 750 * kbps, max: 1150 * kbps, minMean: 850 * kbps, maxMean: 1020 * kbps},
		{name: "300 kbit/s, 3 s", change: become(rate(300 * kbps)), lasts: 3 * time.Second, max: 350 * kbps},
		{name: "300 kbit/s, 30 s", lasts: 27 * time.Second, min: 200 * kbps, max: 350 * kbps, minMean: 230 * kbps, maxMean: 310 * kbps},
		{name: "2 Mbit/s, 10 s", change: become(rate(2000 * kbps)), lasts: 10 * time.Second, min: 1500 * kbps, max: 2300 * kbps},
		{name: "2 Mbit/s, 60 s", lasts: 50 * time.Second, min: 1500 * kbps, minMean: 1650 * kbps, maxMean: 2050 * kbps},
	}},
	{"100 kbit/s", options{desired: 1500 * kbps, link: simnet.Conditions{Delay: 50 * time.Millisecond, Rate: 100 * kbps, Queue: 20_000}}, []step{
		{name: "5 s", lasts: 5 * time.Second, max: 130 * kbps},
		{name: "60 s", lasts: 55 * time.Second, min: 70 * kbps, max: 120 * kbps, minMean: 75 * kbps, maxMean: 110 * kbps},
	}},
	{"15 Mbit/s", options{desired: 20_000 * kbps, link: rate(15_000 * kbps)}, []step{
		{name: "3 s", lasts: 3 * time.Second, min: 9000 * kbps, max: 18_000 * kbps},
		{name: "20 s", lasts: 17 * time.Second, minMean: 11_000 * kbps, maxMean: 15_500 * kbps},
	}},
	{"a long way", options{
		desired: 3000 * kbps,
		link:    simnet.Conditions{Delay: 200 * time.Millisecond, Rate: 1500 * kbps, Queue: 60_000},
		back:    simnet.Conditions{Delay: 200 * time.Millisecond},
	}, []step{
		{name: "3 s", lasts: 3 * time.Second, min: 800 * kbps, max: 1900 * kbps},
		{name: "60 s", lasts: 57 * time.Second, minMean: 1100 * kbps, maxMean: 1550 * kbps},
	}},
	{"a queue of 2 s", options{desired: 3000 * kbps, link: simnet.Conditions{Delay: 20 * time.Millisecond, Rate: 1000 * kbps, Queue: 250_000}}, []step{
		{name: "3 s", lasts: 3 * time.Second, min: 700 * kbps, max: 1200 * kbps},
		{name: "60 s", lasts: 57 * time.Second, minMean: 850 * kbps, maxMean: 1020 * kbps},
	}},
	{"key frames at a bottleneck", options{desired: 2000 * kbps, link: rate(1000 * kbps), keyFrames: 60}, []step{
		{name: "3 s", lasts: 3 * time.Second, min: 600 * kbps, max: 1200 * kbps},
		{name: "60 s", lasts: 57 * time.Second, minMean: 700 * kbps, maxMean: 1020 * kbps},
	}},
	{"key frames on a wide path", options{desired: 2000 * kbps, link: rate(5000 * kbps), keyFrames: 60}, []step{
		{name: "3 s", lasts: 3 * time.Second, min: 1900 * kbps},
		{name: "60 s", lasts: 57 * time.Second, min: 1900 * kbps, minMean: 1900 * kbps},
	}},
}

var lossyPlans = []plan{
	{"2 % loss", options{desired: 2000 * kbps, link: lossy(rate(10_000*kbps), 0.02)}, []step{
		{name: "5 s", lasts: 5 * time.Second, min: 1900 * kbps},
		{name: "60 s", lasts: 55 * time.Second, min: 1900 * kbps, minMean: 1900 * kbps},
	}},
	{"2 % loss at a bottleneck", options{desired: 2000 * kbps, link: lossy(rate(1000*kbps), 0.02)}, []step{
		{name: "5 s", lasts: 5 * time.Second, min: 700 * kbps, max: 1200 * kbps},
		{name: "60 s", lasts: 55 * time.Second, min: 700 * kbps, minMean: 800 * kbps, maxMean: 1030 * kbps},
	}},
	{"15 % loss that is the path's own", options{desired: 2000 * kbps, link: lossy(rate(10_000*kbps), 0.15)}, []step{
		{name: "30 s", lasts: 30 * time.Second, minMean: 1000 * kbps},
		{name: "90 s", lasts: 60 * time.Second, minMean: 1500 * kbps},
	}},
	{"losses that end", options{desired: 2000 * kbps, link: lossy(rate(10_000*kbps), 0.3)}, []step{
		{name: "10 s of 30 %", lasts: 10 * time.Second},
		{name: "none", change: become(rate(10_000 * kbps)), lasts: 10 * time.Second, min: 1900 * kbps},
	}},
	{"hardly a queue", options{desired: 3000 * kbps, link: simnet.Conditions{Delay: 25 * time.Millisecond, Rate: 1000 * kbps, Queue: 6000}}, []step{
		{name: "5 s", lasts: 5 * time.Second, max: 1300 * kbps},
		{name: "60 s", lasts: 55 * time.Second, minMean: 800 * kbps, maxMean: 1150 * kbps},
	}},
}

var disturbed = []plan{
	{"jitter on a wide path", options{desired: 2000 * kbps, link: jittery(rate(10_000*kbps), 40*time.Millisecond)}, []step{
		{name: "10 s", lasts: 10 * time.Second, min: 1900 * kbps},
		{name: "60 s", lasts: 50 * time.Second, minMean: 1900 * kbps},
	}},
	{"jitter at a bottleneck", options{desired: 2000 * kbps, link: jittery(rate(1000*kbps), 20*time.Millisecond)}, []step{
		{name: "5 s", lasts: 5 * time.Second, min: 600 * kbps, max: 1400 * kbps},
		{name: "60 s", lasts: 55 * time.Second, minMean: 780 * kbps, maxMean: 1050 * kbps},
	}},
	{"packets overtaking on a wide path", options{desired: 2000 * kbps, link: reordered(rate(10_000 * kbps))}, []step{
		{name: "10 s", lasts: 10 * time.Second, min: 1900 * kbps},
		{name: "60 s", lasts: 50 * time.Second, minMean: 1900 * kbps},
	}},
	{"packets overtaking at a bottleneck", options{desired: 2000 * kbps, link: reordered(rate(1000 * kbps))}, []step{
		{name: "60 s", lasts: 60 * time.Second, minMean: 780 * kbps, maxMean: 1050 * kbps},
	}},
	{"a third of the feedback lost", options{desired: 2000 * kbps, link: rate(1000 * kbps), back: lossy(jittery(back, 20*time.Millisecond), 0.3)}, []step{
		{name: "60 s", lasts: 60 * time.Second, min: 500 * kbps, minMean: 750 * kbps, maxMean: 1050 * kbps},
	}},
}

// layered: the application sends at one of few bitrates.
var layered = []plan{
	{"layers on a wide path", options{desired: 1500 * kbps, layers: simulcast, link: rate(3000 * kbps)}, []step{
		{name: "2 s", lasts: 2 * time.Second, min: 1500 * kbps},
		{name: "60 s", lasts: 58 * time.Second, min: 1500 * kbps, minMean: 1500 * kbps},
	}},
	{"layers come and go", options{desired: 1500 * kbps, layers: simulcast, link: rate(1000 * kbps)}, []step{
		{name: "1 Mbit/s", lasts: 20 * time.Second, min: 500 * kbps, max: 1300 * kbps},
		{name: "3 Mbit/s", change: become(rate(3000 * kbps)), lasts: 10 * time.Second, min: 1500 * kbps},
		{name: "200 kbit/s", change: become(rate(200 * kbps)), lasts: 5 * time.Second, max: 400 * kbps},
		{name: "3 Mbit/s again", change: become(rate(3000 * kbps)), lasts: 10 * time.Second, min: 1500 * kbps},
	}},
	{"no layer fits for a while", options{desired: 1500 * kbps, layers: simulcast, link: rate(3000 * kbps)}, []step{
		{name: "3 Mbit/s", lasts: 5 * time.Second, min: 1500 * kbps},
		{name: "60 kbit/s", change: become(simnet.Conditions{Rate: 60 * kbps, Queue: 10_000}), lasts: 20 * time.Second, max: 150 * kbps},
		{name: "3 Mbit/s again", change: become(rate(3000 * kbps)), lasts: 15 * time.Second, min: 1500 * kbps},
	}},
	{"an outage", options{desired: 1500 * kbps, layers: simulcast, link: rate(3000 * kbps)}, []step{
		{name: "3 Mbit/s", lasts: 5 * time.Second, min: 1500 * kbps},
		{name: "nothing", change: become(simnet.Conditions{Loss: 1}), lasts: 30 * time.Second, max: 500 * kbps},
		{name: "3 Mbit/s again", change: become(rate(3000 * kbps)), lasts: 10 * time.Second, min: 1500 * kbps},
	}},
}

var faulty = []plan{
	{"feedback stops and comes back", options{desired: 2000 * kbps, link: rate(5000 * kbps)}, []step{
		{name: "before", lasts: 5 * time.Second, min: 1900 * kbps},
		{name: "5 s of silence", change: func(p *path) { p.silent = true }, lasts: 5 * time.Second, max: 2000 * kbps},
		{name: "20 s of silence", lasts: 15 * time.Second, max: 300 * kbps},
		{name: "after", change: func(p *path) { p.silent = false }, lasts: 10 * time.Second, min: 1900 * kbps},
	}},
	{"never any feedback", options{desired: 2000 * kbps, link: rate(5000 * kbps), back: simnet.Conditions{Loss: 1}}, []step{
		{name: "60 s", lasts: 60 * time.Second, min: 290 * kbps, max: 310 * kbps},
	}},
	{"the peer's clock jumps", options{desired: 2000 * kbps, link: rate(5000 * kbps)}, []step{
		{name: "before", lasts: 5 * time.Second, min: 1900 * kbps},
		{name: "ahead", change: func(p *path) { p.peerClock = time.Hour }, lasts: 5 * time.Second, min: 1900 * kbps},
		{name: "back", change: func(p *path) { p.peerClock = -300 * time.Hour }, lasts: 5 * time.Second, min: 1900 * kbps},
	}},
}

var remb = []plan{
	{"REMB at a bottleneck", options{bweType: api.BWETypeREMB, desired: 2000 * kbps, link: rate(1000 * kbps)}, []step{
		{name: "10 s", lasts: 10 * time.Second, min: 500 * kbps, max: 1300 * kbps},
		{name: "60 s", lasts: 50 * time.Second, minMean: 700 * kbps, maxMean: 1050 * kbps},
	}},
	{"REMB on a wide path", options{bweType: api.BWETypeREMB, desired: 2000 * kbps, link: rate(5000 * kbps)}, []step{
		{name: "10 s", lasts: 10 * time.Second, min: 1900 * kbps},
		{name: "60 s", lasts: 50 * time.Second, min: 1900 * kbps, minMean: 1900 * kbps},
	}},
	{"REMB with layers", options{bweType: api.BWETypeREMB, desired: 1500 * kbps, layers: simulcast, link: rate(5000 * kbps)}, []step{
		{name: "10 s", lasts: 10 * time.Second, min: 1500 * kbps},
		{name: "60 s", lasts: 50 * time.Second, min: 1500 * kbps},
	}},
}

func TestCompetingFlows(t *testing.T) {
	for _, n := range []int{2, 4} {
		paths := newShared(t, options{desired: 3000 * kbps, link: rate(2000 * kbps), back: back}, n)
		paths[0].net.Advance(20 * time.Second)
		for _, p := range paths {
			p.mark()
		}
		paths[0].net.Advance(100 * time.Second)
		total := unit.Bitrate(0)
		for i, p := range paths {
			t.Log(n, i, p)
			total += p.mean()
			require.Greater(t, p.mean(), 2000*kbps/unit.Bitrate(4*n), "no flow starves")
		}
		require.Greater(t, total, 1400*kbps)
		require.Less(t, total, 2200*kbps)
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
