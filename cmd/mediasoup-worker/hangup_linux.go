package main

import "golang.org/x/sys/unix"

// waitForHangup returns when the other side of a socket or pipe has been closed, though data may still be unread. It
// holds a thread.
func waitForHangup(fd int) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	for {
		if _, err := unix.Poll(fds, -1); err == nil || err != unix.EINTR {
			return
		}
	}
}
