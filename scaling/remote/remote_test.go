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
	s := remote.NewServer(remote.ServerOptions{Name: "a", NewWorker: newEngine})
	t.Cleanup(s.Close)
	go s.Serve(l, config)
	return s
}

func newEngine(o *remote.Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error) {
	return engine.New(engine.Options{Emit: emit, Log: log, Compat: o.Compat, Shards: 1})
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
	proxy := newProxy(t, l.Addr().String())
	apitest.Run(t, func(t testing.TB, emit api.Emitter) api.Worker {
		return dial(t, remote.Options{Address: proxy.Addr().String(), TLS: app.Client(identity.Node), Emit: emit})
	})
	require.Greater(t, proxy.cuts(), 20)
}

// A node whose process has ended is given up at once: its host refuses connections, so no lease is left to wait for.
func TestNodeThatIsGone(t *testing.T) {
	dir := t.TempDir()
	l, err := remote.Listen("unix:" + filepath.Join(dir, "a.sock"))
	require.NoError(t, err)
	proxy := newProxyTo(t, "unix", l.Addr().String(), 1<<40)
	newServer(t, l, nil)
	w := dial(t, remote.Options{Address: "unix:" + proxy.Addr().String(), Emit: func(*api.Notification) {}})
	answered := make(chan error, 1)
	w.HandleRequest(&api.Request{Method: api.MethodWorkerDump}, func(_ api.ResponseBody, err error) { answered <- err })
	require.NoError(t, <-answered)
	require.True(t, w.Available())
	proxy.kill()
	<-w.Done()
	require.ErrorIs(t, w.Err(), remote.ErrGone)
	require.False(t, w.Available())
	require.Error(t, w.HandleNotification(&api.Notification{}))
}

// proxy passes connections on and cuts each after a random number of bytes.
type proxy struct {
	net.Listener
	network, to string
	most        int // bytes before a cut

	mu    sync.Mutex
	rng   *rand.Rand
	count int
	open  map[net.Conn]bool
}

// newProxy returns a proxy to a TCP address that cuts early. Handshakes take about 3,000 bytes.
func newProxy(t testing.TB, to string) *proxy { return newProxyTo(t, "tcp", to, 30000) }

func newProxyTo(t testing.TB, network, to string, most int) *proxy {
	at := "127.0.0.1:0"
	if network == "unix" {
		at = filepath.Join(t.TempDir(), "proxy.sock")
	}
	l, err := net.Listen(network, at)
	require.NoError(t, err)
	p := &proxy{
		Listener: l, network: network, to: to, most: most, rng: rand.New(rand.NewPCG(7, 0)), open: map[net.Conn]bool{},
	}
	var passing sync.WaitGroup
	t.Cleanup(func() { p.kill(); passing.Wait() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			passing.Go(func() { p.pass(from) })
		}
	}()
	return p
}

func (p *proxy) cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// kill ends the proxy as a process ends: nothing listens, and connections are closed.
func (p *proxy) kill() {
	p.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.Close()
	}
}

// pass passes what comes either way, until one of the ways has had enough.
func (p *proxy) pass(from net.Conn) {
	defer from.Close()
	c, err := net.Dial(p.network, p.to)
	if err != nil {
		return
	}
	defer c.Close()
	p.mu.Lock()
	p.count++
	p.open[from], p.open[c] = true, true
	limits := []int64{int64(2000 + p.rng.IntN(p.most)), int64(2000 + p.rng.IntN(p.most))}
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
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, from)
	delete(p.open, c)
}
