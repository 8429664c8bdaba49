package rtcpeer

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// NAT is between a peer and the worker, like a home router: the worker sees only its outer address. Move replaces that
// address, as if the device changed the network and its peer connection did not notice.
type NAT struct {
	t      testing.TB
	worker *net.UDPAddr
	inner  *net.UDPConn

	mu    sync.Mutex
	outer *net.UDPConn
	peer  *net.UDPAddr
	shape shape
}

const datagram = 1 << 16

// NewNAT returns a NAT in front of a port of the worker.
func NewNAT(t testing.TB, port uint16) *NAT {
	t.Helper()
	n := &NAT{t: t, worker: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)}}
	var err error
	n.inner, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	n.Move()
	go n.forwardOut()
	t.Cleanup(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		_ = errors.Join(n.inner.Close(), n.outer.Close())
	})
	return n
}

// Inside is the address to which the peer sends.
func (n *NAT) Inside() net.Addr { return n.inner.LocalAddr() }

// Outside is the port that the worker sees.
func (n *NAT) Outside() uint16 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return uint16(n.outer.LocalAddr().(*net.UDPAddr).Port)
}

// Move replaces the outer address. Packets that the worker still sends to the old one are lost.
func (n *NAT) Move() {
	n.t.Helper()
	outer, err := net.DialUDP("udp4", nil, n.worker)
	require.NoError(n.t, err)
	n.mu.Lock()
	old := n.outer
	n.outer = outer
	n.mu.Unlock()
	if old != nil {
		require.NoError(n.t, old.Close())
	}
	go n.forwardIn(outer)
}

func (n *NAT) forwardOut() {
	b := make([]byte, datagram)
	for {
		size, from, err := n.inner.ReadFromUDP(b)
		if err != nil {
			return
		}
		n.mu.Lock()
		n.peer = from
		if wait, passes := n.shape.admit(time.Now(), size); wait > 0 {
			later := bytes.Clone(b[:size])
			time.AfterFunc(wait, func() { n.send(later) })
		} else if passes {
			_, _ = n.outer.Write(b[:size]) // UDP may lose packets
		}
		n.mu.Unlock()
	}
}

func (n *NAT) send(b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = n.outer.Write(b)
}

func (n *NAT) forwardIn(outer *net.UDPConn) {
	b := make([]byte, datagram)
	for {
		size, err := outer.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		n.mu.Lock()
		peer := n.peer
		n.mu.Unlock()
		if err == nil && peer != nil {
			_, _ = n.inner.WriteToUDP(b[:size], peer)
		}
	}
}
