// Package engine is the media worker of this process: an api.Worker made of routers, transports, producers and consumers that use
// all cores. engine/router has the tables, engine/runner and engine/shard say what runs where, engine/transport and engine/media
// are the machines.
package engine

import (
	"log/slog"
	"os"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/look"
	"gazpacho/engine/router"
)

// mediasoup's defaults for the worker's own port range (its Settings, release 3.27.1).
const (
	DefaultRTCMinPort = 10000
	DefaultRTCMaxPort = 59999
)

// Options configures a worker. The zero value of each field but Emit is a sensible default.
type Options struct {
	// Emit takes notifications for the application. Required.
	Emit api.Emitter
	// Log is the worker's logger; nil discards.
	Log *slog.Logger
	// UpdateSettings applies WORKER_UPDATE_SETTINGS; its error refuses the request. Nil accepts everything.
	UpdateSettings func(*api.WorkerUpdateSettingsRequest) error
	// Shards is the number of shards of a worker that has them for itself, as New makes it; 0 means one for each usable core.
	Shards int
	// RTCMinPort and RTCMaxPort are the ports for transports that name neither port nor range; 0 means mediasoup's default.
	RTCMinPort, RTCMaxPort uint16
	// Compat is the behaviour of the application's release.
	Compat api.Compat
	// Certificate is presented to DTLS peers; nil makes a new one.
	Certificate *dtls.Certificate
	// Owner is the application, as operators are to see it.
	Owner look.Owner
	// Usage selects the meaning of the CPU times that answer WORKER_GET_RESOURCE_USAGE.
	Usage UsageMode
	// Workers returns the number of worker processes that share the cores, this one included; nil means 1.
	Workers func() int
}

// Worker implements api.Worker.
type Worker struct {
	options Options
	host    *Host
	ownHost bool // close the host with the worker
	scope   *router.Scope
	routers router.Table[*router.Router]
	servers router.Table[*router.Server]
	usage   usageScale
	closed  bool
	done    chan struct{}
}

// New starts a worker with shards of its own. It fails if no certificate can be made, or the process is out of file
// descriptors.
func New(o Options) (*Worker, error) {
	host, err := NewHost(HostOptions{Shards: o.Shards, Log: o.Log})
	if err != nil {
		return nil, err
	}
	w, err := host.NewWorker(o)
	if err != nil {
		host.Close()
		return nil, err
	}
	w.ownHost = true
	return w, nil
}

// Host returns the host that carries the worker.
func (w *Worker) Host() *Host { return w.host }

// HandleRequest implements api.Worker. The reply comes before it returns.
func (w *Worker) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	if w.closed {
		reply(nil, errClosed)
		return
	}
	w.scope.ForgetPeerClosed()
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

// HandleNotification implements api.Worker. WORKER_CLOSE ends the process: that is up to the caller.
func (w *Worker) HandleNotification(n *api.Notification) error {
	if w.closed {
		return errClosed
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
	if w.ownHost {
		w.host.Close()
	}
	close(w.done)
}

// errClosed refuses requests after Close.
var errClosed = api.Errorf("Worker is closed")

// RouterOf implements api.Worker.
func (w *Worker) RouterOf(id string) string {
	if handler := w.scope.Find(id); handler != nil {
		return handler.RouterID()
	}
	return ""
}

// Done implements api.Worker: an engine's worker ends by Close only.
func (w *Worker) Done() <-chan struct{} { return w.done }

// Err implements api.Worker.
func (w *Worker) Err() error {
	select {
	case <-w.done:
		return api.ErrClosed
	default:
		return nil
	}
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
