package front_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// asked notes the requests for both ends of data relays.
type asked struct {
	mu   sync.Mutex
	home []*api.TransportConsumeDataRequest
	far  []*api.TransportProduceDataRequest
}

func (a *asked) listen(nodes []*tampered) {
	for _, n := range nodes {
		n.refuseIf(func(req *api.Request) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			switch body := req.Body.(type) {
			case *api.TransportConsumeDataRequest:
				if body.Type == api.DataConsumerTypeDirect {
					a.home = append(a.home, body)
				}
			case *api.TransportProduceDataRequest:
				if body.Type == api.DataProducerTypeDirect {
					a.far = append(a.far, body)
				}
			}
			return nil
		})
	}
}

// linked is the options of nodes that links can reach.
func linked(nodes int) front.Options {
	o := options(nodes)
	for i := range o.Nodes {
		o.Nodes[i].Link = o.Nodes[i].Name + ":7000"
	}
	return o
}

// Both ends of a relay get the same token, another one for each relay, and the home gets the far node's address.
func TestDataRelaysByLinks(t *testing.T) {
	r := newRoomOn(t, linked(3))
	var a asked
	a.listen(r.nodes)
	r.transport("t2")
	r.must(api.MethodTransportProduceData, "t0", dataProducerRequest("dp"))
	for _, at := range []string{"t1", "t2"} {
		r.must(api.MethodTransportConsumeData, at, dataConsumerRequest("dc"+at, "dp"))
	}
	require.Len(t, a.home, 2)
	require.Len(t, a.far, 2)
	for i, address := range []string{"node2:7000", "node3:7000"} {
		require.Equal(t, address, a.home[i].LinkAddress)
		require.Len(t, a.home[i].LinkToken, 16)
		require.Equal(t, a.far[i].LinkToken, a.home[i].LinkToken)
		require.False(t, a.home[i].LinkUnreliable)
	}
	require.False(t, bytes.Equal(a.home[0].LinkToken, a.home[1].LinkToken))
	r.worker.Close()
	require.Equal(t, 2, r.front().Counters().DataRelays)
	require.Equal(t, 2, r.front().Counters().Links)
}

// Without an address at both ends, or between this host and another one, data goes through the front.
func TestDataRelaysWithoutLinks(t *testing.T) {
	for name, change := range map[string]func(o *front.Options){
		"home has no address": func(o *front.Options) { o.Nodes[0].Link = "" },
		"far has no address":  func(o *front.Options) { o.Nodes[1].Link = "" },
		"on different hosts":  func(o *front.Options) { o.Nodes[1].SameHost = false },
	} {
		t.Run(name, func(t *testing.T) {
			o := linked(2)
			change(&o)
			r := newRoomOn(t, o)
			var a asked
			a.listen(r.nodes)
			far := "t1"
			if !o.Nodes[1].SameHost { // loopback addresses are on the first node then
				far = "t2"
				anywhere := plainRequest(far)
				anywhere.Options.ListenInfo.IP = "0.0.0.0"
				r.must(api.MethodRouterCreatePlainTransport, "r", anywhere)
			}
			r.must(api.MethodTransportProduceData, "t0", dataProducerRequest("dp"))
			r.must(api.MethodTransportConsumeData, far, dataConsumerRequest("dc", "dp"))
			require.Len(t, a.home, 1)
			require.Empty(t, a.home[0].LinkToken)
			require.Empty(t, a.far[0].LinkToken)
			r.worker.Close()
			require.Zero(t, r.front().Counters().Links)
		})
	}
}

// Between nodes that do not reach each other data goes through the front.
func TestDataRelaysOfNodesApart(t *testing.T) {
	r := newRoomOn(t, linked(2))
	var a asked
	a.listen(r.nodes)
	r.produce()
	r.must(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	r.cut(0, 1, false)
	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc", "dp"))
	require.Len(t, a.home, 1)
	require.Empty(t, a.home[0].LinkToken)
	r.worker.Close()
	require.Zero(t, r.front().Counters().Links)
}

// A link that is full is told of as SCTP that is full. One that has ended closes the data consumers behind it, and consuming again makes
// another one.
func TestWhatTheHomeTellsOfALink(t *testing.T) {
	r := newRoomOn(t, linked(2))
	var a asked
	a.listen(r.nodes)
	r.transport("t2") // on the first node again
	r.must(api.MethodTransportProduceData, "t0", dataProducerRequest("dp"))
	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc", "dp"))
	r.must(api.MethodTransportConsumeData, "t2", dataConsumerRequest("home", "dp"))
	tell := func(event api.Event) {
		r.front().Tell(0, &api.Notification{HandlerID: a.home[len(a.home)-1].DataConsumerID, Event: event})
	}
	tell(api.EventDataConsumerSCTPSendBufferFull)
	r.awaitEvent("dc", api.EventDataConsumerSCTPSendBufferFull)
	tell(api.EventDataConsumerClosedByPeer)
	r.front().Do(func() {})
	require.Empty(t, r.seen("dc", api.EventDataConsumerDataProducerClose), "perhaps the far node has restarted")
	r.clock.advance(3 * time.Second)
	r.awaitEvent("dc", api.EventDataConsumerDataProducerClose)
	r.refused("not found", api.MethodDataConsumerDump, "dc", nil)
	require.Empty(t, r.front().Hidden())

	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc", "dp"))
	require.Len(t, a.home, 2)
	require.False(t, bytes.Equal(a.home[0].LinkToken, a.home[1].LinkToken))
	r.must(api.MethodDataConsumerDump, "home", nil)
	require.Empty(t, r.seen("home", api.EventDataConsumerSCTPSendBufferFull))
	require.Empty(t, r.seen("home", api.EventDataConsumerDataProducerClose))
}

// A far node restarts, and the home tells of the link's end before the front knows why: the data consumers there come back.
func TestALinkEndsBecauseItsFarNodeRestarts(t *testing.T) {
	o := linked(2)
	r := restartable(t, 2, func(change *front.Options) {
		for i := range o.Nodes {
			change.Nodes[i].Link = o.Nodes[i].Link
		}
	})
	var a asked
	a.listen(r.nodes)
	r.transport("t0")
	r.transport("t1")
	r.must(api.MethodTransportProduceData, "t0", dataProducerRequest("dp"))
	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc", "dp"))
	r.front().Tell(0, &api.Notification{HandlerID: a.home[0].DataConsumerID, Event: api.EventDataConsumerClosedByPeer})
	r.restart(1)
	r.clock.advance(3 * time.Second)
	r.front().Do(func() {})
	r.must(api.MethodDataConsumerDump, "dc", nil)
	require.Empty(t, r.seen("dc", api.EventDataConsumerDataProducerClose))
	require.Len(t, a.home, 2, "another relay")
}
