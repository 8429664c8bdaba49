package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// connectTime is how long connecting, with the handshake, may take: chosen here, below the time after which applications are
// answered that a node is silent.
const connectTime = 3 * time.Second

// unixPrefix marks the address of a unix socket.
const unixPrefix = "unix:"

// DefaultPort is the port for sessions.
const DefaultPort = "7000"

// WithPort returns an address with a port: "host" means "host:port" with the given one. Unix sockets stay as they are.
func WithPort(address, port string) string {
	if IsLocal(address) || address == "" {
		return address
	}
	if _, err := netip.ParseAddr(address); err == nil || !strings.ContainsAny(address, ":[]") {
		return net.JoinHostPort(address, port)
	}
	if strings.HasSuffix(address, "]") && strings.HasPrefix(address, "[") {
		return address + ":" + port
	}
	return address
}

// SplitAddress returns the network and address of "unix:/run/a.sock" or "host:port", for package net.
func SplitAddress(address string) (network, where string, err error) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		if path == "" {
			return "", "", fmt.Errorf("%q names no socket: unix:/path/to/socket", address)
		}
		return "unix", path, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return "", "", fmt.Errorf("%q is no address: host:port or unix:/path/to/socket", address)
	}
	return "tcp", net.JoinHostPort(host, port), nil
}

// IsLocal reports whether an address is that of a unix socket, so that both ends are on one host.
func IsLocal(address string) bool { return strings.HasPrefix(address, unixPrefix) }

// saysGone reports whether an error of dial is the word of the node's own host that no process listens there. A name may stand for
// several hosts, so only the host of an address in numbers counts.
func saysGone(address string, err error) bool {
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ENOENT) {
		return false
	}
	if IsLocal(address) {
		return true
	}
	_, parseErr := netip.ParseAddrPort(address)
	return parseErr == nil
}

// dial connects to a node. A name is resolved anew each time, and all its addresses are tried.
func dial(ctx context.Context, address string, config *tls.Config) (net.Conn, error) {
	network, where, err := SplitAddress(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAliveTime, Interval: keepAliveTime, Count: 2}}
	conn, err := d.DialContext(ctx, network, where)
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		if err := checkPeer(conn); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
	if config == nil {
		conn.Close()
		return nil, errors.New("a node on another host is reached with certificates only: set the folder that they are in")
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}
