// Package epoll waits for input on file descriptors, on Linux.
//
// Go's own poller always asks for room to send as well (EPOLLOUT, edge-triggered). For a socket the kernel signals that
// whenever the other side, or the network, has taken something: each write is followed by a wake-up for nothing. An Instance
// asks for input only, and itself waits in Go's poller, so that a goroutine that waits holds no thread.
//
// What waits here should be read and written by raw system calls (golang.org/x/sys/unix.RawSyscall) that never block. The
// others tell Go's scheduler, which then wakes its monitor thread at the first call after each pause, and has it look after
// the calls every 20 µs for a while. Under small loads that costs more than the calls.
package epoll
