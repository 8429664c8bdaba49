package transport

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Chosen here.
const (
	// beatInterval is how often an internal pipe looks whether it has heard the other end, and shows that it lives if it has sent
	// nothing else meanwhile.
	beatInterval = 500 * time.Millisecond
	// maxMissedBeats is how many times in a row it may have heard nothing: up to two seconds, in which a pipe that carries nothing else
	// would have to lose three packets. Beats are counted rather than time, so that a process that was stopped, or too busy for its
	// timers, does not take its own sleep for the other end's silence: what came meanwhile is read before the next beat.
	maxMissedBeats = 3
	// excusedBeats is after how many of them the streams count as silent, too. Until then the pipe's silence says nothing about these:
	// once it is noticed, they may go another way, without a change of layers.
	excusedBeats = 7
)

// heartbeat notices that an internal pipe does not hear its other end, although it may be idle or paused.
type heartbeat struct {
	next   unit.Time // unit.Never until connected
	sent   uint64    // bytes, until the last beat
	missed int
}

// begin starts with the first beat, also when a pipe is connected again.
func (h *heartbeat) begin(now unit.Time) { *h = heartbeat{next: now.Add(beatInterval)} }

func (c *pipe) nextTimeout() unit.Time { return c.heartbeat.next }

func (c *pipe) timeout(now unit.Time) {
	h := &c.heartbeat
	if now < h.next {
		return
	}
	h.next = now.Add(beatInterval)
	if c.t.counters.bytesSent == h.sent {
		c.sendRTCP(now, beat)
	}
	h.sent = c.t.counters.bytesSent
	switch {
	case !c.heard:
		c.missBeat()
	case h.missed >= maxMissedBeats:
		c.t.emit(c.t.id, api.EventPipeTransportHeard, nil)
		fallthrough
	default:
		h.missed = 0
	}
	c.heard = false
}

// missBeat takes note that nothing was heard since the last beat.
func (c *pipe) missBeat() {
	h := &c.heartbeat
	h.missed++
	if h.missed == maxMissedBeats {
		c.t.emit(c.t.id, api.EventPipeTransportSilent, nil)
	}
	if h.missed <= excusedBeats {
		for _, p := range c.t.producers {
			p.Excuse(beatInterval)
		}
	}
}

// beat is an empty receiver report (RFC 3550 section 6.4.2). SRTCP authenticates it like all others.
var beat = []byte{2 << 6, 201, 0, 1, 0, 0, 0, 0}
