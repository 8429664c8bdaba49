package media

import "gazpacho/engine/unit"

// mayChangeLayers looks whether other layers would be better.
func (s *simulcastSelector) mayChangeLayers(now unit.Time, force bool) {
	if best := s.best(now); s.mayAim(best, s.target, force) {
		s.aim(best)
	}
}

// best returns the layers to be forwarded if bandwidth was no matter: the highest stream that is usable up to the
// preferred one, else the lowest above it.
func (s *simulcastSelector) best(now unit.Time) layerID {
	best := noLayer
	for i := range s.streams {
		spatial := int16(i)
		if s.conservative(now, spatial, s.spatial, best.spatial) || !s.usable(spatial) {
			continue
		}
		if s.c.external && best.spatial >= 0 && !s.settled(now, spatial) {
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

// usable says whether a stream is alive and its timestamps can be brought in line.
func (s *simulcastSelector) usable(spatial int16) bool {
	return s.exists(spatial) && s.streams[spatial].Score > 0 && s.clock.knows(s.streams, spatial)
}

// settled says whether a stream is active for long enough to be relied on.
func (s *simulcastSelector) settled(now unit.Time, spatial int16) bool {
	return now.Sub(s.streams[spatial].ActiveSince) >= streamMinActive
}

// aim makes l the target and asks for the key frame that the change takes.
func (s *simulcastSelector) aim(l layerID) {
	if l.spatial != s.target.spatial {
		// What is held back waits for a key frame of a stream that is no longer wanted.
		s.c.releaseHeld(&s.c.streams[0])
	}
	s.target = l
	if l == noLayer {
		s.spatial = -1
		s.filter.reset()
		s.changed = true
		return
	}
	s.clock.choose(l.spatial)
	if l.spatial == s.spatial {
		s.filter.target.temporal = l.temporal
		return
	}
	s.requestFor(l.spatial)
}

func (s *simulcastSelector) increase(now unit.Time, available unit.Bitrate, loss float32) unit.Bitrate {
	if s.provisional == s.preferred {
		return 0
	}
	layer, required := s.next(now)
	return s.take(layer, required, available, loss)
}

// next returns the next higher layer than the provisional one and what it requires in addition, 0 if there is none.
func (s *simulcastSelector) next(now unit.Time) (layerID, unit.Bitrate) {
	found := s.provisional.spatial >= 0
	for i := range s.streams {
		spatial := int16(i)
		if s.conservative(now, spatial, s.spatial, s.provisional.spatial) {
			break
		}
		if spatial < s.provisional.spatial {
			continue
		}
		if spatial > s.preferred.spatial && found && spatial != s.provisional.spatial {
			break
		}
		if !s.usable(spatial) || s.unsettled(now, spatial) {
			continue
		}
		found = true
		if l := (layerID{spatial, s.firstTemporal(spatial)}); l.temporal <= s.temporalFor(spatial, s.streams[spatial].Bitrates) {
			if required := s.required(l); required > 0 {
				return l, required
			}
		}
		if spatial >= s.preferred.spatial {
			break
		}
	}
	return noLayer, 0
}

// unsettled says whether a stream is too young while the provisional one is not.
func (s *simulcastSelector) unsettled(now unit.Time, spatial int16) bool {
	at := s.provisional.spatial
	return at >= 0 && spatial != at && !s.settled(now, spatial) && s.settled(now, at)
}

// required returns what a layer takes in addition to the provisional one: with the lowest layer of another stream, that
// one's bitrate is saved.
func (s *simulcastSelector) required(l layerID) unit.Bitrate {
	required := s.streams[l.spatial].Bitrates.Of(0, int(l.temporal))
	if at := s.provisional; required > 0 && l.temporal == 0 && at.spatial >= 0 && l.spatial > at.spatial {
		return above(required, s.streams[at.spatial].Bitrates.UpTo(0, int(at.temporal)))
	}
	return required
}

func (s *simulcastSelector) applyLayers(now unit.Time) {
	l := s.provisional
	s.provisional = noLayer
	if l != s.target {
		s.aim(l)
		s.noteDowngrade(now, s.target.spatial, s.spatial)
	}
}

// desired is the bitrate of the largest stream, which need not be the highest: one that has just begun is still small.
func (s *simulcastSelector) desired(unit.Time) (rate unit.Bitrate) {
	for i := range s.streams {
		rate = max(rate, s.streams[i].Bitrates.Total())
	}
	return rate
}
