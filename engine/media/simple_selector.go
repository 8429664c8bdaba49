package media

import (
	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// simpleSelector selects from streams without layers: everything, beginning with a key frame. It serves consumers of type
// simple, which have one stream, and pipes, which have one for each of the producer's.
type simpleSelector struct {
	noLayers
	c    *Consumer
	pipe bool
	// waitForKeyFrame: the codec's key frames can be recognised.
	waitForKeyFrame bool
	ignoreDTX       bool
	// source is the producer's stream, once there is one; for a pipe the last one heard of.
	source    StreamInfo
	hasSource bool
	// granted: bandwidth was asked for since the last apply.
	granted bool
}

func newSimpleSelector(c *Consumer, k codec.Kind, ignoreDTX bool) *simpleSelector {
	return &simpleSelector{
		c:               c,
		pipe:            c.typ == api.RTPTypePipe,
		waitForKeyFrame: k.CanBeKeyFrame(),
		ignoreDTX:       ignoreDTX && (k == codec.Opus || k == codec.MultiOpus),
	}
}

func (s *simpleSelector) decide(_ unit.Time, pkt *packet.Packet, to *sentStream) decision {
	switch {
	case to.needSync && s.waitForKeyFrame && !pkt.Codec.KeyFrame:
		return decision{action: hold}
	case len(pkt.Payload()) == 0:
		return decision{action: dropEmpty}
	case s.ignoreDTX && pkt.Codec.DTX:
		return decision{action: dropDTX}
	}
	d := decision{sync: to.needSync, keyFrame: to.needSync && pkt.Codec.KeyFrame, marker: pkt.Marker}
	to.needSync = false
	return d
}

// layers are upstream's: a simple consumer is always at layer 0, a pipe is at none.
func (s *simpleSelector) layers() layerState {
	if s.pipe {
		return layerState{noLayer, noLayer, noLayer}
	}
	return layerState{noLayer, noLayer, layerID{0, 0}}
}

func (s *simpleSelector) counts(*packet.Packet) bool { return true }

func (s *simpleSelector) attach(infos []StreamInfo) {
	for _, i := range infos {
		s.source, s.hasSource = i, true
	}
}

func (s *simpleSelector) update(_ unit.Time, u StreamUpdate) { s.source, s.hasSource = u.Stream, true }

func (s *simpleSelector) start(unit.Time) {
	for i := range s.c.streams {
		s.c.streams[i].needSync = true
	}
	if s.c.Active() && (s.pipe || s.delivers()) {
		s.requestKeyFrame(everything)
	}
}

func (s *simpleSelector) stop(unit.Time) {}

// delivers says whether a key frame could come: a stream that is silent sends none.
func (s *simpleSelector) delivers() bool {
	return s.hasSource && (s.source.Score > 0 || !s.source.InactivityCheck)
}

func (s *simpleSelector) requestKeyFrame(keyFrameScope) {
	for _, mapped := range s.c.mapped {
		s.c.requestKeyFrame(mapped)
	}
}

func (s *simpleSelector) producerStream() (StreamInfo, bool) {
	if s.pipe {
		return StreamInfo{}, false
	}
	return s.source, s.hasSource
}

// increase does not choose anything, but says what the stream takes, once per distribution.
func (s *simpleSelector) increase(_ unit.Time, available unit.Bitrate, _ float32) unit.Bitrate {
	if s.pipe || s.granted {
		return 0
	}
	s.granted = true
	if !s.delivers() {
		return 0
	}
	return min(s.source.Bitrates.Total(), available)
}

func (s *simpleSelector) applyLayers(unit.Time) { s.granted = false }

func (s *simpleSelector) desired(unit.Time) unit.Bitrate {
	if s.pipe || !s.delivers() {
		return 0
	}
	return s.source.Bitrates.Total()
}
