package media

import "gazpacho/engine/wire/codec"

// passVP9 follows the payload descriptor (RFC 9628 section 4.2). Spatial layers go up at key frames and down at the end of
// a frame of the target, which with K-SVC has to be a key frame too; temporal layers go up at switching points.
func (f *layerFilter) passVP9(c *codec.Descriptor, d *decision) bool {
	l := layerID{int16(c.SpatialLayer), int16(c.TemporalLayer)}
	if l.spatial >= f.announced.spatial || l.temporal >= f.announced.temporal {
		return false
	}
	id, late := uint16(0), false
	if c.HasPictureID() {
		id, late = f.history.take(c)
	}
	allowed := f.current
	if late {
		allowed = f.history.at(id, f.current)
	} else {
		allowed = f.nextVP9(l, c)
	}
	if l.spatial > allowed.spatial || l.temporal > allowed.temporal ||
		f.keyOnly && c.InterPicture && l.spatial != allowed.spatial {
		return false
	}
	if l.spatial == allowed.spatial && c.EndOfFrame {
		d.marker = true
	}
	if late {
		return true
	}
	if c.HasPictureID() {
		f.history.advance(id, f.current, allowed)
	}
	f.current, f.needSync = allowed, false
	return true
}

// nextVP9 returns the layers to be forwarded from a packet on.
func (f *layerFilter) nextVP9(l layerID, c *codec.Descriptor) layerID {
	next := f.current
	switch t, at := f.target.spatial, f.current.spatial; {
	case t > at && c.KeyFrame, t < at && f.keyOnly && c.KeyFrame:
		next = layerID{t, 0}
	case t < at && !f.keyOnly && l.spatial == t && c.EndOfFrame:
		next.spatial = t
	}
	switch t, at := f.target.temporal, f.current.temporal; {
	case t > at && l.temporal > at && l.temporal <= t && c.StartOfFrame && (at < 0 || c.SwitchingPoint),
		t < at && l.temporal == t && c.EndOfFrame:
		next.temporal = l.temporal
	}
	return next
}

// layerHistory remembers which layers were forwarded of the last pictures, for packets that come late. Ours: upstream
// remembers the changes of the last 1000 pictures, however many.
type layerHistory struct {
	changes [8]layerChange // oldest first
	n       int
	newest  uint16
	known   bool
}

// layerChange: from picture id on, other layers were forwarded than before.
type layerChange struct {
	id     uint16
	before layerID
}

// take returns the picture id of 15 bits, and whether the picture is older than the newest.
func (h *layerHistory) take(c *codec.Descriptor) (id uint16, late bool) {
	id = wide(h.newest, h.known, c)
	if !h.known {
		return id, false
	}
	ahead := aheadOf(id, h.newest)
	if ahead < -farBack && c.KeyFrame {
		// The encoder numbers anew.
		*h = layerHistory{}
		return id, false
	}
	return id, ahead < 0
}

// at returns the layers that were forwarded of a late picture.
func (h *layerHistory) at(id uint16, current layerID) layerID {
	for _, c := range h.changes[:h.n] {
		if aheadOf(c.id, id) > 0 {
			return c.before
		}
	}
	return current
}

// advance takes note of a forwarded picture.
func (h *layerHistory) advance(id uint16, before, now layerID) {
	h.newest, h.known = id, true
	if before == now {
		return
	}
	if h.n == len(h.changes) {
		copy(h.changes[:], h.changes[1:])
		h.n--
	}
	h.changes[h.n] = layerChange{id, before}
	h.n++
}
