package channel

import (
	"io"
	"syscall"
)

// tryWriter returns a function that writes as much as w takes without waiting, and returns how much that was. Streams that
// are no file descriptors take nothing.
func tryWriter(w io.Writer) func([]byte) int {
	nothing := func([]byte) int { return 0 }
	conn, ok := w.(syscall.Conn)
	if !ok {
		return nothing
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nothing
	}
	return func(b []byte) (n int) {
		// An error is left to the writer, who meets it again.
		_ = raw.Write(func(fd uintptr) bool {
			n = max(writeNow(fd, b), 0)
			return true
		})
		return n
	}
}
