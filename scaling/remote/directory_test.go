package remote_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/scaling/directory"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/remote"
)

// exchange is a bus within this process.
type exchange struct {
	mu    sync.Mutex
	boxes map[string]chan post
}

type post struct {
	from string
	b    []byte
}

// line is a node's way to the exchange.
type line struct {
	*exchange
	from string
}

func (l *line) Send(to string, b []byte, _ bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if box := l.boxes[to]; box != nil {
		box <- post{l.from, b}
	}
}

func (l *line) Lost() uint64 { return 7 }

// connect has a node's messages carried, until the test ends.
func (x *exchange) connect(t testing.TB, m *member) {
	box := make(chan post, 10_000)
	x.mu.Lock()
	x.boxes[m.row.Name] = box
	x.mu.Unlock()
	go func() {
		for p := range box {
			m.HandleMessage(p.from, p.b)
		}
	}()
	m.JoinDirectory(directory.Member{Name: m.row.Name, Incarnation: m.row.Incarnation}, &line{x, m.row.Name})
	t.Cleanup(func() { x.leave(m.row.Name) })
}

func (x *exchange) leave(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if box := x.boxes[name]; box != nil {
		close(box)
		delete(x.boxes, name)
	}
}

// joined starts nodes that know each other, and have a directory if there is a bus.
func joined(t testing.TB, dir string, bus bool, names ...string) (nodes []*member) {
	t.Helper()
	x := &exchange{boxes: map[string]chan post{}}
	var rows []membership.Row
	for _, name := range names {
		m := startMember(t, dir, name, "127.0.0.1:0")
		nodes, rows = append(nodes, m), append(rows, m.row)
		if bus {
			x.connect(t, m)
		}
	}
	for _, m := range nodes {
		m.HandleNodes(rows)
		m.SetMembers(func() []membership.Row { return rows })
	}
	return nodes
}

// searcher is an application that has a client on each of its nodes, in the order of the seeds.
type searcher struct {
	*remote.Cluster
	t       testing.TB
	clients []*apitest.Client
	workers []*remote.Worker
}

func search(t testing.TB, dir, name string, nodes ...*member) *searcher {
	t.Helper()
	o := remote.ClusterOptions{Opening: remote.Opening{Application: name}}
	if dir != "" {
		o.TLS = client(t, dir, identity.Application, name)
	}
	for _, m := range nodes {
		o.Seeds = append(o.Seeds, m.address())
	}
	return searchWith(t, o)
}

func searchWith(t testing.TB, o remote.ClusterOptions) *searcher {
	t.Helper()
	s := &searcher{Cluster: remote.NewCluster(o), t: t}
	for _, f := range s.Seeds() {
		s.clients = append(s.clients, apitest.NewClient(t, func(t testing.TB, emit api.Emitter) api.Worker {
			w, err := f.Dial(emit)
			require.NoError(t, err)
			s.workers = append(s.workers, w.(*remote.Worker))
			return w
		}))
	}
	for _, w := range s.workers {
		reached(t, w)
	}
	s.Watch(func(remote.Found) {}, func(string) {})
	t.Cleanup(s.Close)
	return s
}

func (s *searcher) find(producerID string) (node string, err error) {
	ended := make(chan struct{})
	s.Find(producerID, func(n string, e error) {
		node, err = n, e
		close(ended)
	})
	<-ended
	return node, err
}

// finds waits until a producer is found on a node.
func (s *searcher) finds(producerID string, on *member) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		node, err := s.find(producerID)
		return err == nil && (node == on.address() || node == on.row.Name)
	}, patience, time.Millisecond, producerID)
}

// misses waits until a producer is not found any more.
func (s *searcher) misses(producerIDs ...string) {
	s.t.Helper()
	for _, id := range producerIDs {
		require.Eventually(s.t, func() bool {
			node, err := s.find(id)
			return node == "" && err == nil
		}, patience, time.Millisecond, id)
	}
}

// furnish makes Routers with a transport and a producer each, named after them.
func furnish(c *apitest.Client, routers ...string) {
	for _, r := range routers {
		c.CreateRouter(r).Accepted()
		c.CreateTransport(r, r+"-t").Accepted()
		c.Produce(r+"-t", r+"-p").Accepted()
	}
}

// tenants makes the certificates of two applications of one tenant, of one of another, and of one that names none.
func tenants(t testing.TB) (dir string) {
	dir = authority(t)
	for _, who := range []identity.Identity{
		{Role: identity.Node, Name: "c"},
		{Role: identity.Application, Name: "foreign", Tenant: "university"},
		{Role: identity.Application, Name: "school"}, // its name is another one's tenant
	} {
		_, _, err := identity.Issue(dir, who, time.Now())
		require.NoError(t, err)
	}
	return dir
}

// A producer is found by all applications of its tenant, wherever they ask, until it or what it is part of is closed.
func TestProducersAreFound(t *testing.T) {
	for name, bus := range map[string]bool{"with a bus": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := tenants(t)
			nodes := joined(t, dir, bus, "a", "b", "c")
			owner, other := search(t, dir, "edumeet", nodes...), search(t, dir, "other", nodes[2], nodes[1], nodes[0])
			foreign, nobodys := search(t, dir, "foreign", nodes...), search(t, dir, "school", nodes...)
			for i, c := range owner.clients {
				furnish(c, fmt.Sprint("r", i), fmt.Sprint("s", i))
			}
			for i, m := range nodes {
				other.finds(fmt.Sprint("r", i, "-p"), m)
				owner.finds(fmt.Sprint("s", i, "-p"), m)
			}
			foreign.misses("r0-p", "r1-p", "r2-p")
			nobodys.misses("r0-p")
			other.misses("r0", "r0-t", "nothing", strings.Repeat("x", 10_000))

			a := owner.clients[0]
			close := func(handler string, method api.Method, body api.RequestBody) {
				a.Send(handler, method, body).Accepted()
			}
			a.CreateTransport("r0", "more").Accepted()
			a.Produce("more", "second").Accepted()
			other.finds("second", nodes[0])
			close("more", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "second"})
			other.misses("second")
			close("r0", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "r0-t"})
			other.misses("r0-p")
			close("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "s0"})
			other.misses("s0-p")
			owner.workers[1].Close()
			other.misses("r1-p", "s1-p")
			if !bus {
				_, err := owner.find("nothing")
				require.ErrorContains(t, err, "node "+nodes[1].address()+" is not connected", "it might have it")
			}
			other.finds("r2-p", nodes[2])
		})
	}
}

// What a node tells of its part in the directory.
func TestDirectoryStatus(t *testing.T) {
	dir := tenants(t)
	nodes := joined(t, dir, true, "a", "b", "c")
	owner := search(t, dir, "edumeet", nodes...)
	for i, c := range owner.clients {
		furnish(c, fmt.Sprint("r", i))
	}
	status := func() (sum remote.DirectoryStatus) {
		for _, m := range nodes {
			d := m.Status().Directory
			sum.Registered += d.Registered
			sum.Held += d.Held
			sum.Waiting += d.Waiting
			sum.Lookups += d.Lookups
			sum.Absent += d.Absent
			sum.Malformed += d.Malformed
			sum.Refused += d.Refused
			sum.Lost += d.Lost
		}
		return sum
	}
	owner.finds("r0-p", nodes[0])
	before := status()
	owner.misses("nothing")
	nodes[0].HandleMessage("b", []byte("nonsense"))
	long := strings.Repeat("p", 5000)
	owner.clients[0].Produce("r0-t", long).Refused(api.ErrorKindError) // its stream is there already
	require.Eventually(t, func() bool { return status().Held == 6 }, patience, time.Millisecond)
	after := status()
	require.Greater(t, after.Lookups, before.Lookups)
	require.Greater(t, after.Absent, before.Absent)
	require.Equal(t, remote.DirectoryStatus{
		Registered: 3, Held: 6, Lookups: after.Lookups, Absent: after.Absent, Malformed: 1, Lost: 21,
	}, after)
	owner.clients[0].CreateTransport("r0", "more").Accepted()
	owner.clients[0].Produce("more", long).Accepted()
	require.EqualValues(t, 1, status().Refused, "it is too long")

	require.Nil(t, startMember(t, dir, "a", "127.0.0.1:0").Status().Directory, "a node without a bus has none")
	require.True(t, nodes[0].Status().Serving)
	require.False(t, remote.NewServer(remote.ServerOptions{}).Status().Serving)
}

// A relay is at home on another node, and a producer that was refused is nowhere. Of a producer and the copy that pipeToRouter makes of it, the
// producer is found.
func TestWhatIsNoHome(t *testing.T) {
	dir := tenants(t)
	nodes := joined(t, dir, true, "a", "b")
	owner, second := search(t, dir, "edumeet", nodes...), search(t, dir, "other", nodes...)
	a, b := owner.clients[0], owner.clients[1]
	furnish(a, "r")
	b.CreateRouter("r").Accepted()
	piped := func(c *apitest.Client, transport string, internal bool) {
		c.Send("r", api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{TransportID: transport, Options: &api.PipeTransportOptions{
			Base:       &api.TransportOptions{Internal: internal},
			ListenInfo: &api.ListenInfo{Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}},
		}}).Accepted()
	}
	piped(b, "relay", true)
	b.Produce("relay", "r-p").Accepted()
	b.Produce("relay", "refused").Refused(api.ErrorKindError)
	a.Produce("r-t", "refused").Refused(api.ErrorKindError)
	piped(b, "more", true)
	b.Produce("more", "only-relayed").Accepted()
	owner.finds("r-p", nodes[0])
	owner.misses("refused", "only-relayed")
	require.Equal(t, 1, nodes[0].Status().Directory.Registered)
	require.Zero(t, nodes[1].Status().Directory.Registered)

	second.clients[1].CreateRouter("r").Accepted()
	second.clients[0].CreateRouter("r").Accepted()
	for _, c := range second.clients {
		piped(c, "pipe", false)
		c.Produce("pipe", "r-p").Accepted()
	}
	require.Eventually(t, func() bool { return nodes[1].Status().Directory.Registered == 1 }, patience, time.Millisecond)
	for range 10 {
		owner.finds("r-p", nodes[0])
	}
	a.Send("r-t", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "r-p"}).Accepted()
	owner.finds("r-p", nodes[1])
	second.clients[1].Send("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "pipe"}).Accepted()
	owner.misses("r-p")
}

// A WebRtcServer takes its transports with it.
func TestServersTakeTheirProducersWithThem(t *testing.T) {
	address, s := local(t)
	o := remote.ClusterOptions{Seeds: []string{address}, Opening: remote.Opening{Application: "x", Tenant: "school"}}
	owner := searchWith(t, o)
	o.Opening.Tenant = "university"
	foreign := searchWith(t, o)
	c := owner.clients[0]
	c.CreateRouter("r").Accepted()
	info := api.ListenInfo{Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
	for _, server := range []string{"1", "2"} {
		c.Send("", api.MethodWorkerCreateWebRtcServer, &api.WorkerCreateWebRtcServerRequest{
			WebRtcServerID: "server" + server, ListenInfos: []api.ListenInfo{info},
		}).Accepted()
		c.Send("r", api.MethodRouterCreateWebRtcTransportWithServer, &api.RouterCreateWebRtcTransportRequest{
			TransportID: "t" + server, Options: &api.WebRtcTransportOptions{
				Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: "server" + server}, EnableUDP: true,
			},
		}).Accepted()
	}
	c.Produce("t1", "p1").Accepted()
	node, err := owner.find("p1")
	require.NoError(t, err)
	require.Equal(t, address, node)
	foreign.misses("p1")
	places, err := remote.AskFind(t.Context(), address, nil, "p1")
	require.NoError(t, err)
	require.Equal(t, []remote.Place{{Node: "a", Tenant: "school", Application: "x", Router: "r"}}, places.Found)
	c.Send("", api.MethodWorkerWebRtcServerClose, &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "server1"}).Accepted()
	c.Send("t2", api.MethodTransportDump, nil).Accepted()
	owner.misses("p1")
	require.NotNil(t, s)
}

// A data producer is found like a producer, and is not by its relays.
func TestDataProducersAreFound(t *testing.T) {
	address, _ := local(t)
	owner := searchWith(t, remote.ClusterOptions{Seeds: []string{address}, Opening: remote.Opening{Application: "x", Tenant: "school"}})
	c := owner.clients[0]
	c.CreateRouter("r").Accepted()
	info := api.ListenInfo{Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
	c.Send("r", api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{TransportID: "t", Options: &api.PlainTransportOptions{
		Base: &api.TransportOptions{EnableSCTP: true, MaxSendMessageSize: 1 << 18, MaxReceiveMessageSize: 1 << 18}, ListenInfo: &info, RTCPMux: true,
	}}).Accepted()
	c.Send("r", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{TransportID: "relays", Options: &api.DirectTransportOptions{
		Base: &api.TransportOptions{Direct: true, Internal: true},
	}}).Accepted()
	c.Send("t", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "dp", SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 1},
	}).Accepted()
	c.Send("relays", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "relay", Type: api.DataProducerTypeDirect,
	}).Accepted()
	node, err := owner.find("dp")
	require.NoError(t, err)
	require.Equal(t, address, node)
	places, err := remote.AskFind(t.Context(), address, nil, "dp")
	require.NoError(t, err)
	require.Equal(t, []remote.Place{{Node: "a", Tenant: "school", Application: "x", Router: "r"}}, places.Found)
	owner.misses("relay")
	c.Send("t", api.MethodTransportCloseDataProducer, &api.TransportCloseDataProducerRequest{DataProducerID: "dp"}).Accepted()
	owner.misses("dp")
}
