package data

import "gazpacho/engine/api"

// Message is a message on its way from a data producer to its consumers. It is shared between consumers and never modified.
type Message struct {
	PPID uint32 // payload protocol identifier (RFC 8831 section 8)
	Data []byte
	Addressing
	// Relayed: the data producer stands for one of another worker, which had forwarded the message before it was paused there.
	Relayed bool
}

// Addressing says which consumers get a message.
type Addressing struct {
	Subchannels        []uint16 // only consumers that listen to one of them; empty: all
	RequiredSubchannel *uint16  // only consumers that listen to it
	IgnoredSubchannel  *uint16  // no consumer that listens to it
}

// Refusals of messages, with mediasoup's texts.
var (
	errSendBufferFull = api.Errorf("sctpsendbufferfull")
	errSendFailed     = api.Errorf("message send failed")
)
