package api

// RTPPacketDump is FBS.RtpPacket.Dump.
type RTPPacketDump struct {
	PayloadType        uint8
	SequenceNumber     uint16
	Timestamp          uint32
	Marker             bool
	SSRC               uint32
	IsKeyFrame         bool
	Size               uint64
	PayloadSize        uint64
	SpatialLayer       uint8
	TemporalLayer      uint8
	MID                string
	RID                string
	RRID               string
	WideSequenceNumber *uint16
}
