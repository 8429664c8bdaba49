package netio_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
)

func TestTCPBothWays(t *testing.T) {
	for name, address := range map[string]string{"IPv4": "127.0.0.1", "IPv6": "::1"} {
		t.Run(name, func(t *testing.T) {
			s, events := serveTCP(t, netio.TCPConfig{Address: netip.MustParseAddr(address)}, true)
			client := dial(t, s)
			write(t, client, "hello")
			ev := events.next(t)
			require.Equal(t, [][]byte{[]byte("hello")}, ev.batch)
			require.Equal(t, client.LocalAddr().(*net.TCPAddr).AddrPort(), ev.from)
			require.Equal(t, ev.from, ev.conn.RemoteAddr())
			require.Equal(t, s.LocalAddr(), ev.conn.LocalAddr())

			b := netio.NewBatch()
			lengths := []int{1200, 3, 1200, 1201, 65507}
			fill(b, lengths[:4]...)
			sent, dropped := ev.conn.Send(b)
			require.Equal(t, [2]int{4, 0}, [2]int{sent, dropped})
			b.Reset()
			fill(b, lengths[4])
			sent, dropped = ev.conn.Send(b)
			require.Equal(t, [2]int{1, 0}, [2]int{sent, dropped})
			for _, n := range lengths {
				got := readFrame(t, client)
				require.Len(t, got, n)
				require.Equal(t, byte(n), got[n-1])
			}
			stats := s.Stats()
			require.Equal(t, netio.TCPStats{Connections: 1, Accepted: 1, Received: 1, Sent: 5}, stats)
		})
	}
}

func TestTCPSendNothing(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, true)
	write(t, dial(t, s), "hello")
	c, _ := events.frames(t)
	sent, dropped := c.Send(netio.NewBatch())
	require.Equal(t, [2]int{0, 0}, [2]int{sent, dropped})
}

// A socket on :: takes IPv4 too, and reports the peer's address unmapped; with IPv6Only it takes IPv6 only.
func TestTCPDualStack(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{Address: netip.MustParseAddr("::")}, true)
	client := dialTo(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.LocalAddr().Port()))
	write(t, client, "hello")
	ev := events.next(t)
	require.Equal(t, client.LocalAddr().(*net.TCPAddr).AddrPort(), ev.from)
	require.True(t, ev.from.Addr().Is4())

	only, _ := serveTCP(t, netio.TCPConfig{Address: netip.MustParseAddr("::"), IPv6Only: true}, true)
	_, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(
		netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), only.LocalAddr().Port())))
	require.Error(t, err)
}

// Frames that arrive together are delivered together, at most 32 at once; the null packet of RFC 4571 is ignored.
func TestTCPBatches(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, true)
	client := dial(t, s)
	write(t, client, "a", "", "b", "", "", "c")
	_, batch := events.frames(t)
	require.Equal(t, [][]byte{[]byte("a"), []byte("b"), []byte("c")}, batch)

	var all []string
	for i := range 100 {
		all = append(all, string(rune('A'+i%26)))
	}
	write(t, client, all...)
	for len(all) > 0 {
		_, batch := events.frames(t)
		require.LessOrEqual(t, len(batch), 32)
		for _, f := range batch {
			require.Equal(t, all[0], string(f))
			all = all[1:]
		}
	}
	require.Equal(t, uint64(103), s.Stats().Received)
}

// A frame may arrive byte by byte.
func TestTCPFrameInPieces(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, true)
	client := dial(t, s)
	for _, b := range frame([]byte("dtls")) {
		_, err := client.Write([]byte{b})
		require.NoError(t, err)
	}
	_, batch := events.frames(t)
	require.Equal(t, [][]byte{[]byte("dtls")}, batch)
}

// The largest frame of the format passes once the connection is admitted.
func TestTCPLargestFrame(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, true)
	client := dial(t, s)
	write(t, client, "stun")
	events.frames(t)
	large := bytes.Repeat([]byte("gazpacho "), 65535)[:65535]
	write(t, client, string(large), "next")
	var got [][]byte
	for len(got) < 2 {
		_, batch := events.frames(t)
		got = append(got, batch...)
	}
	require.True(t, bytes.Equal(large, got[0]))
	require.Equal(t, "next", string(got[1]))
}

func TestTCPIDsDiffer(t *testing.T) {
	seen := make(map[uint32]bool)
	for range 3 {
		s, events := serveTCP(t, netio.TCPConfig{}, true)
		for range 5 {
			write(t, dial(t, s), "hello")
			c, _ := events.frames(t)
			require.False(t, seen[c.ID()])
			seen[c.ID()] = true
		}
	}
}

func TestTCPBindErrors(t *testing.T) {
	_, err := netio.ListenTCP(netio.TCPConfig{})
	requireBindError(t, err, netio.BindInvalidAddress)
	_, err = netio.ListenTCP(netio.TCPConfig{Address: netip.MustParseAddr("127.0.0.1"), PortMin: 5, PortMax: 4})
	requireBindError(t, err, netio.BindInvalidRange)
	_, err = netio.ListenTCP(netio.TCPConfig{Address: netip.MustParseAddr("192.0.2.1")})
	requireBindError(t, err, netio.BindAddressNotAvailable)

	s, _ := serveTCP(t, netio.TCPConfig{}, true)
	at := s.LocalAddr()
	_, err = netio.ListenTCP(netio.TCPConfig{Address: at.Addr(), Port: at.Port()})
	requireBindError(t, err, netio.BindFailed)
	require.ErrorContains(t, err, "port bind failed [protocol:tcp, ip:'127.0.0.1', port:")
	_, err = netio.ListenTCP(netio.TCPConfig{Address: at.Addr(), PortMin: at.Port(), PortMax: at.Port()})
	requireBindError(t, err, netio.BindNoMorePorts)
	s.Close()
	again, err := netio.ListenTCP(netio.TCPConfig{Address: at.Addr(), PortMin: at.Port(), PortMax: at.Port()})
	require.NoError(t, err, "Close frees the port")
	again.Close()
}

func requireBindError(t *testing.T, err error, reason netio.BindReason) {
	t.Helper()
	var bind *netio.BindError
	require.ErrorAs(t, err, &bind)
	require.Equal(t, reason, bind.Reason)
	require.Equal(t, "tcp", bind.Protocol)
}

// UDP and TCP ports are independent.
func TestTCPAndUDPShareAPort(t *testing.T) {
	s, _ := serveTCP(t, netio.TCPConfig{}, true)
	at := s.LocalAddr()
	u, err := netio.ListenUDP(netio.UDPConfig{Address: at.Addr(), PortMin: at.Port(), PortMax: at.Port()})
	require.NoError(t, err)
	require.Equal(t, at, u.LocalAddr())
	u.Close()
}
