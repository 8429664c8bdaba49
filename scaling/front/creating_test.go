package front_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// What is still being created is there for the requests behind: a second one of its id is refused, and closing waits until there is
// something to close.
func TestWhatIsStillBeingCreated(t *testing.T) {
	info := loopback()
	onNine := dataProducerRequest("new")
	onNine.SCTPStreamParameters.StreamID = 9
	for _, tt := range []struct {
		create, close call
		id            string
	}{
		{
			call{api.MethodRouterCreatePlainTransport, "r", plainRequest("new")},
			call{api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "new"}},
			"new",
		},
		{
			call{api.MethodTransportProduce, "t0", produceRequest("p7", false)},
			call{api.MethodTransportCloseProducer, "t0", &api.TransportCloseProducerRequest{ProducerID: "p7"}},
			"p7",
		},
		{
			call{api.MethodTransportConsume, "t0", consumeRequest("new", simulcast, false)},
			call{api.MethodTransportCloseConsumer, "t0", &api.TransportCloseConsumerRequest{ConsumerID: "new"}},
			"new",
		},
		{
			call{api.MethodTransportProduceData, "t0", onNine},
			call{api.MethodTransportCloseDataProducer, "t0", &api.TransportCloseDataProducerRequest{DataProducerID: "new"}},
			"new",
		},
		{
			call{api.MethodTransportConsumeData, "t0", dataConsumerRequest("new", "dp")},
			call{api.MethodTransportCloseDataConsumer, "t0", &api.TransportCloseDataConsumerRequest{DataConsumerID: "new"}},
			"new",
		},
		{
			call{api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
				RTPObserverID: "new", Options: &api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -60, Interval: 5000},
			}},
			call{api.MethodRouterCloseRTPObserver, "r", &api.RouterCloseRTPObserverRequest{RTPObserverID: "new"}},
			"new",
		},
		{
			call{api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{
				WebRtcServerID: "new", ListenInfos: []api.ListenInfo{info},
			}},
			call{api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "new"}},
			"new",
		},
	} {
		t.Run(tt.create.method.Name(), func(t *testing.T) {
			for _, name := range []string{"closed", "created again"} {
				r := newRoom(t)
				r.produce()
				r.nodes[0].freeze()
				r.nodes[1].freeze()
				created := r.send(tt.create.method, tt.create.handler, tt.create.body)
				next := tt.close
				if name == "created again" {
					next = tt.create
				}
				behind := r.send(next.method, next.handler, next.body)
				r.front().Do(func() {})
				require.Empty(t, behind, name)
				r.front().Do(r.nodes[0].thaw)
				r.front().Do(r.nodes[1].thaw)
				require.NoError(t, receive(t, created).err, name)
				if name == "closed" {
					require.NoError(t, receive(t, behind).err)
					require.Empty(t, r.front().RouterOf(tt.id))
				} else {
					require.ErrorContains(t, receive(t, behind).err, "already exists")
				}
			}
		})
	}
}

// What a node refuses to tell is refused.
func TestWhatNodesRefuseToTell(t *testing.T) {
	info := loopback()
	r := newRoom(t)
	r.produce()
	r.consume()
	r.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s", ListenInfos: []api.ListenInfo{info}})
	for _, n := range r.nodes {
		n.refuseIf(func(req *api.Request) error {
			switch req.Method {
			case api.MethodConsumerGetStats, api.MethodWebRtcServerDump:
				return api.Errorf("not today")
			}
			return nil
		})
	}
	r.refused("not today", api.MethodConsumerGetStats, "c1", nil)
	r.refused("not today", api.MethodWebRtcServerDump, "s", nil)
}

// The front keeps the subchannels that the last answer told, for a node that restarts.
func TestSubchannelsThatAreKept(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc1", "dp"))
	set := r.must(api.MethodDataConsumerSetSubchannels, "dc1", &api.DataConsumerSetSubchannelsRequest{Subchannels: []uint16{1, 2}})
	require.ElementsMatch(t, []uint16{1, 2}, set.(*api.DataConsumerSetSubchannelsResponse).Subchannels)
	removed := r.must(api.MethodDataConsumerRemoveSubchannel, "dc1", &api.DataConsumerRemoveSubchannelRequest{Subchannel: 1})
	require.Equal(t, []uint16{2}, removed.(*api.DataConsumerRemoveSubchannelResponse).Subchannels)
}

// A data consumer whose relay cannot be made is refused, and is not left on its node.
func TestDataConsumerWithoutRelay(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.nodes[0].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodTransportConsumeData {
			return api.Errorf("not today")
		}
		return nil
	})
	r.refused("cannot be relayed from node node1 to node node2: not today", api.MethodTransportConsumeData, "t1", dataConsumerRequest("new", "dp"))
	r.front().Do(func() {})
	require.Equal(t, 1, r.nodes[1].count(api.MethodTransportCloseDataConsumer))
	r.nodes[0].refuseIf(nil)
	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("new", "dp"))
}

// Without nodes, an RtpObserver is refused, and a WebRtcServer is bound by the front's own engine, which hears what is wrong with it.
func TestWithoutNodes(t *testing.T) {
	info := loopback()
	r := newRoom(t)
	for _, n := range r.nodes {
		n.end()
	}
	r.await("the nodes are gone", func() bool { return strings.Count(strings.Join(r.front().Away(), " "), "node") == len(r.nodes) })
	r.refused("no node can take the RtpObserver", api.MethodRouterCreateActiveSpeakerObserver, "r", &api.RouterCreateActiveSpeakerObserverRequest{
		RTPObserverID: "o", Options: &api.ActiveSpeakerObserverOptions{Interval: 1000},
	})
	r.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s", ListenInfos: []api.ListenInfo{info}})
}

// What a node refuses at once never was, though its relay is under way for longer: when the producer is closed meanwhile, the application
// hears nothing of it.
func TestRefusedBeforeTheRelayIsMade(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.must(api.MethodTransportProduce, "t0", produceRequest(audioProducer, false))
	r.must(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false)) // there is a pair from now on
	r.nodes[1].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodTransportConsume || req.Method == api.MethodTransportConsumeData {
			return api.Errorf("not today")
		}
		return nil
	})
	r.nodes[0].freeze()
	refused := []<-chan answer{
		r.send(api.MethodTransportConsume, "t1", consumeRequest("c2", audioProducer, false)),
		r.send(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc2", "dp")),
	}
	closed := []<-chan answer{
		r.send(api.MethodTransportCloseProducer, "t0", &api.TransportCloseProducerRequest{ProducerID: audioProducer}),
		r.send(api.MethodTransportCloseDataProducer, "t0", &api.TransportCloseDataProducerRequest{DataProducerID: "dp"}),
	}
	r.await("node2 has answered all", func() bool { r.front().Do(func() {}); return r.nodes[1].count(api.MethodTransportCloseProducer) > 0 })
	for range 3 {
		r.front().Do(func() {})
	}
	r.front().Do(r.nodes[0].thaw)
	for _, got := range refused {
		require.ErrorContains(t, receive(t, got).err, "not today")
	}
	for _, got := range closed {
		require.NoError(t, receive(t, got).err)
	}
	require.Empty(t, r.seen("c2", api.EventConsumerProducerClose))
	require.Empty(t, r.seen("dc2", api.EventDataConsumerDataProducerClose))
}

// What an RtpObserver is to watch may still be created: adding it waits for that.
func TestObserverOfAProducerThatIsBeingCreated(t *testing.T) {
	r := newRoom(t)
	r.must(api.MethodRouterCreateActiveSpeakerObserver, "r", &api.RouterCreateActiveSpeakerObserverRequest{
		RTPObserverID: "o", Options: &api.ActiveSpeakerObserverOptions{Interval: 1000},
	})
	r.nodes[0].freeze()
	r.nodes[1].freeze()
	produced := r.send(api.MethodTransportProduce, "t0", produceRequest(audioProducer, false))
	added := r.send(api.MethodRTPObserverAddProducer, "o", &api.RTPObserverAddProducerRequest{ProducerID: audioProducer})
	r.front().Do(func() {})
	require.Empty(t, added)
	r.front().Do(r.nodes[0].thaw)
	r.front().Do(r.nodes[1].thaw)
	require.NoError(t, receive(t, produced).err)
	require.NoError(t, receive(t, added).err)
}

// A producer that its node refuses when its Router is closed already.
func TestRefusedAfterTheRouterWasClosed(t *testing.T) {
	r := newRoom(t)
	r.nodes[0].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodTransportProduce {
			return api.Errorf("no")
		}
		return nil
	})
	r.nodes[0].freeze()
	produced := r.send(api.MethodTransportProduce, "t0", produceRequest(simple, false))
	closed := r.send(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	r.front().Do(func() {})
	r.front().Do(r.nodes[0].thaw)
	require.ErrorContains(t, receive(t, produced).err, "no")
	require.NoError(t, receive(t, closed).err)
	r.refused("not found", api.MethodProducerDump, simple, nil)
}
