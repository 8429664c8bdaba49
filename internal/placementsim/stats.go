package main

import (
	"slices"
	"time"

	"gazpacho/scaling/placement"
)

// sample is the cluster at one instant. Shares are of the nodes that live.
type sample struct {
	at            time.Duration // from the begin
	transports    int
	used          int     // nodes with transports
	above         float64 // share above the watermark
	full          float64 // share that can forward no more
	p50, p95, p99 float64 // loads: the median, and what five per cent and one per cent of the nodes exceed
}

// survey is what costs more to look at.
type survey struct {
	rooms, split       int // split ones are on several nodes
	relays             int
	delivered          int // streams that go to people
	nodesOfLargestRoom int
}

// stats is what was counted.
type stats struct {
	samples   []sample
	survey    survey
	decisions int
	busy      int // transports that a node refused as busy
	short     int // that all refused
	deepest   int // relays one after the other
}

type result struct {
	name string
	stats
}

// sample looks at the cluster each second.
func (w *world) sample() {
	s := sample{at: w.now.Sub(w.begin)}
	var loads []float64
	for _, n := range w.nodes {
		if n.dead {
			continue
		}
		loads = append(loads, n.load())
		s.transports += len(n.transports)
		if len(n.transports) > 0 {
			s.used++
		}
		if n.load() > placement.Watermark {
			s.above++
		}
		if n.used >= float64(n.cores) {
			s.full++
		}
	}
	slices.Sort(loads)
	count := len(loads)
	s.above /= float64(count)
	s.full /= float64(count)
	s.p50, s.p95, s.p99 = loads[count/2], loads[count*95/100], loads[count*99/100]
	w.stats.samples = append(w.stats.samples, s)
	w.after(time.Second, w.sample)
}

// survey looks at rooms.
func (w *world) survey() {
	s := survey{rooms: len(w.rooms), relays: w.relays}
	for _, r := range w.rooms {
		if len(r.spots) > 1 {
			s.split++
		}
		s.nodesOfLargestRoom = max(s.nodesOfLargestRoom, len(r.spots))
		for _, m := range r.members {
			if t := m.transports[len(m.transports)-1]; t.active {
				s.delivered += r.watched(t)
			}
		}
	}
	w.stats.survey = s
}

// worstMinute returns the mean of a share in the minute in which it is the highest.
func (s *stats) worstMinute(share func(*sample) float64) (worst float64) {
	const minute = 60
	sum := 0.0
	for i := range s.samples {
		sum += share(&s.samples[i])
		if i >= minute {
			sum -= share(&s.samples[i-minute])
		}
		if i >= minute-1 {
			worst = max(worst, sum/minute)
		}
	}
	return worst
}

// at returns the cluster as it was at an instant.
func (s *stats) at(d time.Duration) sample { return s.samples[int(d/time.Second)-1] }

func above(s *sample) float64 { return s.above }

func full(s *sample) float64 { return s.full }
