package federation_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/scaling/federation"
)

// A member keeps the contract of a worker.
func TestContract(t *testing.T) {
	var n federation.Node
	apitest.Run(t, func(t testing.TB, emit api.Emitter) api.Worker {
		m, err := n.Join("", emit, func(emit api.Emitter) (api.Worker, error) { return engine.New(engine.Options{Emit: emit, Shards: 1}) })
		require.NoError(t, err)
		return m
	})
}

// stand is a member's worker that accepts everything, and writes down what it is asked.
type stand struct {
	emit api.Emitter
	done chan struct{}
	err  error

	before func(*api.Request)

	mu     sync.Mutex
	asked  []*api.Request
	refuse error
}

func (s *stand) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	if s.before != nil {
		s.before(req)
	}
	s.mu.Lock()
	s.asked = append(s.asked, req)
	refuse := s.refuse
	s.mu.Unlock()
	switch {
	case refuse != nil:
		reply(nil, refuse)
	case req.Method == api.MethodProducerDump:
		reply(&api.ProducerDumpResponse{ID: req.HandlerID}, nil)
	case req.Method == api.MethodDataProducerDump:
		reply(&api.DataProducerDumpResponse{ID: req.HandlerID}, nil)
	default:
		reply(nil, nil)
	}
}

func (s *stand) HandleNotification(*api.Notification) error { return nil }
func (s *stand) RouterOf(string) string                     { return "r" }
func (s *stand) Load() api.Load                             { return api.Load{Transports: 1, Consumers: 1, DataConsumers: 1} }
func (s *stand) Done() <-chan struct{}                      { return s.done }
func (s *stand) Err() error                                 { return s.err }
func (s *stand) Close()                                     { s.err = api.ErrClosed }

// last returns what was asked last.
func (s *stand) last() *api.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[len(s.asked)-1]
}

// member is a member whose worker is a stand.
type member struct {
	t *testing.T
	*federation.Member
	worker *stand

	mu   sync.Mutex
	told []string
}

func join(t *testing.T, n *federation.Node, tenant string) *member {
	t.Helper()
	m := &member{t: t}
	var err error
	m.Member, err = n.Join(tenant, m.emit, func(emit api.Emitter) (api.Worker, error) {
		m.worker = &stand{emit: emit, done: make(chan struct{})}
		return m.worker, nil
	})
	require.NoError(t, err)
	return m
}

func (m *member) emit(n *api.Notification) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = append(m.told, n.HandlerID+" "+n.Event.String())
}

// hears returns what was notified since the last call.
func (m *member) hears() (told []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	told, m.told = m.told, nil
	return told
}

func (m *member) try(method api.Method, handler string, body api.RequestBody) (answer api.ResponseBody, err error) {
	m.HandleRequest(&api.Request{ID: 1, Method: method, HandlerID: handler, Body: body}, func(b api.ResponseBody, e error) { answer, err = b, e })
	return answer, err
}

func (m *member) must(method api.Method, handler string, body api.RequestBody) api.ResponseBody {
	m.t.Helper()
	answer, err := m.try(method, handler, body)
	require.NoError(m.t, err)
	return answer
}

func (m *member) refused(text string, method api.Method, handler string, body api.RequestBody) {
	m.t.Helper()
	_, err := m.try(method, handler, body)
	require.ErrorContains(m.t, err, text)
}

func pipeRequest(id string, internal bool) *api.RouterCreatePipeTransportRequest {
	return &api.RouterCreatePipeTransportRequest{TransportID: id, Options: &api.PipeTransportOptions{
		Base: &api.TransportOptions{Internal: internal}, ListenInfo: &api.ListenInfo{},
	}}
}

func produceRequest(id string) *api.TransportProduceRequest {
	return &api.TransportProduceRequest{ProducerID: id, RTPParameters: &api.RTPParameters{}, RTPMapping: &api.RTPMapping{}}
}

func consumeRequest(id, producer string, kind api.RTPType) *api.TransportConsumeRequest {
	return &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: producer, Type: kind,
		RTPParameters: &api.RTPParameters{Codecs: []api.RTPCodecParameters{}, RTCP: &api.RTCPParameters{}},
	}
}

// owner makes a member with a Router, a transport "t" and a producer "p".
func owner(t *testing.T, n *federation.Node, tenant string) *member {
	m := join(t, n, tenant)
	m.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	m.must(api.MethodRouterCreatePipeTransport, "r", pipeRequest("t", false))
	m.must(api.MethodTransportProduce, "t", produceRequest("p"))
	return m
}

func (m *member) imports(id, producer string) *api.ProducerDumpResponse {
	m.t.Helper()
	return m.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: id, ProducerID: producer}).(*api.ProducerDumpResponse)
}

// An importer's requests come to the owner's worker under ids of the node's own, and what the worker tells of these comes back.
func TestWhatImportersMayAsk(t *testing.T) {
	var n federation.Node
	a, b := owner(t, &n, "acme"), join(t, &n, "acme")
	d := b.imports("i", "p")
	require.Equal(t, "i", d.ID)
	a.must(api.MethodTransportProduce, "t", produceRequest("p2"))
	require.Equal(t, d.Home, b.imports("i2", "p2").Home, "of the same Router")

	b.must(api.MethodProducerGetStats, "i", nil)
	require.Equal(t, "p", a.worker.last().HandlerID)
	b.must(api.MethodRouterCreatePipeTransport, "i", pipeRequest("pipe", true))
	made := a.worker.last()
	pipe := made.Creates()
	require.Equal(t, "r", made.HandlerID)
	require.Contains(t, pipe, "gazpacho/export/")
	b.must(api.MethodPipeTransportConnect, "pipe", &api.PipeTransportConnectRequest{})
	b.must(api.MethodTransportGetStats, "pipe", nil)
	require.Equal(t, pipe, a.worker.last().HandlerID)
	b.must(api.MethodTransportConsume, "pipe", consumeRequest("c", "i2", api.RTPTypePipe))
	consumer := a.worker.last().Creates()
	require.Equal(t, "p2", a.worker.last().Body.(*api.TransportConsumeRequest).ProducerID)
	for _, method := range []api.Method{
		api.MethodConsumerPause, api.MethodConsumerResume, api.MethodConsumerRequestKeyFrame, api.MethodConsumerGetStats,
		api.MethodConsumerSetPreferredLayers,
	} {
		b.must(method, "c", nil)
		require.Equal(t, consumer, a.worker.last().HandlerID)
	}
	require.Equal(t, api.Load{DataConsumers: 1}, a.Load(), "what is lent does not count")

	a.worker.emit(&api.Notification{HandlerID: pipe, Event: api.EventPipeTransportSilent})
	a.worker.emit(&api.Notification{HandlerID: consumer, Event: api.EventConsumerLayersChange})
	a.worker.emit(&api.Notification{HandlerID: "p", Event: api.EventProducerScore})
	require.Equal(t, []string{"p PRODUCER_SCORE"}, a.hears())
	require.Equal(t, []string{"pipe PIPETRANSPORT_SILENT", "c CONSUMER_LAYERS_CHANGE", "i PRODUCER_SCORE"}, b.hears())

	unknown := "unknown method"
	b.refused(unknown, api.MethodProducerPause, "i", nil)
	b.refused("only transports of relays", api.MethodRouterCreateDirectTransport, "i", nil)
	b.refused(unknown, api.MethodRouterCreateActiveSpeakerObserver, "i", nil)
	b.refused(unknown, api.MethodTransportProduce, "pipe", produceRequest("x"))
	b.refused(unknown, api.MethodConsumerDump, "c", nil)
	b.refused("only transports of relays", api.MethodRouterCreatePipeTransport, "i", pipeRequest("x", false))
	b.refused("only transports of relays", api.MethodRouterCreatePipeTransport, "i", nil)
	b.refused("wrong or missing body", api.MethodTransportConsume, "pipe", nil)
	b.refused("not found", api.MethodTransportConsume, "pipe", consumeRequest("x", "p", api.RTPTypePipe))
	b.refused("not found", api.MethodTransportConsume, "pipe", consumeRequest("x", "i", api.RTPTypeSimple))
	b.refused("not found", api.MethodTransportCloseConsumer, "pipe", &api.TransportCloseConsumerRequest{ConsumerID: "x"})
	b.refused("not found", api.MethodRouterCloseTransport, "i", &api.RouterCloseTransportRequest{TransportID: "c"})
	for _, taken := range []string{"i", "pipe", "c"} {
		b.refused("already exists", api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: taken, ProducerID: "p"})
		b.refused("already exists", api.MethodRouterCreatePipeTransport, "i", pipeRequest(taken, true))
		b.refused("already exists", api.MethodTransportConsume, "pipe", consumeRequest(taken, "i", api.RTPTypePipe))
	}
	a.worker.refuse = api.Errorf("no ports")
	b.refused("no ports", api.MethodRouterCreatePipeTransport, "i", pipeRequest("x", true))
	a.worker.refuse = nil
	b.must(api.MethodRouterCreatePipeTransport, "i", pipeRequest("x", true))

	b.must(api.MethodTransportCloseConsumer, "pipe", &api.TransportCloseConsumerRequest{ConsumerID: "c"})
	require.Equal(t, consumer, a.worker.last().Closes())
	b.must(api.MethodTransportConsume, "pipe", consumeRequest("c", "i", api.RTPTypePipe))
	b.must(api.MethodRouterCloseTransport, "i", &api.RouterCloseTransportRequest{TransportID: "pipe"})
	require.Equal(t, pipe, a.worker.last().Closes())
	require.Equal(t, "r", a.worker.last().HandlerID)
	asked := len(a.worker.asked)
	b.must(api.MethodConsumerPause, "c", nil) // which is one of its own, as far as is known
	b.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "i"})
	require.Len(t, a.worker.asked, asked)
}

// The owner's front can neither address what others have in its Routers nor take their ids.
func TestOwnersCannotTouchWhatIsLent(t *testing.T) {
	var n federation.Node
	a, b := owner(t, &n, ""), join(t, &n, "")
	b.imports("i", "p")
	b.must(api.MethodRouterCreatePipeTransport, "i", pipeRequest("pipe", true))
	pipe := a.worker.last().Creates()
	a.refused("not found", api.MethodTransportDump, pipe, nil)
	a.refused("not found", api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: pipe})
	a.refused("not found", api.MethodRouterCreatePipeTransport, "r", pipeRequest("gazpacho/export/1000", false))
	require.ErrorContains(t, a.HandleNotification(&api.Notification{HandlerID: pipe}), "not found")
	require.NoError(t, a.HandleNotification(&api.Notification{HandlerID: "p"}))
	require.Empty(t, a.RouterOf(pipe))
	require.Equal(t, "r", a.RouterOf("p"))
}

// What an owner does, importers hear of, once, and of nothing after the end.
func TestWhatImportersHear(t *testing.T) {
	var n federation.Node
	a, b, c := owner(t, &n, ""), join(t, &n, ""), join(t, &n, "")
	b.imports("i", "p")
	c.imports("j", "p")
	a.must(api.MethodProducerPause, "p", nil)
	a.must(api.MethodProducerResume, "p", nil)
	a.must(api.MethodProducerPause, "other", nil)
	require.Equal(t, []string{"i IMPORT_PAUSED", "i IMPORT_RESUMED"}, b.hears())
	require.Equal(t, []string{"j IMPORT_PAUSED", "j IMPORT_RESUMED"}, c.hears())
	c.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "j"})
	a.worker.refuse = api.Errorf("busy")
	a.refused("busy", api.MethodProducerPause, "p", nil)
	a.refused("busy", api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "t"})
	a.worker.refuse = nil
	b.must(api.MethodRouterCreatePipeTransport, "i", pipeRequest("pipe", true))
	b.must(api.MethodTransportConsume, "pipe", consumeRequest("c", "i", api.RTPTypePipe))
	consumer := a.worker.last().Creates()
	a.worker.emit(&api.Notification{HandlerID: consumer, Event: api.EventConsumerProducerClose})
	a.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "t"})
	require.Equal(t, []string{"c CONSUMER_PRODUCER_CLOSE", "i IMPORT_CLOSED"}, b.hears())
	a.worker.emit(&api.Notification{HandlerID: consumer, Event: api.EventConsumerScore})
	require.Empty(t, b.hears())
	require.Empty(t, c.hears())
	b.refused("not found", api.MethodTransportConsume, "pipe", consumeRequest("c", "i", api.RTPTypePipe))
	b.refused("not found", api.MethodProducerDump, "i", nil)
	b.must(api.MethodRouterCloseTransport, "i", &api.RouterCloseTransportRequest{TransportID: "pipe"})
	b.refused("not found", api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "k", ProducerID: "p"})
}

// Relays, and producers that were refused, are nobody's to import, nor what other tenants have, nor a producer that is being closed.
func TestWhatIsNotFound(t *testing.T) {
	var n federation.Node
	a, b := owner(t, &n, "acme"), join(t, &n, "acme")
	a.must(api.MethodRouterCreatePipeTransport, "r", pipeRequest("relays", true))
	a.must(api.MethodTransportProduce, "relays", produceRequest("relay"))
	a.worker.refuse = api.Errorf("no")
	a.refused("no", api.MethodTransportProduce, "t", produceRequest("refused"))
	a.refused("no", api.MethodTransportProduce, "t", produceRequest("p"))
	notFound := func(m *member, id string) {
		t.Helper()
		_, err := m.try(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "i", ProducerID: id})
		require.Equal(t, api.NotFoundErrorf("Producer with ID %s not found", id), err)
	}
	notFound(b, "p") // its worker knows nothing of it any more
	a.worker.refuse = nil
	for _, id := range []string{"relay", "refused", "r", "t"} {
		notFound(b, id)
	}
	notFound(join(t, &n, "other"), "p")
	notFound(join(t, &n, ""), "p")
	b.imports("i", "p")
}

// Members that leave: importers hear whether they may wait, and what a member had of others is closed.
func TestLeaving(t *testing.T) {
	for name, end := range map[string]struct {
		of   func(m *member)
		want []string
	}{
		"goodbye":         {func(m *member) { m.Leave() }, []string{"i IMPORT_CLOSED"}},
		"without a word":  {func(m *member) { m.Close() }, []string{"i IMPORT_LOST"}},
		"after a failure": {func(m *member) { m.worker.err = fmt.Errorf("failed"); m.Leave() }, []string{"i IMPORT_LOST"}},
	} {
		t.Run(name, func(t *testing.T) {
			var n federation.Node
			b := owner(t, &n, "")
			b.must(api.MethodTransportProduce, "t", produceRequest("of b"))
			a := owner(t, &n, "") // whose producer has the id of one of b, and is the newer one
			b.imports("i", "p")
			a.imports("j", "of b")
			b.must(api.MethodRouterCreatePipeTransport, "i", pipeRequest("pipe", true))
			b.must(api.MethodTransportConsume, "pipe", consumeRequest("c", "i", api.RTPTypePipe))
			a.must(api.MethodRouterCreatePipeTransport, "j", pipeRequest("pipe", true))
			pipe := b.worker.last().Creates()
			end.of(a)
			a.Close() // twice
			require.Equal(t, end.want, b.hears())
			require.Equal(t, pipe, b.worker.last().Closes())
			b.refused("not found", api.MethodRouterCloseTransport, "i", &api.RouterCloseTransportRequest{TransportID: "pipe"})
			require.ErrorIs(t, a.Err(), api.ErrClosed)
			require.NotNil(t, a.Done())
			b.Close()
		})
	}
}

// An application may import what it has itself.
func TestOwnProducer(t *testing.T) {
	var n federation.Node
	a := owner(t, &n, "")
	a.imports("i", "p")
	a.must(api.MethodRouterCreatePipeTransport, "i", pipeRequest("pipe", true))
	a.must(api.MethodTransportConsume, "pipe", consumeRequest("c", "i", api.RTPTypePipe))
	a.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	require.Equal(t, []string{"i IMPORT_CLOSED"}, a.hears())
	a.Close()
}

// A member that was left, or has very much already, gets no more.
func TestBounds(t *testing.T) {
	var n federation.Node
	a, b := owner(t, &n, ""), join(t, &n, "")
	for i := range 10_000 {
		b.imports(fmt.Sprint("i", i), "p")
	}
	b.refused("too many producers", api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "i", ProducerID: "p"})
	for i := range 20_000 {
		b.must(api.MethodRouterCreatePipeTransport, "i0", pipeRequest(fmt.Sprint("pipe", i), true))
	}
	b.refused("too much", api.MethodRouterCreatePipeTransport, "i0", pipeRequest("pipe", true))
	b.refused("too much", api.MethodTransportConsume, "pipe0", consumeRequest("c", "i0", api.RTPTypePipe))
	b.Close()
	require.Equal(t, api.Load{Transports: 1, Consumers: 1, DataConsumers: 1}, a.Load())
	b.refused("too many producers", api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "i", ProducerID: "p"})
}

// entries is a registry that writes down what it hears.
type entries struct{ heard []string }

func (e *entries) Enter(id string, piped bool) {
	e.heard = append(e.heard, fmt.Sprint("enter ", id, " ", piped))
}
func (e *entries) Leave(id string) { e.heard = append(e.heard, "leave "+id) }

// The registry hears of producers that were made and of their end, whatever they end with: not of relays, nor of those that were refused.
func TestRegistry(t *testing.T) {
	var n federation.Node
	a := join(t, &n, "")
	heard := &entries{}
	a.Registry = heard
	hears := func(want ...string) {
		t.Helper()
		require.ElementsMatch(t, want, heard.heard)
		heard.heard = nil
	}
	webRTC := func(id, server string) *api.RouterCreateWebRtcTransportRequest {
		return &api.RouterCreateWebRtcTransportRequest{TransportID: id, Options: &api.WebRtcTransportOptions{
			Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: server},
		}}
	}
	a.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s"})
	a.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	a.must(api.MethodRouterCreateWebRtcTransportWithServer, "r", webRTC("t", "s"))
	a.must(api.MethodRouterCreatePipeTransport, "r", pipeRequest("pipe", false))
	a.must(api.MethodRouterCreatePipeTransport, "r", pipeRequest("relays", true))
	for i, transport := range []string{"t", "t", "pipe", "relays"} {
		a.must(api.MethodTransportProduce, transport, produceRequest(fmt.Sprint("p", i)))
	}
	hears("enter p0 false", "enter p1 false", "enter p2 true")
	router, ok := a.HomeOf("p0")
	require.True(t, ok)
	require.Equal(t, "r", router)
	_, ok = a.HomeOf("p3")
	require.False(t, ok)

	a.worker.refuse = api.Errorf("no")
	a.refused("no", api.MethodTransportProduce, "t", produceRequest("refused"))
	a.worker.refuse = nil
	hears("leave refused")
	a.must(api.MethodTransportCloseProducer, "t", &api.TransportCloseProducerRequest{ProducerID: "p0"})
	hears("leave p0")
	a.must(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
	hears("leave p1")
	_, err := a.try(api.MethodTransportProduce, "t", produceRequest("p4")) // the stand has no tables
	require.NoError(t, err)
	hears("enter p4 false")
	a.Close()
	hears("leave p2", "leave p4")
}

// A producer that has come by a pipe of the application under the id of its original does not hide that.
func TestAPipedProducerDoesNotHideItsOriginal(t *testing.T) {
	var n federation.Node
	a, b, c := join(t, &n, ""), join(t, &n, ""), join(t, &n, "")
	for _, m := range []*member{a, b} {
		m.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	}
	a.must(api.MethodTransportProduce, "no pipe", produceRequest("p"))
	b.must(api.MethodRouterCreatePipeTransport, "r", pipeRequest("pipe", false))
	b.must(api.MethodTransportProduce, "pipe", produceRequest("p"))
	c.imports("i", "p")
	require.Equal(t, api.MethodProducerDump, a.worker.last().Method)
}

// A front may not know yet that its worker has ended, and go on asking: nothing is made for it in Routers of others. What was asked for
// while it ended is closed again.
func TestAskingAfterTheEnd(t *testing.T) {
	var n federation.Node
	b := owner(t, &n, "")
	a := owner(t, &n, "")
	b.imports("i", "p")
	closed := make(chan struct{})
	a.worker.before = func(req *api.Request) {
		if req.Creates() == "" {
			return
		}
		go func() {
			b.Close()
			close(closed)
		}()
		require.Eventually(t, func() bool { _, ok := b.HomeOf("p"); return !ok }, 30*time.Second, time.Millisecond)
	}
	_, err := b.try(api.MethodRouterCreatePipeTransport, "i", pipeRequest("pipe", true))
	require.NoError(t, err)
	<-closed
	var made string
	for _, req := range a.worker.asked {
		switch {
		case strings.HasPrefix(req.Creates(), "gazpacho/"):
			made = req.Creates()
		case made != "" && req.Closes() == made:
			made = ""
		}
	}
	require.Empty(t, made)
	a.worker.before = nil
	before := a.worker.last()
	_, _ = b.try(api.MethodRouterCreatePipeTransport, "i", pipeRequest("another", true)) // of its own worker, which has ended
	require.Same(t, before, a.worker.last())
}
