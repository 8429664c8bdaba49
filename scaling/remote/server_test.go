package remote_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/session"
)

// A socket that a process left behind is replaced; one that a process listens on is not, nor is any other file.
func TestListen(t *testing.T) {
	at := filepath.Join(t.TempDir(), "node.sock")
	l, err := remote.Listen("unix:" + at)
	require.NoError(t, err)
	info, err := os.Stat(at)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = remote.Listen("unix:" + at)
	require.ErrorContains(t, err, "another process listens")
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	l, err = remote.Listen("unix:" + at)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.NoError(t, os.WriteFile(at, []byte("precious"), 0o600))
	_, err = remote.Listen("unix:" + at)
	require.Error(t, err)
	require.FileExists(t, at)
	l, err = remote.Listen("127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = remote.Listen("nowhere")
	require.ErrorContains(t, err, "is no address")
}

// shortOfDescriptors is a listener for which the process has no descriptor, at first.
type shortOfDescriptors struct {
	net.Listener
	failed int
}

func (l *shortOfDescriptors) Accept() (net.Conn, error) {
	if l.failed++; l.failed <= 2 {
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestServe(t *testing.T) {
	s := remote.NewServer(remote.ServerOptions{NewWorker: newEngine})
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.ErrorContains(t, s.Serve(tcp, nil), "with certificates only")
	_, err = tcp.Accept()
	require.ErrorIs(t, err, net.ErrClosed)

	l, err := remote.Listen("unix:" + filepath.Join(t.TempDir(), "a.sock"))
	require.NoError(t, err)
	s.Close()
	s.Close()
	require.ErrorIs(t, s.Serve(l, nil), net.ErrClosed)
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

// A node that is short of file descriptors goes on: those who come meanwhile are answered when there are some again.
func TestWantOfDescriptors(t *testing.T) {
	var log logBuffer
	s := remote.NewServer(remote.ServerOptions{Name: "a", NewWorker: newEngine, Log: slog.New(slog.NewTextHandler(&log, nil))})
	address := "unix:" + filepath.Join(t.TempDir(), "a.sock")
	l, err := remote.Listen(address)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(&shortOfDescriptors{Listener: l}, nil) }()
	st, err := remote.AskStatus(t.Context(), address, nil)
	require.NoError(t, err)
	require.Equal(t, "a", st.Name)
	require.True(t, log.contains("too many open files"))
	s.Close()
	require.ErrorIs(t, <-ended, net.ErrClosed)
}

// Who does not say who they are occupies a bounded number of places.
func TestStrangers(t *testing.T) {
	address, s := rawNode(t, remote.ServerOptions{NewWorker: newEngine})
	for range 257 {
		c, err := net.Dial("unix", address[len("unix:"):])
		require.NoError(t, err)
		defer c.Close()
	}
	require.Eventually(t, func() bool { return s.Status().Refused == 1 }, patience, time.Millisecond)
}

// A node takes only so many fronts.
func TestTooManyFronts(t *testing.T) {
	address, s := rawNode(t, remote.ServerOptions{NewWorker: newEngine, MaxFronts: 1})
	first := newRawFront(t, address, session.SessionID{1}, 1)
	first.send(open)
	require.Equal(t, refused(session.RefuseBusy), say(t, "unix", address[len("unix:"):], nil, hello(session.SessionID{2}, 1), 0))
	_, err := io.ReadFull(first.conn, make([]byte, 1))
	require.NoError(t, err, "the first goes on")
	require.EqualValues(t, 1, s.Status().Refused)
}

// A node that drains takes no new front, tells those that it has, and waits for their transports, as long as it may.
func TestDrain(t *testing.T) {
	n := localNode(t)
	n.furnish(t)
	ctx, cancel := context.WithCancel(t.Context())
	drained := make(chan bool)
	go func() {
		n.server.Drain(ctx)
		close(drained)
	}()
	require.Eventually(t, func() bool { return !n.worker.Available() }, patience, time.Millisecond)
	require.Equal(t, refused(session.RefuseStopping), say(t, "unix", n.address[len("unix:"):], nil, hello(session.SessionID{2}, 1), 0))
	require.NoError(t, n.try(api.MethodWorkerDump, "", nil), "those that are there go on")
	cancel()
	<-drained

	_, empty := rawNode(t, remote.ServerOptions{NewWorker: newEngine})
	empty.Drain(t.Context())
	address, unopened := rawNode(t, remote.ServerOptions{NewWorker: newEngine})
	newRawFront(t, address, session.SessionID{1}, 1)
	unopened.Drain(t.Context())
}

// Fronts are shown in the order of their names.
func TestStatus(t *testing.T) {
	address, s := rawNode(t, remote.ServerOptions{NewWorker: newEngine, Load: func() float64 { return 1 }})
	for _, name := range []string{"b", "c", "a"} {
		w := dial(t, remote.Options{Address: address, Opening: remote.Opening{Application: name}, Emit: func(*api.Notification) {}})
		require.NoError(t, ask(w, api.MethodWorkerDump, "", nil))
		require.NoError(t, ask(w, api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"}))
	}
	require.Equal(t, membership.Load{CPU: 1, Fronts: 3, Routers: 3}, s.Load())
	var names []string
	for _, row := range s.Status().Fronts {
		names = append(names, row.Application)
	}
	require.Equal(t, []string{"a", "b", "c"}, names)
}

// A node without applications shows how busy its host is.
func TestStatusOfANodeThatHasNoApplication(t *testing.T) {
	_, s := rawNode(t, remote.ServerOptions{NewWorker: newEngine, Load: func() float64 { return 0.75 }})
	require.Equal(t, 0.75, s.Status().CPU)
	_, s = rawNode(t, remote.ServerOptions{NewWorker: newEngine})
	require.Zero(t, s.Status().CPU)
}

// A node's address in numbers whose host refuses connections has no process behind it; what stands for a name is not known.
func TestNodeThatWasNeverThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	log := &logBuffer{}
	w := dial(t, remote.Options{
		Address: l.Addr().String(), Emit: func(*api.Notification) {},
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.Eventually(t, func() bool { return log.contains("cannot connect to the node") }, patience, time.Millisecond)
	require.NoError(t, w.Err(), "it may still come")
}

// A node that is no node of the cluster is left.
func TestStrangeNode(t *testing.T) {
	c := newCluster(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("220 mail.example ESMTP\r\n"))
			conn.Close()
		}
	}()
	_, err = remote.AskStatus(t.Context(), l.Addr().String(), c.app.Client(identity.Node))
	require.Error(t, err)
}

// Links are for nodes that have certificates for each other, not too many, and not when the node stops.
func TestLinksThatAreNotMade(t *testing.T) {
	c := newCluster(t)
	credentials := c.of("alone")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	alone := remote.NewServer(remote.ServerOptions{NewWorker: func(_ *remote.Opening, emit api.Emitter, _ *slog.Logger) (api.Worker, error) {
		return newStand(emit), nil
	}})
	t.Cleanup(alone.Close)
	go alone.Serve(l, credentials.Server())
	w := dial(t, remote.Options{Address: l.Addr().String(), TLS: c.app.Client(identity.Node), Emit: func(*api.Notification) {}})
	require.ErrorContains(t, ask(w, api.MethodTransportConsumeData, "d", outgoing("out", "127.0.0.1:1", tokenOf(1))), "no certificate for other nodes")

	home := localNode(t)
	home.furnish(t)
	dir := t.TempDir()
	for n := range 256 {
		home.must(t, api.MethodTransportConsumeData, "d", outgoing(fmt.Sprint("out", n), fmt.Sprintf("unix:%s/%d", dir, n), tokenOf(byte(n))))
	}
	require.ErrorContains(t, home.try(api.MethodTransportConsumeData, "d", outgoing("more", "unix:"+dir+"/more", tokenOf(1))), "too many links")
}

// Other nodes have at most so many links here; one that is refused for that may come later.
func TestTooManyIncomingLinks(t *testing.T) {
	address, s := rawNode(t, remote.ServerOptions{NewWorker: newEngine})
	open := func(n int) byte {
		l := session.NewLink(unixTime, session.SessionID{byte(n), byte(n >> 8), 1}, session.DefaultLimits)
		l.Connected()
		conn, err := net.Dial("unix", address[len("unix:"):])
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = conn.Write(l.Output().Bytes)
		require.NoError(t, err)
		answer := make([]byte, 6)
		_, err = io.ReadFull(conn, answer)
		require.NoError(t, err)
		if answer[4] == 3 {
			return answer[5]
		}
		return 0
	}
	for n := range 256 {
		require.Zero(t, open(n))
	}
	require.EqualValues(t, session.RefuseBusy, open(256))
	require.EqualValues(t, session.RefuseEpoch, open(255), "a stale connection of one that is there")
	require.Len(t, s.Status().Links, 256)
}
