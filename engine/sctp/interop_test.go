package sctp_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/sctp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
)

// pionConn is pion's end of the link.
type pionConn struct {
	in   chan []byte
	once sync.Once
	done chan struct{}
	to   *end
}

func (c *pionConn) Read(b []byte) (int, error) {
	select {
	case p := <-c.in:
		return copy(b, p), nil
	case <-c.done:
		return 0, io.EOF
	}
}

func (c *pionConn) Write(b []byte) (int, error) {
	c.to.HandlePacket(b)
	return len(b), nil
}

func (c *pionConn) Close() error {
	c.once.Do(func() { close(c.done) })
	return nil
}

func (*pionConn) LocalAddr() net.Addr              { return nil }
func (*pionConn) RemoteAddr() net.Addr             { return nil }
func (*pionConn) SetDeadline(time.Time) error      { return nil }
func (*pionConn) SetReadDeadline(time.Time) error  { return nil }
func (*pionConn) SetWriteDeadline(time.Time) error { return nil }

// withPion links an association to a plain pion association.
func withPion(t *testing.T) (*end, *pionConn) {
	t.Helper()
	e := newEnd(sctp.Config{})
	c := &pionConn{in: make(chan []byte, 4096), done: make(chan struct{}), to: e}
	e.run(t, func(p []byte) {
		select {
		case c.in <- p:
		default: // the network loses it
		}
	})
	t.Cleanup(func() { _ = c.Close() })
	return e, c
}

func TestWithPionAsServerAndClient(t *testing.T) {
	roles := map[string]func(c *pionConn) (*pion.Association, error){
		"server": func(c *pionConn) (*pion.Association, error) { return pion.ServerWithOptions(pion.WithNetConn(c)) },
		"client": func(c *pionConn) (*pion.Association, error) { return pion.ClientWithOptions(pion.WithNetConn(c)) },
	}
	for role, start := range roles {
		for _, first := range []bool{true, false} {
			t.Run(role, func(t *testing.T) {
				if role == "server" && !first {
					t.Log("a server waits for our INIT in any case")
				}
				e, c := withPion(t)
				if first || role == "server" {
					e.MayConnect()
				}
				peer, err := start(c)
				require.NoError(t, err)
				e.awaitState(t, api.SCTPStateConnected)
				talkWithPion(t, e, peer)
			})
		}
	}
}

func talkWithPion(t *testing.T, e *end, peer *pion.Association) {
	t.Helper()
	s, err := peer.OpenStream(5, pion.PayloadTypeWebRTCString)
	require.NoError(t, err)
	_, err = s.Write([]byte("from pion"))
	require.NoError(t, err)
	require.Equal(t, []sctp.Message{{StreamID: 5, PPID: 51, Data: []byte("from pion")}}, e.awaitMessages(t, 1))
	require.NoError(t, e.Send(sctp.Message{StreamID: 5, PPID: 53, Data: []byte("to pion")}, ordered))
	b := make([]byte, 100)
	n, ppid, err := s.ReadSCTP(b)
	require.NoError(t, err)
	require.Equal(t, "to pion", string(b[:n]))
	require.Equal(t, pion.PayloadTypeWebRTCBinary, ppid)
	require.NoError(t, s.Close())
	e.awaitReset(t, 5)
	e.ResetStreams(5)
	_, err = s.Read(b)
	require.ErrorIs(t, err, io.EOF)
	e.Close()
	e.drain()
	_, err = peer.AcceptStream()
	require.ErrorIs(t, err, io.EOF, "our ABORT ended it")
}
