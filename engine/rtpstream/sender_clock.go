package rtpstream

import (
	"slices"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// SenderClock computes when, by our clock, a remote sender captured what its packets carry. It is shared by all streams of
// one CNAME, which come from one machine and therefore from one wall clock: with a clock for each of them, their errors
// would differ, and sound and picture would drift apart. Sender reports built on these instants let a receiver synchronise
// streams that travelled differently (RFC 3550 section 6.4.1).
//
// Two things are needed. How the sender's clock relates to ours comes from the arrival of its sender reports: the median
// of the last ones, less half the round-trip time where that is known. How a stream's timestamps relate to the sender's
// clock comes from abs-capture-time or from the stream's sender reports, one of them for all streams, as their errors
// differ. The first stream chooses; one without abs-capture-time moves all to sender reports, for good.
//
// NTP timestamps are subtracted modulo 2^64, so that the end of NTP's era in 2036 means nothing here, nor where a sender's
// clock begins to count. The zero value is ready for AddSource.
type SenderClock struct {
	// offsets are our clock minus the sender's in units of 1/2^32 s, one for each of the last sender reports; a ring.
	offsets  [offsetWindow]int64
	reports  int
	reported unit.Time // when the last one came
	offset   int64     // the median
	source   captureSource
	far      bool // the sender's clock is 68 years behind ours
}

// captureSource says where a stream's timestamps are tied to the sender's clock.
type captureSource uint8

const (
	noSource captureSource = iota
	absCaptureTime
	senderReport
)

// From mediasoup:
const (
	// offsetWindow is how many sender reports the median is taken of, minOffsets how many are needed for one.
	offsetWindow = 7
	minOffsets   = 3
	// How far a packet's timestamp may be from the one that was tied to the sender's clock. Senders repeat
	// abs-capture-time once a second, sender reports at least every five.
	maxFromAbsCaptureTime = 5 * time.Second
	maxFromSenderReport   = 10 * time.Second
)

// maxCaptureDistance is how far from now the time of a capture may be: media is not sent that much later, but a sender's clock
// may be set while the median is still the old one, or be wrong. (Chosen here.)
const maxCaptureDistance = time.Minute

// AddSource adds a stream, or several of a kind, with or without abs-capture-time.
func (c *SenderClock) AddSource(hasAbsCaptureTime bool) {
	switch {
	case !hasAbsCaptureTime:
		c.source = senderReport
	case c.source == noSource:
		c.source = absCaptureTime
	}
}

// HandleSenderReport takes a sender report about one of the streams; rtt is that stream's round-trip time, 0 if unknown.
// Reports of one compound packet count once: a late packet must not weigh as much as all of its streams.
func (c *SenderClock) HandleSenderReport(now unit.Time, sr *rtcp.SenderReport, rtt time.Duration) {
	// A sender without a clock reports 0 (RFC 3550 section 6.4.1).
	if sr.NTPTime == 0 || c.reports > 0 && now == c.reported {
		return
	}
	// Assumes a symmetric path.
	sent := now.Add(-rtt / 2).NTP()
	newest := int64(sent - sr.NTPTime)
	c.offsets[c.reports%offsetWindow] = newest
	c.reports++
	c.reported = now
	// Our clock is in the upper half of the era until 2036.
	c.far = sent>>32 >= sr.NTPTime>>32+1<<31
	if c.known() {
		c.offset = c.median(newest)
	}
}

// known reports whether the sender's clock is known well enough.
func (c *SenderClock) known() bool { return c.reports >= minOffsets }

// median returns the upper median of the offsets. They are compared by how far they are from one of them, as they wrap.
func (c *SenderClock) median(near int64) int64 {
	var room [offsetWindow]int64
	distances := room[:min(c.reports, offsetWindow)]
	for i := range distances {
		distances[i] = c.offsets[i] - near
	}
	slices.Sort(distances)
	return near + distances[len(distances)/2]
}

// CapturedAt returns when the media of a stream's packet with the given timestamp was captured, as an instant of our
// clock, which may lie ahead of now, for it is an estimate; 0 while it is unknown.
func (c *SenderClock) CapturedAt(now unit.Time, r *Recv, ts unit.Timestamp) unit.Time {
	if !c.known() {
		return 0
	}
	var captured uint64
	var ok bool
	if c.source == absCaptureTime {
		captured, ok = r.captured.at(ts, r.params.ClockRate, maxFromAbsCaptureTime)
	} else {
		captured, ok = r.reported.at(ts, r.params.ClockRate, maxFromSenderReport)
	}
	if !ok {
		return 0
	}
	ahead := ntpDuration(int64(captured + uint64(c.offset) - now.NTP()))
	if ahead > maxCaptureDistance || ahead < -maxCaptureDistance {
		return 0
	}
	return now.Add(ahead)
}

// Forwarded returns a received abs-capture-time as it is to be forwarded. By forwarding we become the sender, so its offset has
// to be that of the capturer's clock to ours: the received offset, of the capturer's clock to our sender's, plus that of our
// sender's clock to ours. While the latter is unknown, it is taken to be 0, which is likely, as a sender that knows the time of
// capture has a clock. False = not to be forwarded: the clocks are too far apart for an offset.
func (c *SenderClock) Forwarded(t rtp.AbsCaptureTime) (rtp.AbsCaptureTime, bool) {
	t.HasClockOffset = true
	if !c.known() {
		return t, true
	}
	t.ClockOffset -= c.offset
	return t, !c.far
}

// clockPoint ties an RTP timestamp to an NTP time of the sender's clock; both are 0 before there is one.
type clockPoint struct {
	ntp uint64
	ts  unit.Timestamp
}

// at returns the sender's time of another timestamp; false when no timestamp is known, or only one too far away.
func (p *clockPoint) at(ts unit.Timestamp, clockRate uint32, most time.Duration) (ntp uint64, ok bool) {
	distance := int64(int32(ts - p.ts))
	limit := int64(clockRate) * int64(most/time.Second)
	if p.ntp == 0 || clockRate == 0 || distance > limit || distance < -limit {
		return 0, false
	}
	// No overflow: a distance has 32 bits.
	return p.ntp + uint64(distance<<32/int64(clockRate)), true
}

// newClockPoint returns what an abs-capture-time says of a packet's timestamp; false if it says nothing, or has an offset
// that cannot be.
func newClockPoint(t rtp.AbsCaptureTime, ts unit.Timestamp) (clockPoint, bool) {
	// The offset is the capturer's clock minus the sender's.
	if t.ClockOffset > 0 && uint64(t.ClockOffset) >= t.Timestamp {
		return clockPoint{}, false
	}
	p := clockPoint{t.Timestamp - uint64(t.ClockOffset), ts}
	return p, t.Timestamp != 0
}

// ntpDuration converts a difference of NTP timestamps, in units of 1/2^32 s.
func ntpDuration(d int64) time.Duration {
	seconds, fraction := d>>32, d&(1<<32-1)
	return time.Duration(seconds)*time.Second + time.Duration(fraction*int64(time.Second)>>32)
}
