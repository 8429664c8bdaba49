package codec

import "encoding/binary"

// From the specification (AV1 RTP payload format, appendix A: dependency descriptor RTP header extension).
const (
	dependencyMandatoryLen = 3
	dependencyStartOfFrame = 0x80
	dependencyEndOfFrame   = 0x40
	dependencyTemplateMask = maxTemplates - 1

	maxTemplates     = 64
	maxSpatialLayer  = 3
	maxTemporalLayer = 7

	sameLayer         = 0
	nextTemporalLayer = 1
	nextSpatialLayer  = 2
	noMoreTemplates   = 3

	decodeTargetIndicationBits = 2
	frameDiffBits              = 4
	renderResolutionBits       = 32
)

// DependencyStructure holds the templates of a stream that carries dependency descriptors. They come with the key frames and
// give the layer of every later packet. The zero value knows no templates; each received stream has its own.
type DependencyStructure struct {
	count         uint8 // number of templates
	offset        uint8 // id of the first template
	decodeTargets uint8
	// How many layers of either kind the templates name.
	spatialLayers, temporalLayers uint8
	layers                        [maxTemplates]layer
}

// layer is a template's place, as much of the template as forwarding needs.
type layer struct{ spatial, temporal uint8 }

// Layers returns how many spatial and temporal layers the stream's templates name, 0 and 0 before the first key frame.
func (s *DependencyStructure) Layers() (spatial, temporal uint8) {
	return s.spatialLayers, s.temporalLayers
}

// describe reads a dependency descriptor into d and, when it has templates, into s; it reports whether all could be read
// and the packet's template is known. With a nil s, the descriptor is read on its own, without layers.
func (s *DependencyStructure) describe(b []byte, d *Descriptor) bool {
	if len(b) < dependencyMandatoryLen {
		return false
	}
	d.HasDependency = true
	d.StartOfFrame, d.EndOfFrame = b[0]&dependencyStartOfFrame != 0, b[0]&dependencyEndOfFrame != 0
	d.TemplateID, d.FrameNumber = b[0]&dependencyTemplateMask, binary.BigEndian.Uint16(b[1:])
	if len(b) == dependencyMandatoryLen {
		return s == nil || s.place(d)
	}
	r := bitReader{b: b[dependencyMandatoryLen:]}
	hasStructure, hasActive := r.flag(), r.flag()
	r.skip(3) // custom decode target indications, frame diffs and chains: not needed
	d.KeyFrame = hasStructure
	if s == nil {
		return true
	}
	if !hasStructure {
		return s.resolve(&r, hasActive, d)
	}
	var next DependencyStructure
	if !next.read(&r) || !next.resolve(&r, hasActive, d) {
		return false
	}
	*s = next
	return true
}

// resolve reads the decode targets in use, all of them when a key frame does not say, and places the packet.
func (s *DependencyStructure) resolve(r *bitReader, hasActive bool, d *Descriptor) bool {
	switch {
	case hasActive:
		d.ActiveDecodeTargets = r.read(int(s.decodeTargets))
	case d.KeyFrame:
		d.ActiveDecodeTargets = uint32(uint64(1)<<s.decodeTargets - 1)
	}
	return !r.overrun && s.place(d)
}

// place sets the layers of d to those of its template, and reports whether s knows that one.
func (s *DependencyStructure) place(d *Descriptor) bool {
	index := (d.TemplateID - s.offset) % maxTemplates
	if index >= s.count {
		return false
	}
	l := s.layers[index]
	d.SpatialLayer, d.HasSpatialLayer = l.spatial, true
	d.TemporalLayer, d.HasTemporalLayer = l.temporal, true
	return true
}

// read fills the zero s with a template dependency structure and reports whether it is one.
func (s *DependencyStructure) read(r *bitReader) bool {
	s.offset, s.decodeTargets = uint8(r.read(6)), uint8(r.read(5))+1
	if !s.readLayers(r) {
		return false
	}
	r.skip(decodeTargetIndicationBits * int(s.count) * int(s.decodeTargets))
	for range s.count {
		for r.flag() {
			r.skip(frameDiffBits)
		}
	}
	s.skipChains(r)
	if r.flag() {
		r.skip(renderResolutionBits * int(s.spatialLayers))
	}
	return !r.overrun
}

// readLayers reads the layer of each template: the same as that of the one before, one temporal layer further, or the
// beginning of the next spatial layer.
func (s *DependencyStructure) readLayers(r *bitReader) bool {
	var at layer
	for {
		if s.count == maxTemplates || at.spatial > maxSpatialLayer || at.temporal > maxTemporalLayer {
			return false
		}
		s.layers[s.count] = at
		s.count++
		s.spatialLayers = at.spatial + 1
		s.temporalLayers = max(s.temporalLayers, at.temporal+1)
		switch r.read(2) {
		case sameLayer:
			if r.overrun {
				return false
			}
		case nextTemporalLayer:
			at.temporal++
		case nextSpatialLayer:
			at.spatial, at.temporal = at.spatial+1, 0
		case noMoreTemplates:
			return true
		}
	}
}

// skipChains goes over the chains that protect the decode targets.
func (s *DependencyStructure) skipChains(r *bitReader) {
	chains := r.nonSymmetric(uint32(s.decodeTargets) + 1)
	if chains == 0 {
		return
	}
	for range s.decodeTargets {
		r.nonSymmetric(chains)
	}
	r.skip(frameDiffBits * int(s.count) * int(chains))
}
