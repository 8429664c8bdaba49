package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/monitor/watched"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
)

// startMonitor starts a monitor and returns the page's address and how to end it.
func startMonitor(t *testing.T, args ...string) (address string, end func()) {
	t.Helper()
	stdout, ready := newLines()
	ended := make(chan int, 1)
	go func() {
		ended <- run(append([]string{"monitor", "--listen", "127.0.0.1:0"}, args...), stdout, os.Stderr)
	}()
	select {
	case line := <-ready:
		address = strings.TrimPrefix(line, "the monitor is at ")
	case code := <-ended:
		t.Fatalf("the monitor ended with %d", code)
	case <-time.After(patience):
		t.Fatal("the monitor is not ready")
	}
	return address, func() {
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
		require.Zero(t, <-ended)
	}
}

// overviewNodes returns the nodes that a monitor shows, with why they do not answer.
func overviewNodes(t *testing.T, client *http.Client, address string) map[string]string {
	t.Helper()
	r, err := client.Get(address + "api/overview")
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	var answer struct {
		Data struct {
			Nodes []struct{ Name, Error string }
		}
	}
	require.NoError(t, json.Unmarshal(b, &answer), string(b))
	nodes := map[string]string{}
	for _, n := range answer.Data.Nodes {
		nodes[n.Name] = n.Error
	}
	return nodes
}

// The monitor of a cluster shows nodes and workers of this host over HTTPS, to operators only. A node that ends keeps its name.
func TestMonitor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	for _, args := range [][]string{{"ca"}, {"node", "a"}, {"node", "b"}, {"app", "edumeet"}, {"operator", "me"}} {
		code, _, stderr := call(append([]string{"certificates", "--tls-dir", dir}, args...)...)
		require.Zero(t, code, stderr)
	}
	folder := t.TempDir()
	worker, err := remote.Listen("unix:" + filepath.Join(folder, "7"+watched.SocketSuffix))
	require.NoError(t, err)
	answer := func([]byte) ([]byte, error) { return []byte(`{"process":{"name":"seven"}}`), nil }
	go remote.ServeLooks(worker, answer, slog.New(slog.DiscardHandler))
	gone, err := net.Listen("unix", filepath.Join(folder, "8"+watched.SocketSuffix))
	require.NoError(t, err)
	gone.(*net.UnixListener).SetUnlinkOnClose(false)
	gone.Close()

	a, b := startNode(t, dir, "a"), startNode(t, dir, "b")
	cert, key := identity.Files(dir, identity.Node, "a")
	address, end := startMonitor(t, "--cluster", a.address+","+b.address, "--tls-dir", dir, "--workers", folder, "--certificate", cert, "--key", key, "--mtls")
	require.True(t, strings.HasPrefix(address, "https://"))
	as := func(role identity.Role) *http.Client {
		credentials, err := identity.Load(dir, role, "")
		require.NoError(t, err)
		return &http.Client{Transport: &http.Transport{TLSClientConfig: credentials.Client(identity.Node)}}
	}
	operator := as(identity.Operator)
	require.Eventually(t, func() bool { return len(overviewNodes(t, operator, address)) == 3 }, patience, time.Millisecond)
	require.Equal(t, map[string]string{"a": "", "b": "", "worker 7": ""}, overviewNodes(t, operator, address))
	_, err = as(identity.Application).Get(address)
	require.Error(t, err, "applications are none of those who may look")
	roots := x509.NewCertPool()
	_, err = (&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, InsecureSkipVerify: true}}}).Get(address)
	require.Error(t, err, "nor is anybody without a certificate")

	code, _, stderr := call("drain", "--cluster", b.address, "--tls-dir", dir, "b")
	require.Zero(t, code, stderr)
	require.Zero(t, <-b.ended, b.stderr.String())
	require.Eventually(t, func() bool { return overviewNodes(t, operator, address)["b"] != "" }, patience, time.Millisecond)
	require.Contains(t, overviewNodes(t, operator, address)["b"], "refused")
	worker.Close()
	require.Eventually(t, func() bool { return len(overviewNodes(t, operator, address)) == 2 }, patience, time.Millisecond)
	end()
	require.Zero(t, <-a.ended, a.stderr.String())
}
