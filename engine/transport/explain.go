package transport

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"gazpacho/engine/bwe"
	"gazpacho/engine/media"
)

// layerDrop is a reason for which a consumer's target layers become lower.
type layerDrop uint8

const (
	dropNotPreferred layerDrop = iota // the application prefers lower ones
	dropNotSent                       // the producer's peer sends no higher ones any more
	dropShared                        // other consumers take more, or the layers themselves became larger
	dropOveruse                       // the estimate fell because packets wait on the path,
	dropLoss                          // are lost,
	dropSilence                       // or no feedback comes
	dropREMB                          // the peer's own estimate allows no more
	dropLimit                         // maxOutgoingBitrate allows no more
	layerDropReasons
)

var layerDropNames = [layerDropReasons]string{
	"NotPreferred", "NotSent", "Shared", "Overuse", "Loss", "Silence", "REMB", "Limit",
}

// LayerDropReasons returns the names of the reasons in Counts.LayerDrops.
func LayerDropReasons() []string { return layerDropNames[:] }

// layerDrops counts them. They are logged when the transport closes.
type layerDrops [layerDropReasons]uint64

// String lists the counters that are not zero, as Report shows all.
func (d *layerDrops) String() string {
	var list []string
	for reason, n := range d {
		if n > 0 {
			list = append(list, fmt.Sprintf("%s:%d", layerDropNames[reason], n))
		}
	}
	return "layers:{" + strings.Join(list, " ") + "}"
}

// reasonOf returns why layers were dropped. Of those that do not fit any more, the estimate knows why, if it fell since bandwidth was
// distributed before.
func (t *Transport) reasonOf(why media.DropReason) layerDrop {
	switch {
	case why == media.NotPreferred:
		return dropNotPreferred
	case why == media.NotSent:
		return dropNotSent
	case t.bweOut.AvailableBitrate() >= t.distributed:
		return dropShared
	}
	switch t.bweOut.Limiting() {
	case bwe.CauseLoss:
		return dropLoss
	case bwe.CauseSilence:
		return dropSilence
	case bwe.CauseREMB:
		return dropREMB
	case bwe.CauseLimit:
		return dropLimit
	default:
		return dropOveruse
	}
}

// explainLayers counts a change of a consumer's target layers, and logs it.
func (t *Transport) explainLayers(c *Consumer, l media.LayerChange) {
	if l.From == l.To {
		return
	}
	why := "Room"
	if l.Why != media.NotDropped {
		reason := t.reasonOf(l.Why)
		t.layerDrops[reason]++
		why = layerDropNames[reason]
	}
	if t.logsDebug() {
		t.env.Log.Debug("target layers changed", "tag", "simulcast", "tag", "svc", "transportId", t.id, "consumerId", c.ID(),
			"from", l.From.String(), "to", l.To.String(), "why", why)
	}
}

// explainEstimate logs why the available bitrate is another one than at the last call.
func (t *Transport) explainEstimate() {
	e, moved := t.bweOut.Explain()
	if moved && t.logsDebug() {
		t.env.Log.Debug("available outgoing bitrate changed", "tag", "bwe", "transportId", t.id,
			"from", uint64(e.From), "to", uint64(e.To), "why", e.String(), "desired", t.bweOut.TraceInfo().DesiredBitrate)
	}
}

func (t *Transport) logsDebug() bool { return t.env.Log.Enabled(context.Background(), slog.LevelDebug) }
