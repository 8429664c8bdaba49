package placement

import (
	"time"

	"gazpacho/engine/unit"
)

// Chosen here, by simulation: docs/placement.md.
const (
	// transportYouth is for how long a transport is assumed to cause more than is measured: peers connect, cameras start, bandwidth
	// estimation raises layers.
	transportYouth = 20 * time.Second
	// routerYouth is for how long others are expected to follow whoever is first in a Router.
	routerYouth = 60 * time.Second
	// routerWeight is for how many transports these are: a meeting of four, with two transports each.
	routerWeight = 8
	// transportCost is what one transport is assumed to need, in cores: mediasoup's rule of thumb is 500 consumers for each core, and
	// a peer has five to ten.
	transportCost = 0.01
	// peakSeconds is for how long a load counts that is lower by now: whoever sends to many may be back soon.
	peakSeconds = 10
)

// Outlook is what a node expects of itself, by its load and by how many transports and Routers it has. Of these, growth counts: what was
// closed again does not. What has grown counts the less, the longer ago that was, since its load shows by itself: as a whole at first,
// not at all after some time. The zero value is that of a node without anything.
type Outlook struct {
	transports, routers recent
	load                float64
	peaks               [peakSeconds]peak
}

// peak is the highest load that was measured in a second.
type peak struct {
	second unit.Time
	load   float64
}

// Measure takes the load, from 0 to 1.
func (o *Outlook) Measure(now unit.Time, load float64) {
	o.load = load
	p := &o.peaks[now/unit.Time(time.Second)%peakSeconds]
	if second := now / unit.Time(time.Second); p.second != second {
		*p = peak{second, load}
	}
	p.load = max(p.load, load)
}

// Count takes how many transports and Routers there are from now on.
func (o *Outlook) Count(now unit.Time, transports, routers int) {
	o.transports.count(now, transportYouth, transports)
	o.routers.count(now, routerYouth, routers)
}

// State returns the loads of a node with so many cores.
func (o *Outlook) State(now unit.Time, cores int) State {
	s := State{Load: o.load, Share: transportCost / float64(cores)}
	for _, p := range o.peaks {
		if now/unit.Time(time.Second)-p.second < peakSeconds {
			s.Peak = max(s.Peak, p.load)
		}
	}
	s.Assumed = o.transports.growth(now, transportYouth) * s.Share
	s.Reserved = o.routers.growth(now, routerYouth) * routerWeight * s.Share
	return s
}

// samples is how many are kept of a number that changes.
const samples = 20

// recent is a number, and what it was lately.
type recent struct {
	was  [samples]int
	sum  int // of these
	now  int
	next unit.Time // when the next sample is due; 0 before the first
}

func (r *recent) count(now unit.Time, memory time.Duration, n int) {
	r.advance(now, memory)
	r.now = n
}

// growth returns how much more there is than on average of lately.
func (r *recent) growth(now unit.Time, memory time.Duration) float64 {
	r.advance(now, memory)
	return max(0, float64(r.now)-float64(r.sum)/samples)
}

// advance takes the samples that are due.
func (r *recent) advance(now unit.Time, memory time.Duration) {
	pause := memory / samples
	if r.next == 0 || now >= r.next.Add(memory) { // all are, and they are the same
		for i := range r.was {
			r.was[i] = r.now
		}
		r.sum, r.next = r.now*samples, now.Add(pause)
		return
	}
	for ; now >= r.next; r.next = r.next.Add(pause) {
		i := int(r.next/unit.Time(pause)) % samples
		r.sum += r.now - r.was[i]
		r.was[i] = r.now
	}
}
