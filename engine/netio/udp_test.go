package netio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
)

const deadline = 30 * time.Second // a bound for what must happen; no passing test waits this long

type received struct {
	data []byte
	from netip.AddrPort
}

// collector queues what a socket receives.
type collector chan received

func (c collector) HandleDatagrams(batch []netio.Datagram) {
	for _, d := range batch {
		c <- received{bytes.Clone(d.Buffer.Bytes()), d.From}
		d.Buffer.Release()
	}
}

func (c collector) next(t *testing.T) received {
	t.Helper()
	select {
	case r := <-c:
		return r
	case <-time.After(deadline):
		require.FailNow(t, "no datagram")
		return received{}
	}
}

func listen(t *testing.T, cfg netio.UDPConfig) *netio.UDPSocket {
	t.Helper()
	s, err := netio.ListenUDP(cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// serve returns a socket on address and what it receives.
func serve(t *testing.T, address string) (*netio.UDPSocket, collector) {
	t.Helper()
	s := listen(t, netio.UDPConfig{Address: netip.MustParseAddr(address), RecvBufferSize: 4 << 20})
	c := make(collector, 1000)
	require.NoError(t, s.Serve(poller(t), c))
	return s, c
}

// poller returns a poller that is closed at the end of the test, after its sockets.
func poller(t *testing.T) *netio.Poller {
	t.Helper()
	p, err := netio.NewPoller()
	require.NoError(t, err)
	t.Cleanup(func() {
		done := make(chan struct{})
		go func() { p.Close(); close(done) }()
		select {
		case <-done:
		case <-time.After(deadline):
			require.FailNow(t, "Poller.Close did not return")
		}
	})
	return p
}

// fill commits packets of the given lengths, each beginning with its number.
func fill(b *netio.Batch, lengths ...int) {
	for i, n := range lengths {
		space := b.Space(n)
		clear(space[:n])
		binary.BigEndian.PutUint16(space, uint16(i))
		space[n-1] = byte(n)
		b.Commit(n)
	}
}

func TestSendAndReceive(t *testing.T) {
	equal := make([]int, 64)
	for i := range equal {
		equal[i] = 1000
	}
	for name, lengths := range map[string][]int{
		"one packet":            {1200},
		"one group":             {1200, 1200, 1200},
		"last shorter":          {1200, 1200, 20},
		"many sizes":            {3, 1200, 1201, 1201, 90, 1500, 10, 10},
		"64 segments":           equal,
		"larger than a buffer":  {5000, 1600, 1601, 5000, 3},
		"larger than any frame": {60000},
	} {
		for _, address := range []string{"127.0.0.1", "::1"} {
			t.Run(name+" to "+address, func(t *testing.T) {
				receiver, got := serve(t, address)
				sender := listen(t, netio.UDPConfig{Address: netip.MustParseAddr(address), SendBufferSize: 4 << 20})
				b := netio.NewBatch()
				fill(b, lengths...)
				sent, dropped := sender.Send(receiver.LocalAddr(), b)
				require.Equal(t, len(lengths), sent)
				require.Zero(t, dropped)
				for i, n := range lengths {
					r := got.next(t)
					require.Equal(t, sender.LocalAddr(), r.from)
					require.Len(t, r.data, n)
					require.Equal(t, i, int(binary.BigEndian.Uint16(r.data)))
					require.Equal(t, byte(n), r.data[n-1])
				}
				require.Equal(t, uint64(len(lengths)), sender.Stats().Sent)
				require.Zero(t, receiver.Stats().Truncated)
			})
		}
	}
}

func TestEmptyDatagramsAreIgnored(t *testing.T) {
	s, got := serve(t, "127.0.0.1")
	peer, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(s.LocalAddr()))
	require.NoError(t, err)
	defer peer.Close()
	for _, data := range []string{"", "", "x"} {
		_, err = peer.Write([]byte(data))
		require.NoError(t, err)
	}
	require.Equal(t, "x", string(got.next(t).data))
	require.Equal(t, uint64(1), s.Stats().Received)
}

// discard ignores what a socket receives.
type discard struct{}

func (discard) HandleDatagrams(batch []netio.Datagram) {
	for _, d := range batch {
		d.Buffer.Release()
	}
}

func TestCloseWhileManySend(t *testing.T) {
	s := listen(t, netio.UDPConfig{Address: netip.MustParseAddr("127.0.0.1")})
	var all, senders sync.WaitGroup
	require.NoError(t, s.Serve(poller(t), discard{}))
	for range 4 {
		senders.Add(1)
		all.Go(func() {
			b := filled(3)
			for i := 0; ; i++ {
				if i == 50 {
					senders.Done() // and go on until the socket is closed
				}
				if sent, _ := s.Send(s.LocalAddr(), b); sent == 0 && i >= 50 {
					break
				}
			}
		})
	}
	senders.Wait()
	s.Close()
	all.Wait()
	require.GreaterOrEqual(t, s.Stats().Sent, uint64(4*50*3))
	require.Zero(t, s.Stats().GSOFallbacks)
}

func TestEmptyBatchSendsNothing(t *testing.T) {
	s, _ := serve(t, "127.0.0.1")
	sent, dropped := s.Send(s.LocalAddr(), netio.NewBatch())
	require.Zero(t, sent)
	require.Zero(t, dropped)
}

func TestIPv4OverADualStackSocket(t *testing.T) {
	dual, fromV4 := serve(t, "::")
	v4, fromDual := serve(t, "127.0.0.1")
	b := netio.NewBatch()
	fill(b, 100)
	v4.Send(netip.AddrPortFrom(v4.LocalAddr().Addr(), dual.LocalAddr().Port()), b)
	require.Equal(t, v4.LocalAddr(), fromV4.next(t).from, "not in its IPv6-mapped form")
	dual.Send(v4.LocalAddr(), b)
	require.Equal(t, netip.AddrPortFrom(v4.LocalAddr().Addr(), dual.LocalAddr().Port()), fromDual.next(t).from)
}

func TestUnreachableDestinationsAreCounted(t *testing.T) {
	v6Only := listen(t, netio.UDPConfig{Address: netip.MustParseAddr("::"), IPv6Only: true})
	v4 := listen(t, netio.UDPConfig{Address: netip.MustParseAddr("0.0.0.0")})
	for name, test := range map[string]struct {
		socket *netio.UDPSocket
		to     string
	}{
		"IPv6 from an IPv4 socket":      {v4, "[::1]:9"},
		"IPv4 from an IPv6-only socket": {v6Only, "127.0.0.1:9"},
		"port 0":                        {v4, "127.0.0.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			before := test.socket.Stats().SendErrors
			b := netio.NewBatch()
			fill(b, 100, 100, 99)
			sent, dropped := test.socket.Send(netip.MustParseAddrPort(test.to), b)
			require.Zero(t, sent)
			require.Equal(t, 3, dropped)
			require.Equal(t, before+3, test.socket.Stats().SendErrors)
		})
	}
	sent, dropped := v4.Send(netip.AddrPort{}, filled(1))
	require.Zero(t, sent)
	require.Equal(t, 1, dropped)
}

func filled(n int) *netio.Batch {
	b := netio.NewBatch()
	for range n {
		b.Space(100)
		b.Commit(100)
	}
	return b
}

func TestSocketSurvivesClosedDestination(t *testing.T) {
	gone := listen(t, netio.UDPConfig{Address: netip.MustParseAddr("127.0.0.1")})
	to := gone.LocalAddr()
	gone.Close()
	s, got := serve(t, "127.0.0.1")
	for range 10 {
		s.Send(to, filled(2)) // the kernel answers with ICMP port unreachable
	}
	sent, _ := s.Send(s.LocalAddr(), filled(1))
	require.Equal(t, 1, sent)
	require.Len(t, got.next(t).data, 100)
}

func TestSendOnAClosedSocket(t *testing.T) {
	s := listen(t, netio.UDPConfig{Address: netip.MustParseAddr("127.0.0.1")})
	s.Close()
	s.Close()
	sent, dropped := s.Send(s.LocalAddr(), filled(2))
	require.Zero(t, sent)
	require.Equal(t, 2, dropped)
}

// closer closes its socket from within the handler.
type closer struct {
	s    *netio.UDPSocket
	done chan struct{}
}

func (c closer) HandleDatagrams([]netio.Datagram) {
	c.s.Close()
	close(c.done)
}

func TestCloseFromTheHandler(t *testing.T) {
	s := listen(t, netio.UDPConfig{Address: netip.MustParseAddr("127.0.0.1")})
	c := closer{s, make(chan struct{})}
	require.NoError(t, s.Serve(poller(t), c))
	s.Send(s.LocalAddr(), filled(1))
	select {
	case <-c.done:
	case <-time.After(deadline):
		require.FailNow(t, "Close did not return")
	}
	again := listen(t, netio.UDPConfig{Address: s.LocalAddr().Addr(), Port: s.LocalAddr().Port()})
	require.Equal(t, s.LocalAddr(), again.LocalAddr(), "the port is free again")
}

func TestFixedPortTaken(t *testing.T) {
	first := listen(t, netio.UDPConfig{Address: netip.MustParseAddr("127.0.0.1")})
	_, err := netio.ListenUDP(netio.UDPConfig{Address: first.LocalAddr().Addr(), Port: first.LocalAddr().Port()})
	var bindErr *netio.BindError
	require.ErrorAs(t, err, &bindErr)
	require.Equal(t, netio.BindFailed, bindErr.Reason)
	require.True(t, errors.Is(err, syscall.EADDRINUSE))
	require.ErrorContains(t, err, "port bind failed [protocol:udp, ip:'127.0.0.1', port:")
}

func TestRangeOfTakenPorts(t *testing.T) {
	taken, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // as another process would
	require.NoError(t, err)
	defer taken.Close()
	port := uint16(taken.LocalAddr().(*net.UDPAddr).Port)
	cfg := netio.UDPConfig{Address: netip.MustParseAddr("127.0.0.1"), PortMin: port, PortMax: port}
	_, err = netio.ListenUDP(cfg)
	var bindErr *netio.BindError
	require.ErrorAs(t, err, &bindErr)
	require.Equal(t, netio.BindNoMorePorts, bindErr.Reason)

	taken.Close()
	s := listen(t, cfg)
	require.Equal(t, port, s.LocalAddr().Port())
	s.Close()
	require.Equal(t, port, listen(t, cfg).LocalAddr().Port(), "free again after Close")
}

func TestReusePort(t *testing.T) {
	cfg := netio.UDPConfig{Address: netip.MustParseAddr("127.0.0.1"), ReusePort: true}
	first := listen(t, cfg)
	cfg.Port = first.LocalAddr().Port()
	require.Equal(t, first.LocalAddr(), listen(t, cfg).LocalAddr())
	cfg.ReusePort = false
	_, err := netio.ListenUDP(cfg)
	require.Error(t, err)
}

func TestMulticastPortIsNotReusedByDefault(t *testing.T) {
	cfg := netio.UDPConfig{Address: netip.MustParseAddr("224.0.0.1")}
	first := listen(t, cfg)
	cfg.Port = first.LocalAddr().Port()
	_, err := netio.ListenUDP(cfg)
	var bindErr *netio.BindError
	require.ErrorAs(t, err, &bindErr)
}

func TestBadAddresses(t *testing.T) {
	var bindErr *netio.BindError
	_, err := netio.ListenUDP(netio.UDPConfig{})
	require.ErrorAs(t, err, &bindErr)
	require.Equal(t, netio.BindInvalidAddress, bindErr.Reason)
	require.EqualError(t, err, "invalid IP address")

	_, err = netio.ListenUDP(netio.UDPConfig{Address: netip.MustParseAddr("192.0.2.1"), PortMin: 40000, PortMax: 40010})
	require.ErrorAs(t, err, &bindErr)
	require.Equal(t, netio.BindAddressNotAvailable, bindErr.Reason)
}

func TestSendAllocatesNothing(t *testing.T) {
	s := listen(t, netio.UDPConfig{Address: netip.MustParseAddr("127.0.0.1")})
	to := s.LocalAddr()
	b := netio.NewBatch()
	fill(b, 1200, 1200, 1200, 1201, 90)
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Send(to, b) }))
}
