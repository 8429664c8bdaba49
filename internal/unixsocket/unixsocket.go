// Package unixsocket makes unix sockets in folders that several processes share, each with a socket of its own there.
//
// A process that is killed leaves its socket behind, so the next one removes those that refuse it. But a socket refuses between bind(2) and
// listen(2) too. So one that is made here gets its name when it listens: processes that start together do not take each other's away.
package unixsocket

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
)

// unfinished ends the name of a socket that does not listen yet.
const unfinished = "~"

// Listen makes a socket for this user only. One that is there by this name is replaced.
func Listen(path string) (net.Listener, error) {
	temporary := path + unfinished
	os.Remove(temporary) // of a process with this number that was killed just then
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(temporary, 0o600), os.Rename(temporary, path)); err != nil {
		l.Close()
		os.Remove(temporary)
		return nil, err
	}
	return &listener{UnixListener: l, path: path}, nil
}

type listener struct {
	*net.UnixListener
	path   string
	remove sync.Once
}

// Addr returns where it is found.
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Close ends it and removes the socket.
func (l *listener) Close() error {
	l.remove.Do(func() { os.Remove(l.path) })
	return l.UnixListener.Close()
}

// IsStale reports whether a path is that of a socket on which nobody listens.
func IsStale(path string) bool {
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
