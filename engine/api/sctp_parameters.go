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
}

// SCTPStreamParameters describes an SCTP stream and how reliable it is (RFC 3758)
// (FBS.SctpParameters.SctpStreamParameters).
type SCTPStreamParameters struct {
	StreamID          uint16
	Ordered           *bool
	MaxPacketLifeTime *uint16 // milliseconds
	MaxRetransmits    *uint16
}
