package layer

import (
	"slices"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// simulcast forwards one of several streams that show the same source in different qualities, and of it the temporal layers
// up to one. Spatial layer n is the stream of encoding n. It changes streams at key frames; simulcast_clock.go keeps the
// timestamps in line.
type simulcast struct {
	chooser
	// streams are the producer's by encoding; the MappedSSRC of one that is not there yet is 0.
	streams []Stream
	// spatial is the current stream, -1 for none; the filter has the current temporal layer.
	spatial   int16
	filter    filter
	clock     simulcastClock
	clockRate uint32
	// starved: of the current stream nothing is forwarded any more, because a lower one is to come and the path is so congested
	// that the current one would only delay that.
	starved bool
}

// NewSimulcast returns a selector of one of several streams. The codec is VP8 or H264.
func NewSimulcast(c Consumer, cfg *Config) Selector {
	s := &simulcast{
		chooser:   newChooser(c, cfg),
		streams:   make([]Stream, cfg.Encodings),
		spatial:   -1,
		filter:    newFilter(cfg),
		clock:     simulcastClock{reference: -1, reported: -1},
		clockRate: cfg.ClockRate,
	}
	s.layers = s
	return s
}

func (s *simulcast) Decide(now unit.Time, pkt *packet.Packet, encoding int) Decision {
	spatial := int16(encoding)
	isCurrent := spatial >= 0 && spatial == s.spatial
	switching := spatial >= 0 && spatial == s.target.Spatial && (spatial != s.spatial || s.starved)
	switch {
	case switching && !pkt.Codec.KeyFrame:
		return Decision{Action: Hold}
	case switching && len(pkt.Payload()) > 0 && int16(pkt.Codec.TemporalLayer) <= s.target.Temporal:
		return s.change(now, pkt)
	case !isCurrent:
		return Decision{Action: Ignore}
	case s.starve():
		return Decision{Action: DropLayer}
	case len(pkt.Payload()) == 0:
		return Decision{Action: DropEmpty}
	}
	d := s.filter.pass(pkt)
	d.TimestampOffset = s.clock.offset
	return d
}

func (s *simulcast) starve() bool {
	if s.filter.limit == 0 && s.target.Spatial < s.spatial {
		s.starved = true
	}
	return s.starved
}

// change makes the stream of pkt, a key frame, the current one, if its timestamps can be brought in line.
func (s *simulcast) change(now unit.Time, pkt *packet.Packet) Decision {
	if !s.align(now, pkt) {
		return Decision{Action: Ignore}
	}
	s.spatial, s.starved = s.target.Spatial, false
	s.filter.aim(ID{0, s.target.Temporal})
	s.filter.current = ID{0, int16(pkt.Codec.TemporalLayer)}
	s.filter.sync()
	d := s.filter.pass(pkt)
	if d.Action != Forward {
		panic("layer: a filter refused the key frame that it was synchronised with")
	}
	d.Sync, d.LayersChanged, d.TimestampOffset = Switch, true, s.clock.offset
	return d
}

func (s *simulcast) Forwards(encoding int) bool {
	return s.spatial >= 0 && s.spatial == int16(encoding)
}

// exists reports whether there is a stream for a spatial layer.
func (s *simulcast) exists(spatial int16) bool {
	return spatial >= 0 && s.streams[spatial].MappedSSRC != 0
}

// delivers reports whether anything could be forwarded.
func (s *simulcast) delivers() bool {
	return s.consumer.Active() && slices.ContainsFunc(s.streams, func(i Stream) bool {
		return i.MappedSSRC != 0 && i.delivers()
	})
}

func (s *simulcast) Attach(streams []Stream) {
	for _, i := range streams {
		if i.Encoding < len(s.streams) {
			s.streams[i.Encoding] = i
		}
	}
}

func (s *simulcast) Update(now unit.Time, u StreamUpdate) {
	e := u.Stream.Encoding
	if e >= len(s.streams) {
		return
	}
	hadReport, bitrates := s.streams[e].hasReport(), s.streams[e].Bitrates
	s.streams[e] = u.Stream
	switch u.Kind {
	case StreamNew:
		if s.delivers() {
			s.Reconsider(now, false)
			if int16(e) == s.target.Spatial && s.spatial != s.target.Spatial {
				s.requestFor(s.target.Spatial)
			}
		}
	case StreamScore:
		s.scoreChanged(now, u.Stream.Score, u.PreviousScore)
	case StreamSenderReport:
		if s.clock.report(s.streams, !hadReport) && s.delivers() {
			s.Reconsider(now, false)
		}
	case StreamBitrates:
		// While the transport distributes its bandwidth, a silent stream is not taken.
		if s.delivers() && !u.Stream.Bitrates.SameLayers(bitrates) {
			s.Reconsider(now, false)
		}
	case StreamLayers:
	}
}

func (s *simulcast) scoreChanged(now unit.Time, score, before uint8) {
	switch {
	case !s.consumer.Active():
	case !s.delivers():
		s.aim(None)
	case !s.consumer.ExternalBitrate() || score == 0 || before == 0:
		s.Reconsider(now, false)
	}
}

func (s *simulcast) Start(now unit.Time) {
	s.clock.asked = false
	if s.delivers() {
		s.Reconsider(now, false)
	}
}

func (s *simulcast) Stop() {
	s.conservativeUntil = 0
	s.aim(None)
}

func (s *simulcast) RequestKeyFrame(scope KeyFrameScope) {
	if scope == CurrentAndTarget {
		s.requestFor(s.target.Spatial)
	}
	s.requestFor(s.spatial)
}

func (s *simulcast) requestFor(spatial int16) {
	if s.exists(spatial) {
		s.consumer.RequestKeyFrame(int(spatial))
	}
}

func (s *simulcast) Stream() (Stream, bool) {
	if !s.exists(s.spatial) {
		return Stream{}, false
	}
	return s.streams[s.spatial], true
}

// Desired is the bitrate of the largest stream, which need not be the highest: one that has just begun is still small.
func (s *simulcast) Desired() (rate unit.Bitrate) {
	for i := range s.streams {
		rate = max(rate, s.streams[i].Bitrates.Total())
	}
	return rate
}

func (s *simulcast) LimitTemporal(highest int16) { s.filter.limitTemporal(highest) }

func (s *simulcast) count() int16 { return int16(len(s.streams)) }

func (s *simulcast) current() ID { return ID{s.spatial, s.filter.current.Temporal} }

// usable: a stream is alive and its timestamps can be brought in line.
func (s *simulcast) usable(spatial int16) bool {
	return s.exists(spatial) && s.streams[spatial].Score > 0 && s.clock.knows(s.streams, spatial)
}

func (s *simulcast) settled(now unit.Time, spatial int16) bool {
	return now.Sub(s.streams[spatial].ActiveSince) >= streamMinActive
}

func (s *simulcast) bitrates(spatial int16) (*Bitrates, int) { return s.streams[spatial].Bitrates, 0 }

// replaced: another stream replaces the whole of the one before.
func (s *simulcast) replaced(l ID) unit.Bitrate {
	return s.streams[l.Spatial].Bitrates.UpTo(0, int(l.Temporal))
}

func (s *simulcast) aim(l ID) {
	if l.Spatial != s.target.Spatial {
		s.consumer.DropHeld()
	}
	s.target = l
	if l == None {
		s.spatial, s.starved = -1, false
		s.filter.reset()
		s.changedOutsideOfDecide = true
		return
	}
	s.clock.choose(l.Spatial)
	if l.Spatial == s.spatial && !s.starved {
		s.filter.aim(ID{0, l.Temporal})
		return
	}
	if l.Spatial < s.spatial {
		s.filter.aim(ID{0, 0}) // the lower stream may take a while to begin, and there is no room for all of this one
	}
	s.requestFor(l.Spatial)
}
