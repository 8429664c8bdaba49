package remote_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/scaling/front"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/remote"
)

// spread is an application whose Router is spread over nodes of other hosts.
type spread struct {
	t       testing.TB
	front   *front.Front
	servers []*remote.Server

	mu       sync.Mutex
	changed  sync.Cond
	messages map[string][][]byte // of data consumers on DirectTransports
	sctp     map[string]bool     // transports that are connected
}

func loopback() api.ListenInfo {
	return api.ListenInfo{Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
}

func newSpread(t testing.TB, nodes int) *spread {
	s := &spread{t: t, messages: map[string][][]byte{}, sctp: map[string]bool{}}
	s.changed.L = &s.mu
	c := newCluster(t)
	newEngine := func(emit api.Emitter) (api.Worker, error) { return engine.New(engine.Options{Emit: emit, Shards: 1}) }
	o := front.Options{
		Emit: s.emit, Placement: placement.Spread{},
		Own: front.NodeOptions{Name: "own", SameHost: true, Pipe: loopback(), Worker: newEngine},
	}
	for i := range nodes {
		credentials := c.of(fmt.Sprint("node", i))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		server := remote.NewServer(remote.ServerOptions{
			Name: credentials.Identity().Name, Nodes: credentials.Client(identity.Node),
			Addresses: remote.Addresses{Media4: netip.MustParseAddr("127.0.0.1")},
			NewWorker: func(_ *remote.Opening, emit api.Emitter, _ *slog.Logger) (api.Worker, error) { return newEngine(emit) },
		})
		t.Cleanup(server.Close)
		go server.Serve(l, credentials.Server())
		address := l.Addr().String()
		s.servers = append(s.servers, server)
		o.Nodes = append(o.Nodes, front.NodeOptions{
			Name: address, SameHost: true, Pipe: loopback(), Link: address,
			Worker: func(emit api.Emitter) (api.Worker, error) {
				w, err := remote.Dial(remote.Options{Address: address, TLS: c.app.Client(identity.Node), Emit: emit})
				// Without Available: that a node is silent for a moment, on a busy machine, must not change where transports go.
				return struct{ api.Worker }{w}, err
			},
		})
	}
	var err error
	s.front, err = front.New(o)
	require.NoError(t, err)
	t.Cleanup(s.front.Close)
	return s
}

func (s *spread) emit(n *api.Notification) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch body := n.Body.(type) {
	case *api.DataConsumerMessageNotification:
		s.messages[n.HandlerID] = append(s.messages[n.HandlerID], body.Data)
	case *api.TransportSCTPStateChangeNotification:
		s.sctp[n.HandlerID] = body.SCTPState == api.SCTPStateConnected
	}
	s.changed.Broadcast()
}

func (s *spread) await(what string, holds func() bool) {
	s.t.Helper()
	late := time.AfterFunc(longest, s.changed.Broadcast)
	defer late.Stop()
	deadline := time.Now().Add(longest)
	s.mu.Lock()
	defer s.mu.Unlock()
	for !holds() {
		require.True(s.t, time.Now().Before(deadline), "waited in vain: %s", what)
		s.changed.Wait()
	}
}

func (s *spread) must(method api.Method, handler string, body api.RequestBody) api.ResponseBody {
	s.t.Helper()
	type answer struct {
		body api.ResponseBody
		err  error
	}
	answers := make(chan answer, 1)
	s.front.HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body},
		func(body api.ResponseBody, err error) { answers <- answer{body, err} })
	got := <-answers
	require.NoError(s.t, got.err)
	return got.body
}

const largest = 16<<20 - 1000

// direct makes a DirectTransport, which is on the front's own engine.
func (s *spread) direct(id string) {
	s.must(api.MethodRouterCreateDirectTransport, "r", &api.RouterCreateDirectTransportRequest{
		TransportID: id, Options: &api.DirectTransportOptions{Base: &api.TransportOptions{
			Direct: true, MaxSendMessageSize: largest, MaxReceiveMessageSize: largest,
		}},
	})
}

// sctpPair makes two PlainTransports that talk SCTP with each other, on two nodes.
func (s *spread) sctpPair(ids ...string) {
	var tuples []*api.TransportTuple
	for _, id := range ids {
		info := loopback()
		answer := s.must(api.MethodRouterCreatePlainTransport, "r", &api.RouterCreatePlainTransportRequest{
			TransportID: id, Options: &api.PlainTransportOptions{ListenInfo: &info, RTCPMux: true, Base: &api.TransportOptions{
				EnableSCTP: true, MaxSendMessageSize: largest, MaxReceiveMessageSize: largest, SCTPSendBufferSize: 64 << 20,
				SCTPPerStreamSendQueueLimit: 64 << 20, SCTPMaxReceiverWindowBufferSize: 32 << 20,
			}},
		})
		tuples = append(tuples, answer.(*api.PlainTransportDumpResponse).Tuple)
	}
	for i, id := range ids {
		s.must(api.MethodPlainTransportConnect, id, &api.PlainTransportConnectRequest{IP: "127.0.0.1", Port: &tuples[1-i].LocalPort})
	}
}

func onStream(id uint16) *api.SCTPStreamParameters { return &api.SCTPStreamParameters{StreamID: id} }

// Messages go from the application over SCTP to a node, from there by a link to another one, and over SCTP and back to the
// application, complete and in order, with all their bytes: as in one process.
func TestRelayedData(t *testing.T) {
	s := newSpread(t, 3)
	s.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	s.direct("d")
	s.sctpPair("x0", "y1") // the digit is the node
	s.sctpPair("x2", "y0")
	s.must(api.MethodTransportProduceData, "d", &api.TransportProduceDataRequest{DataProducerID: "in", Type: api.DataProducerTypeDirect})
	s.must(api.MethodTransportProduceData, "y1", &api.TransportProduceDataRequest{DataProducerID: "home", SCTPStreamParameters: onStream(1)})
	s.must(api.MethodTransportProduceData, "y0", &api.TransportProduceDataRequest{DataProducerID: "last", SCTPStreamParameters: onStream(1)})
	s.must(api.MethodTransportConsumeData, "x0", &api.TransportConsumeDataRequest{
		DataConsumerID: "c1", DataProducerID: "in", SCTPStreamParameters: onStream(1),
	})
	s.must(api.MethodTransportConsumeData, "x2", &api.TransportConsumeDataRequest{
		DataConsumerID: "c2", DataProducerID: "home", SCTPStreamParameters: onStream(1),
	})
	s.must(api.MethodTransportConsumeData, "d", &api.TransportConsumeDataRequest{
		DataConsumerID: "out", DataProducerID: "last", Type: api.DataConsumerTypeDirect,
	})
	s.await("SCTP", func() bool { return s.sctp["x0"] && s.sctp["y1"] && s.sctp["x2"] && s.sctp["y0"] })
	total, waiting := 0, 0
	loads := []struct{ count, size int }{{2000, 1 << 10}, {50, 200 << 10}, {1, 2 << 20}, {1, 15 << 20}}
	for _, load := range loads {
		for n := range load.count {
			if waiting += load.size; waiting > 4<<20 { // so much is under way
				s.await("messages", func() bool { return len(s.messages["out"]) == total })
				waiting = load.size
			}
			require.NoError(t, s.front.HandleNotification(&api.Notification{
				HandlerID: "in", Event: api.EventDataProducerSend, Body: &api.DataProducerSendNotification{PPID: 53, Data: filled(n, load.size)},
			}))
			total++
		}
	}
	s.await("all messages", func() bool { return len(s.messages["out"]) == total })
	rest := s.messages["out"]
	for _, load := range loads {
		for n, m := range rest[:load.count] {
			require.True(t, bytes.Equal(filled(n, load.size), m), "message %d of %d bytes", n, load.size)
		}
		rest = rest[load.count:]
	}
	var links []remote.LinkStatus
	for _, server := range s.servers {
		links = append(links, server.Status().Links...)
	}
	require.Len(t, links, 2, "one link, as both of its ends see it")
	for _, l := range links {
		require.EqualValues(t, total, l.Messages)
		require.Zero(t, l.Lost)
	}
}
