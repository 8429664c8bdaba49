package api

// RTPStreamParams is FBS.RtpStream.Params.
type RTPStreamParams struct {
	EncodingIdx    uint32
	SSRC           uint32
	PayloadType    uint8
	MimeType       string
	ClockRate      uint32
	RID            string
	CNAME          string
	RTXSSRC        *uint32
	RTXPayloadType *uint8
	UseNACK        bool
	UsePLI         bool
	UseFIR         bool
	UseInBandFEC   bool
	UseDTX         bool
	SpatialLayers  uint8
	TemporalLayers uint8
}

// RTPStreamDump is FBS.RtpStream.Dump.
type RTPStreamDump struct {
	Params    *RTPStreamParams
	Score     uint8
	RTXStream *RTXStreamDump
}

// BitrateByLayer is FBS.RtpStream.BitrateByLayer.
type BitrateByLayer struct {
	Layer   string
	Bitrate uint64
}

// RTPStreamStatsData is the union FBS.RtpStream.StatsData; each member is a pointer to one of the types that UnionRTPStreamStatsData lists.
type RTPStreamStatsData interface{ isRTPStreamStatsData() }

// RTPStreamStats is FBS.RtpStream.Stats.
type RTPStreamStats struct {
	Data RTPStreamStatsData
}

// RTPStreamBaseStats is FBS.RtpStream.BaseStats.
type RTPStreamBaseStats struct {
	Timestamp            uint64
	SSRC                 uint32
	Kind                 MediaKind
	MimeType             string
	PacketsLost          int32
	FractionLost         uint8
	Jitter               uint32
	PacketsDiscarded     uint64
	PacketsRetransmitted uint64
	PacketsRepaired      uint64
	NACKCount            uint64
	NACKPacketCount      uint64
	PLICount             uint64
	FIRCount             uint64
	RID                  string
	RTXSSRC              *uint32
	RTXPacketsDiscarded  uint64
	RoundTripTime        float32
	Score                uint8
}

// RTPStreamRecvStats is FBS.RtpStream.RecvStats.
type RTPStreamRecvStats struct {
	Base           *RTPStreamStats
	PacketCount    uint64
	ByteCount      uint64
	Bitrate        uint64
	BitrateByLayer []BitrateByLayer
}

// RTPStreamSendStats is FBS.RtpStream.SendStats.
type RTPStreamSendStats struct {
	Base        *RTPStreamStats
	PacketCount uint64
	ByteCount   uint64
	Bitrate     uint64
}
