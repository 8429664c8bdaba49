package federation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/federation"
)

func directRequest(id string, internal bool) *api.RouterCreateDirectTransportRequest {
	return &api.RouterCreateDirectTransportRequest{TransportID: id, Options: &api.DirectTransportOptions{
		Base: &api.TransportOptions{Direct: true, Internal: internal},
	}}
}

func produceDataRequest(id string) *api.TransportProduceDataRequest {
	return &api.TransportProduceDataRequest{DataProducerID: id}
}

func consumeDataRequest(id, producer string) *api.TransportConsumeDataRequest {
	return &api.TransportConsumeDataRequest{DataConsumerID: id, DataProducerID: producer, Type: api.DataConsumerTypeDirect}
}

func (m *member) importsData(id, producer string) *api.DataProducerDumpResponse {
	m.t.Helper()
	body := &api.WorkerCreateRouterRequest{RouterID: id, DataProducerID: producer}
	return m.must(api.MethodWorkerCreateRouter, "", body).(*api.DataProducerDumpResponse)
}

// What may be asked of a data producer: its dump and statistics, an end of relays in its Router, and there a data consumer.
func TestWhatImportersOfDataMayAsk(t *testing.T) {
	var n federation.Node
	a, b := owner(t, &n, "acme"), join(t, &n, "acme")
	a.must(api.MethodTransportProduceData, "t", produceDataRequest("dp"))
	d := b.importsData("i", "dp")
	require.Equal(t, "i", d.ID)
	require.Equal(t, b.imports("media", "p").Home, d.Home, "of the same Router")
	require.Equal(t, d, b.must(api.MethodDataProducerDump, "i", nil))
	b.must(api.MethodDataProducerGetStats, "i", nil)
	require.Equal(t, "dp", a.worker.last().HandlerID)

	b.must(api.MethodRouterCreateDirectTransport, "i", directRequest("end", true))
	end := a.worker.last().Creates()
	require.Equal(t, "r", a.worker.last().HandlerID)
	b.must(api.MethodTransportConsumeData, "end", consumeDataRequest("c", "i"))
	consumer := a.worker.last().Creates()
	require.Equal(t, "dp", a.worker.last().Body.(*api.TransportConsumeDataRequest).DataProducerID)
	require.Contains(t, consumer, "gazpacho/export/")
	require.Equal(t, "r", b.RouterOf("c"), "so its link stays")
	for _, method := range []api.Method{api.MethodDataConsumerPause, api.MethodDataConsumerResume, api.MethodDataConsumerGetStats} {
		b.must(method, "c", nil)
		require.Equal(t, consumer, a.worker.last().HandlerID)
	}
	load := a.Load()
	require.Equal(t, 0, load.Transports, "what is lent does not count")
	require.Equal(t, 0, load.DataConsumers)
	require.Equal(t, 1, load.Consumers)

	a.worker.emit(&api.Notification{HandlerID: consumer, Event: api.EventDataConsumerMessage})
	require.Empty(t, a.hears())
	require.Equal(t, []string{"c DATACONSUMER_MESSAGE"}, b.hears())
	a.must(api.MethodDataProducerPause, "dp", nil)
	a.must(api.MethodDataProducerResume, "dp", nil)
	require.Equal(t, []string{"i IMPORT_PAUSED", "i IMPORT_RESUMED"}, b.hears())

	b.refused("unknown method", api.MethodDataProducerPause, "i", nil)
	b.refused("unknown method", api.MethodDataConsumerSetSubchannels, "c", nil)
	b.refused("unknown method", api.MethodTransportProduceData, "end", produceDataRequest("x"))
	b.refused("only transports of relays", api.MethodRouterCreateDirectTransport, "i", directRequest("x", false))
	b.refused("wrong or missing body", api.MethodTransportConsumeData, "end", nil)
	b.refused("not found", api.MethodTransportConsumeData, "end", consumeDataRequest("x", "dp"))
	b.refused("not found", api.MethodTransportConsumeData, "end", consumeDataRequest("x", "media"))
	b.refused("not found", api.MethodTransportConsume, "end", consumeRequest("x", "i", api.RTPTypePipe))
	b.refused("not found", api.MethodTransportConsumeData, "end", &api.TransportConsumeDataRequest{DataConsumerID: "x", DataProducerID: "i"})
	b.refused("already exists", api.MethodTransportConsumeData, "end", consumeDataRequest("c", "i"))
	b.refused("already exists", api.MethodRouterCreateDirectTransport, "i", directRequest("c", true))
	b.refused("already exists", api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "c", DataProducerID: "dp"})

	b.must(api.MethodTransportCloseDataConsumer, "end", &api.TransportCloseDataConsumerRequest{DataConsumerID: "c"})
	require.Equal(t, consumer, a.worker.last().Closes())
	require.Equal(t, end, a.worker.last().HandlerID)
	b.refused("not found", api.MethodTransportCloseDataConsumer, "end", &api.TransportCloseDataConsumerRequest{DataConsumerID: "c"})
	b.must(api.MethodTransportConsumeData, "end", consumeDataRequest("c", "i"))
	consumer = a.worker.last().Creates()
	a.worker.emit(&api.Notification{HandlerID: consumer, Event: api.EventDataConsumerDataProducerClose})
	a.must(api.MethodTransportCloseDataProducer, "t", &api.TransportCloseDataProducerRequest{DataProducerID: "dp"})
	require.Equal(t, []string{"c DATACONSUMER_DATAPRODUCER_CLOSE", "i IMPORT_CLOSED"}, b.hears())
	b.refused("DataProducer with ID dp not found", api.MethodDataProducerDump, "i", nil)
	b.refused("not found", api.MethodTransportConsumeData, "end", consumeDataRequest("x", "i"))
	b.must(api.MethodRouterCloseTransport, "i", &api.RouterCloseTransportRequest{TransportID: "end"})
	require.Equal(t, end, a.worker.last().Closes())
}

// A data producer is not found as a producer, nor the other way round, nor a relay of one, nor one of another tenant.
func TestWhatDataIsNotFound(t *testing.T) {
	var n federation.Node
	a, b := owner(t, &n, "acme"), join(t, &n, "acme")
	a.must(api.MethodTransportProduceData, "t", produceDataRequest("dp"))
	a.must(api.MethodRouterCreateDirectTransport, "r", directRequest("relays", true))
	a.must(api.MethodTransportProduceData, "relays", produceDataRequest("relay"))
	notFound := func(m *member, id string) {
		t.Helper()
		_, err := m.try(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "i", DataProducerID: id})
		require.Equal(t, api.NotFoundErrorf("DataProducer with ID %s not found", id), err)
	}
	for _, id := range []string{"p", "relay", "r", "t"} {
		notFound(b, id)
	}
	notFound(join(t, &n, "other"), "dp")
	b.refused("Producer with ID dp not found", api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "i", ProducerID: "dp"})
	a.worker.refuse = api.Errorf("closing")
	notFound(b, "dp")
}

// The registry hears of data producers as of producers.
func TestRegistryOfData(t *testing.T) {
	var n federation.Node
	a := join(t, &n, "")
	heard := &entries{}
	a.Registry = heard
	a.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	a.must(api.MethodRouterCreatePipeTransport, "r", pipeRequest("pipe", false))
	a.must(api.MethodRouterCreateDirectTransport, "r", directRequest("relays", true))
	a.must(api.MethodRouterCreateDirectTransport, "r", directRequest("direct", false))
	for _, transport := range []string{"pipe", "relays", "direct"} {
		a.must(api.MethodTransportProduceData, transport, produceDataRequest("by "+transport))
	}
	a.must(api.MethodTransportCloseDataProducer, "pipe", &api.TransportCloseDataProducerRequest{DataProducerID: "by pipe"})
	require.Equal(t, []string{"enter by pipe true", "enter by direct false", "leave by pipe"}, heard.heard)
}
