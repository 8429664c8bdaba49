package front_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// furnish makes an object of each kind, with ids from a to i.
func (r *room) furnish() map[string]string {
	r.t.Helper()
	r.produce()
	r.consume()
	info := loopback()
	r.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s", ListenInfos: []api.ListenInfo{info}})
	return map[string]string{"worker": "", "router": "r", "transport": "t1", "producer": simulcast, "consumer": "c1", "data producer": "dp", "data consumer": "dc1", "observer": "o", "server": "s"}
}

// Every method without a body, addressed to an object of every kind, is answered as by one engine.
func TestEveryMethodOfEveryObjectWithoutBody(t *testing.T) {
	one := &room{app: newEngine(t)}
	one.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	one.transport("t0")
	one.transport("t1")
	many := newRoom(t)
	objects := one.furnish()
	require.Equal(t, objects, many.furnish())
	for kind, id := range objects {
		for method := range api.MethodWorkerClose + 3 {
			want, have := one.try(method, id, nil).describe(t), many.try(method, id, nil).describe(t)
			require.Equal(t, want, have, "%s of a %s", method, kind)
		}
	}
	same(t, one.app, many.app, "afterwards")
}

// Notifications for objects that take none, or that are there too late, are only logged.
func TestNotificationsThatNobodyTakes(t *testing.T) {
	r := newRoom(t)
	r.furnish()
	try := func(id string) error {
		return r.worker.HandleNotification(&api.Notification{HandlerID: id, Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: []byte{1}}})
	}
	send := func(id string) { require.NoError(t, try(id)) }
	for _, id := range []string{"r", "t0", "c1", "s", simulcast} {
		send(id)
	}
	made := r.send(api.MethodTransportProduce, "t0", produceRequest("p7", false))
	send("p7")
	require.NoError(t, receive(t, made).err)
	closed := r.send(api.MethodTransportCloseProducer, "t0", &api.TransportCloseProducerRequest{ProducerID: "p7"})
	if err := try("p7"); err != nil { // the producer may be gone by now
		require.ErrorContains(t, err, "p7 not found")
	}
	require.NoError(t, receive(t, closed).err)
	require.ErrorContains(t, try("p7"), "p7 not found")
	r.nodes[0].end()
	r.await("the node is lost", func() bool { return r.try(api.MethodTransportDump, "t0", nil).err != nil })
	send(simulcast)
	r.must(api.MethodTransportDump, "t1", nil)
}

// An observer watches a producer of another node by a relay, once, however often it is told to.
func TestObserverOverRelay(t *testing.T) {
	r := newRoom(t)
	r.must(api.MethodTransportProduce, "t1", produceRequest(audioProducer, false))
	r.must(api.MethodTransportProduce, "t0", produceRequest("p7", false))
	r.must(api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
		RTPObserverID: "o", Options: &api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -60, Interval: 5000},
	}) // on the first node
	add := func(id string) answer {
		return r.try(api.MethodRTPObserverAddProducer, "o", &api.RTPObserverAddProducerRequest{ProducerID: id})
	}
	r.nodes[0].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodRouterCreatePipeTransport {
			return api.Errorf("no ports left")
		}
		return nil
	})
	require.ErrorContains(t, add(audioProducer).err, "no ports left")
	r.nodes[0].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodTransportProduce {
			return api.Errorf("not this one")
		}
		return nil
	})
	require.ErrorContains(t, add(audioProducer).err, "not this one")
	r.nodes[0].refuseIf(nil)
	watched := func() []string {
		for _, row := range r.must(api.MethodRouterDump, "r", nil).(*api.RouterDumpResponse).MapProducerIDObserverIDs {
			if row.Key == audioProducer {
				return row.Values
			}
		}
		return nil
	}
	require.Empty(t, watched())
	require.NoError(t, add(audioProducer).err)
	require.NoError(t, add(audioProducer).err)
	require.NoError(t, add("p7").err)
	require.Equal(t, []string{"o"}, watched())
	require.Len(t, r.front().PipeStats(), 1)
	remove := func() {
		r.must(api.MethodRTPObserverRemoveProducer, "o", &api.RTPObserverRemoveProducerRequest{ProducerID: audioProducer})
	}
	remove()
	remove()
	r.clock.advance(6 * time.Second)
	require.Empty(t, r.front().PipeStats())
	require.NoError(t, add(audioProducer).err)
	r.must(api.MethodTransportCloseProducer, "t1", &api.TransportCloseProducerRequest{ProducerID: audioProducer})
	require.Empty(t, watched())
}

// What a node tells of a data consumer that its peer closed frees its id and its relay.
func TestDataConsumerClosedByItsPeer(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.consume()
	r.front().Tell(1, &api.Notification{HandlerID: "dc1", Event: api.EventDataConsumerClosedByPeer})
	r.awaitEvent("dc1", api.EventDataConsumerClosedByPeer)
	r.refused("not found", api.MethodDataConsumerDump, "dc1", nil)
	r.clock.advance(6 * time.Second)
	for _, id := range r.front().Hidden() {
		require.NotContains(t, id, "tap")
	}
}

// A node whose end of a pipe cannot be connected, or that does not say where it is.
func TestPipesThatCannotBeConnected(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.nodes[1].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodPipeTransportConnect {
			return api.Errorf("no route")
		}
		return nil
	})
	r.send(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	r.await("the pipe fails", func() bool { return len(r.front().Hidden()) == 0 })
	r.nodes[1].refuseIf(nil)
	r.must(api.MethodTransportConsume, "t1", consumeRequest("c2", simulcast, false))
}

// A front whose workers cannot be made is none.
func TestWorkersThatCannotBeMade(t *testing.T) {
	broken := errors.New("no descriptors")
	o := options(2)
	o.Emit = func(*api.Notification) {}
	o.Placement = nil
	o.Nodes[1].Worker = func(api.Emitter) (api.Worker, error) { return nil, broken }
	_, err := front.New(o)
	require.ErrorIs(t, err, broken)
	o.Own = o.Nodes[1]
	_, err = front.New(o)
	require.ErrorIs(t, err, broken)
}

// WebRtcServers while a node is silent or gone: others go on.
func TestWebRtcServersOfLostNodes(t *testing.T) {
	r := newRoom(t)
	info := loopback()
	info.Port = freePort(t)
	r.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s", ListenInfos: []api.ListenInfo{info}})
	create := func(id string) answer {
		return r.try(api.MethodRouterCreateWebRtcTransportWithServer, "r", &api.RouterCreateWebRtcTransportRequest{
			TransportID: id, Options: &api.WebRtcTransportOptions{Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: "s"}, EnableUDP: true},
		})
	}
	r.nodes[1].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodWorkerCreateWebRtcServer {
			return api.Errorf("no such address")
		}
		return nil
	})
	for _, id := range []string{"a", "b", "c"} {
		require.NoError(t, create(id).err)
	}
	require.Equal(t, 1, r.front().NodesOf("s"))
	r.nodes[0].end()
	r.awaitEvent("a", api.EventWebRtcTransportDTLSStateChange)
	require.ErrorContains(t, create("d").err, "no node can take the transport")
	same := info
	fixed := func(id string) answer {
		return r.try(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: id, ListenInfos: []api.ListenInfo{same}})
	}
	r.nodes[1].refuseIf(nil)
	require.ErrorContains(t, fixed("t").err, "port bind failed")
	same.Port = freePort(t)
	require.NoError(t, fixed("u").err)
	r.refused("WebRtcServer s is on no node any more", api.MethodWebRtcServerDump, "s", nil)
	r.must(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
}

// freePort returns a UDP port that was free a moment ago.
func freePort(t *testing.T) uint16 {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer conn.Close()
	return uint16(conn.LocalAddr().(*net.UDPAddr).Port)
}
