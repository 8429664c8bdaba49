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

// TapData returns the request for the data consumer that takes a data producer's messages out of its home.
func TapData(consumerID, dataProducerID string) *api.TransportConsumeDataRequest {
	return &api.TransportConsumeDataRequest{
		DataConsumerID: consumerID, DataProducerID: dataProducerID, Type: api.DataConsumerTypeDirect,
	}
}

// ProduceData returns the request for the data producer that stands for p at the far end.
func ProduceData(p *api.TransportProduceDataRequest, paused bool) *api.TransportProduceDataRequest {
	return &api.TransportProduceDataRequest{
		DataProducerID: p.DataProducerID, Type: api.DataProducerTypeDirect, Label: p.Label, Protocol: p.Protocol, Paused: paused,
	}
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
