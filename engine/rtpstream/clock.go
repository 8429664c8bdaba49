package rtpstream

import (
	"time"

	"gazpacho/engine/unit"
)

// defaultRTT is assumed until a round-trip time was measured, as in mediasoup.
const defaultRTT = 100 * time.Millisecond

// roundTrip is a round-trip time in units of 1/65536 s, as RTCP measures it; 0 when unknown.
type roundTrip uint32

// measureRoundTrip returns the round-trip time that a report gives (RFC 3550 section 6.4.1, RFC 3611 section 4.5): arrival
// minus the time the peer held our last report minus when we sent that. It is 0, unknown, when the peer has not seen a
// report of ours yet, or when the result would be negative.
func measureRoundTrip(now unit.Time, last, delay uint32) roundTrip {
	if last == 0 || delay == 0 {
		return 0
	}
	// The compact NTP format wraps every 18 hours: only the difference may be compared.
	rtt := int32(unit.CompactNTP(now.NTP()) - delay - last)
	return roundTrip(max(rtt, 0))
}

func (r roundTrip) duration() time.Duration {
	return time.Duration(uint64(r) * uint64(time.Second) >> 16)
}

// milliseconds returns the round-trip time for statistics.
func (r roundTrip) milliseconds() float32 { return float32(r) / 65536 * 1000 }

// minPace is the shortest time between two repetitions. The round-trip time is the peer's word: it is a difference from a time
// that the peer names. No receiver notices sooner that a retransmission was lost: libwebrtc looks every 20 ms, mediasoup every 40.
// (Chosen here.)
const minPace = 20 * time.Millisecond

// pace returns the round-trip time in whole milliseconds for spacing out repetitions, the default when unknown.
func (r roundTrip) pace() time.Duration {
	if r == 0 {
		return defaultRTT
	}
	return max(r.duration().Truncate(time.Millisecond), minPace)
}

// seen is an NTP time the peer sent us and when it arrived, for the answer that lets the peer measure the round-trip
// time.
type seen struct {
	compact uint32
	at      unit.Time
	ok      bool
}

// answer returns the last time seen and the delay since then in units of 1/65536 s, both 0 when there is none.
func (s *seen) answer(now unit.Time) (last, delay uint32) {
	if !s.ok || s.compact == 0 {
		return 0, 0
	}
	return s.compact, unit.NTPDuration(now.Sub(s.at))
}
