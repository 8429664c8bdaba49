package medialab

import (
	"iter"
	"slices"
	"time"

	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

// Scene is one publisher or several, and a subscriber behind a link that changes.
type Scene struct {
	Name       string
	Videos     []Video
	Priorities []uint8 // of the consumers; nil: 1 each
	Audio      bool
	Initial    unit.Bitrate // the first estimate, 0: the default
	Back       simnet.Conditions
	Phases     []Phase
}

// Phase is a part of a scene.
type Phase struct {
	Name  string
	Lasts time.Duration
	Link  simnet.Conditions
	// Begin does what conditions cannot say; nil for nothing.
	Begin func(s *Subscriber)
}

// Shaped is a link of a rate, with 25 ms of delay and a queue of 300 ms.
func Shaped(rate unit.Bitrate) simnet.Conditions {
	return simnet.Conditions{Delay: 25 * time.Millisecond, Rate: rate, QueueTime: 300 * time.Millisecond}
}

// step is how often a scene is sampled.
const step = 100 * time.Millisecond

// Sample is what was seen in one step.
type Sample struct {
	At                           time.Duration
	Link, Estimate               unit.Bitrate
	Media, Repairs, Probes, Sent unit.Bitrate // Sent: by the worker, with what the link drops
	Queue                        time.Duration
	Layer                        int // of the newest frame shown: 3 times the spatial layer and the temporal ones, -1 before the first
}

// Result is what came of a phase.
type Result struct {
	Scene, Phase           string
	Link                   unit.Bitrate
	Media, SecondHalf      unit.Bitrate // that arrived: on average, and in the second half
	Repairs, Probes        unit.Bitrate
	Freezes                int
	Frozen, LongestFreeze  time.Duration
	LateFreeze             time.Duration // the longest that began after 2 s
	Dropped                float64       // share of what was sent that did not fit into the queue
	Queue, QueueP95        time.Duration
	FrameRate, SecondRate  float64 // frames shown a second: on average, and in the second half
	Frames                 float64 // share of the camera's frames that were shown
	Spatial                int     // the layer that was shown most in the second half
	TopAfter               time.Duration
	Changes                float64       // of the spatial layer, a minute
	Concealed              float64       // share of sound
	Estimate, EstimateLow  unit.Bitrate  // on average in the second half, lowest
	Met                    time.Duration // until the worker sent no more than the link takes, for 300 ms
	Reached                time.Duration // until the estimate was 90 % of the link, -1: never
	KeyFrames, PLIs, NACKs int
	Used                   float64      // share of the link that was used in the second half
	Cross                  unit.Bitrate // cross traffic that arrived in the second half
}

// Run is a scene that was played.
type Run struct {
	Scene   *Scene
	Results []Result
	Samples []Sample
	Freezes [][2]time.Duration
	Lab     *Lab
}

// counts are what a phase is measured by, as it stands at an instant.
type counts struct {
	at                               time.Duration
	media, repairs, probes, passed   int
	cross                            int
	sent, dropped                    int
	played, concealed                int
	keys, plis, nacks, shown, sample int
}

func (r *Run) count(s *Subscriber) counts {
	c := counts{at: r.Lab.Now(), media: s.Media, repairs: s.Repairs, probes: s.Probes, passed: s.down.Passed(), sample: len(r.Samples)}
	for _, f := range s.Cross {
		c.cross += f.Arrived()
	}
	stats := s.down.Stats()
	c.sent, c.dropped = stats.Sent, stats.QueueDropped
	for _, a := range s.Audios {
		c.played, c.concealed = c.played+a.played, c.concealed+a.concealed
	}
	for _, p := range r.Lab.Publishers {
		c.keys += p.Camera.keys
	}
	for _, v := range s.Videos {
		c.plis, c.nacks, c.shown = c.plis+v.plis, c.nacks+v.nacks, c.shown+len(v.shownAs)
	}
	return c
}

// Play plays a scene.
func (sc *Scene) Play(seed uint64) *Run {
	r := &Run{Scene: sc, Lab: New(seed)}
	back := sc.Back
	if back == (simnet.Conditions{}) {
		back = simnet.Conditions{Delay: 25 * time.Millisecond}
	}
	for _, v := range sc.Videos {
		r.Lab.Publish(v, sc.Audio)
	}
	// The call has been going on for a while when the subscriber comes.
	r.Lab.Net.Advance(3 * time.Second)
	s := r.Lab.Subscribe(sc.Phases[0].Link, back, sc.Initial)
	for i, p := range r.Lab.Publishers {
		priority := uint8(1)
		if sc.Priorities != nil {
			priority = sc.Priorities[i]
		}
		s.Watch(p, priority)
	}
	for i := range sc.Phases {
		r.play(s, &sc.Phases[i])
	}
	for _, v := range s.Videos {
		for _, f := range v.freezes {
			r.Freezes = append(r.Freezes, [2]time.Duration{f.from.Sub(began), f.to.Sub(began)})
		}
	}
	return r
}

func (r *Run) play(s *Subscriber, p *Phase) {
	link := p.Link
	link.Overhead = PacketOverhead
	s.down.SetConditions(link)
	if p.Begin != nil {
		p.Begin(s)
	}
	before := r.count(s)
	var half counts
	for passed := time.Duration(0); passed < p.Lasts; passed += step {
		if passed >= p.Lasts/2 && half.at == 0 {
			half = r.count(s)
		}
		r.sample(s)
	}
	r.Results = append(r.Results, r.result(s, p, before, half, r.count(s)))
}

// sample lets a step pass.
func (r *Run) sample(s *Subscriber) {
	media, repairs, probes := s.Media, s.Repairs, s.Probes
	sent := s.SentBytes()
	var queue time.Duration
	const parts = 10
	for range parts {
		r.Lab.Net.Advance(step / parts)
		queue += s.down.Waits() / parts
	}
	per := func(n int) unit.Bitrate { return unit.Bitrate(float64(n) * 8 / step.Seconds()) }
	x := Sample{
		At: r.Lab.Now(), Link: s.down.Conditions().Rate, Estimate: s.Estimate(), Queue: queue, Layer: -1,
		Media: per(s.Media - media), Repairs: per(s.Repairs - repairs), Probes: per(s.Probes - probes), Sent: per(s.SentBytes() - sent),
	}
	if shown := s.Videos[0].shownAs; len(shown) > 0 {
		x.Layer = 3 * int(shown[len(shown)-1].spatial)
		for _, f := range shown[max(len(shown)-8, 0):] {
			if f.spatial == shown[len(shown)-1].spatial {
				x.Layer = max(x.Layer, 3*int(f.spatial)+int(f.temporal))
			}
		}
	}
	r.Samples = append(r.Samples, x)
}

func (r *Run) result(s *Subscriber, p *Phase, before, half, after counts) Result {
	lasts, rest := (after.at - before.at).Seconds(), (after.at - half.at).Seconds()
	rate := func(n int, seconds float64) unit.Bitrate { return unit.Bitrate(float64(n) * 8 / seconds) }
	x := Result{
		Scene: r.Scene.Name, Phase: p.Name, Link: p.Link.Rate, Media: rate(after.media-before.media, lasts),
		SecondHalf: rate(after.media-half.media, rest), Cross: rate(after.cross-half.cross, rest),
		Repairs: rate(after.repairs-before.repairs, lasts), Probes: rate(after.probes-before.probes, lasts),
		Dropped:   float64(after.dropped-before.dropped) / float64(max(after.sent-before.sent, 1)),
		FrameRate: float64(after.shown-before.shown) / lasts / float64(len(s.Videos)),
		KeyFrames: after.keys - before.keys, PLIs: after.plis - before.plis, NACKs: after.nacks - before.nacks,
		Concealed: float64(after.concealed-before.concealed) / float64(max(after.played-before.played, 1)),
		TopAfter:  -1, Reached: -1, EstimateLow: 1 << 62,
	}
	x.Frames = x.FrameRate / r.Lab.Publishers[0].Camera.FrameRate
	x.SecondRate = float64(after.shown-half.shown) / rest / float64(len(s.Videos))
	r.sampled(&x, before, half, after)
	r.seen(&x, s, before.at, half.at)
	return x
}

// payloadShare is what is left of a link without PacketOverhead, about.
const payloadShare = 0.96

// windows returns what was sent in each three samples in a row, in bits per second.
func windows(samples []Sample) iter.Seq[unit.Bitrate] {
	return func(yield func(unit.Bitrate) bool) {
		for i := range len(samples) - 2 {
			if !yield((samples[i].Sent + samples[i+1].Sent + samples[i+2].Sent) / 3) {
				return
			}
		}
	}
}

// sampled fills in what samples show.
func (r *Run) sampled(x *Result, before, half, after counts) {
	samples := r.Samples[before.sample:]
	var queues []time.Duration
	sum := unit.Bitrate(0)
	for i, sample := range samples {
		queues = append(queues, sample.Queue)
		x.Queue += sample.Queue / time.Duration(len(samples))
		x.EstimateLow = min(x.EstimateLow, sample.Estimate)
		if i >= half.sample-before.sample {
			sum += sample.Estimate
		}
	}
	x.Estimate = sum / unit.Bitrate(len(samples)-(half.sample-before.sample))
	slices.Sort(queues)
	x.QueueP95 = queues[len(queues)*95/100]
	if x.Link > 0 {
		x.Met = time.Duration(max(slices.IndexFunc(slices.Collect(windows(samples)), func(sent unit.Bitrate) bool { return sent <= x.Link }), 0)) * step
		reached := func(s Sample) bool { return float64(s.Estimate) >= 0.9*payloadShare*float64(x.Link) }
		if i := slices.IndexFunc(samples, reached); i >= 0 {
			x.Reached = time.Duration(i) * step
		}
		x.Used = float64(after.passed-half.passed) * 8 / (after.at - half.at).Seconds() / float64(x.Link)
	}
}

// seen fills in what was shown, of the first video.
func (r *Run) seen(x *Result, s *Subscriber, from, half time.Duration) {
	for _, v := range s.Videos {
		freezes := v.freezes
		if v.shownAt != 0 && r.Lab.Net.Now().Sub(v.shownAt) > time.Second {
			freezes = append(slices.Clone(freezes), freeze{v.shownAt, r.Lab.Net.Now()}) // it lasts
		}
		for _, f := range freezes {
			begins := max(f.from.Sub(began), from)
			lasts := f.to.Sub(began) - begins
			if lasts <= 0 {
				continue
			}
			x.Freezes++
			x.Frozen += lasts
			x.LongestFreeze = max(x.LongestFreeze, lasts)
			if late := max(begins, from+2*time.Second); f.to.Sub(began) > late {
				x.LateFreeze = max(x.LateFreeze, f.to.Sub(began)-late)
			}
		}
	}
	var layers [8]int
	last, changes := -1, 0
	top := uint8(len(r.Lab.Publishers[0].Camera.Layers) - 1)
	for _, f := range s.Videos[0].shownAs {
		at := f.at.Sub(began)
		if at >= from {
			if last >= 0 && int(f.spatial) != last {
				changes++
			}
			if f.spatial == top && x.TopAfter < 0 {
				x.TopAfter = at - from
			}
			if at >= half {
				layers[f.spatial]++
			}
		}
		last = int(f.spatial)
	}
	x.Changes = float64(changes) / (r.Lab.Now() - from).Minutes()
	for i, n := range layers {
		if n > layers[x.Spatial] {
			x.Spatial = i
		}
	}
}
