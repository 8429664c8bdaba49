package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/scaling/front"
	"gazpacho/scaling/placement"
)

const (
	// clusterEnv says which workers carry what the application has; empty: the engine of this process alone.
	clusterEnv = "GAZPACHO_CLUSTER"
	// countersEnv names a file to which a front appends what it has done, as a line of JSON; for tests.
	countersEnv = "GAZPACHO_CLUSTER_COUNTERS"
	// maxLocalNodes bounds how many engines one process may be split into, chosen here: each has shards of its own.
	maxLocalNodes = 16
)

// localNodes reads the value of clusterEnv: 0 for none, or the number in local:<number>, which splits this process into so many
// nodes.
func localNodes(value string) (int, error) {
	if value == "" {
		return 0, nil
	}
	text, ok := strings.CutPrefix(value, "local:")
	n, err := strconv.Atoi(text)
	if !ok || err != nil || n < 1 || n > maxLocalNodes {
		return 0, fmt.Errorf("invalid value '%s' for %s: want local:<number of engines>, from 1 to %d", value, clusterEnv, maxLocalNodes)
	}
	return n, nil
}

// newLocalCluster returns a front over nodes that are engines of this process, with every Router spread over all of them: what a
// cluster does, for development and tests.
func newLocalCluster(nodes int, options engine.Options, ch *channel.Channel) (*localCluster, error) {
	host, err := engine.NewHost(engine.HostOptions{Log: ch.Logger()})
	if err != nil {
		return nil, err
	}
	node := func(name string) front.NodeOptions {
		return front.NodeOptions{
			Name: name, SameHost: true,
			Pipe: api.ListenInfo{Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}},
			Worker: func(emit api.Emitter) (api.Worker, error) {
				o := options
				o.Emit = emit
				return host.NewWorker(o)
			},
		}
	}
	o := front.Options{Emit: ch.Emit, Log: ch.Logger(), Own: node("own"), Placement: placement.Spread{}}
	for i := range nodes {
		o.Nodes = append(o.Nodes, node(fmt.Sprint("node", i+1)))
	}
	f, err := front.New(o)
	if err != nil {
		host.Close()
		return nil, err
	}
	return &localCluster{f, sync.OnceFunc(host.Close)}, nil
}

// localCluster is a front with the shards of its nodes.
type localCluster struct {
	*front.Front
	closeHost func()
}

// Close implements api.Worker.
func (c *localCluster) Close() {
	c.Front.Close()
	c.closeHost()
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
