//go:build unix && !linux

package netio

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reusePort allows or forbids several sockets on one port, with the option that libuv, and so mediasoup, uses on these systems.
func reusePort(raw syscall.RawConn, allow bool) (err error) {
	value := 0
	if allow {
		value = 1
	}
	controlErr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, value)
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}
