//go:build unix

package main

import (
	"fmt"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkDescriptor checks a descriptor inherited from the parent process and makes it non-blocking. It must be a socket or a
// pipe, open for mode. Anything else was not passed by the parent: the Go runtime may already have opened something under a
// number that was free.
func checkDescriptor(fd, mode int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("file descriptor %d is not open", fd)
	}
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFSOCK && kind != unix.S_IFIFO {
		return fmt.Errorf("file descriptor %d is neither a socket nor a pipe", fd)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return fmt.Errorf("file descriptor %d: %w", fd, err)
	}
	if access := flags & unix.O_ACCMODE; access != unix.O_RDWR && access != mode {
		return fmt.Errorf("file descriptor %d is open in the wrong direction", fd)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("file descriptor %d: %w", fd, err)
	}
	return nil
}

// ignoreSignals ignores the signals that the C++ worker ignores.
func ignoreSignals() {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2)
}
