package runner

import (
	"slices"
	"sync"

	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// ProducerFeedback takes the requests of a producer's consumers to the producer's shard. It posts even on the same shard, so
// that a producer is never re-entered. However many consumers ask, and however often, one message of each kind is under way.
type ProducerFeedback struct {
	producer *transport.Producer
	on       *TransportActor

	mu     sync.Mutex
	wanted []unit.SSRC       // mapped SSRCs that need a key frame, each once; of the message under way
	losses map[lossKey]uint8 // the newest report of each consumer; likewise
}

// lossKey names the stream that a report of loss is about.
type lossKey struct {
	consumerID string
	mapped     unit.SSRC
}

// NewProducerFeedback returns the feedback to a producer of the given actor's transport.
func NewProducerFeedback(p *transport.Producer, on *TransportActor) *ProducerFeedback {
	return &ProducerFeedback{producer: p, on: on}
}

// RequestKeyFrame implements transport.ProducerFeedback.
func (f *ProducerFeedback) RequestKeyFrame(mapped unit.SSRC) {
	f.mu.Lock()
	known := slices.Contains(f.wanted, mapped)
	first := len(f.wanted) == 0
	if !known {
		f.wanted = append(f.wanted, mapped)
	}
	f.mu.Unlock()
	if first {
		f.on.ctx.shard.Post((*keyFrameRequests)(f))
	}
}

// ReportFractionLost implements transport.ProducerFeedback.
func (f *ProducerFeedback) ReportFractionLost(consumerID string, mapped unit.SSRC, lost uint8) {
	f.mu.Lock()
	first := len(f.losses) == 0
	if f.losses == nil {
		f.losses = map[lossKey]uint8{}
	}
	f.losses[lossKey{consumerID, mapped}] = lost
	f.mu.Unlock()
	if first {
		f.on.ctx.shard.Post((*lossReports)(f))
	}
}

// keyFrameRequests is the message that RequestKeyFrame posts.
type keyFrameRequests ProducerFeedback

// Run implements shard.Message.
func (m *keyFrameRequests) Run(now unit.Time) {
	m.mu.Lock()
	wanted := m.wanted
	m.wanted = nil
	m.mu.Unlock()
	m.on.call("key frame request", now, func(now unit.Time) {
		for _, mapped := range wanted {
			m.on.transport.RequestKeyFrame(now, m.producer, mapped)
		}
	})
}

// lossReports is the message that ReportFractionLost posts.
type lossReports ProducerFeedback

// Run implements shard.Message.
func (m *lossReports) Run(now unit.Time) {
	m.mu.Lock()
	losses := m.losses
	m.losses = nil
	m.mu.Unlock()
	m.on.call("loss report", now, func(unit.Time) {
		for key, lost := range losses {
			m.on.transport.ReportFractionLost(m.producer, key.consumerID, key.mapped, lost)
		}
	})
}
