package engine_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// dataChannels makes two plain transports that talk SCTP with each other, as browsers do: a reset of a stream closes it.
func (a *app) dataChannels() {
	a.t.Helper()
	options := plainOptions()
	options.Base = &api.TransportOptions{
		EnableSCTP: true, IsDataChannel: true, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144,
	}
	near, far := a.plain("router", "near", options), a.plain("router", "far", options)
	for id, to := range map[string]*api.TransportTuple{"near": far.Tuple, "far": near.Tuple} {
		a.must(id, api.MethodPlainTransportConnect, &api.PlainTransportConnectRequest{IP: to.LocalAddress, Port: new(to.LocalPort)})
	}
	a.direct("router", "app")
	a.must("app", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "said", Type: api.DataProducerTypeDirect,
	})
}

func (a *app) consumeData(transport, id string, stream uint16) {
	a.t.Helper()
	a.must(transport, api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: id, DataProducerID: "said", Type: api.DataConsumerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: stream, Ordered: new(true)},
	})
}

// awaitNotFound waits until an object is gone.
func (a *app) awaitNotFound(id string, method api.Method) {
	a.t.Helper()
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		_, err := a.try(id, method, nil)
		var refusal *api.Error
		if errors.As(err, &refusal) {
			require.Equal(a.t, api.ErrorKindNotFound, refusal.Kind)
			return
		}
		require.NoError(a.t, err)
		require.True(a.t, time.Now().Before(deadline), "%s is still there", id)
	}
}

// The peer resets a stream: that closes the data consumer, as in mediasoup, which does not notify the application. The
// worker's caller learns of it by an internal event.
func TestAResetStreamClosesTheDataConsumer(t *testing.T) {
	for _, shards := range []int{1, 2} {
		a := newApp(t, engine.Options{Shards: shards})
		a.router("router")
		a.dataChannels()
		for stream := range uint16(3) {
			a.consumeData("near", "mine", stream)
			a.consumeData("far", "yours", stream)
			for _, id := range []string{"near", "far"} {
				a.await(id, api.EventTransportSCTPNegotiatedCapabilities)
			}
			a.must("near", api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: "mine"})
			a.awaitCount("yours", api.EventDataConsumerClosedByPeer, int(stream)+1)
			a.awaitNotFound("yours", api.MethodDataConsumerGetStats)
			dump := a.must("far", api.MethodTransportDump, nil).(*api.PlainTransportDumpResponse)
			require.Empty(t, dump.Base.DataConsumerIDs)
			_, err := a.try("far", api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: "yours"})
			require.Error(t, err)
		}
		require.Empty(t, a.notifications("yours", api.EventDataConsumerDataProducerClose))
		a.must("router", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "far"})
	}
}

// Both sides may close at once, and the transport with them.
func TestAResetStreamOfAClosedTransport(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.router("router")
	a.dataChannels()
	a.consumeData("near", "mine", 7)
	a.consumeData("far", "yours", 7)
	a.await("far", api.EventTransportSCTPNegotiatedCapabilities)
	a.await("near", api.EventTransportSCTPNegotiatedCapabilities)
	a.must("near", api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: "mine"})
	a.must("router", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "far"})
	a.awaitNotFound("yours", api.MethodDataConsumerGetStats)
	a.must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "router"})
	a.must("", api.MethodWorkerDump, nil)
}
