package front_test

import (
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/scaling/front"
	"gazpacho/scaling/remote"
)

// process is a node that is reached by a unix socket, and that ends as a process does that is killed: without a word.
type process struct {
	t        testing.TB
	address  string
	server   *remote.Server
	listener *doors
}

// doors is a listener that remembers its connections.
type doors struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

// Accept implements net.Listener.
func (d *doors) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.conns = append(d.conns, c)
	}
	return c, err
}

func newProcess(t testing.TB, name string) *process {
	p := &process{t: t, address: "unix:" + filepath.Join(t.TempDir(), name)}
	p.start()
	t.Cleanup(func() { p.server.Close() })
	return p
}

func (p *process) start() {
	p.t.Helper()
	l, err := remote.Listen(p.address)
	require.NoError(p.t, err)
	p.listener = &doors{Listener: l}
	p.server = remote.NewServer(remote.ServerOptions{
		NewWorker: func(o *remote.Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error) {
			c, err := dtls.ParseCertificate("of the application", o.Certificate, "of the application", o.Key)
			if err != nil {
				return nil, err
			}
			return engine.New(engine.Options{Emit: emit, Log: log, Shards: 1, Certificate: c})
		},
	})
	go p.server.Serve(p.listener, nil)
}

func (p *process) kill() {
	p.listener.Close()
	p.listener.mu.Lock()
	for _, c := range p.listener.conns {
		c.Close()
	}
	p.listener.mu.Unlock()
	p.server.Close()
}

func (p *process) options(name string) front.NodeOptions {
	certificate, key, err := certificate().PEM()
	require.NoError(p.t, err)
	return front.NodeOptions{
		Name: name, SameHost: true, Pipe: loopback(), Again: true,
		Worker: func(emit api.Emitter) (api.Worker, error) {
			w, err := remote.Dial(remote.Options{
				Address: p.address, Emit: emit, Opening: remote.Opening{Certificate: certificate, Key: key},
			})
			// Without Available: that a node is silent for a moment, on a busy machine, must not change where transports go.
			return struct{ api.Worker }{w}, err
		},
	}
}

// Nodes behind sessions restart: one that is there again before its host has refused connections for long, and one that is away for so
// long that it is given up for the moment. Media goes on, and a transport that nobody has connected yet is as its peer was told.
func TestRestartsOfProcesses(t *testing.T) {
	var processes []*process
	r := restartable(t, 3, func(o *front.Options) {
		for i, name := range []string{"a", "b", "c"} {
			processes = append(processes, newProcess(t, name))
			o.Nodes[i] = processes[i].options(name)
		}
	})
	gone := func() bool { return len(r.front().Away()) > 0 }
	for _, id := range []string{"ice", "b's", "c's"} {
		r.furnishTransport("ice", id)
	}
	require.Equal(t, 1, r.inventory()["ice"].Node)
	dump := r.exact(api.MethodTransportDump, "ice")
	quick := func() {
		processes[0].kill()
		processes[0].start()
		r.await("the restart is noticed", gone)
		r.revive()
		require.Equal(t, dump, r.exact(api.MethodTransportDump, "ice"))
	}
	slow := func() {
		processes[0].kill()
		r.await("the end is noticed", gone)
		r.clock.advance(200 * time.Millisecond)
		r.front().Do(func() {})
		processes[0].start()
		r.revive()
		require.Equal(t, dump, r.exact(api.MethodTransportDump, "ice"))
	}
	r.mediaGoesOn(quick, slow)
	require.Empty(t, r.history("ice"))
}
