package layer

import (
	"time"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// mediasoup's values for a stream whose key frame, brought in line, would not be newer than what was sent.
const (
	// maxExtraOffset is how late the stream may be made for the sake of order before another key frame is waited for: the
	// limit of what is noticed between sound and picture.
	maxExtraOffset = 75 * time.Millisecond
	// frameInterval is how far behind the last frame sent such a key frame is put: as at 30 frames per second.
	frameInterval = 33 * time.Millisecond
)

// simulcastClock keeps the timestamps of the sent stream in one line while the streams behind it change, each of which
// counts from its own beginning. Sender reports relate the timestamps of two streams.
type simulcastClock struct {
	// reference is the stream to whose timestamps the others' are converted, -1 before the first. Its own are sent with
	// base subtracted.
	reference int16
	base      unit.Timestamp
	// offset is subtracted from the current stream's timestamps.
	offset unit.Timestamp
	// reported is the last reference of which a sender report was known, -1 before the first.
	reported int16
	// asked: a key frame that would have broken the order was left out, and another one asked for.
	asked bool
}

// knows reports whether the timestamps of a stream can be brought in line.
func (k *simulcastClock) knows(streams []Stream, spatial int16) bool {
	return k.reference < 0 || spatial == k.reference || streams[spatial].hasReport()
}

// choose makes a stream the reference when there is none.
func (k *simulcastClock) choose(spatial int16) {
	if k.reference < 0 {
		k.reference = spatial
	}
}

// report records a sender report; first: the first of its stream. It reports whether streams may have become usable.
func (k *simulcastClock) report(streams []Stream, first bool) bool {
	if k.reference < 0 || !streams[k.reference].hasReport() {
		return false
	}
	isNew := k.reported != k.reference
	k.reported = k.reference
	return first || isNew
}

// align finds the offset for the key frame with which the target becomes the current stream. False = not with this one;
// another one was asked for.
func (s *simulcast) align(now unit.Time, pkt *packet.Packet) bool {
	k := &s.clock
	spatial := s.target.Spatial
	newest, at, started := s.consumer.NewestSent()
	offset := k.base
	if spatial != k.reference {
		switch ref, own := &s.streams[k.reference], &s.streams[spatial]; {
		case !ref.hasReport():
			// Nothing is known of the reference's clock: the target becomes the reference. Its timestamps go on after what was
			// sent as much later as time has passed. (mediasoup sends them as they are.)
			k.reference, k.base = spatial, 0
			if started {
				k.base = pkt.Timestamp - newest - durationTicks(now.Sub(at), s.clockRate)
			}
			offset = k.base
		case !own.hasReport():
			// Its sender report is on the way.
			s.requestFor(spatial)
			return false
		default:
			offset += own.SenderReport.Timestamp - ref.SenderReport.Timestamp -
				ticks(own.SenderReport.NTP-ref.SenderReport.NTP, own.ClockRate)
		}
	}
	if ts := pkt.Timestamp - offset; started && canCompare(now.Sub(at), s.clockRate) && !ts.After(newest) {
		extra, ok := k.extra(ts, newest, s.clockRate)
		if !ok {
			k.asked = true
			s.requestFor(spatial)
			return false
		}
		offset -= extra
	}
	k.offset, k.asked = offset, false
	return true
}

// canCompare reports whether a timestamp can be told to be older than another one that was sent so long ago: an RTP clock of 90 kHz is half
// round after 6.6 hours. (mediasoup compares them nevertheless.)
func canCompare(ago time.Duration, rate uint32) bool {
	const half = 1 << 31
	return ago.Seconds()*float64(rate) < half
}

// extra returns by how much a timestamp that is not newer than the newest one sent must be increased to come a frame after it.
// False = too much, and it is worthwhile to wait for another key frame.
//
// If that one is as late, order is still worth more than being in time: our sender reports relate the new timestamps to
// sound. But then it is put right behind the last frame, so that the extra offset does not grow from change to change.
// (mediasoup lets timestamps go back.)
func (k *simulcastClock) extra(ts, newest unit.Timestamp, rate uint32) (extra unit.Timestamp, ok bool) {
	extra = newest - ts + durationTicks(frameInterval, rate)
	if extra <= durationTicks(maxExtraOffset, rate) {
		return extra, true
	}
	return newest - ts + 1, k.asked
}

// ticks converts a difference of NTP timestamps, which may be negative, to units of the RTP clock.
func ticks(ntp uint64, rate uint32) unit.Timestamp {
	seconds, fraction := ntp>>32, ntp&(1<<32-1)
	return unit.Timestamp(seconds*uint64(rate) + fraction*uint64(rate)>>32)
}

func durationTicks(d time.Duration, rate uint32) unit.Timestamp {
	return unit.Timestamp(d.Milliseconds() * int64(rate) / 1000)
}
