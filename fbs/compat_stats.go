package fbs

import "gazpacho/engine/api"

// statsRule: up to 3.19.7, only received streams told their jitter. Lost packets were unsigned; fewer than none, which
// duplicates can cause (RFC 3550 section 6.4.1), is none then.
var statsRule = CompatRule{
	Name: "stream statistics", Until: "3.19.7",
	Text: "jitter was told for received streams only; packetsLost could not be negative",
	oldTables: []*oldTable{
		newOldTable("FBS.RtpStream.RecvStats", "jitter", (*oldRecvStats).toNew, recvStatsToOld),
	},
}

// oldRecvStats is the statistics of a received stream that hold the jitter.
type oldRecvStats struct {
	Base           *api.RTPStreamStats
	Jitter         uint32
	PacketCount    uint64
	ByteCount      uint64
	Bitrate        uint64
	BitrateByLayer []api.BitrateByLayer
}

func (o *oldRecvStats) toNew(s *api.RTPStreamRecvStats) {
	s.Base, s.PacketCount, s.ByteCount, s.Bitrate, s.BitrateByLayer = o.Base, o.PacketCount, o.ByteCount, o.Bitrate, o.BitrateByLayer
	if base := baseOf(o.Base); base != nil {
		base.Jitter = o.Jitter
	}
}

func recvStatsToOld(s *api.RTPStreamRecvStats, o *oldRecvStats) {
	o.Base, o.PacketCount, o.ByteCount, o.Bitrate, o.BitrateByLayer = s.Base, s.PacketCount, s.ByteCount, s.Bitrate, s.BitrateByLayer
	if base := baseOf(s.Base); base != nil {
		o.Jitter = base.Jitter
	}
}

// baseOf returns what received and sent streams have in common, nil when it is missing.
func baseOf(s *api.RTPStreamStats) *api.RTPStreamBaseStats {
	if s == nil {
		return nil
	}
	base, _ := s.Data.(*api.RTPStreamBaseStats)
	return base
}
