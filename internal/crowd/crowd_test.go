package crowd

import (
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// conn is a connection that comes from an address.
type conn struct {
	net.Conn
	from   net.Addr
	closed bool
}

func (c *conn) RemoteAddr() net.Addr { return c.from }

func (c *conn) Close() error {
	c.closed = true
	return nil
}

func from(ip string) *conn { return &conn{from: &net.TCPAddr{IP: net.ParseIP(ip), Port: 1}} }

func enter(t *testing.T, c *Crowd, conn *conn) (displaced bool) {
	t.Helper()
	displaced, ok := c.Enter(conn)
	require.True(t, ok)
	return displaced
}

// Who has the most connections loses the oldest of his own.
func TestWhoHasTheMostMakesRoom(t *testing.T) {
	c := New(3)
	first, second, other := from("10.0.0.1"), from("10.0.0.1"), from("10.0.0.2")
	for _, x := range []*conn{other, first, second} {
		require.False(t, enter(t, c, x))
	}
	third := from("10.0.0.3")
	require.True(t, enter(t, c, third))
	require.Equal(t, []bool{true, false, false, false}, []bool{first.closed, second.closed, other.closed, third.closed})
	require.False(t, c.Leave(first), "it was displaced")
	require.Equal(t, 3, c.Len())

	require.True(t, c.Leave(third))
	require.False(t, enter(t, c, from("10.0.0.2")), "there is room")
	require.False(t, third.closed, "who leaves keeps his connection")
	c.Close()
	require.True(t, second.closed && other.closed)
	_, ok := c.Enter(from("10.0.0.9"))
	require.False(t, ok)
	require.Empty(t, c.byShare)
}

// Where all have as many, the oldest makes room.
func TestTheOldestMakesRoom(t *testing.T) {
	c := New(2)
	first, second := from("10.0.0.1"), from("10.0.0.2")
	enter(t, c, first)
	enter(t, c, second)
	enter(t, c, from("10.0.0.3"))
	require.True(t, first.closed)
	require.False(t, second.closed)
}

// What counts as an address: a /64 network, an IPv4 address however it is written, this host's unix sockets.
func TestShares(t *testing.T) {
	require.Equal(t, shareOf(from("2001:db8::1").from), shareOf(from("2001:db8::2").from))
	require.NotEqual(t, shareOf(from("2001:db8::1").from), shareOf(from("2001:db8:0:1::1").from))
	require.Equal(t, shareOf(from("10.0.0.1").from), shareOf(from("::ffff:10.0.0.1").from))
	require.NotEqual(t, shareOf(from("10.0.0.1").from), shareOf(from("10.0.0.2").from))
	require.Equal(t, shareOf(&net.UnixAddr{Name: "@"}), shareOf(&net.UnixAddr{}))
}

// scarce is a listener that fails before it accepts.
type scarce struct {
	net.Listener
	errs []error
}

func (s *scarce) Accept() (net.Conn, error) {
	if len(s.errs) == 0 {
		return &conn{}, nil
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
}

func (s *scarce) Addr() net.Addr { return &net.TCPAddr{} }

// A server outlives a time without descriptors.
func TestAcceptWaitsForDescriptors(t *testing.T) {
	c, err := Accept(&scarce{errs: []error{syscall.EMFILE, syscall.ENFILE}}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NotNil(t, c)
	_, err = Accept(&scarce{errs: []error{syscall.EINVAL}}, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, syscall.EINVAL)
}
