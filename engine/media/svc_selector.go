package media

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// svcSelector forwards the layers of a single stream up to one.
type svcSelector struct {
	layerChooser
	// source is the producer's stream, once there is one.
	source    StreamInfo
	hasSource bool
	filter    layerFilter
	needSync  bool
}

func newSVCSelector(c *Consumer, k codec.Kind, preferred layerID) *svcSelector {
	return &svcSelector{
		layerChooser: newLayerChooser(c, preferred),
		filter:       newLayerFilter(k, c.params.encodings[0].layers),
	}
}

func (s *svcSelector) layers() layerState {
	return layerState{s.preferred, s.filter.target, s.filter.current}
}

func (s *svcSelector) decide(_ unit.Time, pkt *packet.Packet, _ *sentStream) decision {
	switch {
	case s.filter.target == noLayer:
		return decision{action: dropLayer}
	case s.needSync && !pkt.Codec.KeyFrame:
		return decision{action: hold}
	case len(pkt.Payload()) == 0:
		return decision{action: dropEmpty}
	}
	d := decision{sync: s.needSync, keyFrame: s.needSync, marker: pkt.Marker}
	if s.needSync {
		s.filter.sync()
	}
	before := s.filter.current
	if !s.filter.pass(pkt, &d) {
		return decision{action: dropLayer}
	}
	s.needSync = false
	d.layersChanged = s.filter.current != before
	return d
}

func (s *svcSelector) counts(*packet.Packet) bool { return true }

func (s *svcSelector) attach(infos []StreamInfo) {
	for _, i := range infos {
		s.source, s.hasSource = i, true
	}
}

// update takes a change of the stream. That of its layers and bitrates is the only hint that one of them began or ended, as
// they share score and reports. (Upstream does not look at bitrates, and a consumer of a stream with a single spatial layer
// that was silent when the consumer was resumed never goes on.)
func (s *svcSelector) update(now unit.Time, u StreamUpdate) {
	before := s.source.Bitrates
	s.source, s.hasSource = u.Stream, true
	switch u.Kind {
	case StreamNew, StreamLayers:
		if s.delivers() {
			s.mayChangeLayers(now, false)
		}
	case StreamBitrates:
		if s.delivers() && !u.Stream.Bitrates.SameLayers(before) {
			s.mayChangeLayers(now, false)
		}
	case StreamScore:
		if s.c.Active() && (!s.c.external || u.Stream.Score == 0 || u.PreviousScore == 0) {
			s.mayChangeLayers(now, false)
		}
	case StreamSenderReport:
	}
}

// delivers says whether anything could be forwarded.
func (s *svcSelector) delivers() bool {
	return s.c.Active() && s.hasSource && (s.source.Score > 0 || !s.source.InactivityCheck)
}

func (s *svcSelector) start(now unit.Time) {
	s.needSync = true
	if s.delivers() {
		s.mayChangeLayers(now, false)
	}
}

func (s *svcSelector) stop(unit.Time) {
	s.conservativeUntil = 0
	s.aim(noLayer)
}

func (s *svcSelector) requestKeyFrame(keyFrameScope) { s.c.requestKeyFrame(s.c.mapped[0]) }

func (s *svcSelector) producerStream() (StreamInfo, bool) {
	if s.filter.current.spatial < 0 || !s.hasSource {
		return StreamInfo{}, false
	}
	return s.source, true
}

// mayChangeLayers looks whether other layers would be better.
func (s *svcSelector) mayChangeLayers(now unit.Time, force bool) {
	if best := s.best(now); s.mayAim(best, s.filter.target, force) {
		s.aim(best)
	}
}

func (s *svcSelector) alive() bool { return s.hasSource && s.source.Score > 0 }

// best returns the highest layers up to the preferred ones that carry something, else the lowest above.
func (s *svcSelector) best(now unit.Time) layerID {
	best := noLayer
	if !s.alive() {
		return best
	}
	n, _ := s.source.Bitrates.Layers()
	for i := range n {
		spatial := int16(i)
		if s.conservative(now, spatial, s.filter.current.spatial, best.spatial) || s.source.Bitrates.Spatial(i) == 0 {
			continue
		}
		if spatial > s.preferred.spatial && best.spatial >= 0 {
			break
		}
		best.spatial = spatial
		if spatial >= s.preferred.spatial {
			break
		}
	}
	if best.spatial >= 0 {
		best.temporal = min(s.temporalLimit(best.spatial), s.filter.announced.temporal-1)
	}
	return best
}

// aim makes l the target, and asks for the key frame that it takes to go up, or with K-SVC to change at all.
func (s *svcSelector) aim(l layerID) {
	if l == noLayer {
		s.filter.reset()
		s.changed = true
		return
	}
	s.filter.target = l
	if at := s.filter.current.spatial; l.spatial > at || s.filter.keyOnly && l.spatial < at {
		s.requestKeyFrame(everything)
	}
}

func (s *svcSelector) increase(now unit.Time, available unit.Bitrate, loss float32) unit.Bitrate {
	if !s.alive() || s.provisional == s.preferred {
		return 0
	}
	layer, required := s.next(now)
	return s.take(layer, required, available, loss)
}

// next returns the next higher layer than the provisional one and what it requires in addition, 0 if there is none.
func (s *svcSelector) next(now unit.Time) (layerID, unit.Bitrate) {
	n, _ := s.source.Bitrates.Layers()
	for i := range n {
		spatial := int16(i)
		if s.conservative(now, spatial, s.filter.current.spatial, s.provisional.spatial) {
			break
		}
		if spatial < s.provisional.spatial {
			continue
		}
		if l := (layerID{spatial, s.firstTemporal(spatial)}); l.temporal <= s.temporalFor(spatial, s.source.Bitrates) {
			if required := s.required(l); required > 0 {
				return l, required
			}
		}
		if spatial >= s.preferred.spatial && s.provisional.spatial >= 0 {
			break
		}
	}
	return noLayer, 0
}

// required returns what a layer takes in addition to the provisional one: with K-SVC, a higher spatial layer replaces the
// lower one.
func (s *svcSelector) required(l layerID) unit.Bitrate {
	required := s.source.Bitrates.Of(int(l.spatial), int(l.temporal))
	at := s.provisional.spatial
	if s.filter.keyOnly && required > 0 && l.temporal == 0 && at >= 0 && l.spatial > at {
		return above(required, s.source.Bitrates.Spatial(int(at)))
	}
	return required
}

func (s *svcSelector) applyLayers(now unit.Time) {
	l := s.provisional
	s.provisional = noLayer
	if l != s.filter.target {
		s.aim(l)
		s.noteDowngrade(now, s.filter.target.spatial, s.filter.current.spatial)
	}
}

// desired is what all layers take together, and with K-SVC the largest of them.
func (s *svcSelector) desired(unit.Time) unit.Bitrate {
	if !s.alive() {
		return 0
	}
	if !s.filter.keyOnly {
		return s.source.Bitrates.Total()
	}
	var rate unit.Bitrate
	n, _ := s.source.Bitrates.Layers()
	for i := range n {
		rate = max(rate, s.source.Bitrates.Spatial(i))
	}
	return rate
}
