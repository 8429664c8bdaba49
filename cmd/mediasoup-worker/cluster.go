package main

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/scaling/front"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/remote"
)

// Environment variables of an application that uses a cluster.
const (
	// clusterEnv lists nodes that carry what the application has, as host, host:port or unix:/path/to/socket, separated by commas; they
	// tell of the others of their cluster. Or local:<number>, which splits this process into so many nodes. Empty: the engine of this
	// process alone.
	clusterEnv = "GAZPACHO_CLUSTER"
	// tlsEnv names the folder with ca.pem and the application's certificate and key, for nodes on other hosts.
	tlsEnv = "GAZPACHO_TLS_DIR"
	// nameEnv chooses the application's certificate where the folder has several.
	nameEnv = "GAZPACHO_NAME"
	// placementEnv names the policy by which transports are placed: fill (default), spread or fixed.
	placementEnv = "GAZPACHO_PLACEMENT"
	// regionEnv and zoneEnv say where the application's host is, as nodes say it by --region and --zone.
	regionEnv = "GAZPACHO_REGION"
	zoneEnv   = "GAZPACHO_ZONE"
	// limitEnv is the load in per cent from which on a node gets nothing new; 0 means that there is none.
	limitEnv = "GAZPACHO_LOAD_LIMIT"
	// fanOutEnv says how many nodes one node feeds a producer to, before those feed others.
	fanOutEnv = "GAZPACHO_FAN_OUT"
	// countersEnv names a file to which a front appends what it has done, as a line of JSON; for tests.
	countersEnv = "GAZPACHO_CLUSTER_COUNTERS"
)

// Chosen here.
const (
	maxLocalNodes = 16 // engines that one process may be split into; each has state of its own
	localPrefix   = "local:"
)

// cluster is a front with what belongs to its process.
type cluster struct {
	*front.Front
	found     *remote.Cluster // nil for nodes of this process
	host      *engine.Host
	closeHost func()
	// certificate returns when the application's certificate ends; nil if it has none.
	certificate func() time.Time
}

// Close implements api.Worker.
func (c *cluster) Close() {
	if c.found != nil {
		c.found.Close()
	}
	c.Front.Close()
	c.closeHost()
}

// newCluster returns a front over the nodes that the environment lists.
func newCluster(list string, opening remote.Opening, options engine.Options, ch *channel.Channel) (*cluster, error) {
	if err := shareCertificate(&opening, &options); err != nil {
		return nil, err
	}
	host, err := engine.NewHost(engine.HostOptions{Log: ch.Logger()})
	if err != nil {
		return nil, err
	}
	c := &cluster{host: host, closeHost: sync.OnceFunc(host.Close)}
	own := func(name string) front.NodeOptions { return ownNode(name, host, options) }
	o := front.Options{Emit: ch.Emit, Log: ch.Logger(), Own: own("own")}
	if o.Placement, err = placementPolicy(os.Getenv(placementEnv), strings.HasPrefix(list, localPrefix)); err == nil {
		o.FanOut, err = fanOut(os.Getenv(fanOutEnv))
	}
	if err == nil {
		if text, ok := strings.CutPrefix(list, localPrefix); ok {
			o.Nodes, err = localNodes(text, own)
		} else {
			c.found, c.certificate, err = findNodes(strings.Split(list, ","), opening, ch)
		}
	}
	if err == nil && c.found != nil {
		for _, n := range c.found.Seeds() {
			o.Nodes = append(o.Nodes, remoteNode(n))
		}
		o.Find = c.found.Find
	}
	if err == nil {
		c.Front, err = front.New(o)
	}
	if err != nil {
		c.closeHost()
		return nil, err
	}
	if c.found != nil {
		c.found.Watch(func(n remote.Found) { c.AddNode(remoteNode(n)) }, c.RemoveNode)
	}
	return c, nil
}

// shareCertificate gives all nodes one certificate for DTLS. A node that restarts has it again, so that transports whose peers were
// told its fingerprints can be restored.
func shareCertificate(opening *remote.Opening, options *engine.Options) (err error) {
	if options.Certificate != nil { // the application's own, which the opening has too
		return nil
	}
	if options.Certificate, err = dtls.GenerateCertificate(); err != nil {
		return err
	}
	opening.Certificate, opening.Key, err = options.Certificate.PEM()
	return err
}

// loopbackPipe is where the ends of relays listen that do not leave the host. Nodes on other hosts put their own address in.
var loopbackPipe = api.ListenInfo{
	Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{},
}

// ownNode is a node that is an engine of this process.
func ownNode(name string, host *engine.Host, options engine.Options) front.NodeOptions {
	return front.NodeOptions{
		Name: name, SameHost: true, Pipe: loopbackPipe,
		Worker: func(emit api.Emitter) (api.Worker, error) {
			o := options
			o.Emit = emit
			return host.NewWorker(o)
		},
	}
}

// localNodes returns as many nodes of this process as the text says.
func localNodes(text string, own func(name string) front.NodeOptions) (nodes []front.NodeOptions, err error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLocalNodes {
		return nil, fmt.Errorf("invalid value '%s%s' for %s: want local:<number of engines>, from 1 to %d",
			localPrefix, text, clusterEnv, maxLocalNodes)
	}
	for i := range n {
		nodes = append(nodes, own(fmt.Sprint("node", i+1)))
	}
	return nodes, nil
}

// findNodes returns what finds the nodes of the cluster, beginning with those at the given addresses; and what tells when the application's
// certificate ends, nil if it has none.
func findNodes(addresses []string, opening remote.Opening, ch *channel.Channel) (_ *remote.Cluster, expires func() time.Time, _ error) {
	var config *tls.Config
	if folder := os.Getenv(tlsEnv); folder != "" {
		credentials, err := identity.Load(folder, identity.Application, os.Getenv(nameEnv))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", tlsEnv, err)
		}
		config, expires = credentials.Client(identity.Node), credentials.Expires
		who := credentials.Identity()
		opening.Application, opening.Tenant = who.Name, who.Tenant
	}
	for i, address := range addresses {
		address = remote.WithPort(strings.TrimSpace(address), remote.DefaultPort)
		addresses[i] = address
		if _, _, err := remote.SplitAddress(address); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", clusterEnv, err)
		}
		if config == nil && !remote.IsLocal(address) {
			return nil, nil, fmt.Errorf("%s: %s is on another host, which is reached with certificates only: set %s", clusterEnv, address, tlsEnv)
		}
	}
	return remote.NewCluster(remote.ClusterOptions{
		Seeds: addresses, TLS: config, Opening: opening, LogLine: ch.LogLine, Log: ch.Logger(),
	}), expires, nil
}

// remoteNode is a node that is reached by a session.
func remoteNode(n remote.Found) front.NodeOptions {
	return front.NodeOptions{
		Name: n.Key, SameHost: remote.IsLocal(n.Address), Pipe: loopbackPipe, Link: n.Address, Again: true, Worker: n.Dial,
	}
}

// placementPolicy returns the policy of that name. Engines of this process have its load in common, so none is fuller than another one,
// and none is busy.
func placementPolicy(name string, local bool) (placement.Policy, error) {
	switch name {
	case "", "fill":
		limit, err := loadLimit(os.Getenv(limitEnv))
		if local {
			limit = math.Inf(1)
		}
		return placement.Fill{At: placement.Labels{Region: os.Getenv(regionEnv), Zone: os.Getenv(zoneEnv)}, Limit: limit}, err
	case "spread":
		return placement.Spread{}, nil
	case "fixed":
		return placement.Fixed{}, nil
	}
	return nil, fmt.Errorf("invalid value '%s' for %s: want fill, spread or fixed", name, placementEnv)
}

// loadLimit returns the load that a text has in per cent, 0 for the default.
func loadLimit(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	percent, err := strconv.Atoi(text)
	if err != nil || percent < 0 || percent > 100 {
		return 0, fmt.Errorf("invalid value '%s' for %s: want per cent, 0 for no limit", text, limitEnv)
	}
	if percent == 0 {
		return math.Inf(1), nil
	}
	return float64(percent) / 100, nil
}

// fanOut returns the number that a text has, 0 for none.
func fanOut(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("invalid value '%s' for %s: want a number of nodes, from 1 on", text, fanOutEnv)
	}
	return n, nil
}

// openingOf returns what nodes have to know of this application.
func openingOf(cfg *config, release string, compat api.Compat) (o remote.Opening, err error) {
	o = remote.Opening{
		Application: cmp.Or(os.Getenv(nameEnv), "application"), Release: release, Compat: compat,
		RTCMinPort: cfg.rtcMinPort, RTCMaxPort: cfg.rtcMaxPort, LogLevel: cfg.logLevel, LogTags: cfg.logTags,
	}
	if cfg.dtlsCertFile == "" {
		return o, nil
	}
	if o.Certificate, err = os.ReadFile(cfg.dtlsCertFile); err != nil {
		return o, err
	}
	o.Key, err = os.ReadFile(cfg.dtlsKeyFile)
	return o, err
}

// reportCounters appends what a front has done to the file that the environment names.
func reportCounters(f *front.Front) error {
	path := os.Getenv(countersEnv)
	if path == "" {
		return nil
	}
	line, err := json.Marshal(f.Counters())
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(append(line, '\n'))
	return err
}
