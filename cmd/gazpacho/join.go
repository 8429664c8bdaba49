package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"

	"gazpacho/scaling/bus"
	"gazpacho/scaling/directory"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/reach"
	"gazpacho/scaling/remote"
)

// joinConfig is what the options say of the cluster that a node is a part of.
type joinConfig struct {
	join      list
	bus       bool
	address   string
	url       string
	advertise string
}

func (c *joinConfig) define(s *settings) {
	s.flags.Var(&c.join, "join", "`hosts` that run the cluster's bus, separated by commas: host or host:port; a name may mean several")
	s.flags.BoolVar(&c.bus, "bus", false, "be one of these")
	s.flags.StringVar(&c.address, "bus-address", "", "`address` that the bus listens on, and on the next port (default: that of --listen, port "+busPort+")")
	s.flags.StringVar(&c.url, "bus-url", "", "`address` of a NATS of your own in place of --join: nats://… or tls://…")
	s.flags.StringVar(&c.advertise, "advertise", "", "`address` by which applications and other nodes reach this one (default: that of --listen)")
}

var busPort = strconv.Itoa(bus.DefaultPort)

// joins says whether the node is a part of a cluster.
func (c *joinConfig) joins() bool { return len(c.join) > 0 || c.url != "" }

// complete fills in what follows from other options.
func (c *nodeConfig) complete() error {
	j := &c.joinConfig
	switch {
	case !j.joins() && (j.bus || j.address != "" || j.advertise != ""):
		return usagef("name the hosts of the cluster's bus: --join host1,host2,host3")
	case len(j.join) > 0 && c.tlsFolder == "":
		return usagef("nodes of a cluster know each other by certificates: set --tls-dir")
	case !j.bus && j.address != "":
		return usagef("--bus-address is for nodes with --bus")
	}
	for i := range j.join {
		j.join[i] = remote.WithPort(j.join[i], busPort)
	}
	if len(c.listen) == 0 {
		c.listen = list{defaultSocket()}
		if len(j.join) > 0 {
			ip, err := ownAddress(j.join)
			if err != nil {
				return err
			}
			c.listen = list{net.JoinHostPort(ip.String(), remote.DefaultPort)}
		}
	}
	for i := range c.listen {
		c.listen[i] = remote.WithPort(c.listen[i], remote.DefaultPort)
	}
	if j.bus && j.address == "" {
		host, err := c.hostOf("--bus-address")
		if err != nil {
			return err
		}
		j.address = host
	}
	j.address = remote.WithPort(j.address, busPort)
	return nil
}

// hostOf returns the host of the address that the node listens on for other hosts, for want of an option.
func (c *nodeConfig) hostOf(option string) (string, error) {
	for _, address := range c.listen {
		if host, _, err := net.SplitHostPort(address); err == nil && !remote.IsLocal(address) {
			return host, nil
		}
	}
	return "", usagef("the node listens on no address for other hosts: set --listen or %s", option)
}

// ownAddress returns this host's address towards the others.
func ownAddress(join []string) (found netip.Addr, err error) {
	for _, address := range join {
		var c net.Conn
		if c, err = net.Dial("udp", address); err != nil { // sends nothing: the kernel says which address it would use
			continue
		}
		own := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
		c.Close()
		if !found.IsValid() || found.IsLoopback() {
			found = own
		}
	}
	if found.IsValid() {
		return found, nil
	}
	return found, fmt.Errorf("this host's address is not known, as no host of --join is: set --listen (%w)", err)
}

// reached returns by which addresses sessions reach the node.
func (c *nodeConfig) reached(listeners []net.Listener) (all []string, err error) {
	if c.advertise != "" {
		all = append(all, remote.WithPort(c.advertise, remote.DefaultPort))
	}
	for _, l := range listeners {
		at, ok := l.Addr().(*net.TCPAddr)
		switch {
		case !ok:
			all = append(all, listenName(l))
		case c.advertise != "":
		case at.IP.IsUnspecified():
			return nil, usagef("--listen %s does not say by which address others reach the node: set --advertise", l.Addr())
		default:
			all = append(all, listenName(l))
		}
	}
	return all, nil
}

// enter makes the node a part of its cluster. It returns once the node may serve; a signal ends the waiting.
func (c *nodeConfig) enter(
	server *remote.Server, listeners []net.Listener, a remote.Addresses, credentials *identity.Credentials, signals <-chan os.Signal, log *slog.Logger,
) (*member, error) {
	addresses, err := c.reached(listeners)
	if err != nil {
		return nil, err
	}
	self := membership.Node{
		Name: c.name, Incarnation: rand.Text(), Version: version, Host: remote.HostID(), Addresses: addresses, Labels: c.labels.All(), Watermark: float64(c.watermark) / 100,
	}
	if a.Pipe.IsValid() {
		self.Pipe = a.Pipe.String()
	}
	prober := c.probe(&self, a.Pipe, log)
	server.SetUnheard(prober.Unheard)
	o := bus.Options{
		Self: func() membership.Node {
			now := self
			now.Draining, now.Load = server.Draining(), server.Load()
			c.steered.describe(&now)
			return now
		},
		Credentials: credentials, Join: c.join, URL: c.url, Receive: server.HandleMessage, Log: log,
		Changed: func(rows []membership.Row) {
			server.HandleNodes(rows)
			prober.HandleNodes(rows)
		},
	}
	if c.bus {
		o.Serve = c.address
	}
	var node *bus.Node
	interrupted := interruptible(signals, func(ctx context.Context) { node, err = bus.Join(ctx, o) })
	if interrupted && err == nil { // it had joined by then
		node.Close()
		err = context.Canceled
	}
	if err != nil {
		prober.Close()
		return nil, err
	}
	server.SetMembers(node.Rows)
	server.JoinDirectory(directory.Member{Name: self.Name, Incarnation: self.Incarnation}, node)
	c.steered.begin(c, node, log)
	return &member{node, prober, &c.steered}, nil
}

// member is the node's part in its cluster.
type member struct {
	bus      *bus.Node
	prober   *reach.Prober
	steering *steered
}

// Close says goodbye.
func (m *member) Close() {
	m.steering.close()
	m.bus.Close()
	m.prober.Close()
}
