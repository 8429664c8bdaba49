//go:build unix

package channel

import "syscall"

// writeNow writes to a descriptor in non-blocking mode, as Go keeps those that it can wait for. It returns a negative number
// when nothing was written.
func writeNow(fd uintptr, b []byte) int {
	n, _ := syscall.Write(int(fd), b)
	return n
}
