package metrics

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"gazpacho/internal/unixsocket"
)

// DefaultAddress is where a node listens unless it is told otherwise. Several processes of a host each take a port of the range. 9464 is
// the port that OpenTelemetry uses for Prometheus.
const DefaultAddress = "127.0.0.1:9464-9499"

// Address is where to listen: an IP address with a port or a range of ports, of which the first free one is taken, or a folder, in which a
// unix socket is made.
type Address struct {
	host        netip.Addr
	first, last uint16
	folder      string
}

// ParseAddress reads "127.0.0.1:9464", "127.0.0.1:9464-9499", "[::1]:9464" or "unix:/path/to/folder". Port 0 is any free one.
func ParseAddress(text string) (a Address, err error) {
	if folder, ok := strings.CutPrefix(text, "unix:"); ok {
		if !filepath.IsAbs(folder) {
			return a, fmt.Errorf("invalid value '%s': want unix: and the absolute path of a folder", text)
		}
		return Address{folder: folder}, nil
	}
	wrong := fmt.Errorf("invalid value '%s': want an IP address with a port or a range of ports, such as %s", text, DefaultAddress)
	host, ports, err := net.SplitHostPort(text)
	if err != nil {
		return a, wrong
	}
	if a.host, err = netip.ParseAddr(host); err != nil {
		return a, wrong
	}
	from, to, isRange := strings.Cut(ports, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.ParseUint(from, 10, 16)
	last, err2 := strconv.ParseUint(to, 10, 16)
	if err1 != nil || err2 != nil || first > last || first == 0 && last > 0 {
		return a, wrong
	}
	a.first, a.last = uint16(first), uint16(last)
	return a, nil
}

// local reports whether only this host reaches it.
func (a Address) local() bool { return a.folder != "" || a.host.IsLoopback() }

// listen takes the first free port, or makes a socket that is named after the process.
func (a Address) listen() (net.Listener, error) {
	if a.folder != "" {
		return ListenInFolder(a.folder, ".sock")
	}
	for port := int(a.first); port <= int(a.last); port++ {
		l, err := net.Listen("tcp", netip.AddrPortFrom(a.host, uint16(port)).String())
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
	}
	return nil, fmt.Errorf("no port from %d to %d is free", a.first, a.last)
}

// ListenInFolder makes a unix socket in a folder, for this user only, that is named after the process, with a suffix. It also removes the
// sockets of processes that have ended without doing so.
func ListenInFolder(folder, suffix string) (net.Listener, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(folder, "*"+suffix))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if unixsocket.IsStale(name) {
			os.Remove(name)
		}
	}
	return unixsocket.Listen(filepath.Join(folder, strconv.Itoa(os.Getpid())+suffix))
}
