package netio_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
)

func TestTCPClosedByThePeer(t *testing.T) {
	for name, end := range map[string]func(*net.TCPConn){
		"close":            func(c *net.TCPConn) { c.Close() },
		"half close":       func(c *net.TCPConn) { c.CloseWrite() },
		"reset":            func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
		"close in a frame": func(c *net.TCPConn) { c.Write([]byte{0, 9, 1}); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s, events := serveTCP(t, netio.TCPConfig{}, true)
			client := dial(t, s)
			write(t, client, "hello")
			c, _ := events.frames(t)
			end(client)
			require.Same(t, c, events.closed(t))
			require.Zero(t, s.Stats().Connections)

			b := netio.NewBatch()
			fill(b, 100, 100)
			sent, dropped := c.Send(b)
			require.Equal(t, [2]int{0, 2}, [2]int{sent, dropped})
			require.Equal(t, uint64(2), s.Stats().SendErrors)
			c.Close()
			c.Admit()
			require.Empty(t, events.calls, "HandleClosed is called once")
		})
	}
}

func TestTCPClosedByUs(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, true)
	client := dial(t, s)
	write(t, client, "hello")
	c, _ := events.frames(t)
	b := netio.NewBatch()
	fill(b, 100)
	c.Send(b)
	c.Close()
	c.Close()
	require.Same(t, c, events.closed(t))
	require.Len(t, readFrame(t, client), 100, "what was sent before arrives")
	requireClosed(t, client)
}

// Closing within the handler ends the connection at once: no further frame of the same read follows.
func TestTCPClosedWithinTheHandler(t *testing.T) {
	events := &tcpEvents{calls: make(chan event, 1000), react: func(c *netio.TCPConn, _ [][]byte) { c.Close() }}
	s := serveTCPWith(t, netio.TCPConfig{}, events)
	client := dial(t, s)
	_, err := client.Write(bytes.Repeat([]byte{0, 1, 'x'}, 100))
	require.NoError(t, err)
	_, batch := events.frames(t)
	require.Len(t, batch, 32, "a batch of the hundred frames")
	events.closed(t)
	require.Equal(t, uint64(32), s.Stats().Received)
}

func TestTCPServerClosedWithinTheHandler(t *testing.T) {
	server := make(chan *netio.TCPServer, 1)
	events := &tcpEvents{calls: make(chan event, 1000), react: func(*netio.TCPConn, [][]byte) { (<-server).Close() }}
	s := serveTCPWith(t, netio.TCPConfig{}, events)
	server <- s
	idle, client := dial(t, s), dial(t, s)
	write(t, client, "hello")
	requireClosed(t, client)
	requireClosed(t, idle)
}

// A connection closes while its queue waits for a peer that does not read: from our side, from the peer's, by the server.
func TestTCPCloseWithFullQueue(t *testing.T) {
	for name, end := range map[string]func(*netio.TCPServer, *netio.TCPConn, *net.TCPConn){
		"by us":         func(_ *netio.TCPServer, c *netio.TCPConn, _ *net.TCPConn) { c.Close() },
		"by the peer":   func(_ *netio.TCPServer, _ *netio.TCPConn, peer *net.TCPConn) { peer.SetLinger(0); peer.Close() },
		"by the server": func(s *netio.TCPServer, _ *netio.TCPConn, _ *net.TCPConn) { s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s, events := serveTCP(t, netio.TCPConfig{SendBufferSize: 32 << 10}, true)
			client := dial(t, s)
			write(t, client, "hello")
			c, _ := events.frames(t)
			sendUntilFull(c)
			end(s, c, client)
			require.Same(t, c, events.closed(t))
			b := netio.NewBatch()
			fill(b, 100)
			sent, dropped := c.Send(b)
			require.Equal(t, [2]int{0, 1}, [2]int{sent, dropped})
		})
	}
}

// Serve returns although connections are open, and HandleClosed is called for each of them.
func TestTCPServerCloseWithConnections(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, true)
	for range 50 {
		write(t, dial(t, s), "hello")
	}
	open := make(map[*netio.TCPConn]bool)
	for range 50 {
		c, _ := events.frames(t)
		open[c] = true
	}
	require.Equal(t, 50, s.Stats().Connections)
	s.Close()
	s.Close()
	for range 50 {
		c := events.closed(t)
		require.True(t, open[c])
		delete(open, c)
	}
	_, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(s.LocalAddr()))
	require.Error(t, err, "the port is closed")
}

func TestTCPServerNeverServed(t *testing.T) {
	s, err := netio.ListenTCP(netio.TCPConfig{Address: netip.MustParseAddr("127.0.0.1")})
	require.NoError(t, err)
	s.Close()
	s.Serve(nil) // returns at once
}
