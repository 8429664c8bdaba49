// Package app is the application's end of a worker process: it starts the binary, sends requests over the channel on
// descriptors 3 and 4, and keeps the notifications.
package app

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// Patience bounds the wait for what must happen; no passing test waits this long.
const Patience = 30 * time.Second

// release is the release of mediasoup whose protocol the tests speak.
const release = "3.27.1"

// Worker is a worker process. Its methods fail the test if the worker misbehaves or refuses a request; use Call for requests
// that may be refused.
type Worker struct {
	t       testing.TB
	cmd     *exec.Cmd
	stderr  bytes.Buffer // complete once the process has ended
	dialect *fbs.Dialect
	to      *os.File
	from    *os.File
	ended   chan struct{} // the channel has reached its end

	sending sync.Mutex
	encoder *fbs.Encoder

	mu            sync.Mutex
	changed       *sync.Cond
	nextID        uint32
	responses     map[uint32]*api.Response
	notifications []*api.Notification
	logs          []string
	over          bool
}

// Start starts the binary at path. When the test ends, the worker is closed and must exit with code 0, without an internal
// error and, if it was built with the race detector, without a race.
func Start(t testing.TB, path string, args ...string) *Worker {
	t.Helper()
	dialect, err := fbs.Load(release)
	require.NoError(t, err)
	w := &Worker{
		t: t, cmd: exec.Command(path, append([]string{"--logLevel=warn"}, args...)...), dialect: dialect,
		encoder: dialect.NewEncoder(), ended: make(chan struct{}), responses: map[uint32]*api.Response{},
	}
	w.changed = sync.NewCond(&w.mu)
	var in, out *os.File
	w.to, in = socketPair(t)
	w.from, out = socketPair(t)
	// By default, the race detector sleeps for a second before the program exits.
	w.cmd.Env = append(os.Environ(), "MEDIASOUP_VERSION="+release, "GORACE=atexit_sleep_ms=0")
	w.cmd.ExtraFiles = []*os.File{in, out}
	w.cmd.Stderr = &w.stderr
	require.NoError(t, w.cmd.Start())
	require.NoError(t, in.Close())
	require.NoError(t, out.Close())
	go w.read()
	t.Cleanup(w.stop)
	w.Wait("", api.EventWorkerRunning, func(api.NotificationBody) bool { return true })
	return w
}

// socketPair returns the two ends of a stream, as Node creates them for its child processes.
func socketPair(t testing.TB) (ours, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, unix.SetNonblock(fds[0], true))
	return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
}

// PID returns the worker's process id.
func (w *Worker) PID() int { return w.cmd.Process.Pid }

// stop closes the worker and checks its exit code, standard error and log.
func (w *Worker) stop() {
	w.send(&api.Notification{Event: api.EventWorkerClose})
	kill := time.AfterFunc(Patience, func() { _ = w.cmd.Process.Kill() })
	<-w.ended
	err := w.cmd.Wait()
	kill.Stop()
	_, _ = w.to.Close(), w.from.Close()
	if err != nil || strings.Contains(w.stderr.String(), "DATA RACE") {
		w.t.Errorf("the worker failed: %v\n%s", err, w.stderr.String())
	}
	for _, line := range w.logs {
		if strings.Contains(line, "internal error") {
			w.t.Errorf("the worker logged: %s", line)
		}
	}
	if w.t.Failed() {
		w.t.Logf("the worker's log:\n%s", strings.Join(w.logs, "\n"))
	}
}

// read reads messages until the channel ends.
func (w *Worker) read() {
	defer close(w.ended)
	for {
		m, err := w.readMessage()
		w.mu.Lock()
		switch m := m.(type) {
		case *api.Response:
			w.responses[m.ID] = m
		case *api.Notification:
			w.notifications = append(w.notifications, m)
		case *api.Log:
			w.logs = append(w.logs, m.Data)
		}
		w.over = err != nil
		w.changed.Broadcast()
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (w *Worker) readMessage() (api.MessageBody, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(w.from, prefix[:]); err != nil {
		return nil, err
	}
	payload := make([]byte, binary.LittleEndian.Uint32(prefix[:]))
	if _, err := io.ReadFull(w.from, payload); err != nil {
		return nil, err
	}
	m, err := w.dialect.DecodeMessage(payload)
	if err != nil {
		w.t.Errorf("cannot decode the worker's message: %v", err)
	}
	return m, nil
}

func (w *Worker) send(m api.MessageBody) {
	w.sending.Lock()
	defer w.sending.Unlock()
	frame, err := w.encoder.AppendMessage(nil, m)
	if err == nil {
		_, err = w.to.Write(frame)
	}
	if err != nil {
		w.t.Errorf("cannot write to the worker: %v", err)
	}
}

// until waits until done returns true, or fails the test. done is called with the lock held.
func (w *Worker) until(what string, done func() bool) {
	w.t.Helper()
	expired := false
	timer := time.AfterFunc(Patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		expired = true
		w.changed.Broadcast()
	})
	defer timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !done() {
		if expired || w.over {
			w.t.Fatalf("timeout waiting for %s (the worker has ended: %t); its log:\n%s", what, w.over, strings.Join(w.logs, "\n"))
		}
		w.changed.Wait()
	}
}

// Call sends a request and returns the answer, accepted or not.
func (w *Worker) Call(method api.Method, handler string, body api.RequestBody) *api.Response {
	w.t.Helper()
	w.mu.Lock()
	w.nextID++
	id := w.nextID
	w.mu.Unlock()
	w.send(&api.Request{ID: id, Method: method, HandlerID: handler, Body: body})
	var response *api.Response
	w.until(fmt.Sprintf("the answer to %s", method), func() bool {
		response = w.responses[id]
		delete(w.responses, id)
		return response != nil
	})
	return response
}

// Do sends a request that must be accepted and returns the answer's body.
func (w *Worker) Do(method api.Method, handler string, body api.RequestBody) api.ResponseBody {
	w.t.Helper()
	r := w.Call(method, handler, body)
	require.True(w.t, r.Accepted, "%s: %s: %s", method, r.Error, r.Reason)
	return r.Body
}

// Notify sends a notification.
func (w *Worker) Notify(handler string, event api.Event, body api.NotificationBody) {
	w.send(&api.Notification{HandlerID: handler, Event: event, Body: body})
}

// Wait waits for a matching notification, which may have arrived already, and returns its body. An empty handler matches any.
func (w *Worker) Wait(handler string, event api.Event, match func(api.NotificationBody) bool) (body api.NotificationBody) {
	w.t.Helper()
	w.until(fmt.Sprintf("%s of %q", event, handler), func() bool {
		for _, n := range w.notifications {
			if (handler == "" || n.HandlerID == handler) && n.Event == event && match(n.Body) {
				body = n.Body
				return true
			}
		}
		return false
	})
	return body
}

// WaitLast waits until the last notification of one kind matches.
func (w *Worker) WaitLast(handler string, event api.Event, match func(api.NotificationBody) bool) {
	w.t.Helper()
	w.until(fmt.Sprintf("%s of %q", event, handler), func() bool {
		for _, n := range slices.Backward(w.notifications) {
			if n.HandlerID == handler && n.Event == event {
				return match(n.Body)
			}
		}
		return false
	})
}

// Notifications returns the bodies of all notifications of one kind received so far. Those caused by a request arrive before
// its answer.
func (w *Worker) Notifications(handler string, event api.Event) (bodies []api.NotificationBody) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.notifications {
		if n.HandlerID == handler && n.Event == event {
			bodies = append(bodies, n.Body)
		}
	}
	return bodies
}
