package front_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// apart is chain without the chain: the home feeds all. Subscribers are on the second and third node.
func apart(t *testing.T, nodes int) (r *room, sound *speaker, one, two *listener) {
	r, _, sound = chainOf(t, nodes, 0)
	one, two = r.listen(t, "c100", 2), r.listen(t, "c101", 2)
	one.follows(t, sound)
	two.follows(t, sound)
	r.await("the highest layers", func() bool { return one.layer() == 2 && two.layer() == 2 })
	return r, sound, one, two
}

// cut has the ends between two nodes tell what they hear, and waits until the front has made up its mind.
func (r *room) cut(a, b int, hears bool) {
	r.t.Helper()
	r.front().Hears(a, b, hears)
	r.front().Hears(b, a, hears)
	r.await("it is decided", func() bool {
		if r.front().Cut(a, b) != hears {
			return true
		}
		r.clock.advance(100 * time.Millisecond)
		return false
	})
}

// awaitSources waits until all relays are fed as told: a pipe may have to be made first.
func (r *room) awaitSources(want ...string) {
	r.t.Helper()
	r.await(fmt.Sprint(want), func() bool { return slices.Equal(want, r.front().Sources()) })
}

// Two nodes do not hear each other: what goes between them goes through the third, at once, and consumers stay. When they hear each
// other again, that remains, and what is new goes straight.
func TestNodesApart(t *testing.T) {
	r, sound, one, two := apart(t, 3)
	told := r.ends()
	r.cut(0, 1, false)
	r.awaitSources("node2: p0 from node3", "node2: p2 from node3", "node3: p0 from node1", "node3: p2 from node1")
	one.follows(t, sound)
	two.follows(t, sound)
	_, numbers := one.heard()
	gaps := 0
	for i := 1; i < len(numbers); i++ {
		if numbers[i] != numbers[i-1]+1 {
			gaps++
		}
	}
	require.LessOrEqual(t, gaps, 1, "numbers go on")
	require.Equal(t, told, r.ends())

	// What is new goes that way, too, also in other Routers, and from the other side.
	r.must(api.MethodTransportProduce, "out-c100", produceRequest("p7", false))
	r.must(api.MethodTransportConsume, "in", consumeRequest("c7", "p7", false))
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r2"})
	for _, id := range []string{"a", "b", "c"} {
		r.must(api.MethodRouterCreatePlainTransport, "r2", plainRequest(id))
	}
	r.must(api.MethodTransportProduce, "a", produceRequest("p14", false))
	r.must(api.MethodTransportConsume, "b", consumeRequest("c14", "p14", false))
	for _, detour := range []string{"node1: p7 from node3", "node3: p7 from node2", "node2: p14 from node3", "node3: p14 from node1"} {
		require.Contains(t, r.front().Sources(), detour)
	}

	r.front().Hears(0, 1, true)
	require.True(t, r.front().Cut(0, 1), "one direction is not enough")
	r.front().Hears(1, 0, true)
	require.False(t, r.front().Cut(0, 1))
	require.Contains(t, r.front().Sources(), "node2: p0 from node3")
	r.must(api.MethodTransportProduce, "in", produceRequest("p21", false))
	r.must(api.MethodTransportConsume, "out-c100", consumeRequest("c21", "p21", false))
	require.Contains(t, r.front().Sources(), "node2: p21 from node1")

	for _, id := range []string{"r", "r2"} {
		r.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: id})
	}
	r.checkEmpty()
}

// A relay that nobody uses any more ends instead of going another way, and a pipe without relays stays until it is heard again.
func TestNodesApartWithoutUsers(t *testing.T) {
	r, _, _, _ := apart(t, 3)
	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "out-c100"})
	r.cut(0, 1, false)
	require.Equal(t, []string{"node3: p0 from node1", "node3: p2 from node1"}, r.front().Sources())
	require.Len(t, r.front().Hidden(), 2+4)
	r.cut(0, 1, true)
	require.Len(t, r.front().Hidden(), 2+2)
	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "in"})
	r.checkNodes()
}

// Without a third node consumers wait for the network for ten seconds. Then their producers are closed.
func TestNodesApartWithoutAnother(t *testing.T) {
	for _, mended := range []bool{true, false} {
		t.Run(fmt.Sprint(mended), func(t *testing.T) {
			r, _, sound := chainOf(t, 2, 0)
			one := r.listen(t, "c100", 2)
			one.follows(t, sound)
			r.cut(0, 1, false)
			r.refused("nodes node2 and node1 do not reach each other", api.MethodTransportConsume, "in", func() *api.TransportConsumeRequest {
				r.must(api.MethodTransportProduce, "out-c100", produceRequest("p7", false))
				return consumeRequest("c7", "p7", false)
			}())
			r.clock.advance(9 * time.Second)
			require.Empty(t, r.seen("c100", api.EventConsumerProducerClose))
			if mended {
				r.cut(0, 1, true)
			}
			r.clock.advance(time.Second)
			if mended {
				one.follows(t, sound)
				require.Empty(t, r.seen("c100", api.EventConsumerProducerClose))
				return
			}
			r.awaitEvent("c100", api.EventConsumerProducerClose)
			r.awaitEvent("c1000", api.EventConsumerProducerClose)
			require.Empty(t, r.front().Sources())
		})
	}
}

// What waits goes on when there is a third node again, or when that is heard again.
func TestNodesApartUntilThereIsAnother(t *testing.T) {
	for name, missing := range map[string]struct{ begin, end func(r *room) }{
		"it comes back": {
			begin: func(r *room) {
				r.front().Hears(0, 1, false)
				r.front().Do(func() {}) // the other node has answered
				r.kill(2)
				r.clock.advance(time.Second)
			},
			end: (*room).revive,
		},
		"the network is back": {
			begin: func(r *room) {
				r.must(api.MethodTransportProduce, "out-c100", produceRequest("p7", false))
				r.must(api.MethodTransportConsume, "out-c101", consumeRequest("c8", "p7", false))
				r.cut(1, 2, false)
				r.cut(0, 1, false)
			},
			end: func(r *room) { r.cut(1, 2, true) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, sound, one, _ := apart(t, 3)
			missing.begin(r)
			require.True(t, r.front().Cut(0, 1))
			missing.end(r)
			r.await("the detour", func() bool {
				return strings.Contains(fmt.Sprint(r.front().Sources()), "node2: p0 from node3 node2: p2 from node3")
			})
			one.follows(t, sound)
			require.Empty(t, r.seen("c100", api.EventConsumerProducerClose))
		})
	}
}

// In a chain whose first pipe fails, what the middle feeds is reached by the home, and feeds the middle then.
func TestChainTurnsRound(t *testing.T) {
	r, _, sound := chainOf(t, 3, 1)
	one, two := r.listen(t, "c100", 2), r.listen(t, "c101", 2)
	one.follows(t, sound)
	require.Contains(t, r.front().Sources(), "node3: p0 from node2")
	r.cut(0, 1, false)
	r.await("it is turned round", func() bool {
		return fmt.Sprint(r.front().Sources()) == "[node2: p0 from node3 node2: p2 from node3 node3: p0 from node1 node3: p2 from node1]"
	})
	one.follows(t, sound)
	two.follows(t, sound)
	for _, id := range []string{"c100", "c1000", "c101", "c1010"} {
		require.Empty(t, r.seen(id, api.EventConsumerProducerClose))
	}
}

// The third node dies: another one takes its place, and without one the consumers' producers are closed.
func TestThirdNodeDies(t *testing.T) {
	r, sound, one, _ := apart(t, 4)
	r.cut(0, 1, false)
	r.awaitSources("node2: p0 from node3", "node2: p2 from node3", "node3: p0 from node1", "node3: p2 from node1")
	r.kill(2)
	r.await("the fourth", func() bool {
		return fmt.Sprint(r.front().Sources()[:2]) == "[node2: p0 from node4 node2: p2 from node4]"
	})
	one.follows(t, sound)
	r.front().Do(r.nodes[3].kill)
	r.awaitEvent("c100", api.EventConsumerProducerClose)
}

// A node that is stopped, or too busy to answer at once, is silent, too. Nothing is changed for that.
func TestSilenceThatIsNotTheNetworks(t *testing.T) {
	r, sound, one, two := apart(t, 3)
	sources := r.front().Sources()
	r.nodes[1].freeze()
	r.front().Hears(0, 1, false)
	r.front().Do(func() {})
	for range 12 {
		r.clock.advance(time.Second)
		r.front().Do(func() {})
	}
	r.front().Do(r.nodes[1].thaw)
	r.front().Hears(0, 1, true)
	r.clock.advance(time.Second)
	require.False(t, r.front().Cut(0, 1))
	require.Equal(t, sources, r.front().Sources())
	one.follows(t, sound)
	two.follows(t, sound)

	// One that answers late is asked again: if it is still not heard then, it is the network.
	r.nodes[1].freeze()
	r.front().Hears(0, 1, false)
	r.front().Do(func() {})
	r.clock.advance(2 * time.Second)
	r.front().Do(r.nodes[1].thaw)
	require.False(t, r.front().Cut(0, 1))
	r.await("it is asked again", func() bool { r.clock.advance(time.Second); return r.front().Cut(0, 1) })

	// One that goes on before a second is over is heard within another one.
	r.cut(0, 1, true)
	r.nodes[1].freeze()
	r.front().Hears(0, 1, false)
	r.clock.advance(900 * time.Millisecond)
	r.front().Do(r.nodes[1].thaw)
	r.front().Do(func() {})
	r.front().Hears(0, 1, true)
	r.clock.advance(time.Second)
	require.False(t, r.front().Cut(0, 1))

	// A node that is gone is no matter of the network either.
	r.front().Hears(0, 2, false)
	r.kill(2)
	require.False(t, r.front().Cut(0, 2))
}

// A pair that is cut and loses a node is renewed with it.
func TestNodesApartThatRestart(t *testing.T) {
	r, _, sound := chainOf(t, 2, 0)
	one := r.listen(t, "c100", 2)
	one.follows(t, sound)
	r.cut(0, 1, false)
	r.restart(0)
	require.False(t, r.front().Cut(0, 1))
	one.follows(t, sound)
	r.clock.advance(20 * time.Second)
	require.Empty(t, r.seen("c100", api.EventConsumerProducerClose))
}

// Of a pipe, only the nodes at its ends are believed.
func TestAnotherNodesWordForAPipe(t *testing.T) {
	r, _, _, _ := apart(t, 3)
	for _, id := range r.front().Hidden() {
		for node := range 3 {
			if !r.front().HasEnd(node, id) {
				for _, event := range []api.Event{api.EventPipeTransportSilent, api.EventTransportOutOfService, api.EventPipeTransportHeard} {
					r.front().Tell(node, &api.Notification{HandlerID: id, Event: event})
				}
			}
		}
	}
	r.must(api.MethodRouterDump, "r", nil)
	require.False(t, r.front().Cut(0, 1) || r.front().Cut(1, 2) || r.front().Cut(0, 2))
	require.Empty(t, r.seen("c100", api.EventConsumerProducerClose))
}

// Of several nodes that could stand between two, the least busy does.
func TestLeastBusyThirdNode(t *testing.T) {
	r, _, sound := chainOf(t, 5, 0)
	one := r.listen(t, "c100", 2)
	one.follows(t, sound)
	for i, load := range []float64{2: 0.9, 3: 0.1, 4: 0.5} {
		r.nodes[i].busy(load)
	}
	r.cut(0, 1, false)
	r.awaitSources("node2: p0 from node4", "node2: p2 from node4", "node4: p0 from node1", "node4: p2 from node1")
	one.follows(t, sound)
}
