package hosts_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// flow is what two sockets send each other. a is the lesser address.
type flow struct {
	protocol uint8 // of IP: unix.IPPROTO_UDP or unix.IPPROTO_TCP
	a, b     netip.AddrPort
}

// count is what was captured of a flow.
type count struct {
	packets, bytes int
	marked         int // packets with the marker in them
}

// capture reads all that crosses the switch.
type capture struct {
	fd     int
	marker []byte
	stop   atomic.Bool
	ended  chan struct{}

	mu    sync.Mutex
	flows map[flow]*count
}

// Of the packet socket.
const (
	maxFrame      = 1 << 17 // bytes: virtual interfaces pass on what the sender left for the hardware to cut into packets
	captureBuffer = 64 << 20
)

// newCapture begins to capture, and looks for a marker in what it sees.
func newCapture(t *testing.T, marker []byte) *capture {
	t.Helper()
	c := &capture{marker: marker, ended: make(chan struct{}), flows: map[flow]*count{}}
	on(t, switchHost, func() (err error) {
		c.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
		return err
	})
	require.NoError(t, unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer))
	tick := unix.Timeval{Usec: 50_000} // so that read sees stop
	require.NoError(t, unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tick))
	go c.read()
	t.Cleanup(func() {
		c.finish()
		unix.Close(c.fd)
	})
	return c
}

// finish ends the capture when all is read that has crossed the switch. Peers may go on: it waits for no pause.
func (c *capture) finish() {
	c.stop.Store(true)
	<-c.ended
}

func (c *capture) read() {
	defer close(c.ended)
	frame := make([]byte, maxFrame)
	for {
		stop, flags := c.stop.Load(), 0
		if stop {
			flags = unix.MSG_DONTWAIT // the rest
		}
		n, from, err := unix.Recvfrom(c.fd, frame, flags)
		switch {
		case errors.Is(err, unix.EAGAIN):
			if stop {
				return
			}
		case err != nil && !errors.Is(err, unix.EINTR):
			return
		case err == nil && from.(*unix.SockaddrLinklayer).Pkttype != unix.PACKET_OUTGOING: // as it comes from its sender
			c.count(frame[:n])
		}
	}
}

// count counts an Ethernet frame with IPv4 in it.
func (c *capture) count(frame []byte) {
	const ethernet, minIP = 14, 20
	if len(frame) < ethernet+minIP || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP {
		return
	}
	ip := frame[ethernet:]
	ports := ip[min(int(ip[0]&0x0f)*4, len(ip)):]
	protocol := ip[9]
	if (protocol != unix.IPPROTO_UDP && protocol != unix.IPPROTO_TCP) || len(ports) < 4 {
		return
	}
	a := netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:])), binary.BigEndian.Uint16(ports))
	b := netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:])), binary.BigEndian.Uint16(ports[2:]))
	if b.Compare(a) < 0 {
		a, b = b, a
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f := flow{protocol, a, b}
	if c.flows[f] == nil {
		c.flows[f] = &count{}
	}
	row := c.flows[f]
	row.packets++
	row.bytes += len(frame)
	if bytes.Contains(ip, c.marker) {
		row.marked++
	}
}

// between returns the flows of a protocol between two hosts.
func (c *capture) between(protocol uint8, a, b netip.Addr) (flows []flow) {
	if b.Less(a) {
		a, b = b, a
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.flows {
		if f.protocol == protocol && f.a.Addr() == a && f.b.Addr() == b {
			flows = append(flows, f)
		}
	}
	slices.SortFunc(flows, func(x, y flow) int { return x.a.Compare(y.a) })
	return flows
}

// all returns a copy of what was counted.
func (c *capture) all() map[flow]count {
	c.mu.Lock()
	defer c.mu.Unlock()
	flows := map[flow]count{}
	for f, row := range c.flows {
		flows[f] = *row
	}
	return flows
}

// missed returns how many frames the kernel had no room for, since the last call.
func (c *capture) missed(t *testing.T) uint32 {
	t.Helper()
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	require.NoError(t, err)
	return stats.Drops
}

// on runs f on another host: what sockets it opens are that host's.
func on(t *testing.T, host string, f func() error) {
	t.Helper()
	runtime.LockOSThread() // the thread that a namespace belongs to
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	require.NoError(t, err)
	defer here.Close()
	there, err := os.Open(filepath.Join("/run/netns", host))
	require.NoError(t, err)
	defer there.Close()
	require.NoError(t, unix.Setns(int(there.Fd()), unix.CLONE_NEWNET))
	ferr := f()
	require.NoError(t, unix.Setns(int(here.Fd()), unix.CLONE_NEWNET))
	require.NoError(t, ferr)
}

// htons returns what has v's bytes in network order in memory.
func htons(v uint16) uint16 { return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v)) }
