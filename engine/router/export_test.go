package router

import (
	"testing"

	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// Shards returns the shards of the runner.
func (h *Runner) Shards() (shards []*shard.Shard) {
	for _, p := range h.shards {
		shards = append(shards, p.shard)
	}
	return shards
}

// NextShard returns the number of the shard that the router's next transport will be on.
func (r *Router) NextShard() int { return r.runner.choose(r.perShard).shard.Index() }

// KeyFrameRequestAllocs returns what each further wish for a key frame allocates while the producer's shard is busy.
func (r *Router) KeyFrameRequestAllocs(producerID string, mapped unit.SSRC) (allocs float64) {
	p := r.producers[producerID]
	p.entry.runEvenIfBroken(func(unit.Time) {
		allocs = testing.AllocsPerRun(1000, func() { p.feedback.RequestKeyFrame(mapped) })
	})
	return allocs
}

// LossReportAllocs returns what each further report of loss allocates while the producer's shard is busy.
func (r *Router) LossReportAllocs(producerID string, mapped unit.SSRC) (allocs float64) {
	p := r.producers[producerID]
	p.entry.runEvenIfBroken(func(unit.Time) {
		lost := uint8(0)
		allocs = testing.AllocsPerRun(1000, func() { lost++; p.feedback.ReportFractionLost("c", mapped, lost) })
	})
	return allocs
}
