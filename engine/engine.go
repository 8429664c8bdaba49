// Package engine is the media worker of this process: it answers the worker protocol with routers, transports, producers
// and consumers that use all cores. See the packages below it for each room: engine/router for the tables, engine/runner
// and engine/shard for what runs where, engine/transport and engine/media for the machines.
package engine

import (
	"crypto/rand"
	"log/slog"
	"os"
	"runtime"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/netio"
	"gazpacho/engine/router"
	"gazpacho/engine/runner"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
)

// Upstream's defaults of the worker's own port range (its Settings, release 3.27.1).
const (
	DefaultRTCMinPort = 10000
	DefaultRTCMaxPort = 59999
)

// Options says how a worker is to run. The zero value of each field but Emit is a sensible default.
type Options struct {
	// Emit takes notifications for the application. Required.
	Emit api.Emitter
	// Log takes what is to be told people; nil discards it.
	Log *slog.Logger
	// UpdateSettings applies WORKER_UPDATE_SETTINGS; an error is the answer to the application. Nil accepts everything.
	UpdateSettings func(*api.WorkerUpdateSettingsRequest) error
	// Shards is the number of shards; 0 means one for each usable core.
	Shards int
	// RTCMinPort and RTCMaxPort are the ports for transports that name neither port nor range; 0 means upstream's default.
	RTCMinPort, RTCMaxPort uint16
	// Compat are those of the release that the application speaks.
	Compat api.Compat
	// Certificate is what DTLS peers see; nil means a new one.
	Certificate *dtls.Certificate
	// Usage is what the CPU times in the answers to WORKER_GET_RESOURCE_USAGE mean.
	Usage UsageMode
	// Workers returns how many worker processes share the cores, this one included; nil means that it is alone.
	Workers func() int
}

// Worker implements api.Worker.
type Worker struct {
	options      Options
	runner       *runner.Runner
	scope        *router.Scope
	routers      router.Table[*router.Router]
	servers      router.Table[*router.Server]
	usage        usageScale
	replyBarrier replyBarrier
	closed       bool
}

// New starts a worker. The error tells that no certificate could be made, or that there are no descriptors.
func New(o Options) (*Worker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Shards == 0 {
		o.Shards = runtime.GOMAXPROCS(0)
	}
	if o.RTCMinPort == 0 && o.RTCMaxPort == 0 {
		o.RTCMinPort, o.RTCMaxPort = DefaultRTCMinPort, DefaultRTCMaxPort
	}
	if o.Certificate == nil {
		var err error
		if o.Certificate, err = dtls.GenerateCertificate(); err != nil {
			return nil, err
		}
	}
	w := &Worker{
		options: o, usage: usageScale{mode: o.Usage, cores: o.Shards, workers: o.Workers},
		replyBarrier: replyBarrier{emit: o.Emit},
	}
	options := runner.Options{
		Shards: o.Shards, Clock: shard.SystemClock(), Log: o.Log, Listen: listenUDP, ListenTCP: netio.ListenTCP,
	}
	rand.Read(options.Seed[:]) // crypto/rand.Read never fails
	var err error
	if w.runner, err = runner.New(options); err != nil {
		return nil, err
	}
	w.scope = router.NewScope(w.runner, transport.WorkerEnv{
		Emit: w.replyBarrier.take, Log: o.Log, RTCMinPort: o.RTCMinPort, RTCMaxPort: o.RTCMaxPort, Compat: o.Compat,
	}, o.Certificate)
	return w, nil
}

func listenUDP(cfg netio.UDPConfig) (transport.Socket, error) {
	socket, err := netio.ListenUDP(cfg)
	if err != nil {
		return nil, err
	}
	return socket, nil
}

// HandleRequest implements api.Worker. The reply comes before it returns, and before any notification of an object that
// the request creates.
func (w *Worker) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	if w.closed {
		reply(nil, api.Errorf("Worker is closed"))
		return
	}
	w.scope.ForgetPeerClosed()
	if id := created(req); id != "" && w.scope.Find(id) == nil {
		w.replyBarrier.arrive(id)
	}
	defer w.replyBarrier.answered()
	reply(w.handle(req))
}

// methods are the worker's own. All others are those of the object that the request is addressed to.
var methods = router.Methods[*Worker]{
	api.MethodWorkerDump:               router.NoBody((*Worker).dump),
	api.MethodWorkerGetResourceUsage:   router.NoBody((*Worker).resourceUsage),
	api.MethodWorkerUpdateSettings:     router.WithBody((*Worker).updateSettings),
	api.MethodWorkerCreateRouter:       router.WithBody((*Worker).createRouter),
	api.MethodWorkerCloseRouter:        router.WithBody((*Worker).closeRouter),
	api.MethodWorkerCreateWebRtcServer: router.WithBody((*Worker).createServer),
	api.MethodWorkerWebRtcServerClose:  router.WithBody((*Worker).closeServer),
}

func (w *Worker) handle(req *api.Request) (api.ResponseBody, error) {
	if method := methods[req.Method]; method != nil {
		return method(w, req)
	}
	handler := w.scope.Find(req.HandlerID)
	if handler == nil {
		return nil, api.NotFoundErrorf("Channel request handler with ID %s not found [method:%s]", req.HandlerID, req.Method.Name())
	}
	return handler.HandleRequest(req)
}

// HandleNotification implements api.Worker. WORKER_CLOSE is the caller's business: it ends the process.
func (w *Worker) HandleNotification(n *api.Notification) error {
	if w.closed {
		return api.Errorf("Worker is closed")
	}
	w.scope.ForgetPeerClosed()
	handler := w.scope.Find(n.HandlerID)
	if handler == nil {
		return api.NotFoundErrorf("Channel notification handler with ID %s not found", n.HandlerID)
	}
	handled, err := handler.HandleNotification(n)
	if !handled {
		return api.Errorf("unknown event '%s' for %s", n.Event, n.HandlerID)
	}
	return err
}

// Close implements api.Worker.
func (w *Worker) Close() {
	if w.closed {
		return
	}
	w.closed = true
	for _, r := range w.routers.All() {
		r.Close()
	}
	for _, s := range w.servers.All() {
		s.Close()
	}
	w.runner.Close()
}

func (w *Worker) updateSettings(req *api.WorkerUpdateSettingsRequest) (api.ResponseBody, error) {
	if w.options.UpdateSettings == nil {
		return nil, nil
	}
	return nil, w.options.UpdateSettings(req)
}

func (w *Worker) createRouter(req *api.WorkerCreateRouterRequest) (api.ResponseBody, error) {
	if err := router.CheckNew(&w.scope.Registry, req.RouterID, func(*router.Router) bool { return true },
		"a Router with same routerId", api.MethodWorkerCreateRouter); err != nil {
		return nil, err
	}
	r := router.New(req.RouterID, w.scope)
	w.scope.Add(req.RouterID, r)
	w.routers.Add(req.RouterID, r)
	return nil, nil
}

func (w *Worker) closeRouter(req *api.WorkerCloseRouterRequest) (api.ResponseBody, error) {
	r, ok := w.routers.Remove(req.RouterID)
	if !ok {
		return nil, api.NotFoundErrorf("Router not found [method:worker.closeRouter]")
	}
	r.Close()
	return nil, nil
}

func (w *Worker) createServer(req *api.WorkerCreateWebRtcServerRequest) (api.ResponseBody, error) {
	if err := router.CheckNew(&w.scope.Registry, req.WebRtcServerID, func(*router.Server) bool { return true },
		"a WebRtcServer with same webRtcServerId", api.MethodWorkerCreateWebRtcServer); err != nil {
		return nil, err
	}
	s, err := router.NewServer(req.WebRtcServerID, req.ListenInfos, w.scope)
	if err != nil {
		return nil, err
	}
	w.scope.Add(req.WebRtcServerID, s)
	w.servers.Add(req.WebRtcServerID, s)
	return nil, nil
}

func (w *Worker) closeServer(req *api.WorkerCloseWebRtcServerRequest) (api.ResponseBody, error) {
	s, ok := w.servers.Remove(req.WebRtcServerID)
	if !ok {
		return nil, api.NotFoundErrorf("WebRtcServer not found [method:worker.closeWebRtcServer]")
	}
	s.Close()
	w.scope.Remove(req.WebRtcServerID)
	return nil, nil
}

func (w *Worker) dump() (*api.WorkerDumpResponse, error) {
	return &api.WorkerDumpResponse{
		PID:             uint32(os.Getpid()),
		WebRtcServerIDs: w.servers.IDs(),
		RouterIDs:       w.routers.IDs(),
		ChannelMessageHandlers: &api.ChannelMessageHandlers{
			ChannelRequestHandlers:      w.scope.IDs(false),
			ChannelNotificationHandlers: w.scope.IDs(true),
		},
	}, nil
}
