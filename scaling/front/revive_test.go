package front_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// reachable is a node's worker of which the test says whether it is reached.
type reachable struct {
	api.Worker
	away *atomic.Bool
}

func (w reachable) Available() bool { return !w.away.Load() }

// A node that cannot be made again stays gone; the others go on.
func TestNodeThatCannotComeBack(t *testing.T) {
	o := options(2)
	nodes := tamper(&o)
	make, made := o.Nodes[0].Worker, 0
	o.Nodes[0].Again = true
	o.Nodes[0].Worker = func(emit api.Emitter) (api.Worker, error) {
		if made++; made > 1 {
			return nil, api.Errorf("no descriptors left")
		}
		return make(emit)
	}
	r := &room{clock: newClock(), nodes: nodes}
	o.Clock = r.clock
	r.app = newFrontOf(t, o)
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	r.transport("t0")
	nodes[0].end()
	r.await("the node is gone", func() bool { return r.try(api.MethodTransportDump, "t0", nil).err != nil })
	r.clock.advance(time.Second)
	r.transport("t1")
	r.transport("t2")
	r.must(api.MethodTransportDump, "t1", nil)
	r.must(api.MethodTransportDump, "t2", nil)
}

// Nothing is placed on a node that is not reached, as long as another one is.
func TestUnreachedNodesGetNothing(t *testing.T) {
	o := options(2)
	nodes := tamper(&o)
	away := make([]atomic.Bool, len(o.Nodes))
	for i := range o.Nodes {
		worker := o.Nodes[i].Worker
		o.Nodes[i].Worker = func(emit api.Emitter) (api.Worker, error) {
			w, err := worker(emit)
			return reachable{w, &away[i]}, err
		}
	}
	r := &room{clock: newClock(), nodes: nodes}
	o.Clock = r.clock
	r.app = newFrontOf(t, o)
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	away[0].Store(true)
	for _, id := range []string{"t0", "t1", "t2"} {
		r.transport(id)
	}
	require.Zero(t, nodes[0].count(api.MethodRouterCreatePlainTransport))
	r.must(api.MethodWorkerCreateWebRtcServer, "", serverOf("s"))
	require.Zero(t, nodes[0].count(api.MethodWorkerCreateWebRtcServer))

	away[0].Store(false)
	r.transport("t3")
	require.Equal(t, 1, nodes[0].count(api.MethodRouterCreatePlainTransport))

	// When none is reached, one of them gets the request: it may be about to be.
	away[0].Store(true)
	away[1].Store(true)
	r.transport("t4")
	r.must(api.MethodWorkerCreateWebRtcServer, "", serverOf("s2"))
}

func serverOf(id string) *api.WorkerCreateWebRtcServerRequest {
	return &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: id, ListenInfos: []api.ListenInfo{loopback()}}
}
