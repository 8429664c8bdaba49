package api

// RTPStreamParams describes a stream as the worker sees it (FBS.RtpStream.Params).
type RTPStreamParams struct {
	EncodingIdx    uint32 // index in the RTP parameters
	SSRC           uint32
	PayloadType    uint8
	MimeType       string
	ClockRate      uint32 // Hz
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

// RTPStreamDump is a stream's inner state (FBS.RtpStream.Dump).
type RTPStreamDump struct {
	Params    *RTPStreamParams
	Score     uint8 // from 0 to 10
	RTXStream *RTXStreamDump
}

// BitrateByLayer is the bitrate of one layer (FBS.RtpStream.BitrateByLayer).
type BitrateByLayer struct {
	Layer   string // spatial.temporal, such as 0.2
	Bitrate uint64 // bits per second
}

// RTPStreamStatsData is a stream's statistics: a pointer to one of the types that UnionRTPStreamStatsData lists
// (FBS.RtpStream.StatsData).
type RTPStreamStatsData interface{ isRTPStreamStatsData() }

// RTPStreamStats holds a stream's statistics (FBS.RtpStream.Stats).
type RTPStreamStats struct {
	Data RTPStreamStatsData
}

// RTPStreamBaseStats is what received and sent streams both count (FBS.RtpStream.BaseStats).
type RTPStreamBaseStats struct {
	Timestamp            uint64 // milliseconds of the worker's clock
	SSRC                 uint32
	Kind                 MediaKind
	MimeType             string
	PacketsLost          int32
	FractionLost         uint8  // in 1/256 since the last report (RFC 3550 section 6.4.1)
	Jitter               uint32 // in units of the codec's clock
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
	RoundTripTime        float32 // milliseconds
	Score                uint8   // from 0 to 10
}

// RTPStreamRecvStats is the statistics of a received stream (FBS.RtpStream.RecvStats).
type RTPStreamRecvStats struct {
	Base           *RTPStreamStats // an RTPStreamBaseStats
	PacketCount    uint64
	ByteCount      uint64
	Bitrate        uint64 // bits per second
	BitrateByLayer []BitrateByLayer
}

// RTPStreamSendStats is the statistics of a sent stream (FBS.RtpStream.SendStats).
type RTPStreamSendStats struct {
	Base        *RTPStreamStats // an RTPStreamBaseStats
	PacketCount uint64
	ByteCount   uint64
	Bitrate     uint64 // bits per second
}
