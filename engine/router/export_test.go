package router

import (
	"testing"

	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// Shards returns the shards of the house.
func (h *House) Shards() (shards []*shard.Shard) {
	for _, p := range h.places {
		shards = append(shards, p.shard)
	}
	return shards
}

// NextShard returns the number of the shard that the router's next transport will be on.
func (r *Router) NextShard() int { return r.house.choose(r.perPlace).shard.Index() }

// KeyFrameRequestAllocs returns what each further wish for a key frame allocates while the producer's shard is busy.
func (r *Router) KeyFrameRequestAllocs(producerID string, mapped unit.SSRC) (allocs float64) {
	p := r.producers[producerID]
	p.member.always(func(unit.Time) {
		allocs = testing.AllocsPerRun(1000, func() { p.source.RequestKeyFrame(mapped) })
	})
	return allocs
}

// LossReportAllocs returns what each further report of loss allocates while the producer's shard is busy.
func (r *Router) LossReportAllocs(producerID string, mapped unit.SSRC) (allocs float64) {
	p := r.producers[producerID]
	p.member.always(func(unit.Time) {
		lost := uint8(0)
		allocs = testing.AllocsPerRun(1000, func() { lost++; p.source.ReportFractionLost("c", mapped, lost) })
	})
	return allocs
}
