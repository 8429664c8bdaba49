package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/look"
	"gazpacho/monitor/watched"
	"gazpacho/scaling/remote"
)

// ask asks a worker by its unix socket, as curl --unix-socket does.
func ask(t *testing.T, socket, path string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	r, err := client.Get("http://localhost" + path)
	require.NoError(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, r.StatusCode)
	return string(body)
}

// Workers that share a folder each have a socket in it, which goes with them; with and without a cluster.
func TestMetricsOfWorkers(t *testing.T) {
	folder, profiles := t.TempDir(), t.TempDir()
	for cluster, has := range map[string]string{"": "gazpacho_shard_transports", "local:2": "gazpacho_cluster_nodes"} {
		p := launchAs(t, binaryPath, "3.27.1", append(os.Environ(), versionEnv+"=3.27.1",
			metricsEnv+"=unix:"+folder, profilesEnv+"=unix:"+profiles, clusterEnv+"="+cluster))
		p.send(&api.Request{ID: 1, Method: api.MethodWorkerCreateRouter, Body: &api.WorkerCreateRouterRequest{RouterID: "r"}})
		require.True(t, p.response().Accepted)
		name := strconv.Itoa(p.cmd.Process.Pid) + ".sock"
		body := ask(t, filepath.Join(folder, name), "/metrics")
		require.Contains(t, body, "\ngazpacho_routers 1\n")
		require.Contains(t, body, "\n"+has)
		require.Contains(t, body, `mediasoup="3.27.1"`)
		require.Contains(t, body, "\n"+`gazpacho_requests_total{method="worker.createRouter",result="accepted"} 1`+"\n")
		require.Contains(t, ask(t, filepath.Join(profiles, name), "/debug/pprof/goroutine?debug=1"), "goroutine profile")
		p.send(&api.Notification{Event: api.EventWorkerClose})
		code, stderr := p.exit()
		require.Zero(t, code, stderr)
		require.NoFileExists(t, filepath.Join(folder, name))
	}
}

func TestWrongAddressesForMetrics(t *testing.T) {
	for variable, value := range map[string]string{metricsEnv: "9464", profilesEnv: "here", monitorEnv: "127.0.0.1:1"} {
		p := launchAs(t, binaryPath, "3.27.1", append(os.Environ(), versionEnv+"=3.27.1", variable+"="+value))
		code, stderr := p.exit()
		require.Equal(t, exitWrongSettings, code)
		require.Contains(t, stderr, "wrong settings: "+variable+": invalid value '"+value+"'")
	}
}

// A worker whose port is taken, or that may not show profiles to others, carries calls nevertheless.
func TestWhatCannotBeServedIsLogged(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for variable, value := range map[string]string{metricsEnv: taken.Addr().String(), profilesEnv: "0.0.0.0:0"} {
		p := launchAs(t, binaryPath, "3.27.1", append(os.Environ(), versionEnv+"=3.27.1", variable+"="+value))
		p.log("what " + variable + " asks for is not served")
		p.dump(1)
	}
}

// A worker that may be watched answers by a socket that goes with it; with and without a cluster.
func TestWatchedWorkers(t *testing.T) {
	folder := t.TempDir()
	for _, cluster := range []string{"", "local:2"} {
		p := launchAs(t, binaryPath, "3.27.1", append(os.Environ(), versionEnv+"=3.27.1", monitorEnv+"=unix:"+folder, clusterEnv+"="+cluster))
		p.send(&api.Request{ID: 1, Method: api.MethodWorkerCreateRouter, Body: &api.WorkerCreateRouterRequest{RouterID: "r"}})
		require.True(t, p.response().Accepted)
		p.send(&api.Request{ID: 2, Method: api.MethodRouterCreateDirectTransport, HandlerID: "r", Body: &api.RouterCreateDirectTransportRequest{
			TransportID: "t", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}},
		}})
		require.True(t, p.response().Accepted)
		socket := filepath.Join(folder, strconv.Itoa(p.cmd.Process.Pid)+watched.SocketSuffix)
		info, err := os.Stat(socket)
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm())
		b, err := remote.AskLook(t.Context(), "unix:"+socket, nil, []byte(`{"about":"all"}`))
		require.NoError(t, err)
		var all look.All
		require.NoError(t, json.Unmarshal(b, &all))
		require.Equal(t, p.cmd.Process.Pid, all.Process.PID)
		require.Equal(t, "3.27.1", all.Process.Release)
		require.Equal(t, 1, all.Owners[0].Transports)
		p.send(&api.Notification{Event: api.EventWorkerClose})
		code, stderr := p.exit()
		require.Zero(t, code, stderr)
		require.NoFileExists(t, socket)
	}
}
