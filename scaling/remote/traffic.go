package remote

import (
	"sync"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

// Traffic is what a node has received and sent until now, in datagrams and their bytes.
type Traffic struct{ Received, Sent, BytesReceived, BytesSent uint64 }

// trafficMeter measures a node's traffic by the growth between two samples.
type trafficMeter struct {
	mu      sync.Mutex
	at      unit.Time // of the last sample; 0 before the first
	total   Traffic   // then
	in, out membership.Traffic
}

func (m *trafficMeter) sample(now unit.Time, total Traffic) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if span := now.Sub(m.at).Seconds(); m.at > 0 && span > 0 {
		rate := func(now, before uint64) uint64 { return uint64(float64(now-before)/span + 0.5) }
		m.in = membership.Traffic{
			Packets: rate(total.Received, m.total.Received), Kilobits: rate(total.BytesReceived, m.total.BytesReceived) * 8 / 1000,
		}
		m.out = membership.Traffic{
			Packets: rate(total.Sent, m.total.Sent), Kilobits: rate(total.BytesSent, m.total.BytesSent) * 8 / 1000,
		}
	}
	m.at, m.total = now, total
}

// share returns how much of what the network carries in each direction, in kilobits a second, is used in the busier one: from 0 to 1.
func (m *trafficMeter) share(bandwidth uint64) float64 {
	if bandwidth == 0 {
		return 0
	}
	in, out := m.last()
	return min(1, float64(max(in.Kilobits, out.Kilobits))/float64(bandwidth))
}

// last returns what the node received and sent between the last two samples.
func (m *trafficMeter) last() (in, out membership.Traffic) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.in, m.out
}
