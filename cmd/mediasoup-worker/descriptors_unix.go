//go:build unix

package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// openDescriptor returns the file for a descriptor that the parent process has left open. It must be a socket or a pipe,
// and allow what mode says. Anything else there is not ours: the Go runtime may already have opened something under a
// number that the parent left free.
func openDescriptor(fd int, mode int, name string) (*os.File, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("file descriptor %d is not open", fd)
	}
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFSOCK && kind != unix.S_IFIFO {
		return nil, fmt.Errorf("file descriptor %d is neither a socket nor a pipe", fd)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil, fmt.Errorf("file descriptor %d: %w", fd, err)
	}
	if access := flags & unix.O_ACCMODE; access != unix.O_RDWR && access != mode {
		return nil, fmt.Errorf("file descriptor %d is open in the wrong direction", fd)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("file descriptor %d: %w", fd, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// openChannel returns the streams of the channel.
func openChannel() (in, out *os.File, err error) {
	if in, err = openDescriptor(inFD, unix.O_RDONLY, "channel input"); err != nil {
		return nil, nil, err
	}
	if out, err = openDescriptor(outFD, unix.O_WRONLY, "channel output"); err != nil {
		return nil, nil, err
	}
	return in, out, nil
}

// ignoreSignals ignores those that upstream's worker ignores.
func ignoreSignals() {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2)
}
