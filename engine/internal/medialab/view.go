package medialab

import (
	"time"

	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

// View is what a subscriber saw of a video since the last Mark.
type View struct {
	FrameRate     float64
	Spatial       int // the layer that was shown most
	Freezes       int
	LongestFreeze time.Duration
}

// mark is where a span of time begins.
type mark struct {
	at                unit.Time
	played, concealed int
}

// Mark begins a span of time for Views and Concealed.
func (s *Subscriber) Mark() {
	s.mark = mark{at: s.lab.Net.Now()}
	for _, a := range s.Audios {
		s.mark.played, s.mark.concealed = s.mark.played+a.played, s.mark.concealed+a.concealed
	}
}

// Views returns what was seen, of each video in the order of Watch.
func (s *Subscriber) Views() []View {
	views := make([]View, len(s.Videos))
	now := s.lab.Net.Now()
	for i, v := range s.Videos {
		w := &views[i]
		var layers [8]int
		for _, f := range v.shownAs {
			if f.at > s.mark.at {
				layers[f.spatial]++
				w.FrameRate += 1 / now.Sub(s.mark.at).Seconds()
			}
		}
		for l, n := range layers {
			if n > layers[w.Spatial] {
				w.Spatial = l
			}
		}
		for _, f := range append(v.freezes[:len(v.freezes):len(v.freezes)], freeze{v.shownAt, now}) {
			if lasts := f.to.Sub(max(f.from, s.mark.at)); f.to > s.mark.at && lasts > freezeOffset {
				w.Freezes++
				w.LongestFreeze = max(w.LongestFreeze, lasts)
			}
		}
	}
	return views
}

// Concealed returns the share of sound that had to be made up.
func (s *Subscriber) Concealed() float64 {
	played, concealed := -s.mark.played, -s.mark.concealed
	for _, a := range s.Audios {
		played, concealed = played+a.played, concealed+a.concealed
	}
	return float64(concealed) / float64(max(played, 1))
}

// LongestQueue lets time pass, and returns how long a packet would have waited for the link at most.
func (s *Subscriber) LongestQueue(d time.Duration) (longest time.Duration) {
	for range d / time.Millisecond {
		s.lab.Net.Advance(time.Millisecond)
		longest = max(longest, s.down.Waits())
	}
	return longest
}

// SetConditions changes the link to the subscriber.
func (s *Subscriber) SetConditions(c simnet.Conditions) {
	c.Overhead = PacketOverhead
	s.down.SetConditions(c)
}

// SetRate changes the rate of the link to the subscriber.
func (s *Subscriber) SetRate(rate unit.Bitrate) {
	c := s.down.Conditions()
	c.Rate = rate
	s.down.SetConditions(c)
}
