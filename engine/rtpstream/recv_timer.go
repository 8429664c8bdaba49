package rtpstream

import (
	"time"

	"gazpacho/engine/unit"
)

// armInactivity starts the inactivity check, if the stream has one.
func (r *Recv) armInactivity(now unit.Time) {
	if r.options.InactivityCheck && !r.paused {
		r.inactiveAt = now.Add(r.inactivityInterval())
	}
}

func (r *Recv) inactivityInterval() time.Duration {
	if r.params.UseDTX {
		return inactivityIntervalDTX
	}
	return inactivityInterval
}

// HandleTimeout does what is due at now: NACKs, the inactivity check, the check of spatial layers.
func (r *Recv) HandleTimeout(now unit.Time) {
	if r.nack != nil && now >= r.nack.timer {
		r.nack.tick(now)
		r.sendNACKs()
	}
	if now >= r.inactiveAt {
		r.checkInactivity(now)
	}
	if now >= r.layersAt {
		r.checkLayers(now)
	}
}

// NextTimeout returns when HandleTimeout has to be called, unit.Never when nothing is waited for.
func (r *Recv) NextTimeout() unit.Time {
	next := min(r.inactiveAt, r.layersAt)
	if r.nack != nil {
		next = min(next, r.nack.timer)
	}
	return next
}

// checkInactivity is not rearmed by each packet: it looks at when the last one came, and waits on if that is recent.
func (r *Recv) checkInactivity(now unit.Time) {
	due := r.lastActive.Add(r.inactivityInterval())
	if now < due {
		r.inactiveAt = due
		return
	}
	r.inactiveAt = unit.Never
	r.inactive = true
	r.resetScore(now, 0)
}

// checkLayers finds the spatial layers that carry traffic: all layers share one SSRC, so that the inactivity check does not
// notice when one of them stops.
func (r *Recv) checkLayers(now unit.Time) {
	r.layersAt = now.Add(layersInterval)
	active := uint32(0)
	for s := range r.params.SpatialLayers {
		if r.layers.spatialRate(now, s) > 0 {
			active |= 1 << (s & 31)
		}
	}
	if active != r.activeLayers {
		r.activeLayers = active
		r.output.SpatialLayersChanged = true
	}
}
