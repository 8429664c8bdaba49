package media

import (
	"math"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// Chosen here: when a receiver is told to wait for repairs, and for how long.
const (
	// patientNACKs within some patienceTime make a receiver wait, and fewer than hastyNACKs not any more.
	patientNACKs = 4
	hastyNACKs   = 1
	patienceTime = 10 * time.Second
	// noticeTime is how long it takes a receiver to notice a loss: that of the last packet of a frame shows by the next frame.
	noticeTime = 50 * time.Millisecond
	// decodeTime is what a receiver takes of the delay for decoding and drawing, and for what repairs wait for.
	decodeTime = 50 * time.Millisecond
	// maxPatience: a picture that comes later than that is of no use in a conversation.
	maxPatience = 800 * time.Millisecond
)

// patience makes a receiver of video that loses packets show its pictures so late that repairs are there in time, by the
// playout-delay extension (http://www.webrtc.org/experiments/rtp-hdrext/playout-delay). A browser that only receives does not know
// its round-trip time, and does not wait for repairs: it shows the next picture that needs nothing of the missing one. Of a
// stream with temporal layers that is mostly the very next one, so that repairs hardly ever helped pictures of the higher layers.
type patience struct {
	nacks   float64 // of late
	at      unit.Time
	patient bool
	delay   time.Duration // the receiver's least, as it was told
	told    bool          // it was told one, and has to be told again if it changes
}

// asked takes that the receiver asked for packets which a path without congestion lost.
func (p *patience) asked(now unit.Time, rtt time.Duration) {
	p.forget(now)
	p.nacks++
	p.patient = p.patient || p.nacks >= patientNACKs
	if p.patient {
		p.told = true
		p.delay = min(max(rtt+noticeTime+decodeTime, p.delay-rtp.PlayoutDelayUnit), maxPatience)
	}
}

// calm notices that losses became rare.
func (p *patience) calm(now unit.Time) {
	if !p.patient {
		return
	}
	if p.forget(now); p.nacks < hastyNACKs {
		p.patient, p.delay = false, 0
	}
}

func (p *patience) forget(now unit.Time) {
	p.nacks *= math.Exp(-now.Sub(p.at).Seconds() / patienceTime.Seconds())
	p.at = now
}

// waits notes a NACK for the stream, whose receiver may have to wait for what is sent again.
func (c *Consumer) waits(now unit.Time, s *sentStream) {
	// A retransmission without RTX has to be the same packet, with what the receiver was told then: see rewrite.
	if c.ids.PlayoutDelay != 0 && c.isVideo() && !c.relay && s.send.Params().RTXSSRC != 0 && !s.send.Scarce() {
		c.patience.asked(now, s.send.RTT())
	}
}

// playoutDelay returns the value of the playout-delay extension, which it writes into dst: the producer's own has precedence.
func (c *Consumer) playoutDelay(own, dst []byte) []byte {
	if own != nil || !c.patience.told {
		return own
	}
	rtp.PutPlayoutDelay(dst, c.patience.delay, rtp.MaxPlayoutDelay)
	return dst
}
