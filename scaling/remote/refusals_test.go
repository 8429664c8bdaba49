package remote_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/internal/fuzzseed"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/session"
)

// patience bounds waits for what another goroutine is about to do; only a hang reaches it.
const patience = 10 * time.Second

// cast is a node on TCP, and the certificates of those who come to it.
type cast struct {
	address string
	node    *remote.Server
	log     *logBuffer
	dir     string
}

func newCast(t testing.TB) *cast { return newCastOf(t, remote.ServerOptions{}) }

func newCastOf(t testing.TB, o remote.ServerOptions) *cast {
	t.Helper()
	c := &cast{log: &logBuffer{}, dir: authority(t)}
	node, err := identity.Load(c.dir, identity.Node, "a")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c.address = l.Addr().String()
	o.Name, o.NewWorker, o.Log = "a", newEngine, slog.New(slog.NewTextHandler(c.log, nil))
	c.node = remote.NewServer(o)
	t.Cleanup(c.node.Close)
	go c.node.Serve(l, node.Server())
	return c
}

// authority makes certificates of two applications, an operator and two nodes.
func authority(t testing.TB) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "tls")
	require.NoError(t, identity.CreateAuthority(dir, time.Now()))
	for _, who := range []identity.Identity{
		{Role: identity.Node, Name: "a"},
		{Role: identity.Node, Name: "b"},
		{Role: identity.Application, Name: "edumeet", Tenant: "school"},
		{Role: identity.Application, Name: "other", Tenant: "school"},
		{Role: identity.Operator, Name: "me"},
	} {
		_, _, err := identity.Issue(dir, who, time.Now())
		require.NoError(t, err)
	}
	return dir
}

// client returns the TLS configuration of one of them.
func client(t testing.TB, dir string, role identity.Role, name string) *tls.Config {
	t.Helper()
	c, err := identity.Load(dir, role, name)
	require.NoError(t, err)
	return c.Client(identity.Node)
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) contains(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), s)
}

// hello is the first frame of a connection (docs/protocol.md).
func hello(id session.SessionID, epoch uint64) []byte {
	b := append([]byte("gazpacho"), 0, session.MinVersion, 0, session.MaxVersion)
	b = append(b, id[:]...)
	for _, v := range []uint64{epoch, 0, 0} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return frame(1, b)
}

func frame(kind byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(1+len(body))), append([]byte{kind}, body...)...)
}

// say connects, over TLS if there is a configuration, says something, and returns what is said until the other side closes the
// connection or, with a length, until so many bytes have come.
func say(t testing.TB, network, address string, config *tls.Config, b []byte, length int) (answer []byte) {
	t.Helper()
	raw, err := net.Dial(network, address)
	require.NoError(t, err)
	defer raw.Close()
	require.NoError(t, raw.SetDeadline(time.Now().Add(patience)))
	c := raw
	if config != nil {
		c = tls.Client(raw, config)
	}
	// Errors are the other side's right; what matters is what it does.
	c.Write(b)
	if length > 0 {
		answer = make([]byte, length)
		_, err := io.ReadFull(c, answer)
		require.NoError(t, err)
		return answer
	}
	raw.(interface{ CloseWrite() error }).CloseWrite()
	answer, err = io.ReadAll(c)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is not closed")
	return answer
}

func (c *cast) say(t testing.TB, config *tls.Config, b []byte) []byte {
	t.Helper()
	return say(t, "tcp", c.address, config, b, 0)
}

// refused returns what is read of a frame that refuses with a code.
func refused(code session.RefuseCode) []byte { return frame(3, []byte{byte(code)}) }

// TestRefusals: whoever may not speak to a node is refused, logged and counted, and the application that may goes on.
func TestRefusals(t *testing.T) {
	c := newCast(t)
	edumeet, stranger := client(t, c.dir, identity.Application, "edumeet"), authority(t)
	taken := session.SessionID{1}
	say(t, "tcp", c.address, edumeet, hello(taken, 5), 4+1+2+1+4*8) // a session, welcomed

	w := dial(t, remote.Options{Address: c.address, TLS: edumeet, Emit: func(*api.Notification) {}})
	require.NoError(t, ask(w, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"}))

	for name, attempt := range map[string]struct {
		do   func(t *testing.T)
		logs string
	}{
		"no certificate": {func(t *testing.T) {
			require.Empty(t, c.say(t, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}, hello(session.SessionID{2}, 1)))
		}, "client didn't provide a certificate"},
		"another authority": {func(t *testing.T) {
			config := client(t, stranger, identity.Application, "edumeet")
			config.InsecureSkipVerify, config.VerifyConnection = true, nil // it does not mind whom it speaks to
			require.Empty(t, c.say(t, config, hello(session.SessionID{2}, 1)))
		}, "unknown authority"},
		"no TLS": {func(t *testing.T) {
			c.say(t, nil, hello(session.SessionID{2}, 1))
		}, "first record does not look like a TLS handshake"},
		"a recorded connection": {func(t *testing.T) {
			raw, err := net.Dial("tcp", c.address)
			require.NoError(t, err)
			recorded := &recorder{Conn: raw}
			secure := tls.Client(recorded, edumeet)
			_, err = secure.Write(hello(session.SessionID{3}, 1))
			require.NoError(t, err)
			_, err = io.ReadFull(secure, make([]byte, 4))
			require.NoError(t, err)
			raw.Close()
			require.NotContains(t, string(c.say(t, nil, recorded.sent.Bytes())), "gazpacho")
		}, "connection refused"},
		"garbage in TLS": {func(t *testing.T) {
			require.Empty(t, c.say(t, edumeet, []byte("GET / HTTP/1.1\r\n\r\n")))
		}, "malformed frame"},
		"garbage that ends early": {func(t *testing.T) {
			require.Empty(t, c.say(t, edumeet, []byte{0, 0}))
		}, "unexpected EOF"},
		"an operator's session": {func(t *testing.T) {
			require.Equal(t, refused(session.RefuseIdentity), c.say(t, client(t, c.dir, identity.Operator, "me"), hello(session.SessionID{2}, 1)))
		}, `who="operator me" code="wrong identity"`},
		"a node's session": {func(t *testing.T) {
			require.Equal(t, refused(session.RefuseIdentity), c.say(t, client(t, c.dir, identity.Node, "b"), hello(session.SessionID{2}, 1)))
		}, `who="node b" code="wrong identity"`},
		"another application's session": {func(t *testing.T) {
			require.Equal(t, refused(session.RefuseIdentity), c.say(t, client(t, c.dir, identity.Application, "other"), hello(taken, 9)))
		}, `who="application other" code="wrong identity"`},
		"a session replayed": {func(t *testing.T) {
			require.Equal(t, refused(session.RefuseEpoch), c.say(t, edumeet, hello(taken, 5)))
		}, `who="application edumeet" code="stale epoch"`},
		"an application's question": {func(t *testing.T) {
			_, err := remote.AskStatus(context.Background(), c.address, edumeet)
			require.ErrorContains(t, err, "operators and nodes may ask")
		}, `who="application edumeet" query=status`},
		"garbage in a session": {func(t *testing.T) {
			c.say(t, edumeet, append(hello(session.SessionID{4}, 1), frame(99, nil)...))
		}, "kind 99"},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.node.Status().Refused
			attempt.do(t)
			require.Eventually(t, func() bool { return c.node.Status().Refused == before+1 }, patience, time.Millisecond, "counted")
			require.Eventually(t, func() bool { return c.log.contains(attempt.logs) }, patience, time.Millisecond, "logged")
			require.NoError(t, ask(w, api.MethodRouterDump, "r", nil))
		})
	}
}

// recorder keeps what is written.
type recorder struct {
	net.Conn
	sent bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.sent.Write(b)
	return r.Conn.Write(b)
}

// ask makes a request and waits for its answer.
func ask(w *remote.Worker, method api.Method, handler string, body api.RequestBody) error {
	answered := make(chan error, 1)
	w.HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body}, func(_ api.ResponseBody, err error) { answered <- err })
	return <-answered
}

// TestFrontsHaveNothingInCommon: what one application has on a node does not exist for another one of the same tenant.
func TestFrontsHaveNothingInCommon(t *testing.T) {
	c := newCast(t)
	front := func(name string) *remote.Worker {
		return dial(t, remote.Options{
			Address: c.address, TLS: client(t, c.dir, identity.Application, name), Emit: func(n *api.Notification) { t.Errorf("%s: %v", name, n) },
		})
	}
	edumeet, other := front("edumeet"), front("other")
	require.NoError(t, ask(edumeet, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"}))
	require.ErrorContains(t, ask(other, api.MethodRouterDump, "r", nil), "not found")
	require.ErrorContains(t, ask(other, api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"}), "not found")
	require.NoError(t, ask(other, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"}), "ids are each one's own")
	require.NoError(t, ask(other, api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"}))
	require.NoError(t, ask(edumeet, api.MethodRouterDump, "r", nil))
}

// FuzzListeners says anything to a node's listeners: on a unix socket, before TLS and within it.
func FuzzListeners(tf *testing.F) {
	f := fuzzseed.New(tf, 100)
	c := newCast(tf)
	application, operator := client(tf, c.dir, identity.Application, "edumeet"), client(tf, c.dir, identity.Operator, "me")
	address, _ := local(tf)
	unix := strings.TrimPrefix(address, "unix:")
	f.Add([]byte{})
	f.Add(hello(session.SessionID{1}, 1))
	f.Add(append(hello(session.SessionID{2}, 1), frame(4, append(make([]byte, 16), `c{"open":{}}`...))...))
	f.Add(session.AppendQuery(nil, "status"))
	f.Add([]byte("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		say(t, "unix", unix, nil, b, 0)
		say(t, "tcp", c.address, nil, b, 0)
		say(t, "tcp", c.address, application, b, 0)
		_, err := remote.AskStatus(context.Background(), c.address, operator)
		require.NoError(t, err)
		_, err = remote.AskStatus(context.Background(), address, nil)
		require.NoError(t, err)
	})
}
