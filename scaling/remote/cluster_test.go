package remote_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/reach"
	"gazpacho/scaling/remote"
)

// member is a node of a cluster.
type member struct {
	*remote.Server
	row membership.Row
}

// startMember starts a node on TCP and, if it is to be there, a unix socket.
func startMember(t testing.TB, dir, name string, at string, sockets ...string) *member {
	t.Helper()
	credentials, err := identity.Load(dir, identity.Node, name)
	require.NoError(t, err)
	m := &member{Server: remote.NewServer(remote.ServerOptions{
		Name: name, NewWorker: newEngine, Nodes: credentials.Client(identity.Node),
		Addresses: remote.Addresses{Media4: netip.MustParseAddr("127.0.0.1")},
	})}
	t.Cleanup(m.Close)
	m.row = membership.Row{Condition: membership.Alive, Node: membership.Node{Name: name, Incarnation: "1", Host: remote.HostID()}}
	for _, address := range append(sockets, at) {
		l, err := remote.Listen(address)
		require.NoError(t, err)
		if remote.IsLocal(address) {
			m.row.Addresses = append(m.row.Addresses, address)
			go m.Serve(l, nil)
		} else {
			m.row.Addresses = append(m.row.Addresses, l.Addr().String())
			go m.Serve(l, credentials.Server())
		}
	}
	return m
}

// address is that on TCP.
func (m *member) address() string { return m.row.Addresses[len(m.row.Addresses)-1] }

// watcher is a front that uses all nodes that are found.
type watcher struct {
	cluster *remote.Cluster

	mu    sync.Mutex
	log   []string
	found map[string]remote.Found
}

func watch(t testing.TB, config *tls.Config, seeds ...string) *watcher {
	t.Helper()
	w := &watcher{found: map[string]remote.Found{}}
	w.cluster = remote.NewCluster(remote.ClusterOptions{Seeds: seeds, TLS: config, Opening: remote.Opening{Application: "edumeet"}})
	for _, f := range w.cluster.Seeds() {
		w.dial(t, f)
	}
	w.watch(t)
	return w
}

func (w *watcher) watch(t testing.TB) {
	w.cluster.Watch(func(f remote.Found) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.log = append(w.log, "added "+f.Key+" at "+f.Address)
		w.found[f.Key] = f
	}, func(key string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.log = append(w.log, "removed "+key)
	})
	t.Cleanup(w.cluster.Close)
}

// dial makes a worker of a node.
func (w *watcher) dial(t testing.TB, f remote.Found) *remote.Worker {
	t.Helper()
	worker, err := f.Dial(func(*api.Notification) {})
	require.NoError(t, err)
	t.Cleanup(worker.Close)
	return worker.(*remote.Worker)
}

// logged waits until this, and nothing else, was found.
func (w *watcher) logged(t testing.TB, want ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.log) >= len(want)
	}, patience, time.Millisecond, "waited for %v", want)
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Equal(t, want, w.log)
	w.log = nil
}

func (w *watcher) of(key string) remote.Found {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found[key]
}

func reached(t testing.TB, w *remote.Worker) {
	t.Helper()
	require.Eventually(t, w.Available, patience, time.Millisecond)
}

// A front that knows one node is told of the others, when they come, move and go. What is told ends no session.
func TestOneNodeTellsOfAll(t *testing.T) {
	dir := authority(t)
	app := client(t, dir, identity.Application, "edumeet")
	a, b := startMember(t, dir, "a", "127.0.0.1:0"), startMember(t, dir, "b", "127.0.0.1:0")
	a.HandleNodes([]membership.Row{a.row, b.row})
	w := watch(t, app, a.address())
	w.logged(t, "added b at "+b.address())
	onB := w.dial(t, w.of("b"))
	reached(t, onB)

	b.HandleNodes([]membership.Row{a.row, b.row})
	unknown := membership.Row{Condition: membership.Alive, Node: membership.Node{Name: "z", Addresses: []string{"unix:/nowhere"}, Host: remote.HostID()}}
	goneB := b.row
	goneB.Condition = membership.Gone
	never := goneB
	never.Name = "y"
	a.HandleNodes([]membership.Row{unknown, never, goneB})
	b.HandleNodes([]membership.Row{goneB})
	last := membership.Row{Condition: membership.Alive, Node: membership.Node{Name: "c", Addresses: []string{"127.0.0.1:1"}}}
	a.HandleNodes([]membership.Row{last})
	w.logged(t, "added c at 127.0.0.1:1") // neither is z, which cannot be reached, nor has b left, which has a session
	require.True(t, onB.Available())
	b.Close()
	<-onB.Done()
	w.logged(t, "removed b")

	// One that has moved is looked for where it is now.
	b = startMember(t, dir, "b", "127.0.0.1:0")
	dead := b.row
	dead.Addresses, dead.Condition = []string{"127.0.0.1:2"}, membership.Dead
	a.HandleNodes([]membership.Row{dead})
	w.logged(t, "added b at 127.0.0.1:2")
	onB = w.dial(t, w.of("b"))
	a.HandleNodes([]membership.Row{b.row})
	w.logged(t, "added b at "+b.address())
	reached(t, onB)

	// One that cannot be reached where it is now stays where it was.
	lost := b.row
	lost.Addresses = []string{"unix:/nowhere"}
	a.HandleNodes([]membership.Row{lost})
	a.HandleNodes([]membership.Row{b.row})

	// A front that comes later is told the same.
	later := watch(t, app, a.address())
	later.logged(t, "added b at "+b.address(), "added c at 127.0.0.1:1")
}

// Three nodes tell a front of all. When one of them ends, another one does in its place.
func TestThreeNodesTell(t *testing.T) {
	dir := tenants(t)
	_, _, err := identity.Issue(dir, identity.Identity{Role: identity.Node, Name: "d"}, time.Now())
	require.NoError(t, err)
	var nodes []*member
	var seeds []string
	for _, name := range []string{"a", "b", "c", "d"} {
		m := startMember(t, dir, name, "127.0.0.1:0")
		nodes, seeds = append(nodes, m), append(seeds, m.address())
	}
	w := &watcher{found: map[string]remote.Found{}}
	w.cluster = remote.NewCluster(remote.ClusterOptions{Seeds: seeds, TLS: client(t, dir, identity.Application, "edumeet")})
	var workers []*remote.Worker
	for i, f := range w.cluster.Seeds() {
		worker := w.dial(t, f)
		require.NoError(t, ask(worker, api.MethodWorkerDump, "", nil)) // and so it has said who it is
		nodes[i].HandleNodes([]membership.Row{nodes[i].row})
		require.NoError(t, ask(worker, api.MethodWorkerDump, "", nil)) // and that there is something to tell
		workers = append(workers, worker)
	}
	w.watch(t)
	news := func(name string) membership.Row {
		return membership.Row{Condition: membership.Alive, Node: membership.Node{Name: name, Addresses: []string{"127.0.0.1:1"}}}
	}
	nodes[3].HandleNodes([]membership.Row{news("y")})
	require.NoError(t, ask(workers[3], api.MethodWorkerDump, "", nil))
	nodes[2].HandleNodes([]membership.Row{news("z")})
	w.logged(t, "added z at 127.0.0.1:1")
	nodes[0].Close()
	w.logged(t, "added y at 127.0.0.1:1")
}

// A seed stays the node that it is, however many addresses its name has, and no node is used twice.
func TestSeedsAreNodes(t *testing.T) {
	dir := authority(t)
	app := client(t, dir, identity.Application, "edumeet")
	a := startMember(t, dir, "a", "127.0.0.1:0")
	b := startMember(t, dir, "b", "127.0.0.1:0")
	for _, m := range []*member{a, b} {
		m.HandleNodes([]membership.Row{a.row, b.row})
	}
	_, port, _ := net.SplitHostPort(a.address())
	w := watch(t, app, a.address(), b.address(), "localhost:"+port, a.address())
	require.Len(t, w.cluster.Seeds(), 3)
	w.logged(t) // nothing that the seeds are not already

	// A seed may have said who it is before anybody wants to know.
	w = &watcher{found: map[string]remote.Found{}}
	w.cluster = remote.NewCluster(remote.ClusterOptions{Seeds: []string{a.address(), "nowhere:"}, TLS: app})
	reached(t, w.dial(t, w.cluster.Seeds()[0]))
	_, err := w.cluster.Seeds()[1].Dial(func(*api.Notification) {})
	require.ErrorContains(t, err, "is no address")
	w = &watcher{found: map[string]remote.Found{}}
	w.cluster = remote.NewCluster(remote.ClusterOptions{Seeds: []string{a.address()}, TLS: app})
	reached(t, w.dial(t, w.cluster.Seeds()[0]))
	w.watch(t)
	w.logged(t, "added b at "+b.address())

	// While a seed does not answer, it may be any of those that others tell of; after a while it is not waited for.
	w = watch(t, app, a.address(), "127.0.0.1:1")
	w.logged(t, "added b at "+b.address())

	// A name that stands for another node now does not lead a session there.
	var name sync.Map
	name.Store("to", a.address())
	relay, cut := newSwitch(t, &name)
	w = watch(t, app, relay)
	onA := w.dial(t, w.cluster.Seeds()[0])
	reached(t, onA)
	w.logged(t, "added b at "+b.address())
	name.Store("to", b.address())
	cut()
	answered := make(chan error, 1)
	onA.HandleRequest(&api.Request{Method: api.MethodWorkerDump}, func(_ api.ResponseBody, err error) { answered <- err })
	require.NoError(t, <-answered, "it goes on where the table says that the node is")
	a.Close()
	<-onA.Done()
	require.ErrorContains(t, onA.Err(), "the node ended the session")
	again := w.dial(t, w.cluster.Seeds()[0])
	worker := w.dial(t, w.of("b"))
	reached(t, worker)
	require.False(t, again.Available(), "that is b, which is reached already")
}

// A seed's node that restarts is found again in its place, also if others tell of it before it answers there, and wherever it is then.
func TestASeedComesBack(t *testing.T) {
	dir := tenants(t)
	app := client(t, dir, identity.Application, "edumeet")
	a, b := startMember(t, dir, "a", "127.0.0.1:0"), startMember(t, dir, "b", "127.0.0.1:0")
	b.HandleNodes([]membership.Row{a.row, b.row})
	w := &watcher{found: map[string]remote.Found{}}
	w.cluster = remote.NewCluster(remote.ClusterOptions{Seeds: []string{a.address(), b.address()}, TLS: app})
	onA, onB := w.dial(t, w.cluster.Seeds()[0]), w.dial(t, w.cluster.Seeds()[1])
	reached(t, onA)
	reached(t, onB)
	w.watch(t)
	tell := func(r membership.Row) {
		b.HandleNodes([]membership.Row{r})
		require.NoError(t, ask(onB, api.MethodWorkerDump, "", nil)) // and so the front has heard it
	}
	gone := a.row
	gone.Condition = membership.Gone
	tell(gone)
	a.Close()
	<-onA.Done()
	again := w.dial(t, w.cluster.Seeds()[0])
	a = startMember(t, dir, "a", "127.0.0.1:0")
	tell(a.row)
	reached(t, again)
	w.logged(t) // it is no other node

	// Another node that is there now is another one, and so is one of the old name elsewhere.
	a.Close()
	<-again.Done()
	gone.Node = a.row.Node
	tell(gone)
	again = w.dial(t, w.cluster.Seeds()[0])
	c := startMember(t, dir, "c", w.cluster.Seeds()[0].Address)
	reached(t, again)
	tell(c.row)
	tell(a.row)
	w.logged(t, "added a at "+a.address())
}

// newSwitch is a TCP relay to an address that changes. cut ends all connections.
func newSwitch(t testing.TB, to *sync.Map) (at string, cut func()) {
	t.Helper()
	var mu sync.Mutex
	var conns []net.Conn
	cut = func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	}
	t.Cleanup(cut)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			address, _ := to.Load("to")
			next, err := net.Dial("tcp", address.(string))
			if err != nil {
				from.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, from, next)
			mu.Unlock()
			copyBoth(from, next)
		}
	}()
	return l.Addr().String(), cut
}

func copyBoth(a, b net.Conn) {
	pass := func(from, to net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := from.Read(buffer)
			if _, writeErr := to.Write(buffer[:n]); err != nil || writeErr != nil {
				to.Close()
				return
			}
		}
	}
	go pass(a, b)
	go pass(b, a)
}

// Nodes of one host are reached by their sockets if the first one was.
func TestSocketsOfOneHost(t *testing.T) {
	dir, sockets := authority(t), t.TempDir()
	app := client(t, dir, identity.Application, "edumeet")
	socket := func(name string) string { return "unix:" + filepath.Join(sockets, name) }
	a, b := startMember(t, dir, "a", "127.0.0.1:0", socket("a")), startMember(t, dir, "b", "127.0.0.1:0", socket("b"))
	elsewhere := b.row
	elsewhere.Name, elsewhere.Host = "c", "another"
	a.HandleNodes([]membership.Row{a.row, b.row, elsewhere})
	w := watch(t, app, socket("a"))
	w.logged(t, "added b at "+socket("b"), "added c at "+b.address())
	reached(t, w.dial(t, w.of("b")))

	// One that is reached otherwise already is not taken for another.
	w = &watcher{found: map[string]remote.Found{}}
	w.cluster = remote.NewCluster(remote.ClusterOptions{Seeds: []string{a.address(), socket("a")}, TLS: app})
	reached(t, w.dial(t, w.cluster.Seeds()[0]))
	reached(t, w.dial(t, w.cluster.Seeds()[1]))
	w.watch(t)
	w.logged(t, "added b at "+b.address(), "added c at "+b.address())

	// Without certificates, other hosts are not reached.
	w = watch(t, nil, socket("a"))
	w.logged(t, "added b at "+socket("b"))

	// From another host, sockets are not.
	w = watch(t, app, a.address())
	w.logged(t, "added b at "+b.address(), "added c at "+b.address())
}

// Long tables come in parts.
func TestManyNodes(t *testing.T) {
	dir := authority(t)
	a := startMember(t, dir, "a", "127.0.0.1:0")
	var rows []membership.Row
	var want []string
	for i := range 600 {
		name, address := fmt.Sprintf("n%04d", i), fmt.Sprint("127.0.0.1:", 10000+i)
		rows = append(rows, membership.Row{Condition: membership.Alive, Node: membership.Node{Name: name, Addresses: []string{address}}})
		want = append(want, "added "+name+" at "+address)
	}
	a.HandleNodes(rows)
	w := watch(t, client(t, dir, identity.Application, "edumeet"), a.address())
	w.logged(t, want...)
}

// Any node shows all of them, and has any of them drain. Applications may do neither.
func TestAskAnyNode(t *testing.T) {
	dir := authority(t)
	a, b := startMember(t, dir, "a", "127.0.0.1:0"), startMember(t, dir, "b", "127.0.0.1:0")
	away := membership.Row{Condition: membership.Dead, Node: membership.Node{Name: "c", Addresses: []string{"127.0.0.1:1"}}}
	nowhere := membership.Row{Condition: membership.Alive, Node: membership.Node{Name: "d"}}
	rows := []membership.Row{a.row, b.row, away, nowhere}
	a.SetMembers(func() []membership.Row { return slices.Clone(rows) })
	b.SetMembers(func() []membership.Row { return slices.Clone(rows) })
	unheard := []reach.Unheard{{Node: "d", From: netip.MustParseAddr("10.0.0.4"), To: netip.MustParseAddr("10.0.0.2")}}
	b.SetUnheard(func() []reach.Unheard { return unheard })
	me := client(t, dir, identity.Operator, "me")
	all, err := remote.AskCluster(t.Context(), a.address(), me)
	require.NoError(t, err)
	require.Len(t, all, 4)
	require.Equal(t, "a", all[0].Status.Name)
	require.Equal(t, "b", all[1].Status.Name)
	require.Equal(t, unheard, all[1].Status.Unheard)
	require.Empty(t, all[0].Status.Unheard)
	require.Contains(t, all[2].Error, "refused")
	require.Contains(t, all[3].Error, "has no address")

	drain := func(config *tls.Config, via *member, name string, on bool) error {
		return remote.AskDrain(t.Context(), via.address(), config, name, on)
	}
	onB := dial(t, remote.Options{Address: b.address(), TLS: client(t, dir, identity.Application, "edumeet"), Emit: func(*api.Notification) {}})
	require.NoError(t, ask(onB, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"}))
	require.NoError(t, ask(onB, api.MethodRouterCreateDirectTransport, "r", &api.RouterCreateDirectTransportRequest{
		TransportID: "t", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}},
	}))
	require.NoError(t, drain(me, a, "b", true))
	<-b.Orders()
	require.True(t, b.Draining())
	ended := make(chan bool, 1)
	go func() { ended <- b.Drain(t.Context()) }()
	require.Eventually(t, func() bool { return !onB.Available() }, patience, time.Millisecond)
	require.NoError(t, drain(me, b, "b", true), "it does already")
	require.NoError(t, drain(me, a, "b", false))
	<-b.Orders()
	require.False(t, <-ended)
	require.False(t, b.Draining())
	require.Eventually(t, onB.Available, patience, time.Millisecond)
	require.NoError(t, drain(me, a, "b", true))
	require.NoError(t, drain(me, a, "b", false))
	<-b.Orders()
	require.False(t, b.Draining(), "two orders may be heard of as one")
	require.ErrorContains(t, drain(me, a, "c", true), "refused")
	require.ErrorContains(t, drain(me, a, "z", true), `there is no node "z" here`)
	require.ErrorContains(t, drain(client(t, dir, identity.Node, "b"), b, "a", true), `there is no node "a" here`, "nodes do not pass on what nodes pass on")
	require.ErrorContains(t, drain(client(t, dir, identity.Application, "edumeet"), a, "b", true), "wrong identity")
	_, err = remote.AskCluster(t.Context(), a.address(), client(t, dir, identity.Application, "edumeet"))
	require.ErrorContains(t, err, "wrong identity")
}

// A node by itself is a cluster of one.
func TestANodeByItself(t *testing.T) {
	address, s := local(t)
	all, err := remote.AskCluster(context.Background(), address, nil)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "a", all[0].Name)
	require.NotNil(t, all[0].Status)
	require.Equal(t, membership.Load{}, s.Load())
}

func TestWithPort(t *testing.T) {
	for address, want := range map[string]string{
		"host": "host:7000", "host:1": "host:1", "10.0.0.1": "10.0.0.1:7000", "::1": "[::1]:7000", "[::1]": "[::1]:7000", "[::1]:1": "[::1]:1",
		"unix:/run/a.sock": "unix:/run/a.sock", "": "", "a:b:c": "a:b:c",
	} {
		require.Equal(t, want, remote.WithPort(address, remote.DefaultPort))
	}
}
