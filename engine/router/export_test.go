package router

import (
	"testing"

	"gazpacho/engine/unit"
)

// KeyFrameRequestAllocs returns what each further wish for a key frame allocates while the producer's shard is busy.
func (r *Router) KeyFrameRequestAllocs(producerID string, mapped unit.SSRC) (allocs float64) {
	p := r.producers[producerID]
	p.member.always(func(unit.Time) {
		allocs = testing.AllocsPerRun(1000, func() { p.source.RequestKeyFrame(mapped) })
	})
	return allocs
}
