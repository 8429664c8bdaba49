package simnet

import (
	"math"
	"time"

	"gazpacho/engine/unit"
)

// From RFC 8289 section 4.2 and 4.3.
const (
	codelTarget   = 5 * time.Millisecond
	codelInterval = 100 * time.Millisecond
	codelMTU      = 1500 // bytes: with no more than that in the queue, nothing is dropped
)

// codel is the state of a managed queue (RFC 8289 section 5).
type codel struct {
	aboveSince unit.Time // when packets have waited for too long for a whole interval; 0: they do not
	dropping   bool
	next       unit.Time // drop
	count      int
}

// drops reports whether the packet at the head of the queue, which waited for so long, is dropped. queued bytes are behind it.
func (c *codel) drops(now unit.Time, waited time.Duration, queued int) bool {
	if waited < codelTarget || queued <= codelMTU {
		c.aboveSince, c.dropping = 0, false
		return false
	}
	if c.aboveSince == 0 {
		c.aboveSince = now.Add(codelInterval)
		return false
	}
	switch {
	case now < c.aboveSince:
		return false
	case !c.dropping:
		c.dropping = true
		if c.count > 2 && now.Sub(c.next) < codelInterval {
			c.count -= 2
		} else {
			c.count = 1
		}
	case now < c.next:
		return false
	default:
		c.count++
	}
	c.next = now.Add(time.Duration(float64(codelInterval) / math.Sqrt(float64(c.count))))
	return true
}
