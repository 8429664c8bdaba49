package main

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
)

// hosts are folders with certificates, one for each host, by its name.
type hosts struct {
	t       *testing.T
	folders map[string]string
	roles   map[string]identity.Role
}

func newHosts(t *testing.T, roles map[string]identity.Role) *hosts {
	h := &hosts{t, map[string]string{}, roles}
	for name := range roles {
		h.folders[name] = t.TempDir()
	}
	return h
}

// newAuthority returns the folder of a certificate authority.
func newAuthority(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "tls")
	code, _, stderr := call("certificates", "--tls-dir", dir, "ca")
	require.Zero(t, code, stderr)
	return dir
}

// replace writes a file as whoever renews files should: it is there in full, or not at all.
func (h *hosts) replace(host, name string, content []byte) {
	file := filepath.Join(h.folders[host], name)
	require.NoError(h.t, os.WriteFile(file+".new", content, 0o600))
	require.NoError(h.t, os.Rename(file+".new", file))
}

// trust gives all hosts these authorities.
func (h *hosts) trust(authorities ...string) {
	var all []byte
	for _, dir := range authorities {
		pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
		require.NoError(h.t, err)
		all = append(all, pem...)
	}
	for host := range h.folders {
		h.replace(host, "ca.pem", all)
	}
}

// renew gives all hosts new certificates of an authority.
func (h *hosts) renew(authority string) {
	for host, role := range h.roles {
		word := map[identity.Role]string{identity.Node: "node", identity.Application: "app", identity.Operator: "operator"}[role]
		code, _, stderr := call("certificates", "--tls-dir", authority, word, host)
		require.Zero(h.t, code, stderr)
		certificate, key := identity.Files(authority, role, host)
		for _, file := range []string{key, certificate} {
			content, err := os.ReadFile(file)
			require.NoError(h.t, err)
			h.replace(host, filepath.Base(file), content)
		}
	}
}

// deny puts a host's certificate on the deny list of another one.
func (h *hosts) deny(at, host string) {
	file, key := identity.Files(h.folders[host], h.roles[host], host)
	pair, err := tls.LoadX509KeyPair(file, key)
	require.NoError(h.t, err)
	list, err := os.ReadFile(filepath.Join(h.folders[at], "denied.txt"))
	require.True(h.t, err == nil || os.IsNotExist(err))
	h.replace(at, "denied.txt", append(list, pair.Leaf.SerialNumber.Text(16)+"\n"...))
}

func (h *hosts) credentials(host string) *identity.Credentials {
	c, err := identity.Load(h.folders[host], h.roles[host], host)
	require.NoError(h.t, err)
	return c
}

// serial returns the serial number of the certificate in a host's folder.
func (h *hosts) serial(host string) string {
	pair, err := h.credentials(host).Client("").GetClientCertificate(nil)
	require.NoError(h.t, err)
	return pair.Leaf.SerialNumber.Text(16)
}

// serialAt returns the serial number of the certificate that whoever listens at an address shows.
func serialAt(t *testing.T, address string, config *tls.Config) string {
	conn, err := tls.Dial("tcp", address, config)
	require.NoError(t, err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Text(16)
}

// isRefused wants a client to be refused. It hears of that after its own part of the handshake.
func isRefused(t *testing.T, address string, config *tls.Config) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, err = conn.Read(make([]byte, 1))
	require.ErrorContains(t, err, "bad certificate")
}

// cutter is a network between two processes whose connections can be cut.
type cutter struct {
	address string

	mu    sync.Mutex
	conns []net.Conn
	made  int
}

func newCutter(t *testing.T, target string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	c := &cutter{address: l.Addr().String()}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", target)
			if err != nil {
				from.Close()
				continue
			}
			c.mu.Lock()
			c.conns, c.made = append(c.conns, from, to), c.made+1
			c.mu.Unlock()
			pass := func(a, b net.Conn) {
				_, _ = io.Copy(a, b) // until one of them is closed
				a.Close()
				b.Close()
			}
			go pass(from, to)
			go pass(to, from)
		}
	}()
	return c
}

// cut cuts all connections, and returns how many there have been.
func (c *cutter) cut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
	return c.made
}

func (c *cutter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made
}

// Certificates are renewed, and then the authority is replaced, without a restart: what runs goes on, connections that are made anew
// use the files as they are then, and whoever is denied is refused: between a node and a front, and on the bus.
func TestCertificatesAreRenewed(t *testing.T) {
	first, second := newAuthority(t), newAuthority(t)
	h := newHosts(t, map[string]identity.Role{
		"a": identity.Node, "b": identity.Node, "c": identity.Node, "stolen": identity.Node, "edumeet": identity.Application, "me": identity.Operator,
	})
	h.trust(first)
	h.renew(first)
	certificate, key := identity.Files(h.folders["edumeet"], identity.Application, "edumeet")
	old, err := tls.LoadX509KeyPair(certificate, key)
	require.NoError(t, err)
	at := ports(t, 2)
	bus := "127.0.0.1:" + at[0]
	a := startNode(t, h.folders["a"], "a", "--join", bus, "--bus", "--bus-address", bus)
	toBus, toNode := newCutter(t, bus), newCutter(t, a.address)
	b := startNode(t, h.folders["b"], "b", "--join", toBus.address)
	rows := func() (rows []nodeRow) {
		_, out, _ := call("status", "--json", "--cluster", a.address, "--tls-dir", h.folders["me"])
		require.NoError(t, json.Unmarshal([]byte(out), &rows))
		return rows
	}
	require.Eventually(t, func() bool { return len(rows()) == 2 }, patience, time.Millisecond)

	app, stolen := h.credentials("edumeet").Client(identity.Node), h.credentials("stolen").Client(identity.Node)
	w, err := remote.Dial(remote.Options{
		Address: toNode.address, TLS: app, Emit: func(*api.Notification) {}, Opening: remote.Opening{Application: "edumeet"},
	})
	require.NoError(t, err)
	defer w.Close()
	ask := func(method api.Method, body api.RequestBody) (answer api.ResponseBody) {
		t.Helper()
		answered := make(chan error, 1)
		w.HandleRequest(&api.Request{Method: method, Body: body}, func(body api.ResponseBody, err error) {
			answer = body
			answered <- err
		})
		require.NoError(t, <-answered)
		return answer
	}
	ask(api.MethodWorkerCreateRouter, &api.WorkerCreateRouterRequest{RouterID: "r"})
	// goesOn makes all connections anew, and wants the session and the bus to go on, with the present certificates.
	goesOn := func(when string) {
		t.Helper()
		toNode.cut()
		require.Equal(t, []string{"r"}, ask(api.MethodWorkerDump, nil).(*api.WorkerDumpResponse).RouterIDs, when)
		made := toBus.cut()
		require.Eventually(t, func() bool { return toBus.count() > made }, patience, time.Millisecond, when)
		require.Equal(t, h.serial("a"), serialAt(t, a.address, app), when)
		require.Equal(t, h.serial("a"), serialAt(t, bus, stolen), when)
	}
	goesOn("the first certificates")
	h.deny("a", "edumeet") // the present one
	h.renew(first)
	goesOn("renewed, and the ones before denied")
	h.trust(first, second)
	goesOn("both authorities")
	h.renew(second)
	goesOn("certificates of the second one")
	h.trust(second)
	goesOn("the second authority alone")
	isRefused(t, a.address, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{old}})

	// Who is denied from now on goes on as long as the connection lasts, and makes no other one.
	h.deny("a", "edumeet")
	h.deny("a", "stolen")
	ask(api.MethodWorkerDump, nil)
	isRefused(t, a.address, app)
	isRefused(t, a.address, stolen)
	isRefused(t, bus, stolen)

	// A node that comes now, with a server of the bus, meets the others; and the one that was connected anew so often is heard.
	c := startNode(t, h.folders["c"], "c", "--join", bus, "--bus", "--bus-address", "127.0.0.1:"+at[1])
	require.Eventually(t, func() bool { return len(rows()) == 3 }, patience, time.Millisecond)
	for name, node := range map[string]*process{"b": b, "c": c} {
		code, _, stderr := call("drain", "--cluster", node.address, "--tls-dir", h.folders["me"], name)
		require.Zero(t, code, stderr)
		require.Zero(t, <-node.ended, node.stderr.String())
	}
	require.Eventually(t, func() bool { return len(rows()) == 1 }, patience, time.Millisecond, "they have said goodbye on the bus")
	w.Close()
	code, _, stderr := call("drain", "--cluster", a.address, "--tls-dir", h.folders["me"], "a")
	require.Zero(t, code, stderr)
	require.Zero(t, <-a.ended, a.stderr.String())
}
