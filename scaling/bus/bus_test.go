package bus_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"gazpacho/scaling/bus"
	"gazpacho/scaling/directory"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
)

// Three nodes with servers and one without know each other, lose each other and find each other again.
func TestNodesKnowEachOther(t *testing.T) {
	t.Parallel()
	folder, hosts := certificates(t), addresses(t, 3)
	options := func(name, serve string) bus.Options {
		return bus.Options{Credentials: load(t, folder, identity.Node, name), Serve: serve, Join: hosts}
	}
	nodes, serve := make([]*node, 4), append(slices.Clone(hosts), "")
	var starting sync.WaitGroup
	for i, name := range []string{"a", "b", "c", "e.example.org"} {
		starting.Go(func() { nodes[i] = start(t, name, options(name, serve[i])) })
	}
	starting.Wait()
	everybody := []string{"a alive", "b alive", "c alive", "e.example.org alive"}
	for _, n := range nodes {
		n.sees(t, everybody...)
	}

	// The client of a server that ends finds another one.
	nodes[0].Close()
	for _, n := range nodes[1:] {
		n.sees(t, everybody[1:]...)
	}
	nodes[0] = start(t, "a", options("a", hosts[0]))
	for _, n := range nodes {
		n.sees(t, everybody...)
	}

	// What a node says of itself is told at once.
	nodes[3].say("2.0.0")
	require.True(t, eventually(func() bool { return nodes[0].last("e.example.org").Version == "2.0.0" }))

	// A second one of a live node's name must not start, wherever it looks.
	for _, at := range []string{"", addresses(t, 1)[0]} {
		_, err := tryStart(t, "b", options("b", at))
		require.ErrorContains(t, err, "a node b is running already, at [b:7000]")
	}
}

// Who is no node of the cluster cannot speak on the bus or listen to it, and a node speaks under its own name only.
func TestPermissions(t *testing.T) {
	t.Parallel()
	folder, hosts := certificates(t), addresses(t, 1)
	toA := make(chan string, 10)
	a := start(t, "a", bus.Options{
		Credentials: load(t, folder, identity.Node, "a"), Serve: hosts[0], Join: hosts,
		Receive: func(from string, b []byte) { toA <- from + ": " + string(b) },
	})
	host, port, err := net.SplitHostPort(hosts[0])
	require.NoError(t, err)
	connect := func(config *tls.Config, scheme string) (*nats.Conn, error) {
		options := []nats.Option{nats.MaxReconnects(0), nats.NoCallbacksAfterClientClose()}
		if config != nil {
			options = append(options, nats.Secure(config), nats.TLSHandshakeFirst())
		}
		c, err := nats.Connect(scheme+"://"+host+":"+port, options...)
		if err == nil {
			t.Cleanup(c.Close)
		}
		return c, err
	}
	strangers := certificates(t)
	for name, config := range map[string]*tls.Config{
		"an application":            load(t, folder, identity.Application, "app").Client(identity.Node),
		"an operator":               load(t, folder, identity.Operator, "op").Client(identity.Node),
		"a node of another cluster": load(t, strangers, identity.Node, "b").Peers(identity.Node),
		"who has no certificate":    {InsecureSkipVerify: true},
		"plain text":                nil,
	} {
		if config != nil && name == "a node of another cluster" {
			config.VerifyConnection = nil // it does not mind with whom it speaks
		}
		_, err := connect(config, "nats")
		require.Error(t, err, name)
	}

	b, err := connect(load(t, folder, identity.Node, "b").Client(identity.Node), "tls")
	require.NoError(t, err)
	heartbeat := func(name string) []byte {
		return (&membership.Heartbeat{Node: selfOf(name), State: membership.Serving, Number: 1}).Append(nil)
	}
	for _, subject := range []string{"gazpacho.node.a", "gazpacho.node.c", "gazpacho.node.b.c", "gazpacho.to.a.c", "gazpacho.to.a", "anything"} {
		require.NoError(t, b.Publish(subject, heartbeat("b")))
	}
	require.NoError(t, b.Publish("gazpacho.to.a.b", []byte("hello")))
	require.Equal(t, "b: hello", <-toA, "what came before was dropped")
	toB, err := b.SubscribeSync("gazpacho.to.b.*")
	require.NoError(t, err)
	require.NoError(t, b.Flush())
	a.Send("b", []byte("good day"), false)
	m, err := toB.NextMsg(patience)
	require.NoError(t, err)
	require.Equal(t, "gazpacho.to.b.a good day", m.Subject+" "+string(m.Data))
	require.NoError(t, b.Publish("gazpacho.node.b", []byte("no heartbeat")))
	require.NoError(t, b.Publish("gazpacho.node.b", heartbeat("c")))
	a.sees(t, "a alive", "b alive") // what it called itself does not count, and what came before was dropped
	require.True(t, eventually(func() bool { return errors.Is(b.LastError(), nats.ErrPermissionViolation) }))
	for _, subject := range []string{"$SYS.>", ">", "gazpacho.>", "gazpacho.to.*.*", "gazpacho.to.a.*", "gazpacho.to.a.b"} {
		_, err := b.SubscribeSync(subject)
		require.NoError(t, err)
		require.True(t, eventually(func() bool { return strings.Contains(fmt.Sprint(b.LastError()), `Subscription to "`+subject) }))
	}

	// Nor can they act as servers.
	_, next, _ := net.SplitHostPort(hosts[0])
	routes := net.JoinHostPort(host, increment(next))
	for _, config := range []*tls.Config{
		load(t, folder, identity.Application, "app").Client(identity.Node), load(t, strangers, identity.Node, "b").Peers(identity.Node),
	} {
		config.VerifyConnection = nil
		c, err := tls.Dial("tcp", routes, config)
		if err == nil { // TLS 1.3: the server's refusal comes with the first bytes
			_, err = c.Read(make([]byte, 1))
			c.Close()
		}
		require.ErrorContains(t, err, "tls")
	}
}

// Messages for one node reach that one alone, in order.
func TestMessages(t *testing.T) {
	t.Parallel()
	folder, hosts := certificates(t), addresses(t, 2)
	names, nodes, inboxes := []string{"a", "b", "e.example.org"}, make([]*node, 3), make([]chan string, 3)
	serve := []string{hosts[0], hosts[1], ""}
	var starting sync.WaitGroup
	for i, name := range names {
		inboxes[i] = make(chan string, 3000)
		starting.Go(func() {
			nodes[i] = start(t, name, bus.Options{
				Credentials: load(t, folder, identity.Node, name), Serve: serve[i], Join: hosts,
				Receive: func(from string, b []byte) { inboxes[i] <- from + " " + string(b) },
			})
		})
	}
	starting.Wait()
	for _, n := range nodes {
		n.sees(t, "a alive", "b alive", "e.example.org alive")
	}
	for number := range 1000 {
		for i, n := range nodes {
			n.Send(names[(i+1)%3], []byte(fmt.Sprint(number)), false)
			n.Send(names[(i+2)%3], []byte(fmt.Sprint(number)), true)
		}
	}
	for _, inbox := range inboxes {
		next := map[string]int{}
		for range 2000 {
			var from string
			var number int
			_, err := fmt.Sscan(<-inbox, &from, &number)
			require.NoError(t, err)
			require.Equal(t, next[from], number, from)
			next[from]++
		}
	}
	nodes[0].Send("nobody", nil, false)
	nodes[0].Send("b", []byte("last"), false)
	require.Equal(t, "a last", <-inboxes[1])
	for _, n := range nodes {
		require.Zero(t, n.Lost())
	}
	nodes[0].Send("b", make([]byte, bus.MaxMessage+1), false)
	require.True(t, eventually(func() bool { return nodes[0].Lost() == 1 }), "too long")
}

// What a node has much of to tell waits for its turn, and what is urgent does not wait for that. There is a bound to what waits.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	folder, hosts := certificates(t), addresses(t, 1)
	a := start(t, "a", bus.Options{Credentials: load(t, folder, identity.Node, "a"), Serve: hosts[0], Join: hosts})
	urgent, count := make(chan int, 1), 0
	b := start(t, "b", bus.Options{Credentials: load(t, folder, identity.Node, "b"), Join: hosts, Receive: func(_ string, m []byte) {
		if count++; len(m) == 1 {
			urgent <- count
		}
	}})
	b.sees(t, "a alive", "b alive")
	long := make([]byte, bus.MaxMessage)
	for range 1000 { // eight seconds' worth
		a.Send("b", long, false)
	}
	a.Send("b", []byte{1}, true)
	require.Less(t, <-urgent, 900)
	require.Zero(t, a.Lost())
	for range 1100 {
		a.Send("b", long, false)
	}
	require.Positive(t, a.Lost())
}

// What comes to a node that is too slow is dropped and counted.
func TestANodeThatIsTooSlow(t *testing.T) {
	t.Parallel()
	folder, hosts := certificates(t), addresses(t, 1)
	a := start(t, "a", bus.Options{Credentials: load(t, folder, identity.Node, "a"), Serve: hosts[0], Join: hosts})
	stuck := make(chan struct{})
	b := start(t, "b", bus.Options{
		Credentials: load(t, folder, identity.Node, "b"), Join: hosts, Receive: func(string, []byte) { <-stuck },
	})
	defer close(stuck)
	b.sees(t, "a alive", "b alive")
	for range 400 {
		a.Send("b", make([]byte, bus.MaxMessage), false)
	}
	require.True(t, eventually(func() bool { return b.Lost() > 0 }))
	b.sees(t, "a alive", "b alive")
}

// The longest message of the directory is one that the bus takes.
func TestDirectoryFits(t *testing.T) {
	require.Less(t, directory.MaxMessage, bus.MaxMessage)
}

// A server that is there and does not answer any more is left for another one.
func TestAServerThatHangs(t *testing.T) {
	t.Parallel()
	folder, hosts := certificates(t), addresses(t, 2)
	var starting sync.WaitGroup
	var a, b *node
	for i, n := range []**node{&a, &b} {
		name := string(rune('a' + i))
		starting.Go(func() {
			*n = start(t, name, bus.Options{Credentials: load(t, folder, identity.Node, name), Serve: hosts[i], Join: hosts})
		})
	}
	starting.Wait()
	hanging := openProxy(t, hosts[0])
	c := start(t, "c", bus.Options{Credentials: load(t, folder, identity.Node, "c"), Join: []string{hanging.address, hosts[1]}})
	c.sees(t, "a alive", "b alive", "c alive")
	hanging.stall()
	b.say("2.0.0")
	require.True(t, eventually(func() bool { return c.last("b").Version == "2.0.0" }))
	c.say("3.0.0")
	require.True(t, eventually(func() bool { return a.last("c").Version == "3.0.0" }))
}

// A name may stand for several nodes, of which more come as time goes by.
func TestANameOfManyNodes(t *testing.T) {
	folder := certificates(t)
	dns := openDNS(t)
	_, port, _ := net.SplitHostPort(addresses(t, 1)[0])
	name := "nodes.test:" + port
	options := func(of, serve string) bus.Options {
		return bus.Options{Credentials: load(t, folder, identity.Node, of), Serve: serve, Join: []string{name, "missing.test:" + port}}
	}
	dns.answer("127.0.0.2") // each finds no more than itself at first
	a := start(t, "a", options("a", "127.0.0.2:"+port))
	dns.answer("127.0.0.3", "10.0.0.1") // the latter is no address of this host
	b := start(t, "b", options("b", "127.0.0.3:"+port))
	a.sees(t, "a alive", "b alive")
	dns.answer()
	b.sees(t, "a alive", "b alive")
	dns.answer("127.0.0.1", "127.0.0.2", "127.0.0.3")
	c := start(t, "c", options("c", ""))
	c.sees(t, "a alive", "b alive", "c alive")
}

// An operator's own NATS does as well, in clear or by TLS, with the permissions that docs/cluster.md names. What it refuses is logged.
func TestAnotherNATS(t *testing.T) {
	t.Parallel()
	folder := certificates(t)
	user := func(name string) *server.User {
		return &server.User{Username: name, Password: "secret", Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: []string{"gazpacho.node." + name, "gazpacho.to.*." + name}},
			Subscribe: &server.SubjectPermission{Allow: []string{"gazpacho.node.*", "gazpacho.to." + name + ".*"}},
		}}
	}
	mute := user("c")
	mute.Permissions.Publish = &server.SubjectPermission{Deny: []string{">"}}
	for scheme, config := range map[string]*tls.Config{"nats": nil, "tls": {Certificates: []tls.Certificate{certificateOf(t, folder, "127.0.0.1")}}} {
		s, err := server.NewServer(&server.Options{
			Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, TLSConfig: config, TLSTimeout: patience.Seconds(),
			Users: []*server.User{user("a"), user("b"), mute},
		})
		require.NoError(t, err)
		s.Start()
		defer s.Shutdown()
		require.True(t, s.ReadyForConnections(patience))
		toB := make(chan string, 1)
		options := func(name string) bus.Options {
			return bus.Options{
				URL: scheme + "://" + name + ":secret@" + s.Addr().String(), Credentials: load(t, folder, identity.Node, name),
				Receive: func(from string, b []byte) { toB <- from + " " + string(b) },
			}
		}
		a, b := start(t, "a", options("a")), start(t, "b", options("b"))
		a.sees(t, "a alive", "b alive")
		b.sees(t, "a alive", "b alive")
		a.Send("b", []byte("hello"), false)
		require.Equal(t, "a hello", <-toB)
		refused := options("c")
		lines := make(chan string, 100)
		refused.Log = slog.New(slog.NewTextHandler(writer(lines), nil))
		c := start(t, "c", refused)
		require.Contains(t, <-lines, "Permissions Violation for Publish")
		c.sees(t, "a alive", "b alive", "c alive")
		a.sees(t, "a alive", "b alive")
	}
}

// Nodes start without a bus, after a while, and find each other once there is one.
func TestNoBus(t *testing.T) {
	t.Parallel()
	folder, hosts := certificates(t), addresses(t, 2)
	b := start(t, "b", bus.Options{Credentials: load(t, folder, identity.Node, "b"), Join: hosts})
	b.sees(t, "b alive")
	a := start(t, "a", bus.Options{Credentials: load(t, folder, identity.Node, "a"), Serve: hosts[1], Join: hosts})
	a.sees(t, "a alive", "b alive")
	b.sees(t, "a alive", "b alive")
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	folder, hosts := certificates(t), addresses(t, 1)
	a := load(t, folder, identity.Node, "a")
	taken, err := net.Listen("tcp", hosts[0])
	require.NoError(t, err)
	defer taken.Close()
	for name, c := range map[string]struct {
		options bus.Options
		want    string
	}{
		"two buses":          {bus.Options{URL: "nats://a:1", Join: hosts}, "either"},
		"no certificate":     {bus.Options{Join: hosts}, "certificates"},
		"no server":          {bus.Options{Credentials: a}, "no bus server is named"},
		"no port":            {bus.Options{Credentials: a, Join: []string{"a"}}, "missing port"},
		"no number":          {bus.Options{Credentials: a, Join: []string{"a:x"}}, "is no host:port"},
		"no port for others": {bus.Options{Credentials: a, Join: hosts, Serve: "127.0.0.1:65535"}, "is no host:port"},
		"no address":         {bus.Options{Credentials: a, Join: hosts, Serve: "127.0.0.1"}, "missing port"},
		"a port in use":      {bus.Options{Credentials: a, Join: hosts, Serve: hosts[0]}, "address already in use"},
		"no URL":             {bus.Options{URL: "nats://%"}, "invalid URL escape"},
		"no NATS":            {bus.Options{URL: "ws://127.0.0.1:1,nats://127.0.0.1:1"}, "websocket"},
	} {
		_, err := tryStart(t, "a", c.options)
		require.ErrorContains(t, err, c.want, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = bus.Join(ctx, bus.Options{Credentials: a, Join: hosts, Self: func() membership.Node { return selfOf("a") }})
	require.ErrorIs(t, err, context.Canceled)
}
