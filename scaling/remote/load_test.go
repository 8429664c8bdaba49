package remote_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/scaling/front"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/remote"
)

// transportRequest asks for a transport that the node is to refuse from a load in per cent on.
func transportRequest(kind string, limit uint8) (api.Method, api.RequestBody) {
	base := &api.TransportOptions{LoadLimit: limit, LoadReserved: true}
	info := api.ListenInfo{Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
	id := fmt.Sprint(kind, limit)
	switch kind {
	case "plain":
		return api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{
			TransportID: id, Options: &api.PlainTransportOptions{Base: base, ListenInfo: &info, RTCPMux: true},
		}
	case "pipe":
		return api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{
			TransportID: id, Options: &api.PipeTransportOptions{Base: base, ListenInfo: &info},
		}
	case "direct":
		return api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
			TransportID: id, Options: &api.DirectTransportOptions{Base: base},
		}
	}
	return api.MethodRouterCreateWebRtcTransport, &api.RouterCreateWebRtcTransportRequest{
		TransportID: id, Options: &api.WebRtcTransportOptions{Base: base, Listen: &api.ListenIndividual{ListenInfos: []api.ListenInfo{info}}, EnableUDP: true},
	}
}

// quiet is a worker whose CPU is idle.
type quiet struct{ api.Worker }

func (q quiet) Load() api.Load {
	load := q.Worker.Load()
	load.CPU = 0
	return load
}

func newQuiet(o *remote.Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error) {
	w, err := newEngine(o, emit, log)
	return quiet{w}, err
}

func visitor(t *testing.T, address, name string) *remote.Worker {
	t.Helper()
	w := dial(t, remote.Options{Address: address, Opening: remote.Opening{Application: name}, Emit: func(*api.Notification) {}})
	require.NoError(t, ask(w, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"}))
	return w
}

// A node tells how busy it is and what it carries, in rates.
func TestNodeTellsItsLoad(t *testing.T) {
	var calls atomic.Uint64
	traffic := func() remote.Traffic { // of 125 bytes, a kilobit, each
		n := calls.Add(1) * 1000
		return remote.Traffic{Received: n, BytesReceived: 125 * n, Sent: 2 * n, BytesSent: 250 * n}
	}
	address, s := rawNode(t, remote.ServerOptions{NewWorker: newQuiet, Traffic: traffic, Bandwidth: 1, Load: func() float64 { return 1. / 3 }, Cores: 1})
	require.Equal(t, 0.333, s.Load().CPU, "rounded: heartbeats are short")
	w := visitor(t, address, "a")
	method, body := transportRequest("plain", 0)
	require.NoError(t, ask(w, method, "r", body))
	load := s.Load()
	require.Equal(t, []int{1, 1, 1}, []int{load.Fronts, load.Routers, load.Transports})
	require.Positive(t, load.Assumed)
	require.Eventually(t, func() bool { load = s.Load(); return load.In.Packets > 0 }, patience, time.Millisecond)
	require.InDelta(t, load.In.Packets, load.In.Kilobits, 1)
	require.InDelta(t, 2*load.In.Packets, load.Out.Packets, 1)
	require.InDelta(t, load.Out.Packets, load.Out.Kilobits, 1)
	require.Equal(t, 1., load.Network, "more than the network is said to carry")
	require.Eventually(t, func() bool { return w.State().Load == 1 }, patience, time.Millisecond, "fronts take that for load")
}

// With the answer to each request for a transport, a node tells what it assumes: a front knows at once what all of them have placed there.
func TestNodeTellsWhatItAssumes(t *testing.T) {
	labels := placement.Labels{Region: "eu", Zone: "a"}
	address, s := rawNode(t, remote.ServerOptions{NewWorker: newQuiet, Labels: labels, Watermark: 0.5, Cores: 2})
	a, b := visitor(t, address, "a"), visitor(t, address, "b")
	for i := range uint8(10) {
		method, body := transportRequest("plain", 100-i)
		require.NoError(t, ask(a, method, "r", body))
	}
	told := a.State()
	require.Equal(t, labels, told.Labels)
	require.InDelta(t, 0.5, told.Watermark, 0)
	require.InDelta(t, 0.005, told.Share, 1e-9)
	require.False(t, told.Draining)
	young := func(w *remote.Worker) float64 { return w.State().Assumed / w.State().Share }
	require.Positive(t, young(a))
	method, body := transportRequest("web", 0)
	require.NoError(t, ask(b, method, "r", body))
	require.Greater(t, young(b), 1.0, "more than its own transport: those of the other front count, too")
	require.Greater(t, b.State().Reserved/b.State().Share, 8.0, "and so do Routers")

	a.Close()
	require.Eventually(t, func() bool { return len(s.Status().Fronts) == 1 }, patience, 1)
	method, body = transportRequest("pipe", 0)
	require.NoError(t, ask(b, method, "r", body))
	require.LessOrEqual(t, young(b), 2.0, "what is gone does not count")
}

// A node refuses a transport if its load, with what is assumed, is not below what the request says. The front hears why it has to choose
// anew; applications never see that.
func TestNodeRefusesAsBusy(t *testing.T) {
	address, _ := rawNode(t, remote.ServerOptions{NewWorker: newQuiet, Cores: 1})
	w := visitor(t, address, "a")
	for _, kind := range []string{"plain", "pipe", "web"} { // 8 per cent are reserved for those who follow in the Router
		method, body := transportRequest(kind, 1)
		require.ErrorIs(t, ask(w, method, "r", body), placement.ErrBusy, kind)
	}
	require.Positive(t, w.State().Reserved, "told with the refusal")
	require.Zero(t, w.Load().Transports)
	for _, kind := range []string{"plain", "pipe", "web", "direct"} {
		method, body := transportRequest(kind, 90)
		require.NoError(t, ask(w, method, "r", body), kind)
		method, body = transportRequest(kind, 0)
		require.NoError(t, ask(w, method, "r", body), kind)
	}
	method, body := transportRequest("direct", 1)
	require.NoError(t, ask(w, method, "r", body), "it has no limit")
}

// All cores are the node's unless it says otherwise.
func TestShareOfAllCores(t *testing.T) {
	address, _ := rawNode(t, remote.ServerOptions{NewWorker: newQuiet})
	w := visitor(t, address, "a")
	method, body := transportRequest("plain", 0)
	require.NoError(t, ask(w, method, "r", body))
	require.InDelta(t, 0.01/float64(runtime.GOMAXPROCS(0)), w.State().Share, 1e-9)
}

// A front fills one node before the other, by what the nodes assume and not by a load that does not show yet.
func TestFrontFillsNodesByWhatTheyAssume(t *testing.T) {
	own := func(emit api.Emitter) (api.Worker, error) { return engine.New(engine.Options{Emit: emit, Shards: 1}) }
	o := front.Options{
		Emit: func(*api.Notification) {}, Placement: placement.Fill{},
		Own: front.NodeOptions{Name: "own", SameHost: true, Pipe: loopback(), Worker: own},
	}
	var servers []*remote.Server
	var workers []*remote.Worker
	for i := range 2 {
		address, s := rawNode(t, remote.ServerOptions{NewWorker: newQuiet, Cores: 1, Watermark: 0.25})
		servers = append(servers, s)
		o.Nodes = append(o.Nodes, front.NodeOptions{
			Name: fmt.Sprint("node", i), SameHost: true, Pipe: loopback(),
			Worker: func(emit api.Emitter) (api.Worker, error) {
				w, err := remote.Dial(remote.Options{Address: address, Emit: emit})
				workers = append(workers, w)
				return w, err
			},
		})
	}
	f, err := front.New(o)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	for _, w := range workers {
		require.Eventually(t, func() bool { return w.Available() && w.State().Share > 0 }, patience, time.Millisecond, "it has told")
	}
	answers := make(chan error, 100)
	send := func(method api.Method, handler string, body api.RequestBody) {
		f.HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body}, func(_ api.ResponseBody, err error) { answers <- err })
	}
	send(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	require.NoError(t, <-answers)
	const transports = 30
	for i := range transports {
		method, body := transportRequest("plain", 0)
		body.(*api.RouterCreatePlainTransportRequest).TransportID = fmt.Sprint("t", i)
		send(method, "r", body)
	}
	for range transports {
		require.NoError(t, <-answers)
	}
	on := func(s *remote.Server) int { return s.Status().Fronts[0].Load.Transports }
	require.Equal(t, transports, on(servers[0])+on(servers[1]))
	require.InDelta(t, 20, max(on(servers[0]), on(servers[1])), 6, "twenty make twenty per cent, five below the watermark")
}
