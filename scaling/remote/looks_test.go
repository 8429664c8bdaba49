package remote_test

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/session"
)

// echo answers questions of monitors with themselves, and refuses one.
func echo(question []byte) ([]byte, error) {
	if string(question) == "wrong" {
		return nil, errors.New("not that")
	}
	return question, nil
}

// Operators may look, and processes of the same user on this host; applications and nodes may not, whoever they are.
func TestOperatorsLook(t *testing.T) {
	dir := authority(t)
	node, err := identity.Load(dir, identity.Node, "a")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := remote.NewServer(remote.ServerOptions{Name: "a", NewWorker: newEngine, Look: echo})
	t.Cleanup(s.Close)
	go s.Serve(l, node.Server())
	look := func(role identity.Role, name, question string) ([]byte, error) {
		return remote.AskLook(t.Context(), l.Addr().String(), client(t, dir, role, name), []byte(question))
	}
	answer, err := look(identity.Operator, "me", `{"about": "all"}`)
	require.NoError(t, err)
	require.Equal(t, `{"about": "all"}`, string(answer))
	_, err = look(identity.Operator, "me", "wrong")
	require.ErrorContains(t, err, "not that")
	_, err = look(identity.Application, "edumeet", "{}")
	require.ErrorContains(t, err, "wrong identity")
	_, err = look(identity.Node, "b", "{}")
	require.ErrorContains(t, err, "operators may look")

	address, _ := rawNode(t, remote.ServerOptions{NewWorker: newEngine, Look: echo})
	answer, err = remote.AskLook(t.Context(), address, nil, []byte("{}"))
	require.NoError(t, err)
	require.Equal(t, "{}", string(answer))
	address, _ = local(t)
	_, err = remote.AskLook(t.Context(), address, nil, []byte("{}"))
	require.ErrorContains(t, err, "shows nothing")
	_, err = remote.AskLook(t.Context(), address, nil, []byte(strings.Repeat("x", 600)))
	require.Error(t, err, "no question is that long")
}

// A worker by itself answers monitors, and nobody else.
func TestServeLooks(t *testing.T) {
	address := "unix:" + filepath.Join(t.TempDir(), "a.sock")
	l, err := remote.Listen(address)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		ended <- remote.ServeLooks(&shortOfDescriptors{Listener: l}, echo, slog.New(slog.DiscardHandler))
	}()
	answer, err := remote.AskLook(t.Context(), address, nil, []byte("{}"))
	require.NoError(t, err)
	require.Equal(t, "{}", string(answer))
	_, err = remote.AskStatus(t.Context(), address, nil)
	require.ErrorContains(t, err, "monitors only")
	unix := strings.TrimPrefix(address, "unix:")
	require.Empty(t, say(t, "unix", unix, nil, []byte("GET / HTTP/1.1\r\n\r\n"), 0))
	require.NotEmpty(t, say(t, "unix", unix, nil, hello(session.SessionID{1}, 1), 0))
	l.Close()
	require.ErrorIs(t, <-ended, net.ErrClosed)

	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go remote.ServeLooks(tcp, echo, slog.New(slog.DiscardHandler))
	defer tcp.Close()
	require.Empty(t, say(t, "tcp", tcp.Addr().String(), nil, session.AppendQuery(nil, "look {}"), 0), "other hosts may not")
}

// An application is shown by the name that its certificate has, whatever it says itself.
func TestApplicationsAreWhoTheyAre(t *testing.T) {
	dir := authority(t)
	node, err := identity.Load(dir, identity.Node, "a")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	opened := make(chan remote.Opening, 1)
	s := remote.NewServer(remote.ServerOptions{NewWorker: func(o *remote.Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error) {
		opened <- *o
		return newEngine(o, emit, log)
	}})
	t.Cleanup(s.Close)
	go s.Serve(l, node.Server())
	edumeet := func() *tls.Config { return client(t, dir, identity.Application, "edumeet") }
	dial(t, remote.Options{
		Address: l.Addr().String(), TLS: edumeet(), Opening: remote.Opening{Application: "other", Tenant: "others"}, Emit: func(*api.Notification) {},
	})
	o := <-opened
	require.Equal(t, "edumeet", o.Application)
	require.Equal(t, "school", o.Tenant)
}
