package engine

import (
	"crypto/rand"
	"log/slog"
	"runtime"
	"sync"

	"gazpacho/engine/dtls"
	"gazpacho/engine/netio"
	"gazpacho/engine/router"
	"gazpacho/engine/runner"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
)

// HostOptions configures a host.
type HostOptions struct {
	// Shards is the number of shards; 0 means one for each usable core.
	Shards int
	// OwnLoadOnly has the load count what this process uses and nothing of others: for machines on which others only use what is left.
	OwnLoadOnly bool
	// Log gets faults and overload that concern the whole host; nil discards.
	Log *slog.Logger
}

// Host is the shards of a process, on which any number of workers carry their media, each for an application of its own.
// Workers have nothing in common but the shards: ids, WebRtcServers, ports, certificate, release, log and emitter are each
// worker's. Workers of one host may be made, used and closed at the same time.
type Host struct {
	runner  *runner.Runner
	shards  int
	load    *processLoad
	figures sync.Mutex // held by Figures
}

// NewHost starts the shards. It fails if the process is out of file descriptors.
func NewHost(o HostOptions) (*Host, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Shards == 0 {
		o.Shards = runtime.GOMAXPROCS(0)
	}
	options := runner.Options{
		Shards: o.Shards, Clock: shard.SystemClock(), Log: o.Log, Listen: listenUDP, ListenTCP: netio.ListenTCP,
	}
	rand.Read(options.Seed[:]) // crypto/rand.Read never fails
	r, err := runner.New(options)
	if err != nil {
		return nil, err
	}
	return &Host{runner: r, shards: o.Shards, load: newProcessLoad(o.Shards, o.OwnLoadOnly)}, nil
}

func listenUDP(cfg netio.UDPConfig) (transport.Socket, error) {
	socket, err := netio.ListenUDP(cfg)
	if err != nil {
		return nil, err
	}
	return socket, nil
}

// NewWorker makes a worker on the host's shards. Closing it closes its own objects only. It fails if no
// certificate can be made.
func (h *Host) NewWorker(o Options) (*Worker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
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
	return &Worker{
		options: o, host: h, usage: usageScale{mode: o.Usage, cores: h.shards, workers: o.Workers}, done: make(chan struct{}),
		scope: router.NewScope(h.runner, transport.WorkerEnv{
			Emit: o.Emit, Log: o.Log, RTCMinPort: o.RTCMinPort, RTCMaxPort: o.RTCMaxPort, Compat: o.Compat, Owner: o.Owner,
		}, o.Certificate),
	}, nil
}

// Load returns the fraction that is used, from 0 to 1, of the CPU time open to the host, as its workers' [api.Load] has it. A host without
// workers has a load too: other processes may use the machine.
func (h *Host) Load() float64 { return h.load.fraction() }

// Close ends the shards. All workers must be closed.
func (h *Host) Close() { h.runner.Close() }
