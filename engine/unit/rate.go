package unit

import "time"

// From mediasoup (RateCalculator, RtpDataCounter):
const (
	// DefaultRateWindow is the time over which a RateCounter averages by default.
	DefaultRateWindow = 1000 * time.Millisecond
	// DefaultCounterWindow is the same for a Counter.
	DefaultCounterWindow = 2500 * time.Millisecond
)

// rateSlots is the number of slots in a window, as in mediasoup.
const rateSlots = 100

// RateCounter measures a bitrate over a sliding window. The window is cut into at most 100 slots of whole milliseconds;
// their sum is kept up to date, so that Update and Rate take constant time when called regularly. It behaves as
// mediasoup's RateCalculator. The slots, 400 bytes, come with the first Update, for there are several counters per transport,
// producer and consumer, most of which never count anything. A counter must not be copied once it has counted.
type RateCounter struct {
	newestStart int64 // in milliseconds, when the newest slot begins
	total       uint64
	windowMS    int32
	slotMS      int32
	used        int32 // slots that cover the window
	newest      int32
	slots       *[rateSlots]uint32 // nil until the first Update
}

// NewRateCounter returns a counter over the given window; windows shorter than a millisecond count as one.
func NewRateCounter(window time.Duration) RateCounter {
	return newRateCounter(window, rateSlots)
}

func newRateCounter(window time.Duration, slots int32) RateCounter {
	windowMS := max(int32(window.Milliseconds()), 1)
	slotMS := (windowMS + slots - 1) / slots
	return RateCounter{windowMS: windowMS, slotMS: slotMS, used: (windowMS + slotMS - 1) / slotMS}
}

// Update adds bytes seen at now. Bytes that are older than the whole window are left out.
func (c *RateCounter) Update(now Time, bytes int) {
	if c.slide(now) {
		if c.slots == nil {
			c.slots = new([rateSlots]uint32)
		}
		c.slots[c.newest] += uint32(bytes)
		c.total += uint64(bytes)
	}
}

// Rate returns the average over the window that ends at now.
func (c *RateCounter) Rate(now Time) Bitrate {
	c.slide(now)
	window := uint64(c.windowMS)
	return Bitrate((c.total*8000 + window/2) / window)
}

// Reset forgets everything seen.
func (c *RateCounter) Reset() {
	if c.slots != nil {
		clear(c.slots[:])
	}
	*c = RateCounter{windowMS: c.windowMS, slotMS: c.slotMS, used: c.used, slots: c.slots}
}

// Rest gives the slots back if nothing was seen in the window that ends at now, and reports whether that is so. They come again with
// the next Update. Apart from that it changes nothing: slots begin when they would have begun.
func (c *RateCounter) Rest(now Time) bool {
	if c.total > 0 && int64(now.Milliseconds())-c.newestStart < int64(c.used)*int64(c.slotMS) {
		return false
	}
	c.slots, c.total = nil, 0
	return true
}

// slide empties the slots that left the window and makes the one that holds now the newest. It reports false when now
// is older than the window; an instant that is older than the newest slot, but inside the window, counts into that slot.
func (c *RateCounter) slide(now Time) bool {
	ms := int64(now.Milliseconds())
	elapsed := ms - c.newestStart
	switch {
	case elapsed <= -int64(c.windowMS):
		return false
	case elapsed < int64(c.slotMS):
		return true
	}
	steps := elapsed / int64(c.slotMS)
	if steps >= int64(c.used) {
		c.Reset()
		c.newestStart = ms
		return true
	}
	for range steps {
		c.newest++
		if c.newest == c.used {
			c.newest = 0
		}
		if c.slots != nil {
			c.total -= uint64(c.slots[c.newest])
			c.slots[c.newest] = 0
		}
	}
	// Whole slots only: taking the remainder along would stretch the window and report too much.
	c.newestStart += steps * int64(c.slotMS)
	return true
}

// Counter counts RTP packets and their bytes and measures their bitrate: mediasoup's RtpDataCounter. Like its RateCounter it
// is small until it counts, and must not be copied then.
type Counter struct {
	packets uint64
	bytes   uint64
	rate    RateCounter
}

// NewCounter returns a counter whose bitrate is averaged over window.
func NewCounter(window time.Duration) Counter {
	return Counter{rate: NewRateCounter(window)}
}

// Update counts a packet of the given length, header included, with payload bytes of payload. A packet that holds
// nothing but padding counts as a packet, but neither its bytes nor its rate do.
func (c *Counter) Update(now Time, length, payload int) {
	c.packets++
	if payload > 0 {
		c.bytes += uint64(length)
		c.rate.Update(now, length)
	}
}

// Packets returns how many packets were counted.
func (c *Counter) Packets() uint64 { return c.packets }

// Bytes returns how many bytes were counted.
func (c *Counter) Bytes() uint64 { return c.bytes }

// Rest gives the memory of the rate back if it is 0 at now, and reports whether it is.
func (c *Counter) Rest(now Time) bool { return c.rate.Rest(now) }

// Rate returns the bitrate over the window that ends at now.
func (c *Counter) Rate(now Time) Bitrate { return c.rate.Rate(now) }
