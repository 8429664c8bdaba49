package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// patience bounds the wait for what must happen; no passing test waits this long.
const patience = 30 * time.Second

// binaryPath is the program under test, built once.
var binaryPath string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "play-parent" {
		playParent()
		return
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "mediasoup-worker")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binaryPath = filepath.Join(dir, "mediasoup-worker")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binaryPath, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// process is a worker process and the application's end of its channel.
type process struct {
	t       testing.TB
	cmd     *exec.Cmd
	stderr  bytes.Buffer
	dialect *fbs.Dialect
	encoder *fbs.Encoder
	to      *os.File
	from    *os.File
}

// socketPair returns the two ends of a stream, as Node creates them for its child processes.
func socketPair(t testing.TB) (ours, theirs *os.File) {
	t.Helper()
	fds, err := socketDescriptors()
	require.NoError(t, err)
	require.NoError(t, unix.SetNonblock(fds[0], true))
	return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
}

// socketDescriptors returns the two ends of a stream, which child processes do not inherit by default.
func socketDescriptors() (fds [2]int, err error) {
	syscall.ForkLock.RLock() // no other test may start a process before they are marked close-on-exec
	defer syscall.ForkLock.RUnlock()
	if fds, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	return fds, err
}

// spawn starts a worker with its channel and waits for the notification that it is running.
func spawn(t testing.TB, args ...string) *process {
	t.Helper()
	p := launch(t, args...)
	running := p.notification(api.EventWorkerRunning)
	require.Equal(t, strconv.Itoa(p.cmd.Process.Pid), running.HandlerID)
	return p
}

// launch starts a worker with its channel.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	return launchAs(t, binaryPath, "3.27.1", append(os.Environ(), versionEnv+"=3.27.1"), args...)
}

// launchAs starts a program as the worker of an application of the given release, with env as its whole environment.
func launchAs(t testing.TB, program, release string, env []string, args ...string) *process {
	t.Helper()
	dialect, err := fbs.Load(release)
	require.NoError(t, err)
	cmd := exec.Command(program, args...)
	cmd.Env = env
	return start(t, cmd, dialect)
}

// start starts a command as a worker whose application speaks a dialect.
func start(t testing.TB, cmd *exec.Cmd, dialect *fbs.Dialect) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, dialect: dialect, encoder: dialect.NewEncoder()}
	var in, out *os.File
	p.to, in = socketPair(t)
	p.from, out = socketPair(t)
	p.cmd.ExtraFiles, p.cmd.Stderr = []*os.File{in, out}, &p.stderr
	require.NoError(t, p.cmd.Start())
	require.NoError(t, errors.Join(in.Close(), out.Close()))
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		_ = errors.Join(p.to.Close(), p.from.Close())
	})
	return p
}

func (p *process) send(m api.MessageBody) {
	p.t.Helper()
	b, err := p.encoder.AppendMessage(nil, m)
	require.NoError(p.t, err)
	p.write(b)
}

func (p *process) write(b []byte) {
	p.t.Helper()
	_, err := p.to.Write(b)
	require.NoError(p.t, err)
}

func (p *process) read() api.MessageBody {
	p.t.Helper()
	require.NoError(p.t, p.from.SetReadDeadline(time.Now().Add(patience)))
	var prefix [4]byte
	_, err := io.ReadFull(p.from, prefix[:])
	require.NoError(p.t, err)
	payload := make([]byte, binary.LittleEndian.Uint32(prefix[:]))
	_, err = io.ReadFull(p.from, payload)
	require.NoError(p.t, err)
	m, err := p.dialect.DecodeMessage(payload)
	require.NoError(p.t, err)
	return m
}

// notification reads messages up to the next notification of the event.
func (p *process) notification(e api.Event) *api.Notification {
	p.t.Helper()
	for {
		if n, ok := p.read().(*api.Notification); ok && n.Event == e {
			return n
		}
	}
}

// response reads messages up to the next response.
func (p *process) response() *api.Response {
	p.t.Helper()
	for {
		if r, ok := p.read().(*api.Response); ok {
			return r
		}
	}
}

// log reads messages up to the next log line that contains text, and returns the line.
func (p *process) log(text string) string {
	p.t.Helper()
	for {
		if l, ok := p.read().(*api.Log); ok && strings.Contains(l.Data, text) {
			return l.Data
		}
	}
}

// exit waits for the process and returns its exit code and standard error.
func (p *process) exit() (code int, stderr string) {
	p.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.cmd.Wait()
	}()
	select {
	case <-done:
		return p.cmd.ProcessState.ExitCode(), p.stderr.String()
	case <-time.After(patience):
		p.t.Fatal("the worker did not exit")
		return 0, ""
	}
}

func (p *process) dump(id uint32) *api.WorkerDumpResponse {
	p.t.Helper()
	p.send(&api.Request{ID: id, Method: api.MethodWorkerDump})
	r := p.response()
	require.Equal(p.t, id, r.ID)
	require.True(p.t, r.Accepted)
	return r.Body.(*api.WorkerDumpResponse)
}
