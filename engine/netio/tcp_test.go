package netio_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
)

// event is a call of a handler: a batch, or, without one, the end of a connection.
type event struct {
	conn  *netio.TCPConn
	batch [][]byte
	from  netip.AddrPort
}

// tcpEvents passes on what a server receives. With admit, it admits whoever sends something.
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

// requireClosed waits until the server has closed conn; a reset is as good as an end.
func requireClosed(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	_, err := conn.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "still open")
}

// requireRefused connects and expects the server to reset that, while we still connect or later.
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

// A socket on :: takes IPv4 too, and shows the peer as what it is; with IPv6Only it does not.
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

// Frames that come together are handed over together, at most 32 at once; the null packet of RFC 4571 is nothing.
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

// A frame may come byte by byte, whatever TCP makes of it.
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

// The largest frame that the format knows passes once the connection is admitted.
func TestTCPLargestFrame(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, true)
	client := dial(t, s)
	write(t, client, "stun")
	events.frames(t)
	large := bytes.Repeat([]byte("gazpacho "), 65535)[:65535]
	write(t, client, string(large), "next")
	for _, want := range [][]byte{large, []byte("next")} {
		_, batch := events.frames(t)
		if len(batch) == 2 {
			require.Equal(t, "next", string(batch[1]))
			require.True(t, bytes.Equal(want, batch[0]))
			break
		}
		require.True(t, bytes.Equal(want, batch[0]))
	}
}

// Before it is admitted, nobody may announce a frame that is larger than a STUN message: whoever speaks another protocol
// is turned away at its first bytes.
func TestTCPStrangersAreTurnedAway(t *testing.T) {
	for name, data := range map[string][]byte{
		"HTTP":            []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"TLS":             {22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3},
		"a byte too many": frame(make([]byte, packet.SmallSize+1)),
		"all ones":        bytes.Repeat([]byte{0xff}, 5000),
	} {
		t.Run(name, func(t *testing.T) {
			s, events := serveTCP(t, netio.TCPConfig{}, false)
			client := dial(t, s)
			client.Write(data) // it may fail when the server is quick
			events.closed(t)
			requireClosed(t, client)
			require.Equal(t, netio.TCPStats{Accepted: 1, Oversized: 1}, s.Stats())
		})
	}
}

func TestTCPLargestFrameOfAStranger(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, false)
	client := dial(t, s)
	write(t, client, string(make([]byte, packet.SmallSize)))
	_, batch := events.frames(t)
	require.Len(t, batch[0], packet.SmallSize)
	// What is good before the bad is delivered.
	client.Write(append(frame([]byte("good")), 0xff, 0xff))
	_, batch = events.frames(t)
	require.Equal(t, [][]byte{[]byte("good")}, batch)
	events.closed(t)
}

// Whoever is not admitted in time is closed: one that says nothing, one that stops within a frame, one that sends frames
// which nobody knows. An admitted one, though older, stays.
func TestTCPAdmissionTimeout(t *testing.T) {
	events := &tcpEvents{calls: make(chan event, 1000), react: func(c *netio.TCPConn, batch [][]byte) {
		if string(batch[0]) == "friend" {
			c.Admit()
			c.Admit() // twice is once
		}
	}}
	s := serveTCPWith(t, netio.TCPConfig{AdmissionTimeout: 300 * time.Millisecond}, events)
	friend := dial(t, s)
	write(t, friend, "friend")
	c, _ := events.frames(t)

	for name, data := range map[string][]byte{
		"silence":           nil,
		"half a length":     {0},
		"half a frame":      frame([]byte("stranger"))[:5],
		"unknown frames":    frame([]byte("stranger")),
		"only null ones":    make([]byte, 100),
		"a frame and ahalf": append(frame([]byte("stranger")), 0, 9, 1),
	} {
		t.Run(name, func(t *testing.T) {
			before := s.Stats().Expired
			client := dial(t, s)
			_, err := client.Write(data)
			require.NoError(t, err)
			ev := events.next(t)
			for ev.batch != nil {
				ev = events.next(t)
			}
			require.NotSame(t, c, ev.conn)
			requireClosed(t, client)
			require.Equal(t, before+1, s.Stats().Expired)
		})
	}
	write(t, friend, "still here")
	same, batch := events.frames(t)
	require.Same(t, c, same)
	require.Equal(t, [][]byte{[]byte("still here")}, batch)
}

// Beyond the limit connections are accepted and reset; when one ends, another may come.
func TestTCPConnectionLimit(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{MaxConnections: 2}, true)
	first, second := dial(t, s), dial(t, s)
	write(t, first, "first")
	events.frames(t)
	write(t, second, "second")
	events.frames(t)
	for range 20 {
		requireRefused(t, s)
	}
	require.Equal(t, netio.TCPStats{Connections: 2, Accepted: 2, Refused: 20, Received: 2}, s.Stats())

	require.NoError(t, first.Close())
	events.closed(t)
	third := dial(t, s)
	write(t, third, "third")
	_, batch := events.frames(t)
	require.Equal(t, [][]byte{[]byte("third")}, batch)
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

// sendUntilFull sends numbered packets until the connection drops some, and returns which were taken.
func sendUntilFull(c *netio.TCPConn) (taken []uint32, dropped int) {
	b := netio.NewBatch()
	for n := uint32(0); dropped == 0; {
		b.Reset()
		for b.Len() < 10 {
			space := b.Space(1000)[:1000]
			binary.BigEndian.PutUint32(space, n+uint32(b.Len()))
			b.Commit(len(space))
		}
		var sent int
		sent, dropped = c.Send(b)
		for i := range sent {
			taken = append(taken, n+uint32(i))
		}
		n += uint32(b.Len())
	}
	return taken, dropped
}

// A peer that does not read: its queue fills, whole frames are dropped. When it reads again, it gets every frame that was
// taken, in order and complete, and then new ones.
func TestTCPSlowReader(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{SendBufferSize: 64 << 10}, true)
	client := dial(t, s)
	require.NoError(t, client.SetReadBuffer(64<<10))
	write(t, client, "hello")
	c, _ := events.frames(t)
	total := 0
	for range 2 {
		taken, dropped := sendUntilFull(c)
		total += dropped
		require.GreaterOrEqual(t, len(taken), (256<<10)/1002, "the queue was full before frames were dropped")
		require.Equal(t, uint64(total), s.Stats().SendDropped)
		for _, n := range taken {
			got := readFrame(t, client)
			require.Len(t, got, 1000)
			require.Equal(t, n, binary.BigEndian.Uint32(got))
		}
	}
	require.Zero(t, s.Stats().SendErrors)
}

// Several goroutines send on one connection: their frames do not mix.
func TestTCPConcurrentSenders(t *testing.T) {
	const senders, rounds = 4, 50
	s, events := serveTCP(t, netio.TCPConfig{SendBufferSize: 32 << 10}, true)
	client := dial(t, s)
	write(t, client, "hello")
	c, _ := events.frames(t)
	var done sync.WaitGroup
	for i := range senders {
		done.Go(func() {
			b := netio.NewBatch()
			for range rounds {
				b.Reset()
				for range 4 {
					b.Commit(copy(b.Space(300), bytes.Repeat([]byte{byte(i)}, 300)))
				}
				c.Send(b)
			}
		})
	}
	done.Wait()
	stats := s.Stats()
	require.Equal(t, uint64(senders*rounds*4), stats.Sent+stats.SendDropped)
	for range stats.Sent {
		payload := readFrame(t, client)
		require.Equal(t, bytes.Repeat(payload[:1], 300), payload)
	}
}

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
			require.Empty(t, events.calls, "the end is told once")
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

// Closing within the handler ends the connection at once: nothing of the same read follows.
func TestTCPClosedWithinTheHandler(t *testing.T) {
	events := &tcpEvents{calls: make(chan event, 1000), react: func(c *netio.TCPConn, _ [][]byte) { c.Close() }}
	s := serveTCPWith(t, netio.TCPConfig{}, events)
	client := dial(t, s)
	write(t, client, string(bytes.Repeat([]byte{0, 1, 'x'}, 100)))
	_, batch := events.frames(t)
	require.Len(t, batch, 1)
	events.closed(t)
	require.Equal(t, uint64(1), s.Stats().Received)
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

// Connections come while the server closes; Serve returns all the same, and every accepted one got its last call.
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
	require.Error(t, err, "nobody listens")
}

func TestTCPServerNeverServed(t *testing.T) {
	s, err := netio.ListenTCP(netio.TCPConfig{Address: netip.MustParseAddr("127.0.0.1")})
	require.NoError(t, err)
	s.Close()
	s.Serve(nil) // returns at once
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
	require.NoError(t, err, "Close has freed the port")
	again.Close()
}

func requireBindError(t *testing.T, err error, reason netio.BindReason) {
	t.Helper()
	var bind *netio.BindError
	require.ErrorAs(t, err, &bind)
	require.Equal(t, reason, bind.Reason)
	require.Equal(t, "tcp", bind.Protocol)
}

// A port is taken for UDP and for TCP separately.
func TestTCPAndUDPShareAPort(t *testing.T) {
	s, _ := serveTCP(t, netio.TCPConfig{}, true)
	at := s.LocalAddr()
	u, err := netio.ListenUDP(netio.UDPConfig{Address: at.Addr(), PortMin: at.Port(), PortMax: at.Port()})
	require.NoError(t, err)
	require.Equal(t, at, u.LocalAddr())
	u.Close()
}
