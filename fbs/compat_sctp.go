package fbs

import (
	"cmp"

	"gazpacho/engine/api"
)

// sctpRule: transport options had one SCTP message size for both directions, another one for direct transports, and the number
// of streams to announce. Queues had no limits of their own.
var sctpRule = CompatRule{
	Name: "SCTP options", Until: "3.19.22",
	Text: "numSctpStreams; maxSctpMessageSize and maxMessageSize for both directions; no queue limits; " +
		"no negotiated capabilities; the response to DATACONSUMER_SEND lacked the buffered amount (up to 3.20.1); dumps had sctpBufferedAmount, which stays 0",
	fields: map[string]string{
		"FBS.SctpParameters.SctpParameters.max_message_size": "max_receive_message_size",
		"FBS.Transport.Dump.max_message_size":                "max_receive_message_size",
		"FBS.Transport.Options.announced_sctp_streams":       "num_sctp_streams", // of sessions, whose layout is not the old one
	},
	// A plain transport in comedia mode has no tuple yet; the Node library accepts that in all releases.
	relaxedRequired: []string{"FBS.PlainTransport.ConnectResponse.tuple"},
	oldTables: []*oldTable{
		newOldTable("FBS.Transport.Options", "num_sctp_streams", (*oldTransportOptions).toNew, transportOptionsToOld),
	},
}

// From mediasoup: what the Node library of 3.21.0 sends when the application sets nothing.
const (
	defaultMessageSize          = 262144
	defaultSendQueueLimit       = 2000000
	defaultReceiverWindowBuffer = 5242880
)

// oldTransportOptions are the options of a transport with one message size.
type oldTransportOptions struct {
	Direct                          bool
	MaxMessageSize                  *uint32 // of a direct transport
	InitialAvailableOutgoingBitrate *uint64
	EnableSCTP                      bool
	NumSCTPStreams                  *api.NumSCTPStreams
	MaxSCTPMessageSize              uint32 // of all other transports
	SCTPSendBufferSize              uint32
	IsDataChannel                   bool
}

func (o *oldTransportOptions) toNew(t *api.TransportOptions) {
	size := o.MaxSCTPMessageSize
	if o.MaxMessageSize != nil {
		size = *o.MaxMessageSize
	} else if o.Direct {
		size = defaultMessageSize
	}
	buffer := max(o.SCTPSendBufferSize, size) // as the C++ worker did
	*t = api.TransportOptions{
		Direct:                          o.Direct,
		InitialAvailableOutgoingBitrate: o.InitialAvailableOutgoingBitrate,
		EnableSCTP:                      o.EnableSCTP,
		MaxSendMessageSize:              size,
		MaxReceiveMessageSize:           size,
		SCTPSendBufferSize:              buffer,
		SCTPPerStreamSendQueueLimit:     max(buffer, defaultSendQueueLimit),
		SCTPMaxReceiverWindowBufferSize: max(size, defaultReceiverWindowBuffer),
		IsDataChannel:                   o.IsDataChannel,
		NumSCTPStreams:                  o.NumSCTPStreams,
	}
	if o.EnableSCTP && o.NumSCTPStreams == nil {
		t.NumSCTPStreams = &api.NumSCTPStreams{OS: 1024, MIS: 1024} // the schema's defaults
	}
}

func transportOptionsToOld(t *api.TransportOptions, o *oldTransportOptions) {
	*o = oldTransportOptions{
		Direct:                          t.Direct,
		InitialAvailableOutgoingBitrate: t.InitialAvailableOutgoingBitrate,
		EnableSCTP:                      t.EnableSCTP,
		NumSCTPStreams:                  t.NumSCTPStreams,
		SCTPSendBufferSize:              t.SCTPSendBufferSize,
		IsDataChannel:                   t.IsDataChannel,
	}
	size := cmp.Or(t.MaxReceiveMessageSize, t.MaxSendMessageSize)
	if t.Direct {
		o.MaxMessageSize = &size
	} else {
		o.MaxSCTPMessageSize = size
	}
}
