package crowd

import (
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"
)

// pause is the time between two attempts to accept while there is no descriptor or memory for it. Chosen here.
const pause = 50 * time.Millisecond

// Accept accepts a connection. What the process or the system has too little of at the moment is waited for, and the log says so: a server
// that gave up then would be gone for good. Its error says that the listener is closed, or of no use.
func Accept(l net.Listener, log *slog.Logger) (net.Conn, error) {
	for waits := false; ; waits = true {
		c, err := l.Accept()
		if err == nil || !passes(err) {
			return c, err
		}
		if !waits {
			log.Error("no connection can be accepted", "at", l.Addr(), "error", err)
		}
		time.Sleep(pause)
	}
}

// passes reports whether an error is one of those that a server waits out.
func passes(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
