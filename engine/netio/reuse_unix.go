//go:build unix && !linux

package netio

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reusePort allows several sockets on one port, with the option that libuv and thus upstream uses here.
func reusePort(raw syscall.RawConn) (err error) {
	controlErr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}
