// Package epoll waits for input on file descriptors, on Linux.
//
// Go's own poller also subscribes to room to send (EPOLLOUT, edge-triggered). The kernel signals that on a socket whenever
// the other side, or the network, has taken something: each write causes a useless wake-up. An Instance subscribes to input
// only, and itself waits in Go's poller, so that a waiting goroutine holds no thread.
//
// Descriptors that wait here should be read and written by raw system calls (golang.org/x/sys/unix.RawSyscall) that never
// block. Ordinary system calls notify Go's scheduler, which wakes its monitor thread at the first call after each pause; the
// thread then checks on system calls every 20 µs for a while. Under light load that costs more than the calls themselves.
package epoll
