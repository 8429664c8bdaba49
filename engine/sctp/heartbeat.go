package sctp

import "time"

// maxUnheard is after how many intervals without a packet the peer counts as gone, upstream's limit of retransmissions.
const maxUnheard = 10

// startHeartbeat begins to watch whether the peer is there. pion would never notice: it retransmits for ever, and what it has
// of heartbeats sends them without what the answer must contain. The caller holds mu.
func (e *edge) startHeartbeat() { e.heartbeat = time.AfterFunc(e.a.cfg.HeartbeatInterval, e.beat) }

// beat is called once in each interval. A peer that was silent gets a HEARTBEAT, which it must answer (RFC 9260 section 8.3).
func (e *edge) beat() {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.unheard++
	if e.heard {
		e.heard, e.unheard = false, 0
	}
	if e.unheard > maxUnheard {
		e.mu.Unlock()
		e.terminate("the peer does not answer")
		return
	}
	if e.next != nil && time.Since(e.nextAt) >= e.a.cfg.HeartbeatInterval {
		e.dropNext() // it was no restart
	}
	e.heartbeat.Reset(e.a.cfg.HeartbeatInterval)
	if e.unheard == 0 || len(e.out.Packets) >= maxOutPackets {
		e.mu.Unlock()
		return
	}
	e.out.Packets = append(e.out.Packets, heartbeatPacket(e.a.cfg.Port, e.conn.peer.tag, time.Now()))
	e.unlockAndWake()
}
