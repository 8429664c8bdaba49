package engine_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
)

// dataChannels makes two plain transports that talk SCTP with each other, as browsers do: a reset of a stream closes it.
func (a *app) dataChannels() {
	a.T.Helper()
	options := plainOptions()
	options.Base = &api.TransportOptions{
		EnableSCTP: true, IsDataChannel: true, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144,
	}
	near, far := a.CreatePlain("router", "near", options), a.CreatePlain("router", "far", options)
	for id, to := range map[string]*api.TransportTuple{"near": far.Tuple, "far": near.Tuple} {
		a.Must(id, api.MethodPlainTransportConnect, &api.PlainTransportConnectRequest{IP: to.LocalAddress, Port: new(to.LocalPort)})
	}
	a.CreateDirect("router", "app")
	a.Must("app", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "said", Type: api.DataProducerTypeDirect,
	})
}

func (a *app) consumeData(transport, id string, stream uint16) {
	a.T.Helper()
	a.Must(transport, api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: id, DataProducerID: "said", Type: api.DataConsumerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: stream, Ordered: new(true)},
	})
}

// awaitNotFound waits until an object is gone.
func (a *app) awaitNotFound(id string, method api.Method) {
	a.T.Helper()
	for deadline := time.Now().Add(enginetest.Patience); ; runtime.Gosched() {
		_, err := a.Try(id, method, nil)
		var refusal *api.Error
		if errors.As(err, &refusal) {
			require.Equal(a.T, api.ErrorKindNotFound, refusal.Kind)
			return
		}
		require.NoError(a.T, err)
		require.True(a.T, time.Now().Before(deadline), "%s is still there", id)
	}
}

// The peer resets a stream: that closes the data consumer, as in mediasoup, which does not notify the application. The
// worker's caller learns of it by an internal event.
func TestAResetStreamClosesTheDataConsumer(t *testing.T) {
	for _, shards := range []int{1, 2} {
		a := newApp(t, engine.Options{Shards: shards})
		a.CreateRouter("router")
		a.dataChannels()
		for stream := range uint16(3) {
			a.consumeData("near", "mine", stream)
			a.consumeData("far", "yours", stream)
			for _, id := range []string{"near", "far"} {
				a.Await(id, api.EventTransportSCTPNegotiatedCapabilities)
			}
			a.Must("near", api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: "mine"})
			a.AwaitCount("yours", api.EventDataConsumerClosedByPeer, int(stream)+1)
			a.awaitNotFound("yours", api.MethodDataConsumerGetStats)
			dump := a.Must("far", api.MethodTransportDump, nil).(*api.PlainTransportDumpResponse)
			require.Empty(t, dump.Base.DataConsumerIDs)
			_, err := a.Try("far", api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: "yours"})
			require.Error(t, err)
		}
		require.Empty(t, a.About("yours", api.EventDataConsumerDataProducerClose))
		a.Must("router", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "far"})
	}
}

// Both sides may close at once, and the transport with them.
func TestAResetStreamOfAClosedTransport(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.CreateRouter("router")
	a.dataChannels()
	a.consumeData("near", "mine", 7)
	a.consumeData("far", "yours", 7)
	a.Await("far", api.EventTransportSCTPNegotiatedCapabilities)
	a.Await("near", api.EventTransportSCTPNegotiatedCapabilities)
	a.Must("near", api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: "mine"})
	a.Must("router", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "far"})
	a.awaitNotFound("yours", api.MethodDataConsumerGetStats)
	a.Must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "router"})
	a.Must("", api.MethodWorkerDump, nil)
}
