//go:build unix

package netio

import (
	"syscall"

	"golang.org/x/sys/unix"
)

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
