package sctp

import (
	"time"

	"gazpacho/engine/unit"
)

// From mediasoup's SctpOptions: the window, in packets.
const (
	initialPackets = 10
	minPackets     = 4 // after a loss; after a timeout it is one (RFC 9260 section 7.2.3)
)

// Chosen here.
const (
	// maxWindow bounds what is in flight: 100 Mbit/s over 300 ms.
	maxWindow = 4 << 20
	// maxBurst is how many packets may leave at once (RFC 9260 section 6.1, rule D).
	maxBurst = 10
)

// congestion is the congestion control of RFC 9260 section 7.2 with the answer to losses of TCP Veno (Fu and Liew, "TCP Veno:
// TCP Enhancement for Transmission over Wireless Access Networks", IEEE JSAC 21(2), 2003): when packets are lost and the round
// trip is about as short as ever, no queue is full, so that the loss says little about congestion. The window shrinks by a
// fifth then, and by half when a queue has grown.
type congestion struct {
	mtu        int
	window     int // bytes, cwnd
	threshold  int // ssthresh
	partial    int // bytes acknowledged since the window grew
	recoveryAt unit.Time

	lowest  time.Duration // of the latest samples of the round trip
	samples int
}

// venoQueue is how many packets of ours may wait in a queue before a loss counts as congestion (Veno's beta).
const venoQueue = 3

func (c *congestion) init(mtu int) {
	*c = congestion{mtu: mtu, window: initialPackets * mtu, threshold: maxWindow}
}

// From RFC 9406 (HyStart++), but for the upper limit, which is 16 ms there: less than short queues hold.
const (
	delaySamples   = 8
	minDelayGrowth = 4 * time.Millisecond
	maxDelayGrowth = 8 * time.Millisecond
)

// observe ends slow start when the round trip grows, before the queue is full.
func (c *congestion) observe(sample, shortest time.Duration) {
	if c.samples == 0 || sample < c.lowest {
		c.lowest = sample
	}
	if c.samples++; c.samples < delaySamples {
		return
	}
	c.samples = 0
	if c.window < c.threshold && c.lowest > shortest+min(max(shortest/8, minDelayGrowth), maxDelayGrowth) {
		c.threshold = max(c.window, minPackets*c.mtu)
	}
}

// grow takes bytes that were acknowledged; before is what was in flight then. The window grows only if it was used.
func (c *congestion) grow(bytes, before int) {
	if bytes == 0 || before+c.mtu < c.window || c.window >= maxWindow {
		return
	}
	if c.window < c.threshold {
		c.window += min(bytes, 2*c.mtu) // RFC 9260 section 7.2.1, with L of 2
		return
	}
	c.partial += bytes
	if c.partial >= c.window {
		c.partial -= c.window
		c.window += c.mtu
	}
}

// reduce answers a loss.
func (c *congestion) reduce(now unit.Time, smoothed, shortest time.Duration) {
	waiting := 0.0 // packets of ours in queues
	if smoothed > 0 {
		waiting = float64(c.window) / float64(c.mtu) * float64(smoothed-shortest) / float64(smoothed)
	}
	if waiting < venoQueue {
		c.threshold = c.window * 4 / 5
	} else {
		c.threshold = c.window / 2
	}
	c.threshold = max(c.threshold, minPackets*c.mtu)
	c.window, c.partial, c.recoveryAt = c.threshold, 0, now
}

// collapse answers a timeout; first tells that it is the first one in a row.
func (c *congestion) collapse(now unit.Time, first bool) {
	if first {
		c.threshold = max(c.window/2, minPackets*c.mtu)
	}
	c.window, c.partial, c.recoveryAt = c.mtu, 0, now
}
