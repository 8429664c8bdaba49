package netio

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// reusePort allows several sockets on one port.
func reusePort(raw syscall.RawConn) (err error) {
	controlErr := raw.Control(func(fd uintptr) {
		err = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}
