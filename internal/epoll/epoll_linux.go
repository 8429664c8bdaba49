package epoll

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Event is a descriptor that has input, or whose other side has closed.
type Event = unix.EpollEvent

// Instance is an epoll instance. One goroutine may wait at a time; Add and Close may be called from others.
type Instance struct {
	file  *os.File
	raw   syscall.RawConn
	poll  func(epoll uintptr) bool // i.look as a value, created once
	ready []Event
	n     int
}

// New returns an instance. It fails if the process has no descriptor left.
func New() (*Instance, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // required by Go's poller
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	i := &Instance{file: os.NewFile(uintptr(fd), "epoll")}
	if i.raw, err = i.file.SyscallConn(); err != nil {
		i.file.Close()
		return nil, err
	}
	i.poll = i.look
	return i, nil
}

// Close ends Wait. The descriptors stay open.
func (i *Instance) Close() { i.file.Close() }

// Add makes Wait report fd as long as it has input (level-triggered), until fd is closed.
func (i *Instance) Add(fd int) error {
	event := Event{Events: unix.EPOLLIN, Fd: int32(fd)}
	var err error
	if i.raw.Control(func(epoll uintptr) {
		err = os.NewSyscallError("epoll_ctl", unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, fd, &event))
	}) != nil {
		return os.ErrClosed
	}
	return err
}

// Wait waits until a descriptor has input, and returns the number of events written to ready. The error is os.ErrClosed.
func (i *Instance) Wait(ready []Event) (int, error) {
	i.ready = ready
	if i.raw.Read(i.poll) != nil {
		return 0, os.ErrClosed
	}
	return i.n, nil
}

// look polls without blocking. If it returns false, Go's poller parks the goroutine until the epoll descriptor is readable.
func (i *Instance) look(epoll uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, epoll, uintptr(unsafe.Pointer(&i.ready[0])), uintptr(len(i.ready)), 0, 0, 0)
		switch errno {
		case 0:
			i.n = int(n)
			return n > 0
		case unix.EINTR:
		default:
			panic("epoll: epoll_pwait failed on a valid instance: " + errno.Error())
		}
	}
}
