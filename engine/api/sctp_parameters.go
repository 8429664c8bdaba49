package api

// SCTPParameters is FBS.SctpParameters.SctpParameters.
type SCTPParameters struct {
	Port                        uint16
	MaxSendMessageSize          uint32
	MaxReceiveMessageSize       uint32
	SendBufferSize              uint32
	PerStreamSendQueueLimit     uint32
	MaxReceiverWindowBufferSize uint32
	IsDataChannel               bool
}

// SCTPStreamParameters is FBS.SctpParameters.SctpStreamParameters.
type SCTPStreamParameters struct {
	StreamID          uint16
	Ordered           *bool
	MaxPacketLifeTime *uint16
	MaxRetransmits    *uint16
}
