package rtcpeer

import "time"

// Carried counts what has passed a NAT towards the worker, or was dropped before it.
type Carried struct {
	Bytes, Packets, Dropped int
}

// shape is the link that a NAT is behind. The zero value is one without limits.
type shape struct {
	rate    int           // bits per second, 0: not limited
	queue   time.Duration // for which packets may wait
	free    time.Time     // when what waits will have been sent
	carried Carried
}

// admit returns for how long a packet waits for its turn, and false if there is no room for it.
func (s *shape) admit(now time.Time, size int) (wait time.Duration, passes bool) {
	if s.rate > 0 {
		if wait = max(s.free.Sub(now), 0); wait > s.queue {
			s.carried.Dropped++
			return 0, false
		}
		wait += time.Duration(size) * 8 * time.Second / time.Duration(s.rate)
		s.free = now.Add(wait)
	}
	s.carried.Packets++
	s.carried.Bytes += size
	return wait, true
}

// Shape limits what the peer sends to bits per second; what waits for longer than queue is dropped.
func (n *NAT) Shape(rate int, queue time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shape.rate, n.shape.queue = rate, queue
}

// Carried returns what has passed since the last call.
func (n *NAT) Carried() Carried {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.shape.carried
	n.shape.carried = Carried{}
	return c
}
