//go:build unix

package netio

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// receiver is the reading half of a connection: one read for each time that the poller says there is something.
type receiver struct {
	area *readArea
	n    int
	err  error
	run  func(fd uintptr) bool
}

func (r *receiver) init() { r.run = r.read }

// receive waits for bytes and returns them in an area, which the caller returns. The error is io.EOF when the peer has
// closed, and os.ErrDeadlineExceeded.
func (r *receiver) receive(c *TCPConn) (area *readArea, n int, err error) {
	if err = c.raw.Read(r.run); err == nil {
		err = r.err
	}
	area, r.area = r.area, nil
	return area, r.n, err
}

// read takes what is there; false means that there is nothing and the poller should wait.
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

// write returns how many bytes the kernel took at once, maybe none.
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
