package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/look"
	"gazpacho/metrics"
	"gazpacho/monitor/watched"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/remote"
)

const nodeAbout = `Usage: gazpacho node [OPTION…]

Runs a media node until SIGTERM or SIGINT. On SIGTERM it drains: it takes no new applications, tells the present ones to place
nothing new here, and ends when no transport is left, or after --drain-time. A second signal ends it at once.

Applications on this host reach it by a unix socket, others by TCP with certificates (see 'gazpacho certificates').`

// nodeConfig is what the node's options say.
type nodeConfig struct {
	name                             string
	listen                           list
	tlsFolder                        string
	media4, media6, pipe             string
	announced4, announced6, logLevel string
	labels                           placement.Labels
	watermark, shards                int
	bandwidth                        uint
	ownLoad                          bool
	minPort, maxPort, probePort      uint
	drain                            time.Duration
	metrics, profiles                string
	joinConfig
	steeringConfig
}

// runNode is the command "node".
func runNode(args []string, stdout, stderr io.Writer) error {
	s := newSettings("node", nodeAbout)
	var c nodeConfig
	s.flags.Var(&c.listen, "listen", "`addresses` for applications, separated by commas: host, host:port (port "+remote.DefaultPort+" if none is named) or\n      unix:/path/to/socket (default "+
		defaultSocket()+"; with --join: this host's address towards the others)")
	c.joinConfig.define(s)
	c.steeringConfig.define(s)
	s.flags.StringVar(&c.name, "name", "", "`name` of the node (default: that in its certificate, else the host's)")
	s.flags.StringVar(&c.tlsFolder, "tls-dir", "", "`folder` with ca.pem and the node's certificate and key")
	s.flags.StringVar(&c.media4, "media-address", "", "IPv4 `address` that media is received on (default: that of --listen)")
	s.flags.StringVar(&c.media6, "media-address6", "", "IPv6 `address` that media is received on")
	s.flags.StringVar(&c.announced4, "announced-address", "", "IPv4 `address` or name that browsers are told instead, behind NAT")
	s.flags.StringVar(&c.announced6, "announced-address6", "", "IPv6 `address` or name that browsers are told instead")
	s.flags.StringVar(&c.pipe, "pipe-address", "", "`address` for media between nodes (default: --media-address)")
	s.flags.UintVar(&c.minPort, "rtc-min-port", 0, "lowest `port` for media (default: the application's)")
	s.flags.UintVar(&c.maxPort, "rtc-max-port", 0, "highest `port` for media (default: the application's)")
	s.flags.UintVar(&c.probePort, "probe-port", 0, "UDP `port` at which other nodes show that they reach this one (default: the highest free one for media)")
	s.flags.StringVar(&c.labels.Region, "region", "", "`name` of the region that the node is in: applications of the region prefer it")
	s.flags.StringVar(&c.labels.Zone, "zone", "", "`name` of the zone within the region, such as a data centre")
	s.flags.IntVar(&c.watermark, "watermark", 0, "load in `per cent` up to which the node is filled before others (default: 60)")
	s.flags.UintVar(&c.bandwidth, "bandwidth", 0, "`Mbit/s` that the host's network carries in each direction: the load is that of CPU or network, whichever is more (default: CPU only)")
	s.flags.BoolVar(&c.ownLoad, "own-load", false, "count CPU time of this process only: for hosts on which others use no more than what is left")
	s.flags.IntVar(&c.shards, "shards", 0, "`number` of cores to use (default: all)")
	s.flags.StringVar(&c.logLevel, "log-level", "info", "`level` of the node's log on standard error: debug, info, warn or error")
	s.flags.StringVar(&c.metrics, "metrics", metrics.DefaultAddress, "`address` for metrics, /healthz and /readyz: an IP address with a port or a range of ports, unix:/path/to/folder, or none")
	s.flags.StringVar(&c.profiles, "pprof", "none", "`address` for Go's profiles, likewise; on this host only")
	s.flags.DurationVar(&c.drain, "drain-time", time.Hour, "longest `time` to drain")
	rest, err := s.parse(args, stdout)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return usagef("unknown argument %q", rest[0])
	case c.probePort > 65535:
		return usagef("--probe-port %d is no port", c.probePort)
	case c.watermark < 0 || c.watermark > 100:
		return usagef("--watermark %d is no per cent", c.watermark)
	}
	if err := c.complete(); err != nil {
		return err
	}
	if err := c.openWebhook(); err != nil {
		return err
	}
	return c.serve(stdout, stderr)
}

// defaultSocket is where a node of this host listens if nothing else is said.
func defaultSocket() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && os.Getuid() != 0 {
		return "unix:" + filepath.Join(dir, "gazpacho.sock")
	}
	return "unix:/run/gazpacho.sock"
}

// serve runs the node.
func (c *nodeConfig) serve(stdout, stderr io.Writer) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return usagef("--log-level: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	shownAt, profilesAt, err := c.shownAt()
	if err != nil {
		return err
	}
	addresses, err := c.addresses()
	if err != nil {
		return err
	}
	var credentials *identity.Credentials
	if c.tlsFolder != "" {
		if credentials, err = identity.Load(c.tlsFolder, identity.Node, c.name); err != nil {
			return err
		}
		c.name = credentials.Identity().Name
	}
	if c.name == "" {
		c.name, _ = os.Hostname()
	}
	host, err := engine.NewHost(engine.HostOptions{Shards: c.shards, OwnLoadOnly: c.ownLoad, Log: log})
	if err != nil {
		return err
	}
	defer host.Close()
	var nodes *tls.Config
	if credentials != nil {
		nodes = credentials.Client(identity.Node)
	}
	shows := watched.New(host, look.Process{Name: c.name, Version: version, PID: os.Getpid(), Since: time.Now().Unix()})
	defer shows.Close()
	requests := metrics.NewRequests()
	server := remote.NewServer(remote.ServerOptions{
		Name: c.name, Nodes: nodes, Addresses: addresses, Log: log, Logger: applicationLog, Load: host.Load, Traffic: trafficOf(host), Look: shows.Answer,
		Labels: c.labels, Watermark: float64(c.watermark) / 100, Cores: c.shards, Ports: c.portsShown(), Bandwidth: uint64(c.bandwidth) * 1000,
		NewWorker: func(o *remote.Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error) {
			worker, err := c.newWorker(host, o, emit, log)
			if err != nil {
				return nil, err
			}
			return requests.Of(worker), nil
		},
	})
	defer server.Close()
	sources := metrics.Sources{Version: version, Host: host, Requests: requests, Node: server.Status, Steering: c.steered.figures}
	if credentials != nil {
		sources.Certificate = credentials.Expires
	}
	defer serve(shownAt, "metrics", log, func(a metrics.Address) (*metrics.Server, error) { return metrics.Serve(a, sources) }).Close()
	defer serve(profilesAt, "profiles", log, metrics.ServeProfiles).Close()
	return c.run(server, addresses, credentials, stdout, log)
}

// run joins the cluster if there is one, and serves applications until the node has ended.
func (c *nodeConfig) run(server *remote.Server, addresses remote.Addresses, credentials *identity.Credentials, stdout io.Writer, log *slog.Logger) error {
	// Before the node says that it is ready: whoever started it may then end it.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	listeners, err := c.open(credentials)
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	if err != nil {
		return err
	}
	if c.joins() {
		member, err := c.enter(server, listeners, addresses, credentials, signals, log)
		switch {
		case errors.Is(err, context.Canceled):
			return nil // by a signal
		case err != nil:
			return err
		}
		defer member.Close()
	}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		var config *tls.Config
		if l.Addr().Network() != "unix" {
			config = credentials.Server()
		}
		go func() { failed <- server.Serve(l, config) }()
		fmt.Fprintf(stdout, "node %s listens on %s\n", c.name, listenName(l))
	}
	return c.wait(server, failed, signals, log)
}

// open opens the listeners, which nobody is served at yet.
func (c *nodeConfig) open(credentials *identity.Credentials) (listeners []net.Listener, err error) {
	for _, address := range c.listen {
		if !remote.IsLocal(address) && credentials == nil {
			return listeners, usagef("--listen %s needs certificates: set --tls-dir, or use a unix socket", address)
		}
		l, err := remote.Listen(address)
		if err != nil {
			return listeners, fmt.Errorf("--listen %s: %w", address, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func listenName(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	return l.Addr().String()
}

// wait returns when the node has ended.
func (c *nodeConfig) wait(server *remote.Server, failed <-chan error, signals <-chan os.Signal, log *slog.Logger) error {
	for {
		select {
		case err := <-failed:
			return err
		case s := <-signals:
			if s == syscall.SIGINT {
				return nil
			}
		case <-server.Orders():
			if !server.Draining() {
				continue
			}
		}
		if c.drainOut(server, signals, log) {
			return nil
		}
		log.Info("draining no more")
	}
}

// drainOut drains the node, and returns whether it is to end.
func (c *nodeConfig) drainOut(server *remote.Server, signals <-chan os.Signal, log *slog.Logger) (ended bool) {
	log.Info("draining", "limit", c.drain)
	interrupted := interruptible(signals, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, c.drain)
		defer cancel()
		ended = server.Drain(ctx)
	})
	return ended || interrupted
}

// interruptible runs f with a context that a signal ends, and reports whether one did. A signal that comes when f has returned is left
// to whoever waits for the next: it is not lost.
func interruptible(signals <-chan os.Signal, f func(ctx context.Context)) (interrupted bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		f(ctx)
	}()
	select {
	case <-returned:
		return false
	case <-signals:
		cancel()
		<-returned
		return true
	}
}

// addresses returns the addresses for media. Where TCP is listened on a certain address, that is the one unless told otherwise.
func (c *nodeConfig) addresses() (a remote.Addresses, err error) {
	for _, address := range c.listen {
		if remote.IsLocal(address) {
			continue
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return a, usagef("--listen %q: host:port or unix:/path/to/socket", address)
		}
		if ip, err := netip.ParseAddr(host); err == nil && !ip.IsUnspecified() {
			if ip.Is4() && c.media4 == "" {
				c.media4 = host
			}
			if ip.Is6() && c.media6 == "" {
				c.media6 = host
			}
		}
	}
	parse := func(option, value string, want4 bool) (ip netip.Addr) {
		if value == "" || err != nil {
			return ip
		}
		if ip, err = netip.ParseAddr(value); err != nil {
			err = usagef("--%s %q is no IP address", option, value)
		} else if option != "pipe-address" && ip.Is4() != want4 {
			err = usagef("--%s %s is of the other IP version", option, value)
		}
		return ip
	}
	a = remote.Addresses{
		Media4: parse("media-address", c.media4, true), Media6: parse("media-address6", c.media6, false),
		Announced4: c.announced4, Announced6: c.announced6, Pipe: parse("pipe-address", c.pipe, true),
	}
	if err == nil {
		a.Pipe, err = c.pipeFor(a)
	}
	if err == nil && (c.minPort > c.maxPort || c.maxPort > 65535) {
		err = usagef("--rtc-min-port %d and --rtc-max-port %d are no range of ports", c.minPort, c.maxPort)
	}
	return a, err
}

// pipeFor returns the address for media between nodes, which has to be one that they can send to. It is not set where all are on one host,
// which use its loopback addresses then.
func (c *nodeConfig) pipeFor(a remote.Addresses) (netip.Addr, error) {
	switch {
	case a.Pipe.IsUnspecified():
		return a.Pipe, usagef("--pipe-address %s is no address that other nodes can send to", a.Pipe)
	case a.Pipe.IsValid():
		return a.Pipe, nil
	}
	for _, ip := range []netip.Addr{a.Media4, a.Media6} {
		if ip.IsValid() && !ip.IsUnspecified() {
			return ip, nil
		}
	}
	alone := !slices.ContainsFunc(c.listen, func(address string) bool { return !remote.IsLocal(address) })
	if !alone && (a.Media4.IsValid() || a.Media6.IsValid()) {
		return a.Pipe, usagef("--media-address %s is no address that other nodes can send to: set --pipe-address", cmp.Or(a.Media4, a.Media6))
	}
	return a.Pipe, nil
}

// newWorker makes the worker of an application on the node's shards.
func (c *nodeConfig) newWorker(host *engine.Host, o *remote.Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error) {
	options := engine.Options{
		Emit: emit, Log: log, Compat: o.Compat, RTCMinPort: o.RTCMinPort, RTCMaxPort: o.RTCMaxPort,
		Owner: look.Owner{Application: look.Name(o.Application), Tenant: look.Name(o.Tenant)},
	}
	if c.maxPort > 0 {
		options.RTCMinPort, options.RTCMaxPort = uint16(c.minPort), uint16(c.maxPort)
	}
	if len(o.Certificate) > 0 {
		var err error
		if options.Certificate, err = dtls.ParseCertificate("of the application", o.Certificate, "of the application", o.Key); err != nil {
			return nil, err
		}
	}
	worker, err := host.NewWorker(options)
	if err != nil {
		return nil, errors.Join(errors.New("no worker could be made"), err)
	}
	return worker, nil
}

// trafficOf returns what says what a host has received and sent.
func trafficOf(host *engine.Host) func() remote.Traffic {
	return func() remote.Traffic {
		d := host.Datagrams()
		return remote.Traffic{
			Received: d.Received.Packets, Sent: d.Sent.Packets, BytesReceived: d.Received.Bytes, BytesSent: d.Sent.Bytes,
		}
	}
}

// applicationLog returns the log of an application's worker, whose lines the application gets.
func applicationLog(o *remote.Opening, emit func(line string)) *slog.Logger {
	settings := channel.NewSettings()
	// What the front checked before it passed it on.
	_ = settings.Update(&api.WorkerUpdateSettingsRequest{LogLevel: o.LogLevel, LogTags: o.LogTags})
	return channel.NewLogger(settings, emit)
}
