package regions_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/peer-tests/app"
)

// process is a node's.
type process struct {
	*exec.Cmd
	stdout io.Reader
	stderr bytes.Buffer
}

// startNodes starts all nodes, which find each other, and waits until each knows all.
func startNodes(t *testing.T) map[string]*process {
	t.Helper()
	var join []string
	for _, n := range nodes {
		if n.bus {
			join = append(join, n.address.String())
		}
	}
	all := map[string]*process{}
	for _, n := range nodes {
		all[n.name] = startNode(t, n, strings.Join(join, ","))
	}
	for name, p := range all {
		ready, err := bufio.NewReader(p.stdout).ReadString('\n')
		require.NoError(t, err, "node %s: %s", name, &p.stderr)
		require.Contains(t, ready, "listens on")
	}
	for _, n := range nodes {
		eventually(t, "a node to know all", func() bool { return len(status(t, n.address.String())) == len(nodes) })
	}
	return all
}

func startNode(t *testing.T, n host, join string) *process {
	t.Helper()
	args := []string{
		"netns", "exec", "gzr-" + n.name, nodeBinary, "node", "--name", n.name, "--region", n.region, "--listen", n.address.String(), "--join", join,
		"--pipe-address", n.pipe.String(), "--announced-address", n.announced.String(), "--metrics", "none",
	}
	if n.bus {
		args = append(args, "--bus")
	}
	p := &process{Cmd: exec.Command("ip", args...)} // which becomes the node
	p.Stderr = &p.stderr
	var err error
	p.stdout, err = p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	t.Cleanup(func() {
		_ = p.Process.Signal(syscall.SIGINT)
		_ = p.Wait()
		if t.Failed() {
			t.Logf("node %s:\n%s", n.name, p.stderr.String())
		}
	})
	return p
}

// row is what `gazpacho status` says of a node.
type row struct {
	Name   string
	Labels map[string]string
	Status *struct {
		Unheard []struct{ Node, From, To string }
	}
}

// status asks a node for all.
func status(t *testing.T, address string) (rows []row) {
	t.Helper()
	out, err := exec.Command(nodeBinary, "status", "--json", "--cluster", address).Output()
	if len(out) == 0 {
		require.NoError(t, err)
	}
	require.NoError(t, json.Unmarshal(out, &rows))
	return rows
}

// startApp starts a worker on the host of an application. How busy the machine is does not matter.
func startApp(t *testing.T, at host, placement string) *app.Worker {
	t.Helper()
	var cluster []string
	for _, n := range nodes {
		cluster = append(cluster, n.address.String())
	}
	path := filepath.Join(t.TempDir(), "worker")
	script := fmt.Sprintf("#!/bin/sh\nexport GAZPACHO_LOAD_LIMIT=0 GAZPACHO_CLUSTER=%s GAZPACHO_REGION=%s GAZPACHO_PLACEMENT=%s\nexec ip netns exec gzr-%s %q \"$@\"\n",
		strings.Join(cluster, ","), at.region, placement, at.name, workerBinary)
	require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
	return app.Start(t, path)
}

// nodeAt returns the node with a public address.
func nodeAt(t *testing.T, public string) host {
	t.Helper()
	for _, n := range nodes {
		if n.announced == netip.MustParseAddr(public) {
			return n
		}
	}
	require.FailNow(t, "no node is announced so", public)
	return host{}
}

// eventually polls until a condition holds that nothing tells of.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * app.Patience); !holds(); {
		require.True(t, time.Now().Before(deadline), "timeout waiting for %s", what)
		time.Sleep(50 * time.Millisecond)
	}
}
