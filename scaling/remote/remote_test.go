package remote_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
)

// newServer starts a node whose fronts get an engine each, on a listener of its own.
func newServer(t testing.TB, l net.Listener, config *tls.Config) *remote.Server {
	t.Helper()
	s := remote.NewServer(remote.ServerOptions{
		Name: "a",
		NewWorker: func(o *remote.Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error) {
			return engine.New(engine.Options{Emit: emit, Log: log, Compat: o.Compat, Shards: 1})
		},
	})
	t.Cleanup(s.Close)
	go s.Serve(l, config)
	return s
}

// local starts a node on a unix socket and returns its address.
func local(t testing.TB) (address string, s *remote.Server) {
	t.Helper()
	address = "unix:" + filepath.Join(t.TempDir(), "a.sock")
	l, err := remote.Listen(address)
	require.NoError(t, err)
	return address, newServer(t, l, nil)
}

func dial(t testing.TB, o remote.Options) *remote.Worker {
	t.Helper()
	w, err := remote.Dial(o)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

func TestContract(t *testing.T) {
	address, _ := local(t)
	apitest.Run(t, func(t testing.TB, emit api.Emitter) api.Worker {
		return dial(t, remote.Options{Address: address, Emit: emit})
	})
}

// The contract holds over TCP with certificates, through connections that are cut at random bytes, again and again.
func TestContractOverBrokenConnections(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	require.NoError(t, identity.CreateAuthority(dir, time.Now()))
	for _, who := range []identity.Identity{{Role: identity.Node, Name: "a"}, {Role: identity.Application, Name: "app"}} {
		_, _, err := identity.Issue(dir, who, time.Now())
		require.NoError(t, err)
	}
	node, err := identity.Load(dir, identity.Node, "")
	require.NoError(t, err)
	app, err := identity.Load(dir, identity.Application, "")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	newServer(t, l, node.Server())
	proxy := newProxy(t, l.Addr().String(), 7)
	apitest.Run(t, func(t testing.TB, emit api.Emitter) api.Worker {
		return dial(t, remote.Options{Address: proxy.address(), TLS: app.Client(identity.Node), Emit: emit})
	})
	require.Greater(t, proxy.cuts(), 20)
}

// proxy passes connections on and cuts each after a random number of bytes.
type proxy struct {
	net.Listener
	mu    sync.Mutex
	rng   *rand.Rand
	count int
	hold  bool // passes nothing on, and cuts nothing
}

func newProxy(t testing.TB, to string, seed uint64) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{Listener: l, rng: rand.New(rand.NewPCG(seed, 0))}
	var open sync.WaitGroup
	t.Cleanup(func() { l.Close(); open.Wait() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { p.pass(from, to) })
		}
	}()
	return p
}

func (p *proxy) address() string { return p.Addr().String() }

func (p *proxy) cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// pass passes what comes either way, until one of the ways has had enough. Handshakes take about 3,000 bytes.
func (p *proxy) pass(from net.Conn, to string) {
	defer from.Close()
	c, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer c.Close()
	p.mu.Lock()
	p.count++
	limits := []int64{int64(2000 + p.rng.IntN(30000)), int64(2000 + p.rng.IntN(30000))}
	p.mu.Unlock()
	done := make(chan bool, 2)
	for i, way := range [][2]net.Conn{{from, c}, {c, from}} {
		go func() {
			io.CopyN(way[0], way[1], limits[i])
			done <- true
		}()
	}
	<-done
	from.Close()
	c.Close()
	<-done
}
