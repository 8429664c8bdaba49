package layer

import "gazpacho/engine/wire/codec"

// Widths of picture ids in bits.
const (
	pictureIDBits      = 15
	shortPictureIDBits = 7
	pictureIDMask      = 1<<pictureIDBits - 1
	shortPictureIDMask = 1<<shortPictureIDBits - 1
)

// farBack is by how many pictures a key frame must be off to be the first of an encoder that restarted, not a late one.
// (Chosen here.)
const farBack = 512

// wide returns a packet's picture id as one of 15 bits. One of 7 bits is taken for the nearest to the newest that came.
func wide(newest uint16, known bool, c *codec.Descriptor) uint16 {
	if c.PictureIDLen != 1 || !known {
		return c.PictureID
	}
	ahead := (c.PictureID - newest) & shortPictureIDMask
	if ahead > shortPictureIDMask/2 {
		ahead -= 1 << shortPictureIDBits
	}
	return (newest + ahead) & pictureIDMask
}

// aheadOf returns the signed distance from picture id b to a.
func aheadOf(a, b uint16) int { return int(int16((a-b)<<1)) >> 1 }

// history remembers which layers were forwarded of the last pictures, for packets that come late: the last changes, where
// mediasoup keeps those of the last 1000 pictures, however many.
type history struct {
	changes [8]change // oldest first
	n       int
	newest  uint16
	known   bool
}

// change: from picture id on, other layers were forwarded than before.
type change struct {
	id     uint16
	before ID
}

// take returns the packet's picture id, and whether the picture is older than the newest.
func (h *history) take(c *codec.Descriptor) (id uint16, late bool) {
	id = wide(h.newest, h.known, c)
	if !h.known {
		return id, false
	}
	ahead := aheadOf(id, h.newest)
	if ahead < -farBack && c.KeyFrame {
		*h = history{}
		return id, false
	}
	return id, ahead < 0
}

// at returns the layers that were forwarded of a late picture.
func (h *history) at(id uint16, current ID) ID {
	for _, c := range h.changes[:h.n] {
		if aheadOf(c.id, id) > 0 {
			return c.before
		}
	}
	return current
}

// advance records a forwarded picture.
func (h *history) advance(id uint16, before, now ID) {
	h.newest, h.known = id, true
	if before == now {
		return
	}
	if h.n == len(h.changes) {
		copy(h.changes[:], h.changes[1:])
		h.n--
	}
	h.changes[h.n] = change{id, before}
	h.n++
}
