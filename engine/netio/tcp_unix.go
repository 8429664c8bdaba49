//go:build unix

package netio

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// receiver is the reading half of a connection: one read each time the poller reports input.
type receiver struct {
	area *readArea
	n    int
	err  error
	run  func(fd uintptr) bool
}

func (r *receiver) init() { r.run = r.read }

// receive waits for bytes and returns them in an area, which the caller puts back into readAreas. The error is io.EOF if
// the peer has closed, os.ErrDeadlineExceeded after the deadline, or any other error of the read.
func (r *receiver) receive(c *TCPConn) (area *readArea, n int, err error) {
	if err = c.raw.Read(r.run); err == nil {
		err = r.err
	}
	area, r.area = r.area, nil
	return area, r.n, err
}

// read reads what is there. It returns false if there is nothing and the poller should wait.
func (r *receiver) read(fd uintptr) bool {
	area := readAreas.Get().(*readArea)
	n, err := unix.Read(int(fd), area.data[:])
	for err == unix.EINTR {
		n, err = unix.Read(int(fd), area.data[:])
	}
	if err == nil && n > 0 {
		r.area, r.n, r.err = area, n, nil
		return true
	}
	readAreas.Put(area)
	if err == nil {
		err = io.EOF
	}
	r.err = err
	return err != unix.EAGAIN
}

// directWrite writes to a socket without waiting and without taking its lock.
type directWrite struct {
	data []byte
	n    int
	err  error
	run  func(fd uintptr)
}

func (d *directWrite) init() { d.run = d.try }

// write returns how many bytes the kernel took at once, possibly none.
func (d *directWrite) write(raw syscall.RawConn, data []byte) (n int, err error) {
	d.data = data
	if err = raw.Control(d.run); err == nil {
		err = d.err
	}
	d.data = nil
	return d.n, err
}

func (d *directWrite) try(fd uintptr) {
	n, err := unix.Write(int(fd), d.data)
	for err == unix.EINTR {
		n, err = unix.Write(int(fd), d.data)
	}
	if err == unix.EAGAIN || err == unix.ENOBUFS {
		n, err = 0, nil
	}
	d.n, d.err = max(n, 0), err
}

// setBufferSizes sets the kernel's buffers of a socket, in bytes; 0 leaves the system's default.
func setBufferSizes(raw syscall.RawConn, send, receive int) (err error) {
	controlErr := raw.Control(func(fd uintptr) {
		if send > 0 {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, send)
		}
		if receive > 0 && err == nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receive)
		}
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}
