package front

import (
	"slices"

	"gazpacho/engine/api"
)

// Scores and statistics of a producer are those of its home, also for consumers behind a relay, whose node sees the relay's.

// setScores takes over what the home tells, and tells the consumers behind relays.
func (p *producer) setScores(told *api.ProducerScoreNotification) {
	for _, s := range told.Scores {
		if int(s.EncodingIdx) < len(p.scores) {
			p.scores[s.EncodingIdx] = s.Score
		}
	}
	for _, c := range p.consumers {
		if c.relay != nil && !c.creating && !c.isPipe() {
			c.tellScore()
		}
	}
}

// mergedScore is the consumer's own score beside those of the producer's home.
func (c *consumer) mergedScore() *api.ConsumerScore {
	s := &api.ConsumerScore{Score: c.score, ProducerScores: slices.Clone(c.producer.scores)}
	if i := c.encoding(); i >= 0 && i < len(s.ProducerScores) {
		s.ProducerScore = s.ProducerScores[i]
	}
	return s
}

// tellScore tells the application the scores if they are new to it. ProducerScore follows from the others and from the layers, of
// which the application hears.
func (c *consumer) tellScore() {
	s := c.mergedScore()
	if c.told != nil && s.Score == c.told.Score && slices.Equal(s.ProducerScores, c.told.ProducerScores) {
		return
	}
	c.told = s
	c.transport.front().emit(c.id, api.EventConsumerScore, &api.ConsumerScoreNotification{Score: s})
}

// statsOf finds an encoding's stream among the producer's statistics, nil if there is none yet. Streams come in the order of
// encodings, but only those that exist.
func (p *producer) statsOf(encoding int, all []api.RTPStreamStats) *api.RTPStreamStats {
	encodings := p.request.RTPParameters.Encodings
	if len(encodings) == 1 && len(all) == 1 {
		return &all[0]
	}
	for i := range all {
		ssrc, rid := streamOf(&all[i])
		if e := &encodings[encoding]; e.SSRC != nil && *e.SSRC == ssrc || e.RID != "" && e.RID == rid {
			return &all[i]
		}
	}
	return nil
}

// streamOf returns which of a producer's streams statistics are about.
func streamOf(s *api.RTPStreamStats) (ssrc uint32, rid string) {
	received, ok := s.Data.(*api.RTPStreamRecvStats)
	if !ok || received.Base == nil {
		return 0, ""
	}
	base, ok := received.Base.Data.(*api.RTPStreamBaseStats)
	if !ok {
		return 0, ""
	}
	return base.SSRC, base.RID
}
