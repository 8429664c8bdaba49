package front_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
	"gazpacho/scaling/placement"
)

// telling is a node's worker that tells a state.
type telling struct {
	api.Worker
	mu    sync.Mutex
	state placement.State
}

// State is what a front asks of a node's worker.
func (w *telling) State() placement.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

func (w *telling) tell(s placement.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = s
}

func loaded(load float64) placement.State { return placement.State{Load: load} }

// newPlaced returns a Router that is filled over nodes with these states, which have nothing of it yet.
func newPlaced(t *testing.T, policy placement.Policy, states ...placement.State) (r *room, nodes []*telling) {
	o := options(len(states))
	o.Placement = policy
	r = &room{nodes: tamper(&o)}
	for i := range o.Nodes {
		w, start := &telling{state: states[i]}, o.Nodes[i].Worker
		o.Nodes[i].Worker = func(emit api.Emitter) (api.Worker, error) {
			inner, err := start(emit)
			w.Worker = inner
			return w, err
		}
		nodes = append(nodes, w)
	}
	r.app = newFrontOf(t, o)
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	return r, nodes
}

// limitOf returns the load limit of a request for a transport.
func limitOf(req *api.Request) (limit int, ok bool) {
	switch body := req.Body.(type) {
	case *api.RouterCreatePlainTransportRequest:
		return int(body.Options.Base.LoadLimit), true
	case *api.RouterCreatePipeTransportRequest:
		return int(body.Options.Base.LoadLimit), !body.Options.Base.Internal
	case *api.RouterCreateWebRtcTransportRequest:
		return int(body.Options.Base.LoadLimit), true
	}
	return 0, false
}

// record has a node note the limits that it is asked with. busy says whether it refuses.
func (r *room) record(node int, busy func(limit int) bool) *[]int {
	limits := new([]int)
	r.nodes[node].refuseIf(func(req *api.Request) error {
		limit, ok := limitOf(req)
		if !ok {
			return nil
		}
		*limits = append(*limits, limit)
		if busy(limit) {
			return placement.ErrBusy
		}
		return nil
	})
	return limits
}

func never(int) bool { return false }

func always(int) bool { return true }

// on returns how many transports the application has on each node.
func on(f *front.Front) map[string]int {
	f.Close()
	return f.Counters().Transports
}

// A node is asked only for what it has been chosen for: it refuses when its load is another one by now. It tells it then, and so the
// next choice is a better one. The Router leaves it again.
func TestNodeThatHasBecomeFuller(t *testing.T) {
	r, nodes := newPlaced(t, nil, loaded(0.4), loaded(0.3))
	first := r.record(0, func(int) bool {
		nodes[0].tell(loaded(0.5))
		return true
	})
	second := r.record(1, never)
	r.transport("t0")
	require.Equal(t, []int{45}, *first)
	require.Equal(t, []int{45}, *second)
	require.Equal(t, 1, r.nodes[0].count(api.MethodWorkerCloseRouter))
	r.transport("t1")
	require.Equal(t, []int{45, 55}, *second, "where the Router is it stays until near the watermark")
	require.Equal(t, map[string]int{"node2": 2}, on(r.front()))
	require.Equal(t, 1, r.front().Counters().Busy)
	require.Zero(t, r.front().Counters().Short)
}

// A node that is still the best is asked again, and then for an answer whatever its load.
func TestOnlyNodeThatHasBecomeFuller(t *testing.T) {
	r, nodes := newPlaced(t, nil, loaded(0.4))
	limits := r.record(0, func(limit int) bool {
		nodes[0].tell(loaded(0.5))
		return limit == 45
	})
	r.transport("t0")
	require.Equal(t, []int{45, 0}, *limits)
	r.record(0, always)
	r.refused("capacity short: no node can take the transport", api.MethodRouterCreatePlainTransport, "r", plainRequest("t1"))
	require.Equal(t, 1, r.nodes[0].count(api.MethodWorkerCloseRouter), "by the first refusal; it is in use since")
	require.Equal(t, map[string]int{"node1": 1}, on(r.front()))
	require.Equal(t, 3, r.front().Counters().Busy)
	require.Equal(t, 1, r.front().Counters().Short)
}

// All kinds of transports of nodes have the limit; what is on the front's own engine has none.
func TestEveryTransportIsLimited(t *testing.T) {
	r, _ := newPlaced(t, nil, loaded(0.2))
	limits := r.record(0, never)
	info := wildcard()
	r.must(api.MethodRouterCreatePipeTransport, "r", &api.RouterCreatePipeTransportRequest{TransportID: "pipe", Options: &api.PipeTransportOptions{
		Base: &api.TransportOptions{}, ListenInfo: &info,
	}})
	r.must(api.MethodRouterCreateWebRtcTransport, "r", &api.RouterCreateWebRtcTransportRequest{TransportID: "web", Options: &api.WebRtcTransportOptions{
		Base: &api.TransportOptions{}, Listen: &api.ListenIndividual{ListenInfos: []api.ListenInfo{loopback()}}, EnableUDP: true,
	}})
	r.transport("plain")
	r.direct("direct")
	require.Equal(t, []int{45, 55, 55}, *limits)
}

// Where all nodes are busy, transports are refused without asking them. RtpObservers and what is on the front's own engine are not.
func TestCapacityShort(t *testing.T) {
	r, nodes := newPlaced(t, nil, loaded(0.2), loaded(0.2))
	r.transport("t0")
	nodes[0].tell(loaded(0.97))
	nodes[1].tell(loaded(0.96))
	r.record(0, never)
	asked := r.record(1, never)
	r.refused("capacity short", api.MethodRouterCreatePlainTransport, "r", plainRequest("t1"))
	require.Empty(t, *asked)
	r.must(api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
		RTPObserverID: "o", Options: &api.AudioLevelObserverOptions{MaxEntries: 1, Interval: 1000},
	})
	require.Equal(t, 1, r.nodes[0].count(api.MethodRouterCreateAudioLevelObserver), "where the Router is")
	r.direct("direct")
}

// Nothing is placed on nodes that drain.
func TestAllNodesDrain(t *testing.T) {
	r, _ := newPlaced(t, nil, placement.State{Draining: true}, placement.State{Draining: true})
	r.refused("capacity short", api.MethodRouterCreatePlainTransport, "r", plainRequest("t0"))
	r.refused("no node can take the RtpObserver", api.MethodRouterCreateActiveSpeakerObserver, "r", &api.RouterCreateActiveSpeakerObserverRequest{
		RTPObserverID: "o", Options: &api.ActiveSpeakerObserverOptions{Interval: 1000},
	})
}

// What the front has asked a node for counts before that has answered.
func TestWhatWasAskedForCounts(t *testing.T) {
	r, _ := newPlaced(t, placement.Fill{}, placement.State{Load: 0.4, Share: 0.1}, loaded(0.3))
	r.nodes[0].freeze()
	first, second := r.send(api.MethodRouterCreatePlainTransport, "r", plainRequest("t0")), r.send(api.MethodRouterCreatePlainTransport, "r", plainRequest("t1"))
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "other"})
	r.must(api.MethodRouterCreatePlainTransport, "other", plainRequest("t2"))
	r.front().Do(r.nodes[0].thaw)
	require.NoError(t, receive(t, first).err)
	require.NoError(t, receive(t, second).err)
	require.Equal(t, map[string]int{"node1": 2, "node2": 1}, on(r.front()))
}

// The Router leaves a node that has refused a transport only if nothing of it is there.
func TestRouterStaysWhereItIsUsed(t *testing.T) {
	observers := func(r *room) {
		r.must(api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
			RTPObserverID: "o", Options: &api.AudioLevelObserverOptions{MaxEntries: 1, Interval: 1000},
		})
	}
	for name, use := range map[string]func(r *room){
		"a transport": func(r *room) { r.transport("t0") },
		"an observer": observers,
		"a relay": func(r *room) { // of the producer on the other node, for an observer here
			observers(r)
			r.record(0, always)
			r.transport("t0")
			r.must(api.MethodTransportProduce, "t0", produceRequest(audioProducer, false))
			r.must(api.MethodRTPObserverAddProducer, "o", &api.RTPObserverAddProducerRequest{ProducerID: audioProducer})
			r.must(api.MethodRouterCloseRTPObserver, "r", &api.RouterCloseRTPObserverRequest{RTPObserverID: "o"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := newPlaced(t, placement.Fixed{}, loaded(0), loaded(0))
			use(r)
			r.record(0, always)
			r.transport("t1")
			require.Zero(t, r.nodes[0].count(api.MethodWorkerCloseRouter))
		})
	}
}

// A transport of a WebRtcServer is asked of nodes that can have it.
func TestBusyNodeOfAWebRtcServer(t *testing.T) {
	r, _ := newPlaced(t, placement.Fixed{}, loaded(0), loaded(0))
	info := loopback()
	r.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s", ListenInfos: []api.ListenInfo{info}})
	request := func(id string) *api.RouterCreateWebRtcTransportRequest {
		return &api.RouterCreateWebRtcTransportRequest{TransportID: id, Options: &api.WebRtcTransportOptions{
			Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: "s"}, EnableUDP: true,
		}}
	}
	r.record(0, always)
	r.nodes[1].freeze()
	answer := r.send(api.MethodRouterCreateWebRtcTransportWithServer, "r", request("w0"))
	r.await("the second node is asked for the server", func() bool { return r.nodes[1].count(api.MethodWorkerCreateWebRtcServer) == 1 })
	r.front().Do(r.nodes[1].thaw)
	require.NoError(t, receive(t, answer).err)

	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "other"})
	r.must(api.MethodRouterCreateWebRtcTransportWithServer, "other", request("w1"))
	require.Equal(t, map[string]int{"node2": 2}, on(r.front()))
}

// The Router is closed while a transport looks for a node.
func TestRouterIsClosedMeanwhile(t *testing.T) {
	r, _ := newPlaced(t, placement.Fixed{}, loaded(0), loaded(0))
	info := loopback()
	r.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s", ListenInfos: []api.ListenInfo{info}})
	r.record(0, always)
	r.nodes[1].freeze()
	web := r.send(api.MethodRouterCreateWebRtcTransportWithServer, "r", &api.RouterCreateWebRtcTransportRequest{
		TransportID: "w0", Options: &api.WebRtcTransportOptions{
			Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: "s"}, EnableUDP: true,
		},
	})
	r.await("the second node is asked for the server", func() bool { return r.nodes[1].count(api.MethodWorkerCreateWebRtcServer) == 1 })
	closed := r.send(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	r.front().Do(r.nodes[1].thaw)
	require.NoError(t, receive(t, closed).err)
	require.ErrorContains(t, receive(t, web).err, "the Router was closed meanwhile")
	require.Zero(t, r.nodes[1].count(api.MethodWorkerCreateRouter))
}

// A producer comes to a region once: nodes there feed each other.
func TestRelaysStayInTheirRegion(t *testing.T) {
	in := func(region string) placement.State {
		return placement.State{Labels: placement.Labels{Region: region}}
	}
	r, _ := newPlaced(t, placement.Spread{}, in("eu"), in("us"), in("us"), in("eu"))
	for _, id := range []string{"t0", "t1", "t2", "t3"} {
		r.transport(id)
	}
	r.must(api.MethodTransportProduce, "t0", produceRequest(audioProducer, false))
	for _, id := range []string{"1", "2", "3"} {
		r.must(api.MethodTransportConsume, "t"+id, consumeRequest("c"+id, audioProducer, false))
	}
	require.Equal(t, []string{"node2: p0 from node1", "node3: p0 from node2", "node4: p0 from node1"}, r.front().Sources())
}
