//go:build !linux

package remote

import (
	"net"
	"os"
	"time"

	"gazpacho/engine/unit"
)

var started = time.Now()

// clock returns the time for sessions: monotonic, but not everywhere counting while the machine is suspended. Nodes run on Linux.
func clock() unit.Time { return unit.Time(started.UnixNano()).Add(time.Since(started)) }

// HostID returns the host's name.
func HostID() string {
	name, _ := os.Hostname()
	return name
}

// checkPeer relies on the mode of the socket's file, which only its owner may use.
func checkPeer(net.Conn) error { return nil }
