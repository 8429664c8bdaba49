package medialab

import (
	"strconv"
	"time"

	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

const kbps unit.Bitrate = 1000

func shaped(lasts time.Duration, rates ...unit.Bitrate) (phases []Phase) {
	for i, rate := range rates {
		name := "-> "
		if i == 0 {
			name = ""
		}
		phases = append(phases, Phase{Name: name + short(rate), Lasts: lasts, Link: Shaped(rate)})
	}
	return phases
}

func with(c simnet.Conditions, change func(*simnet.Conditions)) simnet.Conditions {
	change(&c)
	return c
}

func lossy(rate unit.Bitrate, loss float64) simnet.Conditions {
	return with(Shaped(rate), func(c *simnet.Conditions) { c.Loss = loss })
}

// Narrowing are the scenes in which a link changes.
var Narrowing = []Scene{
	{Name: "VP9 SVC", Videos: []Video{VP9}, Phases: shaped(20*time.Second, 2000*kbps, 600*kbps, 2000*kbps, 200*kbps, 2000*kbps)},
	{Name: "VP8 simulcast", Videos: []Video{VP8}, Phases: shaped(20*time.Second, 3000*kbps, 600*kbps, 300*kbps, 3000*kbps)},
	{Name: "suddenly 500 k, with sound", Videos: []Video{VP8}, Audio: true, Phases: []Phase{
		{Name: "unlimited", Lasts: 20 * time.Second, Link: simnet.Conditions{Delay: 25 * time.Millisecond}},
		{Name: "-> 500 k", Lasts: 40 * time.Second, Link: Shaped(500 * kbps)},
	}},
	{Name: "a picture that hardly fits", Videos: []Video{{Layers: []unit.Bitrate{150 * kbps, 345 * kbps, 800 * kbps}}}, Audio: true, Phases: []Phase{
		{Name: "3 M", Lasts: 20 * time.Second, Link: Shaped(3000 * kbps)},
		{Name: "-> 500 k", Lasts: 60 * time.Second, Link: Shaped(500 * kbps)},
	}},
	{Name: "VP9 SVC, layers that fit", Videos: []Video{{Layers: []unit.Bitrate{120 * kbps, 300 * kbps, 495 * kbps}, SVC: true}}, Phases: shaped(20*time.Second, 2000*kbps, 600*kbps)},
	{Name: "stalled for 10 s", Videos: []Video{VP9}, Phases: []Phase{
		{Name: "2 M", Lasts: 15 * time.Second, Link: Shaped(2000 * kbps)},
		{Name: "stalled", Lasts: 10 * time.Second, Link: Shaped(2000 * kbps), Begin: func(s *Subscriber) { s.down.Stall(10 * time.Second) }},
		{Name: "back", Lasts: 15 * time.Second, Link: Shaped(2000 * kbps)},
	}},
}

// Losses are the scenes in which packets are lost that no queue drops.
var Losses = []Scene{
	{Name: "random loss", Videos: []Video{VP9}, Phases: []Phase{
		{Name: "none", Lasts: 20 * time.Second, Link: lossy(2000*kbps, 0)},
		{Name: "2 %", Lasts: 20 * time.Second, Link: lossy(2000*kbps, 0.02)},
		{Name: "5 %", Lasts: 20 * time.Second, Link: lossy(2000*kbps, 0.05)},
		{Name: "10 %", Lasts: 20 * time.Second, Link: lossy(2000*kbps, 0.10)},
	}},
	{Name: "bursts of 200 ms", Videos: []Video{VP9}, Phases: []Phase{
		{Name: "every 5 s", Lasts: 40 * time.Second, Link: Shaped(2000 * kbps), Begin: lossBursts},
	}},
	{Name: "bursts of packets", Videos: []Video{VP9}, Phases: []Phase{
		{Name: "5 %", Lasts: 30 * time.Second, Link: with(Shaped(2000*kbps), func(c *simnet.Conditions) {
			c.Bursts = simnet.Bursts{Begin: 0.01, End: 0.2, Loss: 1}
		})},
	}},
	{Name: "reordering", Videos: []Video{VP9}, Phases: []Phase{
		{Name: "5 % by 20 ms", Lasts: 30 * time.Second, Link: with(Shaped(2000*kbps), func(c *simnet.Conditions) {
			c.Reorder, c.ReorderBy = 0.05, 20*time.Millisecond
		})},
	}},
	{Name: "jitter", Videos: []Video{VP9}, Phases: []Phase{
		{Name: "up to 40 ms", Lasts: 30 * time.Second, Link: with(Shaped(2000*kbps), func(c *simnet.Conditions) { c.Jitter = 40 * time.Millisecond })},
	}},
	{Name: "600 ms round trip, 2 %", Videos: []Video{VP9}, Back: simnet.Conditions{Delay: 300 * time.Millisecond}, Phases: []Phase{
		{Name: "2 M", Lasts: 40 * time.Second, Link: with(lossy(2000*kbps, 0.02), func(c *simnet.Conditions) { c.Delay = 300 * time.Millisecond })},
	}},
}

// filling is more video than a link takes, in many steps.
func filling(rate unit.Bitrate) (videos []Video) {
	cameras := 8
	if rate < 400*kbps {
		cameras = 3
	}
	n := unit.Bitrate(cameras)
	for range cameras {
		videos = append(videos, Video{Layers: []unit.Bitrate{rate / n / 4, rate / n / 2, rate / n * 7 / 4}, SVC: true})
	}
	return videos
}

func filled(name string, widest unit.Bitrate, phases ...Phase) Scene {
	return Scene{Name: name, Videos: filling(widest), Phases: phases}
}

// Filled are the scenes with more video than the link takes, which show how well it is used.
var Filled = []Scene{
	filled("filled, 150 k", 150*kbps, shaped(40*time.Second, 150*kbps)...),
	filled("filled, 500 k", 500*kbps, shaped(40*time.Second, 500*kbps)...),
	filled("filled, 1 M", 1000*kbps, shaped(40*time.Second, 1000*kbps)...),
	filled("filled, 3 M", 3000*kbps, shaped(40*time.Second, 3000*kbps)...),
	filled("filled, 10 M", 10_000*kbps, shaped(40*time.Second, 10_000*kbps)...),
	filled("filled, steps", 3000*kbps, shaped(20*time.Second, 3000*kbps, 1500*kbps, 3000*kbps, 750*kbps, 3000*kbps)...),
	filled("filled, managed queue", 2000*kbps, Phase{Name: "2 M, CoDel", Lasts: 40 * time.Second, Link: with(Shaped(2000*kbps), func(c *simnet.Conditions) { c.CoDel = true })}),
	filled("filled, token bucket", 2000*kbps, Phase{Name: "2 M, 30 kB", Lasts: 40 * time.Second, Link: with(Shaped(2000*kbps), func(c *simnet.Conditions) { c.Burst = 30_000 })}),
	filled("filled, beside a download", 3000*kbps,
		Phase{Name: "3 M", Lasts: 15 * time.Second, Link: Shaped(3000 * kbps)},
		Phase{Name: "a download", Lasts: 60 * time.Second, Link: Shaped(3000 * kbps), Begin: download},
		Phase{Name: "and back", Lasts: 15 * time.Second, Link: Shaped(3000 * kbps)}),
	filled("filled, a longer way", 2000*kbps,
		Phase{Name: "2 M", Lasts: 15 * time.Second, Link: Shaped(2000 * kbps)},
		Phase{Name: "80 ms longer", Lasts: 20 * time.Second, Link: with(Shaped(2000*kbps), func(c *simnet.Conditions) { c.Delay += 80 * time.Millisecond })},
		Phase{Name: "250 ms longer", Lasts: 20 * time.Second, Link: with(Shaped(2000*kbps), func(c *simnet.Conditions) { c.Delay += 250 * time.Millisecond })}),
	filled("filled, beside 1 M", 3000*kbps,
		Phase{Name: "3 M", Lasts: 15 * time.Second, Link: Shaped(3000 * kbps)},
		Phase{Name: "1 M of others", Lasts: 20 * time.Second, Link: Shaped(3000 * kbps), Begin: func(s *Subscriber) {
			s.Cross = append(s.Cross, s.down.Constant(1000*kbps, 20*time.Second))
		}},
		Phase{Name: "and back", Lasts: 20 * time.Second, Link: Shaped(3000 * kbps)}),
	filled("filled, LTE", 4000*kbps, Phase{Name: "4 M on average", Lasts: 60 * time.Second, Link: Shaped(4000 * kbps), Begin: func(s *Subscriber) {
		s.down.Follow(simnet.LTETrace(1, time.Minute, 4000*kbps))
	}}),
	filled("filled, Wi-Fi", 6000*kbps, Phase{Name: "8 M at best", Lasts: 60 * time.Second, Link: Shaped(8000 * kbps), Begin: func(s *Subscriber) {
		s.down.Follow(simnet.WiFiTrace(1, time.Minute, 8000*kbps))
	}}),
}

func download(s *Subscriber) {
	s.Cross = append(s.Cross, s.down.Cubic(25*time.Millisecond, time.Minute))
}

// lossBursts loses everything for 200 ms every 5 s.
func lossBursts(s *Subscriber) {
	good := s.down.Conditions()
	bad := good
	bad.Loss = 1
	var begin func(unit.Time)
	begin = func(now unit.Time) {
		s.down.SetConditions(bad)
		s.lab.Net.At(now.Add(200*time.Millisecond), func(unit.Time) { s.down.SetConditions(good) })
		s.lab.Net.At(now.Add(5*time.Second), begin)
	}
	s.lab.Net.After(5*time.Second, begin)
}

// short returns a bitrate as people write it.
func short(r unit.Bitrate) string {
	switch {
	case r == 0:
		return "unlimited"
	case r >= 1000*kbps && r%(100*kbps) == 0:
		s := strconv.Itoa(int(r/(1000*kbps))) + " M"
		if tenths := r % (1000 * kbps) / (100 * kbps); tenths > 0 {
			s = strconv.Itoa(int(r/(1000*kbps))) + "." + strconv.Itoa(int(tenths)) + " M"
		}
		return s
	}
	return strconv.Itoa(int(r/kbps)) + " k"
}
