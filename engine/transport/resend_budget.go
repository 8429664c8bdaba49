package transport

import (
	"time"

	"gazpacho/engine/bwe"
	"gazpacho/engine/unit"
)

// How much a peer may have sent again. Chosen here:
const (
	// resendShare: retransmissions take up to half of the media's bitrate, enough to repair a loss of one packet in three,
	// whose retransmissions are lost as often. (libwebrtc allows as much as the whole estimate, over half a second.)
	resendShare = 2
	// minResendRate is for media that has just begun, ended, or is audio only; that of the first estimate.
	minResendRate unit.Bitrate = defaultOutgoingBitrate
	// resendBurst is the time for which an unused rate may be saved up, minResendBurst and maxResendBurst bound it in bytes. The
	// greatest is what one turn may send: some 200 packets, under a millisecond's work.
	resendBurst    = 250 * time.Millisecond
	minResendBurst = 64 << 10
	maxResendBurst = 256 << 10
	// Of a known estimate: the share that retransmissions get, and while the path is congested.
	resendEstimateShare  = 2
	congestedResendShare = 4
	minEstimatedBurst    = 3 << 10
)

// resendBudget is a token bucket for all retransmissions of a transport, in bytes. It may be overdrawn by one packet. What it does
// not allow is dropped rather than queued: the packets that the peer named first are sent, which are the oldest and hold up its
// decoder, and it asks again for those that it still wants by then. The zero value is full.
type resendBudget struct {
	left int
	at   unit.Time // of the last refill; 0 = never
}

func (r *resendBudget) refill(now unit.Time, rate unit.Bitrate, least int64) {
	bytesPerSecond := int64(rate / 8)
	depth := int(min(max(bytesPerSecond*int64(resendBurst)/int64(time.Second), least), maxResendBurst))
	r.left = min(r.left, depth)
	if r.at == 0 || now.Sub(r.at) >= time.Second {
		r.left, r.at = depth, now
		return
	}
	// Whole bytes only, so that nothing is lost by many short steps.
	earned := bytesPerSecond * int64(now.Sub(r.at)) / int64(time.Second)
	if earned > 0 {
		r.left, r.at = min(depth, r.left+int(earned)), now
	}
}

// resendRate is a share of the media that is sent, or of the estimate if that is less. The estimate alone is the peer's word.
func (t *Transport) resendRate(now unit.Time) unit.Bitrate {
	rate := max(t.counters.rtpSent.Rate(now)/resendShare, minResendRate)
	if t.bweOut == nil {
		return rate
	}
	share := unit.Bitrate(resendEstimateShare)
	if t.congestion > bwe.CongestionNone {
		share = congestedResendShare
	}
	return min(rate, t.bweOut.AvailableBitrate()/share)
}
