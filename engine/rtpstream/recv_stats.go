package rtpstream

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Score returns the stream's quality from 0 (dead) to 10.
func (r *Recv) Score() uint8 { return r.score.value }

// ActiveSince returns when the score last left 0.
func (r *Recv) ActiveSince() unit.Time { return r.score.activeSince }

// FractionLost returns the fraction lost in the last report interval, in 1/256.
func (r *Recv) FractionLost() uint8 { return r.loss.fraction }

// RTT returns the last measured round-trip time, 0 when unknown.
func (r *Recv) RTT() time.Duration { return r.rtt.duration() }

// MaxTimestamp returns the newest RTP timestamp.
func (r *Recv) MaxTimestamp() unit.Timestamp { return r.line.max }

// SenderReport returns the last sender report: NTP time and the RTP timestamp it corresponds to, and when
// it arrived. It reports false when none came, or when the sender has no clock (NTP time 0).
func (r *Recv) SenderReport() (ntp uint64, ts unit.Timestamp, receivedAt unit.Time, ok bool) {
	return r.reported.ntp, r.reported.ts, r.sr.at, r.sr.ok
}

// Bitrate returns the rate of media plus repaired packets.
func (r *Recv) Bitrate(now unit.Time) unit.Bitrate { return r.layers.rate(now) }

// BitrateUpTo returns the rate of everything a receiver of the given layers needs: all lower spatial layers, and the
// spatial layer up to the temporal one. It is 0 when the layer itself carries nothing.
func (r *Recv) BitrateUpTo(now unit.Time, spatial, temporal uint8) unit.Bitrate {
	return r.layers.rateUpTo(now, spatial, temporal)
}

// SpatialLayerBitrate returns the rate of one spatial layer.
func (r *Recv) SpatialLayerBitrate(now unit.Time, spatial uint8) unit.Bitrate {
	return r.layers.spatialRate(now, spatial)
}

// LayerBitrate returns the rate of exactly one layer.
func (r *Recv) LayerBitrate(now unit.Time, spatial, temporal uint8) unit.Bitrate {
	return r.layers.layerRate(now, spatial, temporal)
}

// LayerFrameRate returns the frames per second of exactly one layer. They are measured of streams with several temporal layers
// only, and 0 of others.
func (r *Recv) LayerFrameRate(now unit.Time, spatial, temporal uint8) float32 {
	return r.layers.frameRate(now, spatial, temporal)
}

// LayerActive reports whether the spatial layer carried traffic at the last check (every 1.5 s, streams with several
// spatial layers only).
func (r *Recv) LayerActive(spatial uint8) bool {
	return spatial < 32 && r.activeLayers&(1<<spatial) != 0
}

// PayloadErrors returns how many packets held a payload that their format forbids.
func (r *Recv) PayloadErrors() uint64 { return r.payloadErrors }

// Dump returns the stream as the worker protocol's dumps show it.
func (r *Recv) Dump() *api.RTPStreamDump {
	return dump(&r.params, r.score.value, r.rtx != nil)
}

// Stats returns the stream's statistics: RecvStats around BaseStats.
func (r *Recv) Stats(now unit.Time) *api.RTPStreamStats {
	base := baseStats(now, &r.params)
	base.PacketsLost = r.loss.lost
	base.FractionLost = r.loss.fraction
	base.Jitter = uint32(r.jitter.value)
	base.PacketsDiscarded = r.seq.discards
	base.PacketsRetransmitted = r.retransmitted
	base.PacketsRepaired = r.repaired
	base.NACKCount, base.NACKPacketCount = r.nackCount, r.nackPacketCount
	base.PLICount, base.FIRCount = r.pliCount, r.firCount
	if r.rtx != nil {
		base.RTXPacketsDiscarded = r.rtx.seq.discards
	}
	base.RoundTripTime = r.rtt.milliseconds()
	base.Score = r.score.value
	packets, bytes := r.layers.total()
	return &api.RTPStreamStats{Data: &api.RTPStreamRecvStats{
		Base:           &api.RTPStreamStats{Data: base},
		PacketCount:    packets,
		ByteCount:      bytes,
		Bitrate:        uint64(r.layers.rate(now)),
		BitrateByLayer: r.layers.stats(now),
	}}
}

// baseStats returns statistics with what follows from the parameters.
func baseStats(now unit.Time, p *Params) *api.RTPStreamBaseStats {
	s := &api.RTPStreamBaseStats{
		Timestamp: now.Milliseconds(),
		SSRC:      uint32(p.SSRC),
		Kind:      p.kind(),
		MimeType:  p.MimeType,
		RID:       p.RID,
	}
	if p.RTXSSRC != 0 {
		ssrc := uint32(p.RTXSSRC)
		s.RTXSSRC = &ssrc
	}
	return s
}

func dump(p *Params, score uint8, rtx bool) *api.RTPStreamDump {
	d := &api.RTPStreamDump{Params: p.dump(), Score: score}
	if rtx {
		d.RTXStream = p.dumpRTX()
	}
	return d
}
