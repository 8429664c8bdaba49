package remote_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/session"
)

// longest is how long a test waits for many messages, on a busy machine too; only a failing test waits that long.
const longest = 60 * time.Second

// stand is a worker that stands in for an engine: it accepts everything, and notes the messages that are sent into its data producers.
type stand struct {
	emit  api.Emitter
	done  chan struct{}
	ended sync.Once

	mu       sync.Mutex
	changed  *sync.Cond
	objects  map[string]string // the object that each belongs to
	refuse   error
	messages []*api.Notification
}

func newStand(emit api.Emitter) *stand {
	r := &stand{emit: emit, done: make(chan struct{}), objects: map[string]string{}}
	r.changed = sync.NewCond(&r.mu)
	return r
}

func (r *stand) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	r.mu.Lock()
	if r.refuse == nil {
		if id := req.Creates(); id != "" {
			r.objects[id] = req.HandlerID
		}
		delete(r.objects, req.Closes())
	}
	err := r.refuse
	r.mu.Unlock()
	reply(nil, err)
}

func (r *stand) HandleNotification(n *api.Notification) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, n)
	r.changed.Broadcast()
	return nil
}

// RouterOf follows the objects upwards: what belonged to one that is closed is gone with it.
func (r *stand) RouterOf(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		parent, ok := r.objects[id]
		if !ok || parent == "" {
			return map[bool]string{true: id}[ok]
		}
		id = parent
	}
}

func (r *stand) Load() api.Load        { return api.Load{} }
func (r *stand) Done() <-chan struct{} { return r.done }
func (r *stand) Err() error            { return api.ErrClosed }
func (r *stand) Close()                { r.ended.Do(func() { close(r.done) }) }

// await waits until as many messages are there, and returns them.
func (r *stand) await(t testing.TB, count int) []*api.Notification {
	t.Helper()
	late := time.AfterFunc(longest, r.changed.Broadcast)
	defer late.Stop()
	deadline := time.Now().Add(longest)
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.messages) < count {
		require.True(t, time.Now().Before(deadline), "%d of %d messages have arrived", len(r.messages), count)
		r.changed.Wait()
	}
	return r.messages
}

// testNode is a node whose applications get stands, and an application's worker on it.
type testNode struct {
	server  *remote.Server
	address string
	worker  *remote.Worker
	inner   *stand // behind worker

	mu     sync.Mutex
	heard  sync.Cond
	events []*api.Notification // at the application
}

// cluster is nodes on other hosts, with certificates.
type cluster struct {
	t   testing.TB
	app *identity.Credentials
	of  func(name string) *identity.Credentials
}

func newCluster(t testing.TB) *cluster {
	dir := filepath.Join(t.TempDir(), "tls")
	require.NoError(t, identity.CreateAuthority(dir, time.Now()))
	issue := func(role identity.Role, name string) *identity.Credentials {
		_, _, err := identity.Issue(dir, identity.Identity{Role: role, Name: name}, time.Now())
		require.NoError(t, err)
		c, err := identity.Load(dir, role, name)
		require.NoError(t, err)
		return c
	}
	return &cluster{t, issue(identity.Application, "app"), func(name string) *identity.Credentials { return issue(identity.Node, name) }}
}

// node starts a node with certificates.
func (c *cluster) node(name string) *testNode {
	credentials := c.of(name)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(c.t, err)
	return start(c.t, l, l.Addr().String(), credentials, c.app.Client(identity.Node))
}

// localNode starts a node on a unix socket.
func localNode(t testing.TB) *testNode {
	address := "unix:" + filepath.Join(t.TempDir(), "node.sock")
	l, err := remote.Listen(address)
	require.NoError(t, err)
	return start(t, l, address, nil, nil)
}

func start(t testing.TB, l net.Listener, address string, credentials *identity.Credentials, app *tls.Config) *testNode {
	n := &testNode{address: address}
	n.heard.L = &n.mu
	made := make(chan *stand, 4)
	o := remote.ServerOptions{NewWorker: func(_ *remote.Opening, emit api.Emitter, _ *slog.Logger) (api.Worker, error) {
		r := newStand(emit)
		made <- r
		return r, nil
	}}
	var config *tls.Config
	if credentials != nil {
		o.Name, o.Nodes, config = credentials.Identity().Name, credentials.Client(identity.Node), credentials.Server()
	}
	n.server = remote.NewServer(o)
	t.Cleanup(n.server.Close)
	go n.server.Serve(l, config)
	n.worker = dial(t, remote.Options{Address: address, TLS: app, Emit: func(e *api.Notification) {
		kept := *e
		n.mu.Lock()
		defer n.mu.Unlock()
		n.events = append(n.events, &kept)
		n.heard.Broadcast()
	}})
	n.inner = <-made
	return n
}

// awaitEvent waits until the application is told something of an object.
func (n *testNode) awaitEvent(t testing.TB, id string, event api.Event) {
	t.Helper()
	late := time.AfterFunc(longest, n.heard.Broadcast)
	defer late.Stop()
	deadline := time.Now().Add(longest)
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.count(id, event) == 0 {
		require.True(t, time.Now().Before(deadline), "waited in vain for %s of %s", event, id)
		n.heard.Wait()
	}
}

func (n *testNode) count(id string, event api.Event) (count int) {
	for _, e := range n.events {
		if e.HandlerID == id && e.Event == event {
			count++
		}
	}
	return count
}

func (n *testNode) try(method api.Method, handler string, body api.RequestBody) error {
	answer := make(chan error, 1)
	n.worker.HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body}, func(_ api.ResponseBody, err error) { answer <- err })
	return <-answer
}

func (n *testNode) must(t testing.TB, method api.Method, handler string, body api.RequestBody) {
	t.Helper()
	require.NoError(t, n.try(method, handler, body))
}

// settle waits until the node has done all that earlier requests ask for: it does so in their order, and streams end after the answer.
func (n *testNode) settle(t testing.TB) {
	t.Helper()
	n.must(t, api.MethodWorkerDump, "", nil)
}

// furnish makes a Router "r" with a transport "d".
func (n *testNode) furnish(t testing.TB) {
	n.must(t, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	n.must(t, api.MethodRouterCreateDirectTransport, "r", &api.RouterCreateDirectTransportRequest{
		TransportID: "d", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true, Internal: true}},
	})
}

func tokenOf(n byte) []byte { return bytes.Repeat([]byte{n}, 16) }

func outgoing(id, to string, token []byte) *api.TransportConsumeDataRequest {
	return &api.TransportConsumeDataRequest{
		DataConsumerID: id, DataProducerID: "dp", Type: api.DataConsumerTypeDirect, LinkAddress: to, LinkToken: token,
	}
}

func incoming(token []byte) *api.TransportProduceDataRequest {
	return &api.TransportProduceDataRequest{DataProducerID: "dp", Type: api.DataProducerTypeDirect, LinkToken: token}
}

// relay has the messages of "dp" on n go to another node, reached at an address, by the data consumer "out".
func (n *testNode) relay(t testing.TB, far *testNode, address string) {
	n.furnish(t)
	far.furnish(t)
	far.must(t, api.MethodTransportProduceData, "d", incoming(tokenOf(7)))
	n.must(t, api.MethodTransportConsumeData, "d", outgoing("out", address, tokenOf(7)))
}

// receive has the data consumer "out" get a message, as the engine would.
func (n *testNode) receive(id string, m *api.DataConsumerMessageNotification) {
	n.inner.emit(&api.Notification{HandlerID: id, Event: api.EventDataConsumerMessage, Body: m})
}

// filled returns a message of a size that begins with its number.
func filled(n, size int) []byte {
	b := bytes.Repeat([]byte{byte(n)}, size)
	binary.BigEndian.PutUint64(b, uint64(n))
	return b
}

// All messages arrive in order, each once, with their subchannels: over TLS, over unix sockets, and over connections that are cut at
// random bytes.
func TestDataBetweenNodes(t *testing.T) {
	for name, nodes := range map[string]func(t *testing.T) (home, far *testNode, address string, cuts func() int){
		"TLS": func(t *testing.T) (home, far *testNode, address string, cuts func() int) {
			c := newCluster(t)
			home, far = c.node("home"), c.node("far")
			return home, far, far.address, nil
		},
		"unix sockets": func(t *testing.T) (home, far *testNode, address string, cuts func() int) {
			home, far = localNode(t), localNode(t)
			return home, far, far.address, nil
		},
		"cut connections": func(t *testing.T) (home, far *testNode, address string, cuts func() int) {
			c := newCluster(t)
			home, far = c.node("home"), c.node("far")
			p := newProxyTo(t, "tcp", far.address, 10<<20)
			return home, far, p.Addr().String(), p.cuts
		},
	} {
		t.Run(name, func(t *testing.T) {
			home, far, address, cuts := nodes(t)
			home.relay(t, far, address)
			loads := []struct{ count, size int }{{20000, 1 << 10}, {500, 200 << 10}, {1, 15 << 20}}
			if cuts != nil {
				loads[1].count = 50 // each cut costs a pause
			}
			total, bytesWaiting := 0, 0
			ignored := uint16(9)
			for _, load := range loads {
				for n := range load.count {
					home.receive("out", &api.DataConsumerMessageNotification{
						PPID: 53, Data: filled(n, load.size), Subchannels: []uint16{1, uint16(n)}, IgnoredSubchannel: &ignored,
					})
					total++
					if bytesWaiting += load.size; bytesWaiting > 8<<20 { // so much may wait
						far.inner.await(t, total-1)
						bytesWaiting = load.size
					}
				}
			}
			messages := far.inner.await(t, total)
			require.Len(t, messages, total)
			for _, load := range loads {
				for n, m := range messages[:load.count] {
					body := m.Body.(*api.DataProducerSendNotification)
					require.Equal(t, "dp", m.HandlerID)
					require.True(t, bytes.Equal(filled(n, load.size), body.Data), "message %d of %d bytes", n, load.size)
					require.EqualValues(t, 53, body.PPID)
					require.Equal(t, []uint16{1, uint16(n)}, body.Subchannels)
					require.Equal(t, &ignored, body.IgnoredSubchannel)
				}
				messages = messages[load.count:]
			}
			row := home.server.Status().Links[0]
			require.Equal(t, address, row.To)
			require.Equal(t, 1, row.Streams)
			require.EqualValues(t, total, row.Messages)
			require.Zero(t, row.Lost)
			require.EqualValues(t, total, far.server.Status().Links[0].Messages)
			if cuts != nil {
				require.Greater(t, cuts(), 3)
			}
			require.Empty(t, home.events, "nothing goes through the front")
		})
	}
}

// Who was not told a token can send into no data producer, and who is no node can send nothing at all.
func TestTokens(t *testing.T) {
	c := newCluster(t)
	home, far := c.node("home"), c.node("far")
	home.relay(t, far, far.address)
	for n := range byte(100) {
		home.must(t, api.MethodTransportConsumeData, "d", outgoing(fmt.Sprint("guess", n), far.address, tokenOf(100+n)))
		home.receive(fmt.Sprint("guess", n), &api.DataConsumerMessageNotification{Data: []byte("guessed")})
	}
	home.receive("out", &api.DataConsumerMessageNotification{Data: []byte("meant")})
	require.Len(t, far.inner.await(t, 1), 1)
	require.EqualValues(t, 100, far.server.Status().Unclaimed)

	require.ErrorContains(t, far.try(api.MethodTransportProduceData, "d", &api.TransportProduceDataRequest{
		DataProducerID: "other", Type: api.DataProducerTypeDirect, LinkToken: tokenOf(7),
	}), "once only")
	for _, length := range []int{1, 15, 17} {
		require.ErrorContains(t, far.try(api.MethodTransportProduceData, "d", incoming(make([]byte, length))), "16 bytes")
		require.ErrorContains(t, home.try(api.MethodTransportConsumeData, "d", outgoing("x", far.address, make([]byte, length))), "16 bytes")
	}

	// An application that opens a link.
	conn, err := tls.Dial("tcp", far.address, c.app.Client(identity.Node))
	require.NoError(t, err)
	defer conn.Close()
	link := session.NewLink(unixTime, session.SessionID{9}, session.DefaultLimits)
	link.Connected()
	_, err = conn.Write(link.Output().Bytes)
	require.NoError(t, err)
	link.Output().Reset()
	b := make([]byte, 1024)
	n, err := conn.Read(b)
	require.NoError(t, err)
	link.Receive(unixTime, b[:n])
	require.Equal(t, session.RefuseIdentity, link.Output().Events[0].Code)
	require.Len(t, far.inner.await(t, 1), 1)
}

const unixTime = 1_000_000_000

// A front of this host has no business with links to other hosts, nor one of another host with unix sockets here.
func TestAddressesOfLinks(t *testing.T) {
	c := newCluster(t)
	home, here := c.node("home"), localNode(t)
	home.furnish(t)
	here.furnish(t)
	for _, tt := range []struct {
		node          *testNode
		address, want string
	}{
		{home, here.address, "between unix sockets of one host or between hosts"},
		{here, home.address, "between unix sockets of one host or between hosts"},
		{home, "nowhere", "is no address"},
	} {
		require.ErrorContains(t, tt.node.try(api.MethodTransportConsumeData, "d", outgoing("out", tt.address, tokenOf(1))), tt.want)
		require.Empty(t, tt.node.server.Status().Links)
	}
}

// A link ends with its last stream, however that ends.
func TestEndsOfStreams(t *testing.T) {
	home, far := localNode(t), localNode(t)
	home.relay(t, far, far.address)
	require.Error(t, func() error {
		home.inner.refuse = api.Errorf("no")
		defer func() { home.inner.refuse = nil }()
		return home.try(api.MethodTransportConsumeData, "d", outgoing("refused", far.address, tokenOf(8)))
	}())
	require.Equal(t, 1, home.server.Status().Links[0].Streams)
	home.must(t, api.MethodTransportConsumeData, "d", outgoing("out", far.address, tokenOf(8))) // the stand takes any id
	require.Equal(t, 1, home.server.Status().Links[0].Streams)

	home.must(t, api.MethodTransportCloseDataConsumer, "d", &api.TransportCloseDataConsumerRequest{DataConsumerID: "out"})
	home.settle(t)
	require.Empty(t, home.server.Status().Links)

	home.must(t, api.MethodTransportConsumeData, "d", outgoing("out", far.address, tokenOf(7)))
	home.receive("out", &api.DataConsumerMessageNotification{Data: []byte("text")})
	far.inner.await(t, 1)
	home.must(t, api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "d"})
	home.settle(t)
	require.Empty(t, home.server.Status().Links)

	far.must(t, api.MethodTransportCloseDataProducer, "d", &api.TransportCloseDataProducerRequest{DataProducerID: "dp"})
	far.must(t, api.MethodTransportProduceData, "d", incoming(tokenOf(7)))
	far.must(t, api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	far.furnish(t)
	far.must(t, api.MethodTransportProduceData, "d", incoming(tokenOf(7)))
}

// Another node that ends takes the relays to it with it: the data consumer at home hears that, and others go on.
func TestFarNodeEnds(t *testing.T) {
	home, far, other := localNode(t), localNode(t), localNode(t)
	home.relay(t, far, far.address)
	other.furnish(t)
	other.must(t, api.MethodTransportProduceData, "d", incoming(tokenOf(8)))
	home.must(t, api.MethodTransportConsumeData, "d", outgoing("other", other.address, tokenOf(8)))
	home.receive("out", &api.DataConsumerMessageNotification{Data: []byte("text")})
	far.inner.await(t, 1)
	far.server.Close()
	home.awaitEvent(t, "out", api.EventDataConsumerClosedByPeer)
	home.receive("out", &api.DataConsumerMessageNotification{Data: []byte("to the front")})
	home.awaitEvent(t, "out", api.EventDataConsumerMessage)
	home.receive("other", &api.DataConsumerMessageNotification{Data: []byte("text")})
	other.inner.await(t, 1)
	require.Zero(t, home.count("other", api.EventDataConsumerClosedByPeer))
}

// A node that reads nothing fills what its streams may have, and holds up no other node.
func TestFrozenNodeHoldsUpNoOther(t *testing.T) {
	home, far := localNode(t), localNode(t)
	home.relay(t, far, far.address)
	frozen := filepath.Join(t.TempDir(), "frozen.sock")
	l, err := net.Listen("unix", frozen) // its kernel accepts, and that is all
	require.NoError(t, err)
	defer l.Close()
	for n := range byte(3) {
		home.must(t, api.MethodTransportConsumeData, "d", outgoing(fmt.Sprint("lost", n), "unix:"+frozen, tokenOf(10+n)))
	}
	const each = 50
	big := make([]byte, 1<<20)
	for n := range each {
		for i := range 3 {
			home.receive(fmt.Sprint("lost", i), &api.DataConsumerMessageNotification{Data: big})
		}
		home.receive("out", &api.DataConsumerMessageNotification{Data: filled(n, 1<<10)})
	}
	far.inner.await(t, each)
	for i := range 3 {
		home.awaitEvent(t, fmt.Sprint("lost", i), api.EventDataConsumerSCTPSendBufferFull)
	}
	for _, row := range home.server.Status().Links {
		if row.To == far.address {
			require.Zero(t, row.Lost)
			continue
		}
		require.Equal(t, 3, row.Streams)
		require.LessOrEqual(t, row.Waiting, 64<<20)
		require.EqualValues(t, 3*each, row.Messages+row.Lost)
		require.Positive(t, row.Lost)
	}
	home.mu.Lock()
	defer home.mu.Unlock()
	for i := range 3 {
		require.Equal(t, 1, home.count(fmt.Sprint("lost", i), api.EventDataConsumerSCTPSendBufferFull), "told once")
	}
}
