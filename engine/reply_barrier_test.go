package engine_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// create sends a request that creates an object, and requires that nothing was told of the object before the answer.
func (a *app) create(handler string, method api.Method, body api.RequestBody, id string) {
	a.t.Helper()
	early := -1
	a.worker.HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body}, func(_ api.ResponseBody, err error) {
		require.NoError(a.t, err)
		early = 0
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, n := range a.seen {
			if n.HandlerID == id {
				early++
			}
		}
	})
	require.Zero(a.t, early, "notifications of %s before the answer", id)
}

// The sender of a port that is known beforehand is there before the transport, and so is the media of a producer before
// its consumer: the application hears of what they cause, and not before it has the answer.
func TestNothingIsToldOfAnObjectBeforeTheAnswer(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.router("r")
	options := plainOptions()
	options.Comedia = true
	a.plain("r", "probe", options)
	tuple := a.must("probe", api.MethodTransportDump, nil).(*api.PlainTransportDumpResponse).Tuple
	a.must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "probe"})
	options.ListenInfo.PortRange, options.ListenInfo.Port = nil, tuple.LocalPort
	stop := make(chan struct{})
	var group sync.WaitGroup
	defer group.Wait()
	defer close(stop)
	blast(&group, newPeer(t), &api.TransportTuple{LocalAddress: "127.0.0.1", LocalPort: tuple.LocalPort}, stop)
	for i := range 50 {
		in, out := fmt.Sprint("in", i), fmt.Sprint("out", i)
		a.create("r", api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{TransportID: in, Options: options}, in)
		a.await(in, api.EventPlainTransportTuple)
		a.produce(in, in+"-p", api.MediaKindVideo, video(10))
		a.await(in+"-p", api.EventProducerScore)
		a.direct("r", out)
		a.create(out, api.MethodTransportConsume, consumeRequest(out+"-c", in+"-p", api.MediaKindVideo, 10, 20), out+"-c")
		a.await(out+"-c", api.EventConsumerRTP)
		a.must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: in})
		require.Len(t, a.notifications(in, api.EventPlainTransportTuple), 1)
		require.Len(t, a.notifications(out+"-c", api.EventConsumerProducerClose), 1)
	}
}
