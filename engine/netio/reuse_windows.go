package netio

import (
	"syscall"

	"golang.org/x/sys/windows"
)

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
