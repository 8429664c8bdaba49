//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// patience is the time limit for one step.
const patience = 2 * time.Minute

// worker is a worker process and its channel.
type worker struct {
	cmd     *exec.Cmd
	stderr  bytes.Buffer
	to      *os.File
	from    *os.File
	reader  *bufio.Reader
	dialect *fbs.Dialect
	encoder *fbs.Encoder
	lastID  uint32
	firstID uint32 // of the next expected answers
}

// start runs a worker and waits for the notification that it is running.
func start(binary string) (*worker, error) {
	dialect, err := fbs.Load(release)
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command(binary, "--logLevel=none"), dialect: dialect, encoder: dialect.NewEncoder()}
	var in, out *os.File
	if w.to, in, err = socketPair(); err != nil {
		return nil, err
	}
	if w.from, out, err = socketPair(); err != nil {
		return nil, err
	}
	w.reader = bufio.NewReaderSize(w.from, 1<<16)
	w.cmd.Env = append(os.Environ(), "MEDIASOUP_VERSION="+release)
	w.cmd.ExtraFiles = []*os.File{in, out}
	w.cmd.Stderr = &w.stderr
	err = w.cmd.Start()
	_ = errors.Join(in.Close(), out.Close())
	if err != nil {
		return nil, err
	}
	if err := w.from.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	frame, err := w.readFrame(nil)
	if err != nil {
		w.stop()
		return nil, fmt.Errorf("the worker did not start: %w\n%s", err, &w.stderr)
	}
	if m, err := dialect.DecodeMessage(frame); err != nil || !isRunning(m) {
		w.stop()
		return nil, fmt.Errorf("the worker's first message is %T instead of WORKER_RUNNING (%v)", m, err)
	}
	return w, nil
}

func isRunning(m api.MessageBody) bool {
	n, ok := m.(*api.Notification)
	return ok && n.Event == api.EventWorkerRunning
}

// socketPair returns the two ends of a stream, as Node creates them for its child processes.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs"), nil
}

// stop kills the worker.
func (w *worker) stop() {
	_ = errors.Join(w.to.Close(), w.from.Close())
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
}

// encode builds all frames of a step.
func (w *worker) encode(s work) (frames []byte, err error) {
	w.firstID = w.lastID + 1
	for i := range s.count {
		request := s.request(i)
		w.lastID++
		request.ID = w.lastID
		if frames, err = w.encoder.AppendMessage(frames, &request); err != nil {
			return nil, err
		}
	}
	return frames, nil
}

// exchange writes frames and reads as many answers.
func (w *worker) exchange(frames []byte, count int) (answers [][]byte, err error) {
	if err := w.from.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	written := make(chan error, 1)
	go func() {
		_, err := w.to.Write(frames)
		written <- err
	}()
	var arena []byte
	for range count {
		if cap(arena)-len(arena) < 1<<12 {
			arena = make([]byte, 0, 1<<20)
		}
		frame, err := w.readFrame(arena[len(arena):])
		if err != nil {
			return nil, errors.Join(err, w.to.Close())
		}
		arena = arena[:min(len(arena)+len(frame), cap(arena))]
		answers = append(answers, frame)
	}
	return answers, <-written
}

// readFrame returns one message. It uses the capacity of b if the message fits there.
func (w *worker) readFrame(b []byte) ([]byte, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(w.reader, prefix[:]); err != nil {
		return nil, err
	}
	length := int(binary.LittleEndian.Uint32(prefix[:]))
	if length > cap(b) {
		b = make([]byte, length)
	}
	b = b[:length:length]
	_, err := io.ReadFull(w.reader, b)
	return b, err
}

// check decodes the answers: each request must have been accepted, in order.
func (w *worker) check(answers [][]byte) error {
	for i, b := range answers {
		m, err := w.dialect.DecodeMessage(b)
		if err != nil {
			return err
		}
		r, ok := m.(*api.Response)
		if !ok || r.ID != w.firstID+uint32(i) || !r.Accepted {
			return fmt.Errorf("request %d was answered with %+v", w.firstID+uint32(i), m)
		}
	}
	return nil
}

// cpu returns the CPU time of the worker's threads so far, in seconds.
func (w *worker) cpu() (float64, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", w.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var total float64
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that ended
		}
		var ns float64
		if _, err := fmt.Sscan(string(text), &ns); err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		total += ns
	}
	return total / 1e9, nil
}
