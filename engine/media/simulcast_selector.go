package media

import (
	"slices"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// simulcastSelector forwards one of several streams that show the same source in different qualities, and of it the
// temporal layers up to one. Spatial layer n is the stream of encoding n. It changes streams at key frames; simulcast_time.go
// has what becomes of the timestamps.
type simulcastSelector struct {
	layerChooser
	// streams are the producer's by encoding; the MappedSSRC of one that is not there yet is 0.
	streams []StreamInfo
	// target is what is aimed at, spatial the current stream; the filter has the current temporal layer.
	target  layerID
	spatial int16
	filter  layerFilter
	clock   simulcastClock
}

func newSimulcastSelector(c *Consumer, k codec.Kind, preferred layerID) *simulcastSelector {
	return &simulcastSelector{
		layerChooser: newLayerChooser(c, preferred),
		streams:      make([]StreamInfo, len(c.mapped)),
		target:       noLayer, spatial: -1,
		filter: newLayerFilter(k, c.params.encodings[0].layers),
		clock:  simulcastClock{reference: -1, reported: -1},
	}
}

func (s *simulcastSelector) layers() layerState {
	return layerState{s.preferred, s.target, layerID{s.spatial, s.filter.current.temporal}}
}

func (s *simulcastSelector) decide(now unit.Time, pkt *packet.Packet, to *sentStream) decision {
	spatial := int16(s.c.encodingOf(pkt))
	isCurrent := spatial >= 0 && spatial == s.spatial
	switching := spatial >= 0 && spatial == s.target.spatial && spatial != s.spatial
	switch {
	case switching && !pkt.Codec.KeyFrame:
		return decision{action: hold}
	case switching && len(pkt.Payload()) > 0 && int16(pkt.Codec.TemporalLayer) <= s.target.temporal:
		return s.change(now, pkt, to)
	case !isCurrent:
		return decision{action: ignore}
	case len(pkt.Payload()) == 0:
		return decision{action: dropEmpty}
	}
	d := decision{marker: pkt.Marker, tsOffset: s.clock.offset}
	before := s.filter.current
	if !s.filter.pass(pkt, &d) {
		return decision{action: dropLayer}
	}
	d.layersChanged = s.filter.current != before
	return d
}

// change makes the stream of pkt, a key frame, the current one, if its timestamps can be brought in line.
func (s *simulcastSelector) change(now unit.Time, pkt *packet.Packet, to *sentStream) decision {
	if !s.align(now, pkt, to) {
		return decision{action: ignore}
	}
	s.spatial = s.target.spatial
	s.filter.target, s.filter.current = layerID{0, s.target.temporal}, layerID{0, int16(pkt.Codec.TemporalLayer)}
	s.filter.sync()
	d := decision{
		sync: true, gap: true, keyFrame: true, switched: true, marker: pkt.Marker, tsOffset: s.clock.offset,
	}
	if !s.filter.pass(pkt, &d) {
		panic("media: a layer filter refused the key frame that it was synchronised with")
	}
	return d
}

func (s *simulcastSelector) counts(pkt *packet.Packet) bool {
	return s.spatial >= 0 && s.spatial == int16(s.c.encodingOf(pkt))
}

// exists says whether there is a stream for a spatial layer.
func (s *simulcastSelector) exists(spatial int16) bool {
	return spatial >= 0 && s.streams[spatial].MappedSSRC != 0
}

// delivers says whether anything could be forwarded.
func (s *simulcastSelector) delivers() bool {
	return s.c.Active() && slices.ContainsFunc(s.streams, func(i StreamInfo) bool {
		return i.MappedSSRC != 0 && (i.Score > 0 || !i.InactivityCheck)
	})
}

func (s *simulcastSelector) attach(infos []StreamInfo) {
	for _, i := range infos {
		if i.Encoding < len(s.streams) {
			s.streams[i.Encoding] = i
		}
	}
}

func (s *simulcastSelector) update(now unit.Time, u StreamUpdate) {
	e := u.Stream.Encoding
	if e >= len(s.streams) {
		return
	}
	hadReport, bitrates := s.streams[e].hasReport(), s.streams[e].Bitrates
	s.streams[e] = u.Stream
	switch u.Kind {
	case StreamNew:
		if s.delivers() {
			s.mayChangeLayers(now, false)
			if int16(e) == s.target.spatial && s.spatial != s.target.spatial {
				s.requestFor(s.target.spatial)
			}
		}
	case StreamScore:
		s.scoreChanged(now, u.Stream.Score, u.PreviousScore)
	case StreamSenderReport:
		if s.clock.report(s.streams, !hadReport) && s.delivers() {
			s.mayChangeLayers(now, false)
		}
	case StreamBitrates:
		// A stream that carries nothing is not taken while the transport distributes its bandwidth.
		if s.delivers() && !u.Stream.Bitrates.SameLayers(bitrates) {
			s.mayChangeLayers(now, false)
		}
	case StreamLayers:
	}
}

func (s *simulcastSelector) scoreChanged(now unit.Time, score, before uint8) {
	switch {
	case !s.c.Active():
	case !s.delivers():
		s.aim(noLayer)
	case !s.c.external || score == 0 || before == 0:
		s.mayChangeLayers(now, false)
	}
}

func (s *simulcastSelector) start(now unit.Time) {
	s.clock.asked = false
	if s.delivers() {
		s.mayChangeLayers(now, false)
	}
}

func (s *simulcastSelector) stop(unit.Time) {
	s.conservativeUntil = 0
	s.aim(noLayer)
}

func (s *simulcastSelector) requestKeyFrame(scope keyFrameScope) {
	if scope == everything {
		s.requestFor(s.target.spatial)
	}
	s.requestFor(s.spatial)
}

func (s *simulcastSelector) requestFor(spatial int16) {
	if s.exists(spatial) {
		s.c.requestKeyFrame(s.c.mapped[spatial])
	}
}

func (s *simulcastSelector) producerStream() (StreamInfo, bool) {
	if !s.exists(s.spatial) {
		return StreamInfo{}, false
	}
	return s.streams[s.spatial], true
}
