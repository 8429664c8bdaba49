package engine_test

import (
	"testing"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// What is wrong with a transport is reported before what is wrong with the data producer, as mediasoup does.
func TestRefusalsOfDataComeInMediasoupsOrder(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	a.CreateRouter("r")
	a.CreateDirect("r", "direct")
	a.CreatePlain("r", "media", plainOptions())
	consume := &api.TransportConsumeDataRequest{DataConsumerID: "c", DataProducerID: "nobody", Type: api.DataConsumerTypeDirect}
	overSCTP := &api.TransportConsumeDataRequest{
		DataConsumerID: "c", DataProducerID: "nobody", Type: api.DataConsumerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 1, Ordered: new(true)},
	}
	for _, test := range []struct {
		kind    api.ErrorKind
		text    string
		handler string
		method  api.Method
		body    api.RequestBody
	}{
		{"Error", "SCTP not enabled and not a direct Transport", "media", api.MethodTransportConsumeData, consume},
		{"TypeError", "cannot create a DataConsumer of type 'sctp'", "direct", api.MethodTransportConsumeData, overSCTP},
		{"NotFoundError", "DataProducer not found [dataProducerId:nobody]", "direct", api.MethodTransportConsumeData, consume},
		{"Error", "cannot close DataProducer, SCTP not enabled", "media", api.MethodTransportCloseDataProducer, &api.TransportCloseDataProducerRequest{DataProducerID: "p"}},
		{"NotFoundError", "DataProducer not found", "direct", api.MethodTransportCloseDataProducer, &api.TransportCloseDataProducerRequest{DataProducerID: "p"}},
		{"Error", "cannot close DataConsumer, SCTP not enabled", "media", api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: "c"}},
		{"NotFoundError", "DataConsumer not found", "direct", api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: "c"}},
	} {
		a.Refused(test.kind, test.text, test.handler, test.method, test.body)
	}
}
