package pipe

import (
	"math"

	"gazpacho/engine/api"
)

// NewDataTransport returns the request for an end of data relays, at home or at the far end: a DirectTransport whose messages
// have no bound of their own.
func NewDataTransport(id string) *api.RouterCreateDirectTransportRequest {
	return &api.RouterCreateDirectTransportRequest{
		TransportID: id,
		Options: &api.DirectTransportOptions{Base: &api.TransportOptions{
			Direct: true, Internal: true, MaxSendMessageSize: math.MaxUint32, MaxReceiveMessageSize: math.MaxUint32,
		}},
	}
}

// Link says that messages go straight from home to the far end, by a link between the two nodes.
type Link struct {
	Address string   // of the far end, for the home
	Token   [16]byte // says there where they belong; random
}

// ConsumeData returns the request for the data consumer that takes the messages of p out of its home: by a link, or without one as
// notifications.
func ConsumeData(consumerID string, p *api.TransportProduceDataRequest, by *Link) *api.TransportConsumeDataRequest {
	c := &api.TransportConsumeDataRequest{
		DataConsumerID: consumerID, DataProducerID: p.DataProducerID, Type: api.DataConsumerTypeDirect,
	}
	if by != nil {
		c.LinkAddress, c.LinkToken, c.LinkUnreliable = by.Address, by.Token[:], unreliable(p.SCTPStreamParameters)
	}
	return c
}

// unreliable reports whether messages may be lost (RFC 8831 section 6.1): a limit was set to how often or how long they are sent.
// Streams that are told to be ordered have none.
func unreliable(s *api.SCTPStreamParameters) bool {
	return s != nil && (s.MaxPacketLifeTime != nil || s.MaxRetransmits != nil) && (s.Ordered == nil || !*s.Ordered)
}

// ProduceData returns the request for the data producer that stands for p at the far end. by is the link by which its messages come,
// nil without one.
func ProduceData(p *api.TransportProduceDataRequest, paused bool, by *Link) *api.TransportProduceDataRequest {
	far := &api.TransportProduceDataRequest{
		DataProducerID: p.DataProducerID, Type: api.DataProducerTypeDirect, Label: p.Label, Protocol: p.Protocol, Paused: paused,
	}
	if by != nil {
		far.LinkToken = by.Token[:]
	}
	return far
}

// SendData returns the notification that sends a message, as it came out of its home, into the data producer at the far end.
func SendData(dataProducerID string, m *api.DataConsumerMessageNotification) *api.Notification {
	return &api.Notification{
		HandlerID: dataProducerID, Event: api.EventDataProducerSend,
		Body: &api.DataProducerSendNotification{
			PPID: m.PPID, Data: m.Data, Subchannels: m.Subchannels,
			RequiredSubchannel: m.RequiredSubchannel, IgnoredSubchannel: m.IgnoredSubchannel,
		},
	}
}
