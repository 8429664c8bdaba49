package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gazpacho/engine/look"
	"gazpacho/monitor"
	"gazpacho/monitor/watched"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
)

const monitorAbout = `Usage: gazpacho monitor [OPTION…]

Serves a page that shows, live, the nodes of a cluster or the workers of this host, what connects them, their rooms, and the whole story
of each transport. It only reads.

Nodes are found as 'gazpacho status' finds them. Workers without a cluster are found in the folder that their GAZPACHO_MONITOR names.

On this host everybody reaches the page unless there is a token. Where other hosts reach it, a token or certificates of operators are
required.`

// monitorConfig is what the monitor's options say.
type monitorConfig struct {
	access
	workers, listen, token string
	certificate, key       string
	mutual                 bool
}

// runMonitor is the command "monitor".
func runMonitor(args []string, stdout, _ io.Writer) error {
	s := newSettings("monitor", monitorAbout)
	var c monitorConfig
	c.define(s)
	s.flags.StringVar(&c.workers, "workers", "", "`folder` with the sockets of this host's workers (their GAZPACHO_MONITOR without unix:)")
	s.flags.StringVar(&c.listen, "listen", "127.0.0.1:9470", "`address` that the page is served at")
	s.flags.StringVar(&c.token, "token-file", "", "`file` with the token that visitors must know")
	s.flags.StringVar(&c.certificate, "certificate", "", "`file` with the page's certificate (PEM), for HTTPS")
	s.flags.StringVar(&c.key, "key", "", "`file` with its key")
	s.flags.BoolVar(&c.mutual, "mtls", false, "let in browsers with an operator's certificate of --tls-dir's cluster only")
	rest, err := s.parse(args, stdout)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return usagef("unknown argument %q", rest[0])
	}
	if err := c.check(); err != nil {
		return err
	}
	return c.serve(stdout)
}

func (c *monitorConfig) check() error {
	_, _, err := net.SplitHostPort(c.listen)
	switch {
	case len(c.cluster) == 0 && c.workers == "":
		return usagef("name what to look at: --cluster host1:7000,host2:7000, or --workers /run/gazpacho-monitor")
	case err != nil:
		return usagef("--listen %s: host:port", c.listen)
	case (c.certificate == "") != (c.key == ""):
		return usagef("--certificate and --key go together")
	case c.mutual && (c.certificate == "" || c.folder == ""):
		return usagef("--mtls needs --certificate, --key and --tls-dir")
	case !monitor.IsLocal(c.listen) && c.token == "" && !c.mutual:
		return usagef("--listen %s is reached from other hosts: set --token-file or --mtls", c.listen)
	}
	return nil
}

// serve runs the monitor until a signal ends it.
func (c *monitorConfig) serve(stdout io.Writer) error {
	var o monitor.Options
	var err error
	if c.token != "" {
		if o.Token, err = monitor.ReadToken(c.token); err != nil {
			return err
		}
	}
	if o.TLS, err = c.https(); err != nil {
		return err
	}
	find, err := c.finder()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", c.listen, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	o.Watch = monitor.NewWatch(find)
	server := monitor.Serve(l, o)
	defer server.Close()
	fmt.Fprintf(stdout, "the monitor is at %s\n", server.Where())
	o.Watch.Run(ctx)
	return nil
}

// https returns how the page is served by HTTPS, nil if it is not.
func (c *monitorConfig) https() (*tls.Config, error) {
	if c.certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.certificate, c.key)
	if err != nil {
		return nil, fmt.Errorf("--certificate: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	if !c.mutual {
		return config, nil
	}
	credentials, err := identity.Load(c.folder, identity.Operator, c.name)
	if err != nil {
		return nil, err
	}
	config.ClientAuth, config.VerifyConnection = tls.RequireAnyClientCert, credentials.Verify(identity.Operator)
	config.SessionTicketsDisabled = true // as a resumed connection would not be verified
	return config, nil
}

// finder returns what finds all that is looked at.
func (c *monitorConfig) finder() (monitor.Find, error) {
	var finders []monitor.Find
	if c.workers != "" {
		finders = append(finders, workersIn(c.workers))
	}
	if len(c.cluster) > 0 {
		config, err := c.open()
		if err != nil {
			return nil, err
		}
		seeds := &seeds{named: c.cluster, config: config, names: map[string]string{}}
		finders = append(finders, seeds.find)
	}
	return func(ctx context.Context) (nodes []monitor.Node) {
		for _, find := range finders {
			nodes = append(nodes, find(ctx)...)
		}
		return nodes
	}, nil
}

// workersIn returns what finds the workers that have a socket in a folder.
func workersIn(folder string) monitor.Find {
	return func(context.Context) (nodes []monitor.Node) {
		names, _ := filepath.Glob(filepath.Join(folder, "*"+watched.SocketSuffix)) // fails for malformed patterns only
		for _, name := range names {
			if c, err := net.Dial("unix", name); err == nil {
				c.Close()
			} else if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, os.ErrNotExist) {
				continue // of a worker that has ended
			}
			nodes = append(nodes, monitor.Node{
				Name: "worker " + strings.TrimSuffix(filepath.Base(name), watched.SocketSuffix), Address: "unix:" + name, Host: remote.HostID(),
				Ask: asker("unix:"+name, nil),
			})
		}
		return nodes
	}
}

func asker(address string, config *tls.Config) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, question []byte) ([]byte, error) {
		return remote.AskLook(ctx, address, config, question)
	}
}

// seeds finds the nodes of a cluster. It is used by one goroutine at a time.
type seeds struct {
	named  []string
	config *tls.Config
	heard  []string          // addresses of all nodes that were found last
	names  map[string]string // of nodes by address, so that one that is gone is still called by its name
}

// find asks the nodes that were named, or all that it has heard of if none of those answers.
func (s *seeds) find(context.Context) []monitor.Node {
	rows := askAll(s.named, s.config)
	if !slices.ContainsFunc(rows, nodeRow.answers) && len(s.heard) > 0 {
		rows = askAll(s.heard, s.config)
	}
	nodes := make([]monitor.Node, len(rows))
	before := s.names
	s.heard, s.names = nil, map[string]string{}
	for i, r := range rows {
		if name := cmp.Or(r.Name, before[r.Address]); name != "" {
			s.names[r.Address] = name
		}
		nodes[i] = s.nodeOf(&r)
		s.heard = append(s.heard, r.Address)
	}
	return nodes
}

func (r nodeRow) answers() bool { return r.Status != nil }

// nodeOf says how a node is asked.
func (s *seeds) nodeOf(r *nodeRow) monitor.Node {
	n := monitor.Node{
		Name: cmp.Or(s.names[r.Address], r.Address), Address: r.Address, Host: r.Host, State: r.state(), Region: r.Labels["region"], Zone: r.Labels["zone"],
		Error: r.Error, Version: r.Version, Ask: asker(r.Address, s.config),
	}
	if r.Namesake {
		n.Name += " at " + r.Address
	}
	if r.Name == "" {
		n.Ask = nil // it was asked just now
	}
	if r.Status == nil {
		return n
	}
	for _, f := range r.Status.Fronts {
		n.Fronts = append(n.Fronts, monitor.Front{
			Owner: look.Owner{Application: look.Name(f.Application), Tenant: look.Name(f.Tenant)}, Release: f.Release, Connected: f.Connected,
			Routers: f.Load.Routers, Dropped: f.Dropped,
		})
	}
	for _, l := range r.Status.Links {
		if l.To != "" {
			n.Links = append(n.Links, monitor.Link{To: l.To, Connected: l.Connected, Streams: l.Streams, Waiting: l.Waiting, Lost: l.Lost})
		}
	}
	return n
}
