// Package engine is the media worker of this process: it answers the worker protocol with routers, transports, producers
// and consumers that use all cores. See the packages below it for each room: engine/router for the tables, engine/shard
// for what runs where, engine/transport and engine/media for the machines.
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
	runner       *router.Runner
	registry     *router.Registry
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
		options: o, registry: router.NewRegistry(), usage: usageScale{mode: o.Usage, cores: o.Shards, workers: o.Workers},
		replyBarrier: replyBarrier{emit: o.Emit},
	}
	runner := router.RunnerOptions{
		Shards: o.Shards, Clock: shard.SystemClock(), Emit: w.replyBarrier.take, Log: o.Log,
		Listen: listenUDP, ListenTCP: netio.ListenTCP, Certificate: o.Certificate,
		RTCMinPort: o.RTCMinPort, RTCMaxPort: o.RTCMaxPort, Compat: o.Compat,
	}
	rand.Read(runner.Seed[:]) // crypto/rand.Read never fails
	var err error
	if w.runner, err = router.NewRunner(runner); err != nil {
		return nil, err
	}
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
	w.runner.ForgetPeerClosed(w.registry)
	if id := created(req); id != "" && w.registry.Check(id) == nil {
		w.replyBarrier.arrive(id)
	}
	defer w.replyBarrier.answered()
	reply(w.handle(req))
}

func (w *Worker) handle(req *api.Request) (api.ResponseBody, error) {
	switch req.Method {
	case api.MethodWorkerDump:
		return w.dump(), nil
	case api.MethodWorkerGetResourceUsage:
		return w.resourceUsage()
	case api.MethodWorkerUpdateSettings:
		return with(req, w.updateSettings)
	case api.MethodWorkerCreateRouter:
		return with(req, w.createRouter)
	case api.MethodWorkerCloseRouter:
		return with(req, w.closeRouter)
	case api.MethodWorkerCreateWebRtcServer:
		return with(req, w.createServer)
	case api.MethodWorkerWebRtcServerClose:
		return with(req, w.closeServer)
	}
	handler := w.registry.Find(req.HandlerID)
	if handler == nil {
		return nil, api.NotFoundErrorf("Channel request handler with ID %s not found [method:%s]", req.HandlerID, req.Method.Name())
	}
	return handler.HandleRequest(req)
}

// with calls f with the request's body if that is of the type which the method wants.
func with[B any](req *api.Request, f func(*B) error) (api.ResponseBody, error) {
	body, err := api.BodyOf[B](req)
	if err != nil {
		return nil, err
	}
	return nil, f(body)
}

// HandleNotification implements api.Worker. WORKER_CLOSE is the caller's business: it ends the process.
func (w *Worker) HandleNotification(n *api.Notification) error {
	if w.closed {
		return api.Errorf("Worker is closed")
	}
	w.runner.ForgetPeerClosed(w.registry)
	handler := w.registry.Find(n.HandlerID)
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

func (w *Worker) updateSettings(req *api.WorkerUpdateSettingsRequest) error {
	if w.options.UpdateSettings == nil {
		return nil
	}
	return w.options.UpdateSettings(req)
}

func (w *Worker) createRouter(req *api.WorkerCreateRouterRequest) error {
	if w.routers.Has(req.RouterID) {
		return api.Errorf("a Router with same routerId already exists [method:worker.createRouter]")
	}
	if err := w.registry.Check(req.RouterID); err != nil {
		return err
	}
	r := router.New(req.RouterID, w.registry, w.runner)
	w.registry.Add(req.RouterID, r)
	w.routers.Add(req.RouterID, r)
	return nil
}

func (w *Worker) closeRouter(req *api.WorkerCloseRouterRequest) error {
	r, ok := w.routers.Remove(req.RouterID)
	if !ok {
		return api.NotFoundErrorf("Router not found [method:worker.closeRouter]")
	}
	r.Close()
	return nil
}

func (w *Worker) createServer(req *api.WorkerCreateWebRtcServerRequest) error {
	if w.servers.Has(req.WebRtcServerID) {
		return api.Errorf("a WebRtcServer with same webRtcServerId already exists [method:worker.createWebRtcServer]")
	}
	if err := w.registry.Check(req.WebRtcServerID); err != nil {
		return err
	}
	s, err := router.NewServer(req.WebRtcServerID, req.ListenInfos, w.runner)
	if err != nil {
		return err
	}
	w.registry.Add(req.WebRtcServerID, s)
	w.servers.Add(req.WebRtcServerID, s)
	return nil
}

func (w *Worker) closeServer(req *api.WorkerCloseWebRtcServerRequest) error {
	s, ok := w.servers.Remove(req.WebRtcServerID)
	if !ok {
		return api.NotFoundErrorf("WebRtcServer not found [method:worker.closeWebRtcServer]")
	}
	s.Close()
	w.registry.Remove(req.WebRtcServerID)
	return nil
}

func (w *Worker) dump() *api.WorkerDumpResponse {
	return &api.WorkerDumpResponse{
		PID:             uint32(os.Getpid()),
		WebRtcServerIDs: w.servers.IDs(),
		RouterIDs:       w.routers.IDs(),
		ChannelMessageHandlers: &api.ChannelMessageHandlers{
			ChannelRequestHandlers:      w.registry.IDs(false),
			ChannelNotificationHandlers: w.registry.IDs(true),
		},
	}
}
