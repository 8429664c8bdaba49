package main

import (
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"gazpacho/internal/epoll"
)

// openChannel returns the streams of the channel. They are kept out of Go's poller and use raw system calls, for the reasons
// given in internal/epoll: requests come one by one, with pauses in between.
func openChannel() (io.Reader, io.Writer, error) {
	for _, d := range []struct{ fd, mode int }{{inFD, unix.O_RDONLY}, {outFD, unix.O_WRONLY}} {
		if err := checkDescriptor(d.fd, d.mode); err != nil {
			return nil, nil, err
		}
	}
	in := &input{fd: inFD}
	var err error
	if in.epoll, err = epoll.New(); err != nil {
		return nil, nil, err
	}
	if err := in.epoll.Add(inFD); err != nil {
		return nil, nil, err
	}
	return in, output(outFD), nil
}

// input reads a descriptor in non-blocking mode, for one goroutine.
type input struct {
	fd    int
	epoll *epoll.Instance
	ready [1]epoll.Event
}

// Read implements io.Reader.
func (r *input) Read(b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch {
		case errno == unix.EAGAIN:
			if _, err := r.epoll.Wait(r.ready[:]); err != nil {
				return 0, err
			}
		case errno == unix.EINTR:
		case errno != 0:
			return 0, os.NewSyscallError("read", errno)
		case n == 0:
			return 0, io.EOF
		default:
			return int(n), nil
		}
	}
}

// output writes to a descriptor in non-blocking mode.
type output int

// TryWrite writes what can be written without waiting, and returns the number of bytes. The next Write returns the error.
func (w output) TryWrite(b []byte) int {
	n, _ := w.write(b)
	return n
}

// Write implements io.Writer. It blocks a thread while the other side does not read.
func (w output) Write(b []byte) (written int, err error) {
	for written < len(b) {
		n, errno := w.write(b[written:])
		written += n
		switch errno {
		case 0, unix.EINTR:
		case unix.EAGAIN:
			unix.Poll([]unix.PollFd{{Fd: int32(w), Events: unix.POLLOUT}}, -1) // the next write reports any error
		default:
			return written, os.NewSyscallError("write", errno)
		}
	}
	return written, nil
}

// write makes one system call.
func (w output) write(b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(w), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// waitForHangup returns when the other side has closed the socket or pipe, even if data is still unread. It blocks a thread.
func waitForHangup(fd int) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	for {
		if _, err := unix.Poll(fds, -1); err == nil || err != unix.EINTR {
			return
		}
	}
}
