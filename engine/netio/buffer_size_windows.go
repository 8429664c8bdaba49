package netio

import (
	"syscall"

	"golang.org/x/sys/windows"
)

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
