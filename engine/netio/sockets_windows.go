package netio

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// receiver is the reading half of a connection. It holds an area while it waits, which is fine: Windows is for development only.
type receiver struct{}

func (*receiver) init() {}

// receive waits for bytes and returns them in an area, which the caller puts back into readAreas.
func (*receiver) receive(c *TCPConn) (area *readArea, n int, err error) {
	area = readAreas.Get().(*readArea)
	if n, err = c.conn.Read(area.data[:]); err != nil {
		readAreas.Put(area)
		return nil, 0, err
	}
	return area, n, nil
}

// directWrite writes nothing: everything goes through the queue.
type directWrite struct{}

func (*directWrite) init() {}

func (*directWrite) write(syscall.RawConn, []byte) (n int, err error) { return 0, nil }

// setBufferSizes sets the kernel's buffers of a socket, in bytes; 0 leaves the system's default.
func setBufferSizes(raw syscall.RawConn, send, receive int) (err error) {
	controlErr := raw.Control(func(fd uintptr) {
		if send > 0 {
			err = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_SNDBUF, send)
		}
		if receive > 0 && err == nil {
			err = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_RCVBUF, receive)
		}
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}

// reusePort allows or forbids several sockets on one port.
func reusePort(raw syscall.RawConn, allow bool) (err error) {
	value := 0
	if allow {
		value = 1
	}
	controlErr := raw.Control(func(fd uintptr) {
		err = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, value)
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}
