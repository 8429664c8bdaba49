package api

// SCTPParameters configures an SCTP association (RFC 8831 for data channels) (FBS.SctpParameters.SctpParameters).
type SCTPParameters struct {
	Port                        uint16
	MaxSendMessageSize          uint32 // bytes
	MaxReceiveMessageSize       uint32 // bytes
	SendBufferSize              uint32 // bytes
	PerStreamSendQueueLimit     uint32 // bytes
	MaxReceiverWindowBufferSize uint32 // bytes
	IsDataChannel               bool
	OS                          uint16 // only in releases before 3.21: as NumSCTPStreams has it
	MIS                         uint16 // only in releases before 3.21: as NumSCTPStreams has it
}

// NumSCTPStreams is how many SCTP streams an application announces to its peers, in releases before 3.21. It limits
// nothing here, but the application wants to find it in the transport's SCTP parameters
// (FBS.SctpParameters.NumSctpStreams).
type NumSCTPStreams struct {
	OS  uint16 // outgoing, to begin with
	MIS uint16 // incoming, at most
}

// SCTPStreamParameters describes an SCTP stream and how reliable it is (RFC 3758)
// (FBS.SctpParameters.SctpStreamParameters).
type SCTPStreamParameters struct {
	StreamID          uint16
	Ordered           *bool
	MaxPacketLifeTime *uint16 // milliseconds
	MaxRetransmits    *uint16
}
