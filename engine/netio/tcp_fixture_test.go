package netio_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
)

// event is a handler call: a batch or, without one, the end of a connection.
type event struct {
	conn  *netio.TCPConn
	batch [][]byte
	from  netip.AddrPort
}

// tcpEvents queues what a server receives. With admit, it admits every peer that sends something.
type tcpEvents struct {
	calls chan event
	admit bool
	react func(c *netio.TCPConn, batch [][]byte) // on the reader goroutine
}

func (e *tcpEvents) HandleFrames(c *netio.TCPConn, batch []netio.Datagram) {
	ev := event{conn: c, from: batch[0].From}
	for _, d := range batch {
		ev.batch = append(ev.batch, bytes.Clone(d.Buffer.Bytes()))
		d.Buffer.Release()
	}
	if e.admit {
		c.Admit()
	}
	if e.react != nil {
		e.react(c, ev.batch)
	}
	e.calls <- ev
}

func (e *tcpEvents) HandleClosed(c *netio.TCPConn) { e.calls <- event{conn: c} }

func (e *tcpEvents) next(t *testing.T) event {
	t.Helper()
	select {
	case ev := <-e.calls:
		return ev
	case <-time.After(deadline):
		require.FailNow(t, "the handler was not called")
		return event{}
	}
}

// frames returns the frames of the next batch.
func (e *tcpEvents) frames(t *testing.T) (*netio.TCPConn, [][]byte) {
	t.Helper()
	ev := e.next(t)
	require.NotNil(t, ev.batch, "the connection was closed")
	return ev.conn, ev.batch
}

// closed waits for the end of a connection.
func (e *tcpEvents) closed(t *testing.T) *netio.TCPConn {
	t.Helper()
	ev := e.next(t)
	require.Nil(t, ev.batch, "frames")
	return ev.conn
}

func serveTCP(t *testing.T, cfg netio.TCPConfig, admit bool) (*netio.TCPServer, *tcpEvents) {
	t.Helper()
	e := &tcpEvents{calls: make(chan event, 1000), admit: admit}
	return serveTCPWith(t, cfg, e), e
}

func serveTCPWith(t *testing.T, cfg netio.TCPConfig, e *tcpEvents) *netio.TCPServer {
	t.Helper()
	if !cfg.Address.IsValid() {
		cfg.Address = netip.MustParseAddr("127.0.0.1")
	}
	s, err := netio.ListenTCP(cfg)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() { s.Serve(e); close(done) }()
	t.Cleanup(func() {
		s.Close()
		select {
		case <-done:
		case <-time.After(deadline):
			require.FailNow(t, "Serve did not return after Close")
		}
		require.Zero(t, s.Stats().Connections)
	})
	return s
}

func dial(t *testing.T, s *netio.TCPServer) *net.TCPConn {
	t.Helper()
	return dialTo(t, s.LocalAddr())
}

func dialTo(t *testing.T, to netip.AddrPort) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(deadline)))
	t.Cleanup(func() { conn.Close() })
	return conn
}

func frame(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(payload))), payload...)
}

func write(t *testing.T, conn *net.TCPConn, frames ...string) {
	t.Helper()
	var b []byte
	for _, f := range frames {
		b = append(b, frame([]byte(f))...)
	}
	_, err := conn.Write(b)
	require.NoError(t, err)
}

func readFrame(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var length [2]byte
	_, err := io.ReadFull(r, length[:])
	require.NoError(t, err)
	payload := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err = io.ReadFull(r, payload)
	require.NoError(t, err)
	return payload
}

// requireClosed waits until the server has closed conn, with FIN or RST.
func requireClosed(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	_, err := conn.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "still open")
}

// requireRefused connects and expects a reset from the server, during connect or later.
func requireRefused(t *testing.T, s *netio.TCPServer) {
	t.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(s.LocalAddr()))
	if err != nil {
		require.ErrorIs(t, err, syscall.ECONNRESET)
		return
	}
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(deadline)))
	requireClosed(t, conn)
}
