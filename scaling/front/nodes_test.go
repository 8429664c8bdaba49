package front_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// A node that is added takes transports and relays. One that is removed ends like any other, is not tried any more, and is forgotten once
// nothing is left that might come back with it. Added again, it gets that.
func TestNodesComeAndGo(t *testing.T) {
	r := restartable(t, 1, nil)
	added := options(2).Nodes[1:]
	o := front.Options{Nodes: added}
	r.nodes = append(r.nodes, tamper(&o)...)
	o.Nodes[0].Again = true
	r.front().AddNode(o.Nodes[0])
	require.Equal(t, []string{"node1", "node2"}, r.front().Nodes())

	r.transport("t0")
	r.transport("t1")
	require.Equal(t, 1, r.nodes[1].count(api.MethodRouterCreatePlainTransport), "it is used")
	r.produce()
	r.consume()
	require.Equal(t, []string{"node1: p0 from node2", "node2: p2 from node1"}, r.front().Sources())

	r.front().RemoveNode("node2")
	r.await("it is gone", func() bool { return len(r.front().Away()) > 0 })
	r.refused("node node2 is gone", api.MethodTransportDump, "t1", nil)
	starts := r.nodes[1].count(api.MethodWorkerDump)
	r.clock.advance(time.Second)
	r.front().Do(func() {})
	require.Equal(t, starts, r.nodes[1].count(api.MethodWorkerDump), "it is not tried again")
	r.transport("t2")
	require.Equal(t, 2, r.nodes[0].count(api.MethodRouterCreatePlainTransport))

	r.front().AddNode(o.Nodes[0])
	r.await("all is restored", func() bool { return len(r.front().Away()) == 0 })
	r.must(api.MethodTransportDump, "t1", nil)
	require.Equal(t, []string{"node1", "node2"}, r.front().Nodes())

	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "t1"})
	r.front().RemoveNode("node3") // there is none
	r.front().RemoveNode("node2")
	r.await("it is gone", func() bool { return len(r.front().Away()) == 1 })
	r.clock.advance(10 * time.Second)
	r.await("it is forgotten", func() bool { return len(r.front().Nodes()) == 1 })

	// It is a node like any other when it comes once more.
	r.front().AddNode(o.Nodes[0])
	r.transport("t4")
	require.Equal(t, []string{"node1", "node2"}, r.front().Nodes())
	require.Empty(t, r.front().Away())

	// One of which no worker can be made is none.
	broken := o.Nodes[0]
	broken.Name, broken.Worker = "node3", func(api.Emitter) (api.Worker, error) { return nil, errors.New("no descriptors left") }
	r.front().AddNode(broken)
	require.Equal(t, []string{"node1", "node2"}, r.front().Nodes())
}
