package front_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
	"gazpacho/scaling/placement"
)

// room is a Router with a producer on the first node, and its consumer on the second one; and the same for data and an observer.
type room struct {
	*app
	nodes []*tampered
	clock *clock
}

func newRoom(t *testing.T) *room { return newRoomOn(t, options(2)) }

func newRoomOn(t *testing.T, o front.Options) *room {
	r := &room{clock: newClock(), nodes: tamper(&o)}
	o.Clock = r.clock
	r.app = newFrontOf(t, o)
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	r.transport("t0")
	r.transport("t1")
	return r
}

// transport makes a PlainTransport with SCTP; they go to the nodes in turn.
func (r *room) transport(id string) {
	r.t.Helper()
	r.must(api.MethodRouterCreatePlainTransport, "r", plainRequest(id))
}

func plainRequest(id string) *api.RouterCreatePlainTransportRequest {
	info := loopback()
	return &api.RouterCreatePlainTransportRequest{TransportID: id, Options: &api.PlainTransportOptions{
		Base: &api.TransportOptions{
			EnableSCTP: true, MaxSendMessageSize: 1 << 18, MaxReceiveMessageSize: 1 << 18, SCTPSendBufferSize: 1 << 18,
			SCTPPerStreamSendQueueLimit: 1 << 18, SCTPMaxReceiverWindowBufferSize: 1 << 20,
		}, ListenInfo: &info, RTCPMux: true,
	}}
}

func (r *room) produce() {
	r.t.Helper()
	r.must(api.MethodTransportProduce, "t0", produceRequest(simulcast, false))
	r.must(api.MethodTransportProduceData, "t0", dataProducerRequest("dp"))
}

func dataProducerRequest(id string) *api.TransportProduceDataRequest {
	return &api.TransportProduceDataRequest{DataProducerID: id, SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 1}}
}

func dataConsumerRequest(id, producer string) *api.TransportConsumeDataRequest {
	return &api.TransportConsumeDataRequest{DataConsumerID: id, DataProducerID: producer, SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 1}}
}

func (r *room) consume() {
	r.t.Helper()
	r.must(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc1", "dp"))
	r.must(api.MethodRouterCreateActiveSpeakerObserver, "r", &api.RouterCreateActiveSpeakerObserverRequest{
		RTPObserverID: "o", Options: &api.ActiveSpeakerObserverOptions{Interval: 1000},
	})
	r.must(api.MethodTransportProduce, "t1", produceRequest(audioProducer, false))
	r.must(api.MethodRTPObserverAddProducer, "o", &api.RTPObserverAddProducerRequest{ProducerID: audioProducer})
}

// Nothing of a relay is left some time after its last user; a user in between keeps it.
func TestRelaysEndAfterTheirLastUsers(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.consume()
	require.Len(t, r.front().PipeStats(), 2)
	closeConsumer := func(id string) {
		r.must(api.MethodTransportCloseConsumer, "t1", &api.TransportCloseConsumerRequest{ConsumerID: id})
	}
	closeConsumer("c1")
	r.clock.advance(4 * time.Second)
	require.Len(t, r.front().PipeStats(), 2)
	r.must(api.MethodTransportConsume, "t1", consumeRequest("c2", simulcast, false))
	r.clock.advance(4 * time.Second)
	require.Len(t, r.front().PipeStats(), 2, "it has a user again")
	require.Equal(t, 1, r.nodes[0].count(api.MethodRouterCreatePipeTransport), "one pair for all")
	closeConsumer("c2")
	r.must(api.MethodRouterCloseRTPObserver, "r", &api.RouterCloseRTPObserverRequest{RTPObserverID: "o"})
	r.must(api.MethodTransportCloseDataConsumer, "t1", &api.TransportCloseDataConsumerRequest{DataConsumerID: "dc1"})
	r.clock.advance(6 * time.Second)
	require.Empty(t, r.front().PipeStats())
	require.Empty(t, r.front().Hidden())
	for i, n := range r.nodes {
		dump := r.nodeDump(n)
		require.NotContains(t, dump, "gazpacho/pipe", "node %d", i)
		require.NotContains(t, dump, "gazpacho/datarelay", "node %d", i)
		require.NotContains(t, dump, "gazpacho/relay", "node %d", i)
	}
	r.must(api.MethodTransportConsume, "t1", consumeRequest("c3", simulcast, false))
	require.Len(t, r.front().PipeStats(), 1)
}

// nodeDump returns the ids on a node as text. No request may be under way.
func (r *room) nodeDump(n *tampered) string {
	answers := make(chan answer, 1)
	r.front().Do(func() {
		n.Worker.HandleRequest(&api.Request{ID: 1 << 30, Method: api.MethodWorkerDump}, func(b api.ResponseBody, err error) { answers <- answer{b, err} })
	})
	return receive(r.t, answers).describe(r.t)
}

// A refused consumer leaves no relay, and does not take away another one's.
func TestRefusedConsumersLeaveNoRelay(t *testing.T) {
	r := newRoom(t)
	r.produce()
	wrong := consumeRequest("c1", simulcast, false)
	wrong.RTPParameters.Codecs = nil
	r.refused("empty codecs", api.MethodTransportConsume, "t1", wrong)
	r.clock.advance(6 * time.Second)
	require.Empty(t, r.front().Hidden())

	r.must(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	r.refused("same consumerId", api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	r.clock.advance(6 * time.Second)
	require.Len(t, r.front().PipeStats(), 1)
}

// A node that cannot make its end of a pipe, or a part of a relay: the consumer is refused, with a reason, and the next one succeeds.
func TestNodesThatCannotRelay(t *testing.T) {
	for _, method := range []api.Method{
		api.MethodRouterCreatePipeTransport, api.MethodTransportProduce, api.MethodRouterCreateDirectTransport, api.MethodTransportProduceData,
	} {
		t.Run(method.Name(), func(t *testing.T) {
			r := newRoom(t)
			r.produce()
			r.nodes[1].refuseIf(func(req *api.Request) error {
				if req.Method == method {
					return api.Errorf("no ports left")
				}
				return nil
			})
			media, data := r.try(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false)),
				r.try(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc1", "dp"))
			if method == api.MethodRouterCreatePipeTransport || method == api.MethodTransportProduce {
				require.ErrorContains(t, media.err, "no ports left")
				require.NoError(t, data.err)
			} else {
				require.NoError(t, media.err)
				require.ErrorContains(t, data.err, "no ports left")
			}
			r.nodes[1].refuseIf(nil)
			r.must(api.MethodTransportConsume, "t1", consumeRequest("c2", simulcast, false))
			r.must(api.MethodTransportConsumeData, "t1", func() *api.TransportConsumeDataRequest {
				q := dataConsumerRequest("dc2", "dp")
				q.SCTPStreamParameters.StreamID = 2
				return q
			}())
		})
	}
}

// A node that is silent: what it was asked fails after a while, and what it does late is taken back. Others go on.
func TestSilentNode(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.nodes[1].freeze()
	late := r.send(api.MethodTransportProduce, "t1", produceRequest(audioProducer, false))
	pair := r.send(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "other"})
	r.must(api.MethodRouterDump, "other", nil)
	r.front().Do(func() {})
	r.clock.advance(8 * time.Second)
	require.ErrorContains(t, receive(t, late).err, "node node2 does not answer [method:transport.produce]")
	require.ErrorContains(t, receive(t, pair).err, "node node2 cannot open a pipe")
	r.refused("not found", api.MethodProducerDump, audioProducer, nil)

	closing := r.send(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "t1"})
	r.front().Do(func() {})
	r.clock.advance(8 * time.Second)
	require.NoError(t, receive(t, closing).err, "closing succeeds")
	r.front().Do(r.nodes[1].thaw)
	r.transport("t2")
	r.await("what was late is closed", func() bool { return r.nodes[1].count(api.MethodTransportCloseProducer) == 1 })
	r.front().Do(func() {})
	require.NotContains(t, r.nodeDump(r.nodes[1]), `"gazpacho/pipe`)
	require.NotContains(t, r.nodeDump(r.nodes[1]), audioProducer)
}

// A busy node is passed by; when all are, the application is told.
func TestBusyNodes(t *testing.T) {
	r := newRoom(t)
	busy := func(req *api.Request) error {
		if req.Method == api.MethodRouterCreatePlainTransport {
			return placement.ErrBusy
		}
		return nil
	}
	r.nodes[0].refuseIf(busy)
	r.transport("t2")
	r.must(api.MethodTransportProduce, "t2", produceRequest(simulcast, false))
	require.Equal(t, 1, r.nodes[1].count(api.MethodTransportProduce))
	r.nodes[1].refuseIf(busy)
	r.refused("no node can take the transport", api.MethodRouterCreatePlainTransport, "r", plainRequest("t3"))
	require.Equal(t, []string{"t0", "t1", "t2"}, r.must(api.MethodRouterDump, "r", nil).(*api.RouterDumpResponse).TransportIDs)
}

// A node is gone: its WebRtcTransports disconnect, its producers close elsewhere, its objects refuse all but being closed, and new
// transports go elsewhere.
func TestLostNode(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.consume()
	info := loopback()
	webRtc := func(id string) *api.RouterCreateWebRtcTransportRequest {
		return &api.RouterCreateWebRtcTransportRequest{TransportID: id, Options: &api.WebRtcTransportOptions{
			Base: &api.TransportOptions{}, Listen: &api.ListenIndividual{ListenInfos: []api.ListenInfo{info}}, EnableUDP: true,
		}}
	}
	r.must(api.MethodRouterCreateWebRtcTransport, "r", webRtc("w0"))
	r.must(api.MethodRouterCreateWebRtcTransport, "r", webRtc("w1"))
	r.must(api.MethodTransportConsume, "w0", func() *api.TransportConsumeRequest { return consumeRequest("c9", audioProducer, false) }())
	r.nodes[0].end()
	r.awaitEvent("c1", api.EventConsumerProducerClose)
	r.awaitEvent("dc1", api.EventDataConsumerDataProducerClose)
	ice := r.awaitEvent("w0", api.EventWebRtcTransportICEStateChange).Body.(*api.WebRtcTransportICEStateChangeNotification)
	require.Equal(t, api.ICEStateDisconnected, ice.ICEState)
	dtls := r.awaitEvent("w0", api.EventWebRtcTransportDTLSStateChange).Body.(*api.WebRtcTransportDTLSStateChangeNotification)
	require.Equal(t, api.DTLSStateClosed, dtls.DTLSState)
	require.Empty(t, r.seen("w1", api.EventWebRtcTransportICEStateChange))
	require.Empty(t, r.seen("c9", api.EventConsumerProducerClose), "the application sees its own transport's end")

	r.refused("node node1 is gone: power cut [method:producer.dump]", api.MethodProducerDump, simulcast, nil)
	r.refused("not found", api.MethodConsumerDump, "c1", nil)
	r.refused("is gone", api.MethodTransportConsume, "t1", consumeRequest("c5", simulcast, false))
	r.refused("is gone", api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc5", "dp"))
	r.must(api.MethodTransportDump, "t1", nil)
	r.must(api.MethodRouterDump, "r", nil)
	r.must(api.MethodTransportCloseProducer, "t0", &api.TransportCloseProducerRequest{ProducerID: simulcast})
	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "t0"})
	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "w0"})
	r.transport("t5")
	r.transport("t6")
	r.must(api.MethodTransportDump, "t5", nil)
	r.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
}

// A node that ends before it has made a transport: another one makes it, and the application hears nothing of that.
func TestTransportOfANodeThatEnds(t *testing.T) {
	isPlain := func(req *api.Request) bool { return req.Method == api.MethodRouterCreatePlainTransport }
	ends := map[string]func(w *tampered, ask func()){
		"without a word": func(w *tampered, ask func()) {
			w.freeze()
			ask()
			w.end()
		},
		// As the client of a node does, which the front hears of before the end.
		"by refusing": func(w *tampered, ask func()) {
			w.refuseIf(func(req *api.Request) error {
				if !isPlain(req) {
					return nil
				}
				w.err = errors.New("power cut")
				close(w.done)
				return errors.New("lost")
			})
			ask()
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			var made <-chan answer
			end(r.nodes[0], func() {
				made = r.send(api.MethodRouterCreatePlainTransport, "r", plainRequest("t2"))
				r.await("the node is asked", func() bool { return r.nodes[0].count(api.MethodRouterCreatePlainTransport) == 2 })
			})
			require.NoError(t, receive(t, made).err)
			require.Equal(t, 2, r.nodes[1].count(api.MethodRouterCreatePlainTransport))
			require.Contains(t, r.nodeDump(r.nodes[1]), "t2")
			r.must(api.MethodTransportDump, "t2", nil)
		})
	}
}

// Where there is no other node, the application hears why.
func TestTransportOfTheLastNodeThatEnds(t *testing.T) {
	r := newRoomOn(t, options(1))
	r.nodes[0].never()
	r.nodes[0].freeze()
	request, info := plainRequest("t2"), wildcard() // what is for the application's host only would go there
	request.Options.ListenInfo = &info
	made := r.send(api.MethodRouterCreatePlainTransport, "r", request)
	r.await("the node is asked", func() bool { return r.nodes[0].count(api.MethodRouterCreatePlainTransport) == 3 })
	r.nodes[0].end()
	require.ErrorContains(t, receive(t, made).err, "node node1 is gone: power cut")
	r.refused("not found", api.MethodTransportDump, "t2", nil)
	require.Equal(t, map[string]int{"node1": 2}, on(r.front()))
	require.Zero(t, r.front().Counters().Short)
}

// A pipe that breaks closes what depends on it, as if the producers were closed; the next consumer gets a new one.
func TestBrokenPipe(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.consume()
	r.front().Break(api.EventTransportOutOfService)
	r.awaitEvent("c1", api.EventConsumerProducerClose)
	r.refused("not found", api.MethodConsumerDump, "c1", nil)
	r.must(api.MethodTransportConsume, "t1", consumeRequest("c2", simulcast, false))
	require.Len(t, r.front().PipeStats(), 1)
}

// Two WebRtcServers of one application cannot have the same port, and one exists where transports use it.
func TestWebRtcServers(t *testing.T) {
	o := options(2)
	a := newFrontOf(t, o)
	a.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	create := func(id string, port uint16) answer {
		info := loopback()
		info.Port = port
		return a.try(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: id, ListenInfos: []api.ListenInfo{info}})
	}
	require.NoError(t, create("s0", 0).err)
	dump := func(id string) *api.WebRtcServerDumpResponse {
		return a.must(api.MethodWebRtcServerDump, id, nil).(*api.WebRtcServerDumpResponse)
	}
	port := dump("s0").UDPSockets[0].Port
	require.ErrorContains(t, create("s1", port).err, "port bind failed")
	a.refused("not found", api.MethodWebRtcServerDump, "s1", nil)

	// A fixed port can be had once on this host: its transports are all where it is.
	a.must(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s0"})
	require.NoError(t, create("s2", port).err)
	require.NoError(t, create("s3", 0).err)
	for _, id := range []string{"a", "b", "c", "d"} {
		server := "s2"
		if id > "b" {
			server = "s3"
		}
		a.must(api.MethodRouterCreateWebRtcTransportWithServer, "r", &api.RouterCreateWebRtcTransportRequest{
			TransportID: id, Options: &api.WebRtcTransportOptions{Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: server}, EnableUDP: true},
		})
	}
	require.Equal(t, []string{"a", "b"}, dump("s2").WebRtcTransportIDs)
	require.Equal(t, []string{"c", "d"}, dump("s3").WebRtcTransportIDs)
	require.Len(t, dump("s3").LocalICEUsernameFragments, 2)
	require.Equal(t, 1, a.front().NodesOf("s2"))
	require.Equal(t, 2, a.front().NodesOf("s3"))
	a.must(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s3"})
	a.refused("not found", api.MethodTransportDump, "d", nil)
	a.must(api.MethodTransportDump, "a", nil)
}
