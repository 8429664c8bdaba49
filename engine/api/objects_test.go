package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// note has a request noted that creates something.
func note(o *api.Objects, m api.Method, handler string, body api.RequestBody) string {
	return o.Note(&api.Request{Method: m, HandlerID: handler, Body: body})
}

// What a worker holds is known by the requests that create and close: an object goes with what it belongs to, a transport also with the
// WebRtcServer that it uses.
func TestObjects(t *testing.T) {
	var o api.Objects
	require.Empty(t, o.RouterOf("r"))
	require.Equal(t, "s", note(&o, api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s"}))
	for _, r := range []string{"r1", "r2"} {
		require.Equal(t, r, note(&o, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: r}))
	}
	require.Empty(t, note(&o, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r1"}), "it is there already")
	with := func(server string) *api.WebRtcTransportOptions {
		return &api.WebRtcTransportOptions{Listen: &api.ListenServer{WebRtcServerID: server}}
	}
	note(&o, api.MethodRouterCreateWebRtcTransportWithServer, "r1", &api.RouterCreateWebRtcTransportRequest{TransportID: "t1", Options: with("s")})
	note(&o, api.MethodRouterCreateWebRtcTransportWithServer, "r2", &api.RouterCreateWebRtcTransportRequest{TransportID: "t2", Options: with("s")})
	note(&o, api.MethodRouterCreateWebRtcTransport, "r2", &api.RouterCreateWebRtcTransportRequest{TransportID: "t3"})
	note(&o, api.MethodRouterCreatePlainTransport, "r2", &api.RouterCreatePlainTransportRequest{TransportID: "t4"})
	note(&o, api.MethodTransportProduce, "t2", &api.TransportProduceRequest{ProducerID: "p2"})
	note(&o, api.MethodTransportProduce, "t4", &api.TransportProduceRequest{ProducerID: "p4"})
	note(&o, api.MethodTransportConsume, "t4", &api.TransportConsumeRequest{ConsumerID: "c"})
	note(&o, api.MethodTransportProduceData, "t4", &api.TransportProduceDataRequest{DataProducerID: "dp"})
	note(&o, api.MethodTransportConsumeData, "t4", &api.TransportConsumeDataRequest{DataConsumerID: "dc"})
	require.Equal(t, api.Load{Routers: 2, Transports: 4, Producers: 2, Consumers: 1, DataProducers: 1, DataConsumers: 1}, o.Load())
	require.Equal(t, "r2", o.RouterOf("dc"))
	require.Empty(t, o.RouterOf("s"))

	require.ElementsMatch(t, []string{"s", "t1", "t2", "p2"}, o.Remove("s"))
	require.False(t, o.Has("t2"))
	require.Empty(t, note(&o, api.MethodTransportCloseConsumer, "t4", &api.TransportCloseConsumerRequest{ConsumerID: "c"}))
	require.ElementsMatch(t, []string{"r2", "t3", "t4", "p4", "dp", "dc"}, o.Remove("r2"))
	require.Empty(t, o.Remove("r2"))
	require.True(t, o.Has("r1"))
	require.Equal(t, api.Load{Routers: 1}, o.Load())
}
