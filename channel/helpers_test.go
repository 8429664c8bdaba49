package channel_test

import (
	"encoding/binary"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// patience is how long a test waits for what must happen before it fails. No test waits for it to pass.
const patience = 20 * time.Second

// worker is an api.Worker made of functions. Without one, it accepts requests and notifications.
type worker struct {
	request func(req *api.Request, reply func(api.ResponseBody, error))
	notify  func(n *api.Notification) error
	close   func()
	closed  chan struct{}
	routers map[string]string // by the ids of their objects
	done    chan struct{}
	err     error // valid once done is closed
}

func newWorker() *worker { return &worker{closed: make(chan struct{}), done: make(chan struct{})} }

func (w *worker) RouterOf(id string) string { return w.routers[id] }

func (w *worker) Load() api.Load { return api.Load{} }

func (w *worker) Done() <-chan struct{} { return w.done }

func (w *worker) Err() error { return w.err }

func (w *worker) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	if w.request == nil {
		reply(nil, nil)
		return
	}
	w.request(req, reply)
}

func (w *worker) HandleNotification(n *api.Notification) error {
	if w.notify == nil {
		return nil
	}
	return w.notify(n)
}

func (w *worker) Close() {
	if w.close != nil {
		w.close()
	}
	close(w.closed)
}

// app plays the application on the other side of a channel.
type app struct {
	t        testing.TB
	dialect  *fbs.Dialect
	encoder  *fbs.Encoder
	settings *channel.Settings
	ch       *channel.Channel
	to       *os.File // to the worker
	from     *os.File // from the worker
	ended    chan error
}

// pipe is an end of a pipe that is a channel.TryWriter.
type pipe struct{ *os.File }

func (p pipe) TryWrite(b []byte) (n int) {
	raw, err := p.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Write(func(fd uintptr) bool {
		n, _ = syscall.Write(int(fd), b)
		return true
	})
	return max(n, 0)
}

// setup makes a channel over pipes of the operating system, which does not serve yet.
func setup(t testing.TB, change func(*channel.Options)) *app {
	t.Helper()
	dialect, err := fbs.Load("3.27.1")
	require.NoError(t, err)
	in, to, err := os.Pipe()
	require.NoError(t, err)
	from, out, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, f := range []*os.File{to, from, in, out} {
			_ = f.Close()
		}
	})
	a := &app{
		t: t, dialect: dialect, encoder: dialect.NewEncoder(), settings: channel.NewSettings(),
		to: to, from: from, ended: make(chan error, 1),
	}
	o := channel.Options{
		In: in, Out: pipe{out}, Decoder: dialect, Encoder: dialect.NewEncoder(), Settings: a.settings, PID: 4711,
	}
	if change != nil {
		change(&o)
	}
	a.ch = channel.New(o)
	return a
}

// start sets a channel up that serves w, and takes the notification that it runs.
func start(t testing.TB, w api.Worker) *app {
	t.Helper()
	a := setup(t, nil)
	a.serve(w)
	return a
}

func (a *app) serve(w api.Worker) {
	a.t.Helper()
	go func() { a.ended <- a.ch.Serve(w) }()
	require.Equal(a.t, &api.Notification{HandlerID: "4711", Event: api.EventWorkerRunning}, a.read())
}

// frame encodes a message as the application does.
func (a *app) frame(m api.MessageBody) []byte {
	a.t.Helper()
	b, err := a.encoder.AppendMessage(nil, m)
	require.NoError(a.t, err)
	return b
}

func (a *app) write(b []byte) {
	a.t.Helper()
	_, err := a.to.Write(b)
	require.NoError(a.t, err)
}

func (a *app) send(m api.MessageBody) {
	a.t.Helper()
	a.write(a.frame(m))
}

// read takes the next message of the worker.
func (a *app) read() api.MessageBody {
	a.t.Helper()
	require.NoError(a.t, a.from.SetReadDeadline(time.Now().Add(patience)))
	var prefix [4]byte
	_, err := io.ReadFull(a.from, prefix[:])
	require.NoError(a.t, err)
	payload := make([]byte, binary.LittleEndian.Uint32(prefix[:]))
	_, err = io.ReadFull(a.from, payload)
	require.NoError(a.t, err)
	m, err := a.dialect.DecodeMessage(payload)
	require.NoError(a.t, err)
	return m
}

// response takes messages until a response comes.
func (a *app) response() *api.Response {
	a.t.Helper()
	for {
		if r, ok := a.read().(*api.Response); ok {
			return r
		}
	}
}

// log takes messages until a log line comes.
func (a *app) log() string {
	a.t.Helper()
	for {
		if l, ok := a.read().(*api.Log); ok {
			return l.Data
		}
	}
}

// end waits for Serve to return.
func (a *app) end() error {
	a.t.Helper()
	select {
	case err := <-a.ended:
		return err
	case <-time.After(patience):
		a.t.Fatal("Serve did not return")
		return nil
	}
}

func (a *app) stillWorks(id uint32) {
	a.t.Helper()
	a.send(&api.Request{ID: id, Method: api.MethodWorkerDump})
	for {
		r := a.response()
		if r.ID == id {
			require.True(a.t, r.Accepted)
			return
		}
	}
}

func closed(t testing.TB, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal("not closed")
	}
}
