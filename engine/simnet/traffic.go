package simnet

import (
	"math"
	"math/rand/v2"
	"time"

	"gazpacho/engine/unit"
)

// crossPacket is the size of cross traffic's packets in bytes.
const crossPacket = 1200

// Flow is cross traffic over a link.
type Flow struct {
	link    *Link
	ends    unit.Time
	arrived int // bytes

	// Of flows with a congestion window (RFC 9438): numbers of packets, and the window in packets.
	back              time.Duration
	next, acked       int
	recovered         int // losses of packets before it belong to the last decrease
	window, threshold float64
	highest           float64 // the window before the last decrease
	decreasedAt       unit.Time
	progressAt        unit.Time
	rtt               time.Duration
}

// Arrived returns how many bytes got through.
func (f *Flow) Arrived() int { return f.arrived }

// Stop ends the flow.
func (f *Flow) Stop() { f.ends = f.link.network.now }

// Constant sends at a constant bitrate over a link, for as long as d.
func (l *Link) Constant(rate unit.Bitrate, d time.Duration) *Flow {
	f := &Flow{link: l, ends: l.network.now.Add(d)}
	var send func(now unit.Time)
	send = func(now unit.Time) {
		if now >= f.ends {
			return
		}
		l.send(nil, crossPacket, func(unit.Time, []byte) { f.arrived += crossPacket })
		l.network.At(now.Add(takes(crossPacket, rate)), send)
	}
	send(l.network.now)
	return f
}

// From RFC 9438: sections 4.1 and 4.6; and from RFC 6928: the window in the beginning.
const (
	cubicC        = 0.4
	cubicDecrease = 0.7
	initialWindow = 10
)

// retransmissionTimeout begins anew when nothing comes back (RFC 6298 section 2.4 has this as the least).
const retransmissionTimeout = time.Second

// Cubic downloads over a link for as long as d, with the congestion control of TCP (RFC 9438). Acknowledgements come back after
// the given time.
func (l *Link) Cubic(back, d time.Duration) *Flow {
	f := &Flow{
		link: l, ends: l.network.now.Add(d), back: back, window: initialWindow, threshold: math.Inf(1),
		progressAt: l.network.now, rtt: back,
	}
	f.fill(l.network.now)
	f.watch(l.network.now)
	return f
}

// fill sends what the window allows.
func (f *Flow) fill(now unit.Time) {
	for now < f.ends && f.next-f.acked < int(f.window) {
		number := f.next
		f.next++
		f.link.send(nil, crossPacket, func(arrived unit.Time, _ []byte) {
			f.arrived += crossPacket
			f.link.network.At(arrived.Add(f.back), func(t unit.Time) { f.acknowledged(t, number, t.Sub(now)) })
		})
	}
}

// acknowledged takes that a packet arrived. Packets arrive in order, so those before it are lost.
func (f *Flow) acknowledged(now unit.Time, number int, rtt time.Duration) {
	f.rtt, f.progressAt = rtt, now
	missing := number - f.acked
	f.acked = number + 1
	if missing > 0 && number >= f.recovered {
		f.decrease(now)
	} else {
		f.grow(now)
	}
	f.fill(now)
}

func (f *Flow) decrease(now unit.Time) {
	f.highest = f.window
	f.window = max(f.window*cubicDecrease, 2)
	f.threshold, f.decreasedAt, f.recovered = f.window, now, f.next
}

func (f *Flow) grow(now unit.Time) {
	if f.window < f.threshold {
		f.window++
		return
	}
	k := math.Cbrt(f.highest * (1 - cubicDecrease) / cubicC)
	t := now.Sub(f.decreasedAt).Seconds() + f.rtt.Seconds() - k
	target := min(max(cubicC*t*t*t+f.highest, f.window), 1.5*f.window)
	f.window += (target - f.window) / f.window
}

// watch begins anew when nothing comes back any more.
func (f *Flow) watch(now unit.Time) {
	if now >= f.ends {
		return
	}
	if now.Sub(f.progressAt) >= retransmissionTimeout {
		f.decrease(now)
		f.window, f.progressAt, f.acked = 1, now, f.next
		f.fill(now)
	}
	f.link.network.At(now.Add(retransmissionTimeout/10), f.watch)
}

// Segment is a part of a trace.
type Segment struct {
	Lasts time.Duration
	Rate  unit.Bitrate // 0: nothing passes
}

// Follow changes the link's rate as a trace says, and begins it anew at its end.
func (l *Link) Follow(trace []Segment) {
	var follow func(now unit.Time, i int)
	follow = func(now unit.Time, i int) {
		s := trace[i%len(trace)]
		if s.Rate == 0 {
			l.Stall(s.Lasts)
		} else {
			l.conditions.Rate = s.Rate
		}
		l.network.At(now.Add(s.Lasts), func(now unit.Time) { follow(now, i+1) })
	}
	follow(l.network.now, 0)
}

// LTETrace returns a trace in the shape of a moving phone's: the rate wanders by up to a factor of four around the mean, changes
// every 100 ms, and now and then nothing passes for up to half a second.
func LTETrace(seed uint64, d time.Duration, mean unit.Bitrate) []Segment {
	const step = 100 * time.Millisecond
	r := rand.New(rand.NewPCG(seed, 1))
	var trace []Segment
	level := 0.0 // the binary logarithm of the rate's ratio to the mean
	for passed := time.Duration(0); passed < d; {
		s := Segment{step, 0}
		if r.Float64() < 0.004 {
			s.Lasts = time.Duration(1+r.IntN(5)) * step
		} else {
			level = min(max(0.97*level+0.25*r.NormFloat64(), -2), 1.5)
			s.Rate = unit.Bitrate(float64(mean) * math.Exp2(level))
		}
		trace = append(trace, s)
		passed += s.Lasts
	}
	return trace
}

// WiFiTrace returns a trace in the shape of a crowded wireless network's: the rate is that of one of a few modulations, and
// packets wait for others' turns, mostly for some milliseconds and now and then for a tenth of a second.
func WiFiTrace(seed uint64, d time.Duration, best unit.Bitrate) []Segment {
	r := rand.New(rand.NewPCG(seed, 2))
	var trace []Segment
	rate := best
	for passed := time.Duration(0); passed < d; {
		if r.Float64() < 0.02 {
			rate = best / unit.Bitrate(int(1)<<r.IntN(3))
		}
		passes := Segment{time.Duration(5+r.IntN(40)) * time.Millisecond, rate}
		waits := Segment{time.Duration(1+r.IntN(8)) * time.Millisecond, 0}
		if r.Float64() < 0.01 {
			waits.Lasts = time.Duration(50+r.IntN(100)) * time.Millisecond
		}
		trace = append(trace, passes, waits)
		passed += passes.Lasts + waits.Lasts
	}
	return trace
}
