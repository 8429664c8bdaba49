package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/remote"
)

// patience is for what takes two seconds on an idle machine.
const patience = 30 * time.Second

// process is a node that runs in this process.
type process struct {
	address string
	ended   chan int
	stderr  bytes.Buffer
}

// startNode starts a node and waits until it is ready.
func startNode(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	p := &process{ended: make(chan int, 1)}
	stdout, ready := newLines()
	go func() {
		args = append([]string{"node", "--listen", "127.0.0.1:0", "--shards", "1", "--tls-dir", dir, "--name", name}, args...)
		p.ended <- run(args, stdout, &p.stderr)
	}()
	select {
	case line := <-ready:
		p.address = strings.TrimPrefix(line, "node "+name+" listens on ")
	case code := <-p.ended:
		t.Fatalf("node %s ended with %d: %s", name, code, p.stderr.String())
	case <-time.After(patience):
		t.Fatalf("node %s is not ready", name)
	}
	return p
}

// ports returns ports that are free, as are the next ones.
func ports(t *testing.T, count int) (all []string) {
	for len(all) < count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		next, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port+1))
		if err == nil {
			next.Close()
			all = append(all, strconv.Itoa(port))
		}
	}
	return all
}

// produce makes a producer on a DirectTransport of its own.
func produce(w api.Worker, router, id string) error {
	answered := make(chan error, 2)
	reply := func(_ api.ResponseBody, err error) { answered <- err }
	w.HandleRequest(&api.Request{
		Method: api.MethodRouterCreateDirectTransport, HandlerID: router,
		Body: &api.RouterCreateDirectTransportRequest{TransportID: id + "-t", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}},
	}, reply)
	w.HandleRequest(&api.Request{Method: api.MethodTransportProduce, HandlerID: id + "-t", Body: &api.TransportProduceRequest{
		ProducerID: id, Kind: api.MediaKindAudio, RTPParameters: &api.RTPParameters{
			Codecs:    []api.RTPCodecParameters{{MimeType: "audio/opus", PayloadType: 101, ClockRate: 48000, Channels: new(uint8(2))}},
			Encodings: []api.RTPEncodingParameters{{SSRC: new(uint32(10))}}, RTCP: &api.RTCPParameters{},
		},
		RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: 101, MappedPayloadType: 101}},
			Encodings: []api.EncodingMapping{{SSRC: new(uint32(10)), MappedSSRC: 1010}},
		},
	}}, reply)
	return errors.Join(<-answered, <-answered)
}

// Two nodes with the bus and one without find each other. Each shows all of them, and has any of them drained.
func TestCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	for _, args := range [][]string{{"ca"}, {"node", "a"}, {"node", "b"}, {"node", "c"}, {"app", "edumeet"}, {"operator", "me"}} {
		code, _, stderr := call(append([]string{"certificates", "--tls-dir", dir}, args...)...)
		require.Zero(t, code, stderr)
	}
	at := ports(t, 2)
	notices := make(chan string, 10)
	scaler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n struct{ Signal, State, Node string }
		if json.NewDecoder(r.Body).Decode(&n) == nil {
			notices <- strings.Join([]string{n.Signal, n.Node, n.State}, " ")
		}
	}))
	defer scaler.Close()
	secret := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("sixteen bytes or more\n"), 0o600))
	join := "127.0.0.1:" + at[0] + ",127.0.0.1:" + at[1]
	a := startNode(t, dir, "a", "--join", join, "--bus", "--bus-address", "127.0.0.1:"+at[0], "--region", "eu", "--zone", "1",
		"--webhook", scaler.URL, "--webhook-secret-file", secret)
	b := startNode(t, dir, "b", "--join", join, "--bus", "--bus-address", "127.0.0.1:"+at[1], "--advertise", "localhost:1")
	c := startNode(t, dir, "c", "--join", join)

	// One more of that name must not start.
	code, _, stderr := call("node", "--listen", "127.0.0.1:0", "--shards", "1", "--tls-dir", dir, "--name", "c", "--join", join)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "a node c is running already, at ["+c.address+"]")

	status := func(address string) (rows []nodeRow) {
		_, out, _ := call("status", "--json", "--cluster", address, "--tls-dir", dir)
		require.NoError(t, json.Unmarshal([]byte(out), &rows))
		return rows
	}
	var rows []nodeRow
	require.Eventually(t, func() bool { rows = status(c.address); return len(rows) == 3 }, patience, time.Millisecond)
	require.Equal(t, map[string]string{"region": "eu", "zone": "1"}, rows[0].Labels)
	require.Equal(t, a.address, rows[0].Address)
	require.Equal(t, "a", rows[0].Status.Name)
	require.Equal(t, "localhost:1", rows[1].Address)
	require.Equal(t, membership.Alive, rows[1].Condition)
	require.NotEmpty(t, rows[1].Error, "nothing listens at the address that it says")
	require.Equal(t, "c", rows[2].Status.Name)
	require.NotZero(t, rows[0].ProbePort)
	require.NotEqual(t, rows[0].ProbePort, rows[2].ProbePort, "they share an address")
	code, out, stderr := call("status", "--cluster", a.address+","+c.address, "--tls-dir", dir)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "b: ")
	require.Equal(t, 1, strings.Count(out, "b     localhost:1"), out)
	require.Contains(t, out, "unreachable")

	// A node with a transport on it drains, and takes new ones again.
	app, err := identity.Load(dir, identity.Application, "")
	require.NoError(t, err)
	w, err := remote.Dial(remote.Options{
		Address: c.address, TLS: app.Client(identity.Node), Emit: func(*api.Notification) {}, Opening: remote.Opening{Application: "edumeet"},
	})
	require.NoError(t, err)
	defer w.Close()
	answered := make(chan error, 3)
	reply := func(_ api.ResponseBody, err error) { answered <- err }
	w.HandleRequest(&api.Request{Method: api.MethodWorkerCreateRouter, Body: &api.WorkerCreateRouterRequest{RouterID: "r"}}, reply)
	w.HandleRequest(&api.Request{
		Method: api.MethodRouterCreateDirectTransport, HandlerID: "r",
		Body: &api.RouterCreateDirectTransportRequest{TransportID: "t", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}},
	}, reply)
	require.NoError(t, <-answered)
	require.NoError(t, <-answered)
	require.NoError(t, produce(w, "r", "p"))
	for _, args := range [][]string{{"p"}, {"--tenant", "edumeet", "p"}} {
		code, out, stderr = call(append([]string{"find", "--cluster", a.address + "," + c.address, "--tls-dir", dir}, args...)...)
		require.Zero(t, code, stderr)
		require.Equal(t, "NODE  APPLICATION  TENANT   ROUTER\nc     edumeet      edumeet  r\n", out)
	}
	code, out, _ = call("find", "--json", "--cluster", c.address, "--tls-dir", dir, "p")
	require.Zero(t, code)
	var places []remote.Place
	require.NoError(t, json.Unmarshal([]byte(out), &places))
	require.Equal(t, []remote.Place{{Node: "c", Tenant: "edumeet", Application: "edumeet", Router: "r"}}, places)
	for _, args := range [][]string{{"q"}, {"--tenant", "another", "p"}} {
		code, _, stderr = call(append([]string{"find", "--cluster", c.address + ",127.0.0.1:1", "--tls-dir", dir}, args...)...)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, "no node that answers has producer "+args[len(args)-1]+"; these do not: b: ")
		require.Contains(t, stderr, "127.0.0.1:1: dial tcp")
	}
	held := func() (sum int) {
		for _, r := range status(a.address) {
			if r.Status != nil {
				sum += r.Status.Directory.Held
			}
		}
		return sum + status(b.address)[1].Status.Directory.Held // which others do not reach
	}
	require.Eventually(t, func() bool { return held() == 2 }, patience, time.Millisecond)
	_, out, _ = call("status", "--cluster", c.address, "--tls-dir", dir)
	require.Regexp(t, `NODE +REGISTERED +HELD +LOOK-UPS +ABSENT +FAILED +LOST MESSAGES\na +0 `, out)
	require.Regexp(t, `\nc +1 `, out)

	require.Eventually(t, func() bool { // by a heartbeat of c
		told := status(a.address)[2].Load
		return told.Fronts == 1 && told.Routers == 1 && told.Transports == 2
	}, patience, time.Millisecond)
	_, out, _ = call("status", "--cluster", a.address, "--tls-dir", dir)
	require.Regexp(t, `(?m)^a +`+a.address+` +alive +`+version+` +region=eu,zone=1 +\d+ % +0 % +\d+ %( +\d+){7}$`, out)
	require.Regexp(t, `(?m)^c +edumeet +yes +1 +2 +1 +0$`, out)
	order := func(command, via, name string) {
		t.Helper()
		code, _, stderr := call(command, "--cluster", via, "--tls-dir", dir, name)
		require.Zero(t, code, stderr)
	}
	draining := func() bool { return status(a.address)[2].Draining }
	order("drain", a.address, "c")
	require.Eventually(t, draining, patience, time.Millisecond)
	require.Eventually(t, func() bool { return !w.Available() }, patience, time.Millisecond)
	order("undrain", a.address, "c")
	require.Eventually(t, func() bool { return !draining() }, patience, time.Millisecond)
	require.Eventually(t, w.Available, patience, time.Millisecond)
	code, _, stderr = call("drain", "--cluster", a.address, "--tls-dir", dir, "z")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, `there is no node "z" here`)
	code, _, stderr = call("drain", "--cluster", a.address, "--tls-dir", dir, "b")
	require.Equal(t, exitFailed, code, "it is not reached")
	require.NotEmpty(t, stderr)

	// One that is empty ends, says goodbye, and is in no table any more.
	w.Close()
	order("drain", a.address, "c")
	require.Zero(t, <-c.ended, c.stderr.String())
	require.Eventually(t, func() bool { return len(status(a.address)) == 2 }, patience, time.Millisecond)
	for told := ""; told != "node-drained c begin"; { // the machine may be so busy that capacity is short
		select {
		case told = <-notices:
		case <-time.After(patience):
			t.Fatal("the webhook is not told that c is drained")
		}
	}
	order("drain", b.address, "b")
	require.Zero(t, <-b.ended, b.stderr.String())
	order("drain", a.address, "a")
	require.Zero(t, <-a.ended, a.stderr.String())
}
