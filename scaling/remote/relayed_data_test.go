package remote_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/scaling/front"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/remote"
)

// spread is an application whose Router is spread over nodes of other hosts.
type spread struct {
	t       testing.TB
	worker  api.Worker
	servers []*remote.Server
	dialect *fbs.Dialect // what the application speaks; nil: the newest

	asking   sync.Mutex // requests come one at a time
	requests atomic.Uint64

	mu       sync.Mutex
	changed  sync.Cond
	messages map[string][][]byte // of data consumers on DirectTransports
	sctp     map[string]bool     // transports that are connected
}

func loopback() api.ListenInfo {
	return api.ListenInfo{Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
}

func newApplication(t testing.TB) *spread {
	s := &spread{t: t, messages: map[string][][]byte{}, sctp: map[string]bool{}}
	s.changed.L = &s.mu
	return s
}

// newLocal is an application on one engine.
func newLocal(t testing.TB, compat api.Compat) *spread {
	s := newApplication(t)
	var err error
	s.worker, err = engine.New(engine.Options{Emit: s.emit, Shards: 1, Compat: compat})
	require.NoError(t, err)
	t.Cleanup(s.worker.Close)
	return s
}

func newSpread(t testing.TB, nodes int) *spread {
	return newSpreadOf(t, nodes, remote.Opening{}, func(*front.Options) {})
}

// newSpreadOf is newSpread of an application of an older release, or with a front that is changed.
func newSpreadOf(t testing.TB, nodes int, opening remote.Opening, change func(*front.Options)) *spread {
	s := newApplication(t)
	c := newCluster(t)
	newEngine := func(emit api.Emitter) (api.Worker, error) {
		return engine.New(engine.Options{Emit: emit, Shards: 1, Compat: opening.Compat})
	}
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
			NewWorker: func(o *remote.Opening, emit api.Emitter, _ *slog.Logger) (api.Worker, error) {
				return engine.New(engine.Options{Emit: emit, Shards: 1, Compat: o.Compat})
			},
		})
		t.Cleanup(server.Close)
		go server.Serve(l, credentials.Server())
		address := l.Addr().String()
		s.servers = append(s.servers, server)
		o.Nodes = append(o.Nodes, front.NodeOptions{
			Name: address, SameHost: true, Pipe: loopback(), Link: address,
			Worker: func(emit api.Emitter) (api.Worker, error) {
				w, err := remote.Dial(remote.Options{Address: address, TLS: c.app.Client(identity.Node), Emit: emit, Opening: opening})
				// Without Available: that a node is silent for a moment, on a busy machine, must not change where transports go.
				return struct{ api.Worker }{w}, err
			},
		})
	}
	change(&o)
	var err error
	s.worker, err = front.New(o)
	require.NoError(t, err)
	t.Cleanup(s.worker.Close)
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
	s.ask(method, handler, body, func(body api.ResponseBody, err error) { answers <- answer{body, err} })
	got := <-answers
	require.NoError(s.t, got.err)
	return got.body
}

func (s *spread) ask(method api.Method, handler string, body api.RequestBody, reply func(api.ResponseBody, error)) {
	s.requests.Add(1)
	request := said(s, &api.Request{Method: method, HandlerID: handler, Body: body})
	s.asking.Lock()
	defer s.asking.Unlock()
	s.worker.HandleRequest(request, reply)
}

// said is a message as a worker gets it from an application of the release.
func said[M api.MessageBody](s *spread, m M) M {
	s.t.Helper()
	if s.dialect == nil {
		return m
	}
	frame, err := s.dialect.NewEncoder().AppendMessage(nil, m)
	require.NoError(s.t, err)
	decoded, err := s.dialect.DecodeMessage(frame[4:]) // behind its length
	require.NoError(s.t, err)
	return decoded.(M)
}

func (s *spread) send(producer string, message *api.DataProducerSendNotification) {
	s.t.Helper()
	require.NoError(s.t, s.worker.HandleNotification(said(s, &api.Notification{
		HandlerID: producer, Event: api.EventDataProducerSend, Body: message,
	})))
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
			s.send("in", &api.DataProducerSendNotification{PPID: 53, Data: filled(n, load.size)})
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

// Messages of an application of an older release reach the consumers of their subchannels on other nodes, though workers of that
// release may have sent none over pipes.
func TestSubchannelsOfOlderReleases(t *testing.T) {
	for release, want := range map[string][]string{
		"3.13.0":     {"for all", "for 3", "needs 3", "not for 3", "so far", "4 as well", "last"}, // which does not know ignored subchannels
		"3.21.2":     {"for all", "for 3", "needs 3", "not for 3", "so far", "4 as well", "last"},
		"3.23.1":     {"for all", "for 3", "needs 3", "not for 3", "so far", "4 as well", "last"},
		"3.23.2":     {"for all", "for 3", "needs 3", "not for 3", "so far", "4 as well", "last"},
		fbs.Newest(): {"for all", "for 3", "needs 3", "so far", "4 as well", "last"},
	} {
		compat, err := fbs.Compat(release)
		require.NoError(t, err)
		dialect, err := fbs.Load(release)
		require.NoError(t, err)
		for name, start := range map[string]func(t testing.TB) *spread{
			"one engine": func(t testing.TB) *spread { return newLocal(t, compat) },
			"three nodes": func(t testing.TB) *spread {
				return newSpreadOf(t, 3, remote.Opening{Release: release, Compat: compat}, func(*front.Options) {})
			},
		} {
			t.Run(release+", "+name, func(t *testing.T) {
				s := start(t)
				s.dialect = dialect
				require.Equal(t, want, s.throughSubchannels())
			})
		}
	}
}

// throughSubchannels returns which messages reach a consumer of subchannel 3, and of 4 later, on a node. They come back through another
// node and a third one.
func (s *spread) throughSubchannels() (texts []string) {
	s.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	s.direct("d")
	s.sctpPair("x0", "y1")
	s.sctpPair("x2", "y0")
	s.must(api.MethodTransportProduceData, "d", &api.TransportProduceDataRequest{DataProducerID: "in", Type: api.DataProducerTypeDirect})
	s.must(api.MethodTransportProduceData, "y1", &api.TransportProduceDataRequest{DataProducerID: "home", SCTPStreamParameters: onStream(1)})
	s.must(api.MethodTransportProduceData, "y0", &api.TransportProduceDataRequest{DataProducerID: "last", SCTPStreamParameters: onStream(1)})
	s.must(api.MethodTransportConsumeData, "x0", &api.TransportConsumeDataRequest{
		DataConsumerID: "c1", DataProducerID: "in", SCTPStreamParameters: onStream(1), Subchannels: []uint16{3},
	})
	s.must(api.MethodTransportConsumeData, "x2", &api.TransportConsumeDataRequest{
		DataConsumerID: "c2", DataProducerID: "home", SCTPStreamParameters: onStream(1),
	})
	s.must(api.MethodTransportConsumeData, "d", &api.TransportConsumeDataRequest{
		DataConsumerID: "out", DataProducerID: "last", Type: api.DataConsumerTypeDirect,
	})
	s.await("SCTP", func() bool { return s.sctp["x0"] && s.sctp["y1"] && s.sctp["x2"] && s.sctp["y0"] })
	send := func(text string, change func(m *api.DataProducerSendNotification)) {
		m := &api.DataProducerSendNotification{PPID: 51, Data: []byte(text)}
		change(m)
		s.send("in", m)
	}
	three := uint16(3)
	send("for all", func(*api.DataProducerSendNotification) {})
	send("for 3", func(m *api.DataProducerSendNotification) { m.Subchannels = []uint16{3, 7} })
	send("for 4", func(m *api.DataProducerSendNotification) { m.Subchannels = []uint16{4} })
	send("needs 3", func(m *api.DataProducerSendNotification) { m.RequiredSubchannel = &three })
	send("needs 4", func(m *api.DataProducerSendNotification) { m.RequiredSubchannel = new(uint16(4)) })
	send("not for 3", func(m *api.DataProducerSendNotification) { m.IgnoredSubchannel = &three })
	got := func() [][]byte { return s.messages["out"] }
	send("so far", func(*api.DataProducerSendNotification) {})
	arrived := func(text string) func() bool {
		return func() bool { return len(got()) > 0 && string(got()[len(got())-1]) == text }
	}
	s.await("what was sent so far", arrived("so far")) // the consumer's node hears of other subchannels on a way of its own
	s.must(api.MethodDataConsumerSetSubchannels, "c1", &api.DataConsumerSetSubchannelsRequest{Subchannels: []uint16{3, 4}})
	send("4 as well", func(m *api.DataProducerSendNotification) { m.Subchannels = []uint16{4} })
	send("last", func(*api.DataProducerSendNotification) {})
	s.await("the last message", arrived("last"))
	for _, m := range got() {
		texts = append(texts, string(m))
	}
	return texts
}
