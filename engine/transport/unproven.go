package transport

import (
	"time"

	"gazpacho/engine/unit"
)

// A nomination selects a tuple at once, as in mediasoup: after a change of networks the peer may have nothing to send for a while
// but wants its media. Until the peer sends from there itself, media goes there for a limited time. Chosen here:
const (
	// maxUnproven is longer than a receiver lets pass between two reports: 5 s for audio, randomized up to 7.5 s.
	maxUnproven = 8 * time.Second
	// unprovenRefill is how long it takes to earn back a second of it.
	unprovenRefill = time.Minute
)

// unproven bounds the time for which media goes to tuples that nothing authentic came from. The zero value has all of it left.
type unproven struct {
	spent time.Duration
	since unit.Time // when the media began that now goes to such a tuple; 0 for none
	until unit.Time // when the last such time ended
}

// may reports whether media may go to such a tuple now.
func (u *unproven) may(now unit.Time) bool {
	if u.since == 0 {
		earned := now.Sub(u.until) / time.Duration(unprovenRefill/time.Second)
		u.spent = max(0, u.spent-earned)
		u.since = now
	}
	return u.spent+now.Sub(u.since) < maxUnproven
}

// end says that media goes to a proven tuple again.
func (u *unproven) end(now unit.Time) {
	if u.since == 0 {
		return
	}
	u.spent = min(maxUnproven, u.spent+now.Sub(u.since))
	u.since, u.until = 0, now
}

// trySelected reports whether media may be sent. When it has gone to an unproven tuple for too long, ICE returns to the last
// proven one.
func (c *webRtc) trySelected(now unit.Time) bool {
	if c.unproven.may(now) {
		return true
	}
	c.unproven.end(now)
	c.ice.GiveUpSelected(now)
	c.drainICE(now)
	return c.connected()
}
