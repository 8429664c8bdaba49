package front_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// A consumer on a silent node is told that its producer was closed when the node has been silent for too long.
func TestProducerClosesWhileTheConsumersNodeIsSilent(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.consume()
	r.nodes[1].freeze()
	r.must(api.MethodTransportCloseProducer, "t0", &api.TransportCloseProducerRequest{ProducerID: simulcast})
	r.front().Do(func() {})
	require.Empty(t, r.seen("c1", api.EventConsumerProducerClose))
	r.clock.advance(8 * time.Second)
	r.awaitEvent("c1", api.EventConsumerProducerClose)
	r.front().Do(r.nodes[1].thaw)
	r.must(api.MethodTransportDump, "t1", nil)
	require.Len(t, r.seen("c1", api.EventConsumerProducerClose), 1)
}

// A node is gone while a pipe to it is made, and while requests to it are unanswered: all are refused, and the Router goes on.
func TestNodeIsLostWithUnansweredRequests(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.nodes[1].freeze()
	produced := r.send(api.MethodTransportProduce, "t1", produceRequest(audioProducer, false))
	consumed := r.send(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	dumped := r.send(api.MethodRouterDump, "r", nil)
	r.front().Do(func() {})
	r.nodes[1].end()
	require.ErrorContains(t, receive(t, produced).err, "is gone")
	require.ErrorContains(t, receive(t, consumed).err, "is gone")
	require.NoError(t, receive(t, dumped).err)
	require.Empty(t, r.front().Hidden())
	r.front().Do(r.nodes[1].thaw) // answers that come too late are ignored
	r.must(api.MethodProducerDump, simulcast, nil)
}

// A transport on a lost node refuses consumers by saying so, and no relay to it is begun.
func TestConsumersOnALostNodeAreRefused(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.nodes[1].end()
	r.await("the node is lost", func() bool { return r.try(api.MethodTransportDump, "t1", nil).err != nil })
	r.refused("node node2 is gone: power cut [method:transport.consume]", api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	r.refused("node node2 is gone: power cut [method:transport.consumeData]", api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc1", "dp"))
	require.Empty(t, r.front().Hidden())
	require.Zero(t, r.nodes[1].count(api.MethodRouterCreateDirectTransport))
}

// Data consumers on a lost node, and those that their transport closes, leave no relay.
func TestDataRelaysEndWithTheirNodesAndTransports(t *testing.T) {
	for _, lost := range []bool{true, false} {
		r := newRoom(t)
		r.produce()
		r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc1", "dp"))
		q := dataConsumerRequest("dc2", "dp")
		q.SCTPStreamParameters.StreamID = 2
		r.must(api.MethodTransportConsumeData, "t1", q)
		require.NotEmpty(t, r.front().Hidden())
		if lost {
			r.nodes[1].end()
			r.await("the node is lost", func() bool { return len(r.front().Hidden()) == 0 })
			r.must(api.MethodTransportCloseDataConsumer, "t1", &api.TransportCloseDataConsumerRequest{DataConsumerID: "dc1"})
		} else {
			r.must(api.MethodTransportCloseDataConsumer, "t1", &api.TransportCloseDataConsumerRequest{DataConsumerID: "dc1"})
			r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "t1"})
			r.clock.advance(6 * time.Second)
			require.Empty(t, r.front().Hidden())
		}
		require.Empty(t, r.seen("dc1", api.EventDataConsumerDataProducerClose))
	}
}

// A WebRtcServer is used, dumped and closed by requests that do not wait for each other, while its second node is silent.
func TestWebRtcServersPipelined(t *testing.T) {
	r := newRoom(t)
	info := loopback()
	transport := func(id string) *api.RouterCreateWebRtcTransportRequest {
		return &api.RouterCreateWebRtcTransportRequest{
			TransportID: id, Options: &api.WebRtcTransportOptions{Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: "s"}, EnableUDP: true},
		}
	}
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "other"})
	r.nodes[0].freeze()
	var answers []<-chan answer
	send := func(m api.Method, handler string, body api.RequestBody) {
		answers = append(answers, r.send(m, handler, body))
	}
	send(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s", ListenInfos: []api.ListenInfo{info}})
	send(api.MethodRouterCreateWebRtcTransportWithServer, "r", transport("a"))
	send(api.MethodWebRtcServerDump, "s", nil)
	r.front().Do(func() {})
	r.front().Do(r.nodes[0].thaw)
	for _, a := range answers {
		require.NoError(t, receive(t, a).err)
	}
	r.nodes[1].freeze()
	answers = nil
	send(api.MethodRouterCreateWebRtcTransportWithServer, "r", transport("b")) // waits for the server on the second node
	r.must(api.MethodRouterCreateDirectTransport, "other", &api.RouterCreateDirectTransportRequest{
		TransportID: "d", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}},
	})
	send(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
	r.front().Do(func() {})
	r.front().Do(r.nodes[1].thaw)
	require.ErrorContains(t, receive(t, answers[0]).err, "no associated WebRtcServer")
	require.NoError(t, receive(t, answers[1]).err)
	r.await("it is closed on the second node too", func() bool { return r.nodes[1].count(api.MethodWorkerWebRtcServerClose) == 1 })
	r.refused("not found", api.MethodTransportDump, "a", nil)
}

// What waits behind the end of its Router finds nothing any more: requests are refused, messages dropped.
func TestRequestsBehindTheEndOfTheirRouter(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.nodes[0].freeze()
	created := r.send(api.MethodRouterCreatePlainTransport, "r", plainRequest("new"))
	dumped := r.send(api.MethodTransportDump, "new", nil) // waits for the transport, and the others for that
	closed := r.send(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	r.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: []byte("late")})
	later := []<-chan answer{
		r.send(api.MethodRouterCreatePlainTransport, "r", plainRequest("later")),
		r.send(api.MethodTransportDump, "t0", nil),
	}
	r.front().Do(r.nodes[0].thaw)
	require.NoError(t, receive(t, created).err)
	require.NoError(t, receive(t, dumped).err)
	require.NoError(t, receive(t, closed).err)
	for _, a := range later {
		require.ErrorContains(t, receive(t, a).err, "not found")
	}
	r.refused("not found", api.MethodTransportDump, "later", nil)
}
