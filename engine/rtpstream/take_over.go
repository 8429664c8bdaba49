package rtpstream

import (
	"time"

	"gazpacho/engine/unit"
)

// TakeOver has another sender go on with the stream: the same media, with an SSRC, sequence numbers and retransmissions of its own. What
// is known of the media stays: its score, layers, bitrates and timestamps, and how these relate to sender reports, until the new
// sender reports itself.
func (r *Recv) TakeOver(ssrc unit.SSRC) {
	r.params.SSRC, r.params.RTXSSRC = ssrc, 0
	r.seq, r.rtx, r.jitter, r.loss, r.rtt = sequence{}, nil, jitter{}, lossReport{}, 0
	r.received, r.receivedPriorScore, r.expectedPriorScore = 0, 0, 0
	r.sr.compact = 0 // the new sender has sent none that could be answered
	if r.nack != nil {
		r.nack.reset()
		r.nack.rtt = 0
	}
}

// Newest returns the newest sequence number received; false before the first packet.
func (r *Recv) Newest() (unit.SeqNo, bool) { return r.seq.max, r.seq.started }

// Excuse leaves a time out of account in which packets could not come, when it is judged whether the stream or a layer is silent.
func (r *Recv) Excuse(d time.Duration) {
	r.lastActive = r.lastActive.Add(d)
	if r.inactiveAt != unit.Never {
		r.inactiveAt = r.inactiveAt.Add(d)
	}
	if r.layersAt != unit.Never {
		r.layersAt = r.layersAt.Add(d)
	}
}
