package api

// RTPPacketDump describes an RTP packet in a trace event (FBS.RtpPacket.Dump).
type RTPPacketDump struct {
	PayloadType        uint8
	SequenceNumber     uint16
	Timestamp          uint32
	Marker             bool
	SSRC               uint32
	IsKeyFrame         bool
	Size               uint64 // bytes
	PayloadSize        uint64 // bytes
	SpatialLayer       uint8
	TemporalLayer      uint8
	MID                string
	RID                string
	RRID               string
	WideSequenceNumber *uint16 // of transport-wide congestion control
}
