package unit

import (
	"math"
	"time"
)

// Time is an instant of the engine's clock in nanoseconds since the Unix epoch. The clock is read once per turn of a
// shard and handed down; it never goes backwards, whatever happens to the system's clock.
type Time int64

// Never is later than every instant: the deadline of a machine that waits for nothing.
const Never Time = math.MaxInt64

// Add returns t + d; Never stays Never.
func (t Time) Add(d time.Duration) Time {
	if t == Never {
		return Never
	}
	return t + Time(d)
}

// Sub returns the time that passed from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Milliseconds returns t in whole milliseconds, the unit of the worker protocol's timestamps.
func (t Time) Milliseconds() uint64 { return uint64(t) / uint64(time.Millisecond) }

// ntpEpochOffset is the time from the NTP epoch (1900) to the Unix epoch (1970) in seconds, RFC 5905 section 6.
const ntpEpochOffset = 2208988800

// NTP returns t in the 64-bit NTP timestamp format of RFC 5905 section 6: seconds in the upper half, fractions of a
// second in the lower.
func (t Time) NTP() uint64 {
	seconds := uint64(t)/uint64(time.Second) + ntpEpochOffset
	fraction := (uint64(t) % uint64(time.Second)) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}

// CompactNTP returns the middle 32 bits of an NTP timestamp, which RTCP's LSR and LRR fields carry (RFC 3550 section 4).
func CompactNTP(ntp uint64) uint32 { return uint32(ntp >> 16) }

// NTPDuration returns d in units of 1/65536 s, as RTCP's DLSR and DLRR fields carry it (RFC 3550 section 6.4.1).
func NTPDuration(d time.Duration) uint32 {
	return uint32(uint64(d) << 16 / uint64(time.Second))
}
