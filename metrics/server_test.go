package metrics

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/scaling/front"
	"gazpacho/scaling/reach"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/steering"
)

// loopback is where servers listen.
var loopback = netip.MustParseAddr("127.0.0.1")

// patience is a limit that only a hang reaches.
const patience = 30 * time.Second

func address(t *testing.T, text string) Address {
	t.Helper()
	a, err := ParseAddress(text)
	require.NoError(t, err)
	return a
}

func TestWrongAddresses(t *testing.T) {
	for _, text := range []string{
		"", "9464", "localhost:9464", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:2-1", "127.0.0.1:0-5", "127.0.0.1:1-", "127.0.0.1:70000",
		"127.0.0.1:1-2-3", "unix:", "unix:here", ":9464",
	} {
		_, err := ParseAddress(text)
		require.ErrorContains(t, err, "invalid value '"+text+"'", text)
	}
}

// Several processes take the ports of a range one after the other.
func TestARangeOfPorts(t *testing.T) {
	free, err := address(t, "127.0.0.1:0").listen()
	require.NoError(t, err)
	defer free.Close()
	port := uint16(free.Addr().(*net.TCPAddr).Port)
	a := address(t, "127.0.0.1:0")
	a.first, a.last = port, port // which is taken
	_, err = a.listen()
	require.ErrorContains(t, err, "is free")
	free.Close()
	l, err := a.listen()
	require.NoError(t, err)
	l.Close()
	_, err = address(t, "192.0.2.1:9464-9499").listen()
	require.Error(t, err, "an address of no interface is no matter of ports")
}

func TestAFolderOfSockets(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made")
	a := address(t, "unix:"+folder)
	l, err := a.listen()
	require.NoError(t, err)
	info, err := os.Stat(l.Addr().String())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	l.Close()

	// What a killed process has left is removed; what is in use stays.
	left := filepath.Join(folder, "1.sock")
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	require.NoError(t, err)
	killed.SetUnlinkOnClose(false)
	killed.Close()
	used, err := net.Listen("unix", filepath.Join(folder, "2.sock"))
	require.NoError(t, err)
	defer used.Close()
	s, err := ServeProfiles(a)
	require.NoError(t, err)
	require.NoFileExists(t, left)
	require.FileExists(t, used.Addr().String())
	require.True(t, strings.HasPrefix(s.Where(), "unix:"+folder), s.Where())
	s.Close()
	require.NoFileExists(t, strings.TrimPrefix(s.Where(), "unix:"))
}

// sources are those of an idle process that is everything at once.
func sources(t *testing.T) Sources {
	t.Helper()
	host, err := engine.NewHost(engine.HostOptions{Shards: 2})
	require.NoError(t, err)
	t.Cleanup(host.Close)
	return Sources{
		Version: "1.2.3", Release: "3.27.1", Host: host, Requests: NewRequests(),
		Channel:     func() channel.Figures { return channel.Figures{Waiting: 7} },
		Front:       func() front.Figures { return front.Figures{Media: 5} },
		Certificate: func() time.Time { return time.Unix(1_800_000_000, 0) },
		Steering: func() steering.Figures {
			return steering.Figures{Told: 3, Regions: []steering.Region{{Name: "eu", Serving: 2, Draining: 1, Lost: 4, Used: 1.5, Needed: 3, Short: true}}}
		},
		Node: func() remote.Status {
			return remote.Status{
				Draining: true, Assumed: 0.5, Unheard: make([]reach.Unheard, 2), Fronts: []remote.FrontStatus{{Connected: true, Load: api.Load{Routers: 3}}, {}},
				Links:     []remote.LinkStatus{{To: "b:1", Waiting: 10}, {From: "c", Connected: true, Waiting: 5}},
				Directory: &remote.DirectoryStatus{Registered: 4, Held: 9, Lookups: 6, Absent: 2, Failed: 1, Refused: 8, Malformed: 3, Lost: 5},
			}
		},
	}
}

func start(t *testing.T, s Sources) *Server {
	t.Helper()
	server, err := Serve(address(t, "127.0.0.1:0"), s)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

func get(t testing.TB, url string) (code int, body string) {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(b)
}

// Each family of the tables is shown, and Prometheus' own linter finds nothing to complain about.
func TestAllFamiliesAreShown(t *testing.T) {
	s := sources(t)
	worker, err := s.Host.NewWorker(engine.Options{Emit: func(*api.Notification) {}})
	require.NoError(t, err)
	defer worker.Close()
	w := s.Requests.Of(worker)
	reply := func(api.ResponseBody, error) {}
	w.HandleRequest(&api.Request{Method: api.MethodWorkerDump}, reply)
	w.HandleRequest(&api.Request{Method: api.MethodRouterDump, HandlerID: "none"}, reply)
	code, body := get(t, start(t, s).Where()+"/metrics")
	require.Equal(t, http.StatusOK, code)
	for _, g := range append([]group{{families: []family{buildInfo, requestsTotal, requestDuration}}}, groups...) {
		for _, f := range g.families {
			require.Contains(t, body, "\n# TYPE "+prefix+f.name+" "+string(f.kind)+"\n")
			require.Contains(t, body, "\n"+prefix+f.name, f.name)
		}
	}
	for _, line := range []string{
		`gazpacho_build_info{goversion="` + runtime.Version() + `",mediasoup="3.27.1",version="1.2.3"} 1`,
		`gazpacho_requests_total{method="worker.dump",result="accepted"} 1`,
		`gazpacho_requests_total{method="router.dump",result="refused"} 1`,
		`gazpacho_request_duration_seconds_count{method="worker.dump"} 1`,
		`gazpacho_routers 3`, `gazpacho_channel_waiting_bytes 7`, `gazpacho_relays{kind="media"} 5`, `gazpacho_node_draining 1`,
		`gazpacho_node_assumed_load_ratio 0.5`, `gazpacho_node_unheard_nodes 2`,
		`gazpacho_region_nodes{region="eu",state="serving"} 2`, `gazpacho_region_nodes{region="eu",state="lost"} 4`,
		`gazpacho_region_needed_nodes{region="eu"} 3`, `gazpacho_region_used_nodes{region="eu"} 1.5`, `gazpacho_region_capacity_short{region="eu"} 1`,
		`gazpacho_webhook_requests_total{result="taken"} 3`, `gazpacho_certificate_expiry_timestamp_seconds 1.8e+09`,
		`gazpacho_node_sessions{state="connected"} 1`, `gazpacho_node_sessions{state="disconnected"} 1`,
		`gazpacho_node_links{direction="out",state="disconnected"} 1`, `gazpacho_node_links{direction="in",state="connected"} 1`,
		`gazpacho_node_link_waiting_bytes 15`, `gazpacho_directory_entries{kind="held"} 9`, `gazpacho_directory_entries{kind="registered"} 4`,
		`gazpacho_directory_lookups_total{outcome="found"} 3`, `gazpacho_directory_lookups_total{outcome="absent"} 2`,
		`gazpacho_directory_refused_producers_total 8`, `gazpacho_directory_dropped_messages_total{reason="lost"} 5`, `gazpacho_shard_transports{shard="1"} 0`,
	} {
		require.Contains(t, body, "\n"+line+"\n")
	}
	problems, err := promlint.New(strings.NewReader(ours(body))).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}

// ours returns the lines about metrics of this package.
func ours(body string) string {
	var b strings.Builder
	for line := range strings.Lines(body) {
		if strings.Contains(line, prefix) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestHealth(t *testing.T) {
	s := sources(t)
	draining, serving := false, false
	s.Node = func() remote.Status { return remote.Status{Draining: draining, Serving: serving} }
	server := start(t, s)
	code, body := get(t, server.Where()+"/healthz")
	require.Equal(t, http.StatusOK, code, body)
	code, body = get(t, server.Where()+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, "does not serve yet\n", body)
	serving = true
	code, body = get(t, server.Where()+"/readyz")
	require.Equal(t, http.StatusOK, code, body)
	draining = true
	code, body = get(t, server.Where()+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, "draining\n", body)
}

// However many ask whether something that hangs is alive, it is asked once; when it goes on, it is alive again.
func TestWhoHangsIsNotAlive(t *testing.T) {
	asked, goOn := make(chan struct{}, 10), make(chan struct{})
	a := &alive{ask: func() { asked <- struct{}{}; <-goOn }}
	ask := func() int {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/healthz", nil))
		return w.Code
	}
	answers := make(chan int)
	for range 3 {
		go func() { answers <- ask() }()
	}
	for range 3 {
		require.Equal(t, http.StatusServiceUnavailable, <-answers)
	}
	require.Len(t, asked, 1)
	close(goOn)
	require.Eventually(t, func() bool { return ask() == http.StatusOK }, patience, time.Millisecond)
}

func TestStrangeNamesAreRefused(t *testing.T) {
	server := start(t, sources(t))
	const answered = http.StatusServiceUnavailable // it is draining, and says so
	for host, want := range map[string]int{
		"attacker.example": http.StatusForbidden, "attacker.example:9464": http.StatusForbidden,
		"localhost:9464": answered, "127.0.0.1": answered, "[::1]:9464": answered,
	} {
		r, err := http.NewRequest(http.MethodGet, server.Where()+"/readyz", nil)
		require.NoError(t, err)
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		answer.Body.Close()
		require.Equal(t, want, answer.StatusCode, host)
	}
}

// A connection takes a place until it is closed, however often.
func TestConnectionsAreLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := FewConnections(inner, 2).(*fewConnections)
	var peers, accepted []net.Conn
	for range 3 {
		peer, err := net.Dial("tcp", inner.Addr().String())
		require.NoError(t, err)
		defer peer.Close()
		c, err := l.Accept()
		require.NoError(t, err)
		peers, accepted = append(peers, peer), append(accepted, c)
	}
	require.Equal(t, 2, l.crowd.Len())
	_, err = peers[0].Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the oldest one has made room")
	for _, c := range accepted[1:] {
		require.NoError(t, c.Close())
		require.Error(t, c.Close())
	}
	require.Zero(t, l.crowd.Len())
	inner.Close()
	_, err = l.Accept()
	require.Error(t, err)
}

// A probe of the node's health gets its answer, however many connections others hold and say nothing.
func TestACrowdDoesNotKeepProbesOut(t *testing.T) {
	s, err := serve(address(t, "127.0.0.1:0"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "well") }), writeTime)
	require.NoError(t, err)
	defer s.Close()
	for range 2 * maxConnections {
		silent, err := net.Dial("tcp", s.listener.Addr().String())
		require.NoError(t, err)
		defer silent.Close()
	}
	client := http.Client{Timeout: readTime / 2} // which is before the silent ones are given up
	answer, err := client.Get(s.Where())
	require.NoError(t, err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, "well", string(b))
}

// Figures are taken once for all who ask at about the same time.
func TestFiguresAreSharedByAll(t *testing.T) {
	taken := 0
	c := newCollector(nil, func() *figures { taken++; return &figures{} })
	first := c.figures()
	require.Same(t, first, c.figures())
	require.Equal(t, 1, taken)
	c.taken = time.Now().Add(-minInterval)
	require.NotSame(t, first, c.figures())
}

func TestProfilesAreForThisHostOnly(t *testing.T) {
	_, err := ServeProfiles(address(t, "0.0.0.0:0"))
	require.ErrorContains(t, err, "for this host only")
	s, err := ServeProfiles(address(t, "127.0.0.1:0"))
	require.NoError(t, err)
	defer s.Close()
	code, body := get(t, s.Where()+"/debug/pprof/")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "goroutine")
}
