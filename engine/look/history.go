package look

import (
	"math"
	"strings"

	"gazpacho/engine/api"
)

// Chosen here: ten minutes.
const (
	SampleSeconds = 10
	MaxSamples    = 60
	// maxHistories is how many transports have a history; with at most 4 KB each, they take 80 MB.
	maxHistories = 20000
)

// Sample is what a transport was at an instant, and what it did in the seconds before.
type Sample struct {
	At             uint32  `json:"at"`
	ICE            string  `json:"ice,omitempty"`
	DTLS           string  `json:"dtls,omitempty"`
	RecvBitrate    uint64  `json:"recvBitrate"`
	SendBitrate    uint64  `json:"sendBitrate"`
	EstimateIn     uint64  `json:"estimateIn"`
	EstimateOut    uint64  `json:"estimateOut"`
	LossIn         float64 `json:"lossIn"`
	LossOut        float64 `json:"lossOut"`
	RTT            float64 `json:"rtt"`
	NACKed         uint64  `json:"nacked"` // this and all below since the sample before; see Counters
	Retransmitted  uint64  `json:"retransmitted"`
	KeyFramesAsked uint64  `json:"keyFramesAsked"`
	Missed         uint64  `json:"missed"`
	KeyFramesWant  uint64  `json:"keyFramesWant"`
	Dropped        uint64  `json:"dropped"`
	LayersDropped  uint64  `json:"layersDropped"`
	Disconnections uint64  `json:"disconnections"`
	Layers         Layers  `json:"layers"` // at the instant
}

// packed is a Sample in 56 bytes. What does not fit is as much as does.
type packed struct {
	at                                      uint32
	recv, send, in, out                     uint32 // bits per second
	lossIn, lossOut                         uint16 // in 1/65,535
	rtt                                     uint16 // milliseconds
	nacked, retransmitted, asked            uint16
	missed, want, dropped                   uint16
	layersDropped, disconnections, stopped  uint16
	none, spatial0, spatial1, spatial2, top uint16
	states                                  uint8 // 0, or 1 + ICE's + 4 times DTLS'
}

func fit32(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }
func fit16(n uint64) uint16 { return uint16(min(n, math.MaxUint16)) }

func fitShare(f float64) uint16 { return uint16(math.Round(max(0, min(f, 1)) * math.MaxUint16)) }

// pack returns the sample of a reading, with what happened since the one before.
func pack(at uint32, r *Reading, before Counters) packed {
	c := r.Counters.since(before)
	p := packed{
		at: at, recv: fit32(r.RecvBitrate), send: fit32(r.SendBitrate), in: fit32(r.EstimateIn), out: fit32(r.EstimateOut),
		lossIn: fitShare(r.LossIn), lossOut: fitShare(r.LossOut), rtt: fit16(uint64(max(r.RTT, 0))),
		nacked: fit16(c.NACKed), retransmitted: fit16(c.Retransmitted), asked: fit16(c.KeyFramesAsked),
		missed: fit16(c.Missed), want: fit16(c.KeyFramesWant), dropped: fit16(c.Dropped),
		layersDropped: fit16(c.LayersDropped), disconnections: fit16(c.Disconnections), stopped: fit16(uint64(r.Layers.Stopped)),
		none: fit16(uint64(r.Layers.None)), spatial0: fit16(uint64(r.Layers.Spatial[0])), spatial1: fit16(uint64(r.Layers.Spatial[1])),
		spatial2: fit16(uint64(r.Layers.Spatial[2])), top: fit16(uint64(r.Layers.Spatial[3])),
	}
	if r.HasICE {
		p.states = 1 + uint8(r.ICE)&3 + 4*uint8(r.DTLS)
	}
	return p
}

// StateName returns a state as mediasoup's library names it.
func StateName(s interface{ String() string }) string { return strings.ToLower(s.String()) }

func (p *packed) sample() Sample {
	s := Sample{
		At: p.at, RecvBitrate: uint64(p.recv), SendBitrate: uint64(p.send), EstimateIn: uint64(p.in), EstimateOut: uint64(p.out),
		LossIn: float64(p.lossIn) / math.MaxUint16, LossOut: float64(p.lossOut) / math.MaxUint16, RTT: float64(p.rtt),
		NACKed: uint64(p.nacked), Retransmitted: uint64(p.retransmitted), KeyFramesAsked: uint64(p.asked),
		Missed: uint64(p.missed), KeyFramesWant: uint64(p.want), Dropped: uint64(p.dropped),
		LayersDropped: uint64(p.layersDropped), Disconnections: uint64(p.disconnections),
		Layers: Layers{
			None: int(p.none), Spatial: [4]int{int(p.spatial0), int(p.spatial1), int(p.spatial2), int(p.top)}, Stopped: int(p.stopped),
		},
	}
	if p.states > 0 {
		s.ICE, s.DTLS = StateName(api.ICEState((p.states-1)&3)), StateName(api.DTLSState((p.states-1)>>2))
	}
	return s
}

// ring keeps the last samples.
type ring struct {
	samples []packed
	next    int // where the next one goes, once there are MaxSamples
	last    Counters
	round   uint64
}

// growthStep is by how many samples a ring grows: most transports do not live for ten minutes.
const growthStep = 15

func (r *ring) add(p packed) {
	switch {
	case len(r.samples) == MaxSamples:
		r.samples[r.next] = p
		r.next = (r.next + 1) % MaxSamples
		return
	case len(r.samples) == cap(r.samples):
		grown := make([]packed, len(r.samples), len(r.samples)+growthStep)
		copy(grown, r.samples)
		r.samples = grown
	}
	r.samples = append(r.samples, p)
}

// each calls f with the samples, the oldest first.
func (r *ring) each(f func(*packed)) {
	for i := range r.samples {
		f(&r.samples[(r.next+i)%len(r.samples)])
	}
}

// History keeps the samples of transports. The zero value has none.
type History struct {
	rings map[TransportID]*ring
	round uint64
}

// Take takes a sample of each transport at a time, and forgets those that are not among them.
func (h *History) Take(at uint32, readings []Reading) {
	if h.rings == nil {
		h.rings = map[TransportID]*ring{}
	}
	h.round++
	for i := range readings {
		r := &readings[i]
		have := h.rings[r.ID]
		if have == nil {
			if len(h.rings) >= maxHistories {
				continue
			}
			have = &ring{last: r.Counters} // what it did before is not of the last seconds
			h.rings[r.ID] = have
		}
		if have.round != h.round { // a transport may be read twice
			have.add(pack(at, r, have.last))
			have.last, have.round = r.Counters, h.round
		}
	}
	for id, r := range h.rings {
		if r.round != h.round {
			delete(h.rings, id)
		}
	}
}

// Clear forgets all.
func (h *History) Clear() { *h = History{} }

// Of returns a transport's samples, the oldest first.
func (h *History) Of(id TransportID) (samples []Sample) {
	if r := h.rings[id]; r != nil {
		r.each(func(p *packed) { samples = append(samples, p.sample()) })
	}
	return samples
}

// RoomSample is what the transports of a Router were together. Relays are left out, as what they carry was sent by others of its transports.
type RoomSample struct {
	At          uint32  `json:"at"`
	RecvBitrate uint64  `json:"recvBitrate"`
	SendBitrate uint64  `json:"sendBitrate"`
	LossIn      float64 `json:"lossIn"`      // of the worst
	LossOut     float64 `json:"lossOut"`     // likewise
	EstimateOut uint64  `json:"estimateOut"` // the lowest; 0: none
	RTT         float64 `json:"rtt"`         // the longest
	None        int     `json:"none"`        // consumers without a layer to forward
}

// Together adds up the samples of transports that were taken at the same time, the oldest first.
func (h *History) Together(ids []TransportID) []RoomSample {
	var sums []RoomSample
	for _, id := range ids {
		r := h.rings[id]
		if r == nil {
			continue
		}
		var own []RoomSample
		r.each(func(p *packed) {
			own = append(own, RoomSample{
				p.at, uint64(p.recv), uint64(p.send), float64(p.lossIn) / math.MaxUint16, float64(p.lossOut) / math.MaxUint16, uint64(p.out),
				float64(p.rtt), int(p.none),
			})
		})
		sums = Merge(sums, own)
	}
	return sums
}

// Merge adds up two lists of samples in the order of time, of which those of one time become one.
func Merge(a, b []RoomSample) (merged []RoomSample) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].At < b[0].At:
			merged, a = append(merged, a[0]), a[1:]
		case a[0].At > b[0].At:
			merged, b = append(merged, b[0]), b[1:]
		default:
			merged, a, b = append(merged, a[0].with(&b[0])), a[1:], b[1:]
		}
	}
	return append(append(merged, a...), b...)
}

func (s RoomSample) with(o *RoomSample) RoomSample {
	s.RecvBitrate += o.RecvBitrate
	s.SendBitrate += o.SendBitrate
	s.LossIn, s.LossOut, s.RTT = max(s.LossIn, o.LossIn), max(s.LossOut, o.LossOut), max(s.RTT, o.RTT)
	s.EstimateOut = lowest(s.EstimateOut, o.EstimateOut)
	s.None += o.None
	return s
}

// lowest returns the lower of two of which 0 means none.
func lowest(a, b uint64) uint64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
