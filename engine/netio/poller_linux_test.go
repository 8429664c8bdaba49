package netio

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const deadline = 30 * time.Second // a bound for what must happen; no passing test waits this long

// batches records how many datagrams each handler got, in order.
type batches chan batchOf

type batchOf struct {
	name string
	n    int
}

// of returns the handler of the socket with the given name.
func (b batches) of(name string) Handler {
	return handlerFunc(func(batch []Datagram) {
		for i := range batch {
			batch[i].Buffer.Release()
		}
		b <- batchOf{name, len(batch)}
	})
}

func (b batches) next(t *testing.T) batchOf {
	t.Helper()
	select {
	case got := <-b:
		return got
	case <-time.After(deadline):
		require.FailNow(t, "no batch")
		return batchOf{}
	}
}

type handlerFunc func([]Datagram)

func (f handlerFunc) HandleDatagrams(batch []Datagram) { f(batch) }

func openPoller(t *testing.T) *Poller {
	t.Helper()
	p, err := NewPoller()
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

// sendTo sends n datagrams from s to itself.
func sendTo(t *testing.T, s *UDPSocket, n int) {
	t.Helper()
	b := NewBatch()
	for range n {
		b.Commit(100)
	}
	sent, _ := s.Send(s.LocalAddr(), b)
	require.Equal(t, n, sent)
}

// A socket that always has input does not keep the others waiting.
func TestPollerIsFair(t *testing.T) {
	p, got := openPoller(t), make(batches, 100)
	gate, flooded, quiet := openSocket(t), openSocket(t), openSocket(t)
	entered, open := make(chan struct{}), make(chan struct{})
	require.NoError(t, gate.Serve(p, handlerFunc(func(batch []Datagram) { close(entered); <-open })))
	sendTo(t, gate, 1)
	<-entered // the poller is busy, so all of the following is ready when it polls again
	require.NoError(t, flooded.Serve(p, got.of("flooded")))
	require.NoError(t, quiet.Serve(p, got.of("quiet")))
	sendTo(t, flooded, 3*recvBatch)
	sendTo(t, quiet, 1)
	close(open)
	require.ElementsMatch(t, []batchOf{{"flooded", recvBatch}, {"quiet", 1}}, []batchOf{got.next(t), got.next(t)})
	require.Equal(t, batchOf{"flooded", recvBatch}, got.next(t))
	require.Equal(t, batchOf{"flooded", recvBatch}, got.next(t))
}

// More sockets have input than one system call reports.
func TestPollerReadsAnyNumberOfSockets(t *testing.T) {
	p, got := openPoller(t), make(batches, 1000)
	const sockets = 2*maxReady + 1
	for i := range sockets {
		s := openSocket(t)
		sendTo(t, s, 1)
		require.NoError(t, s.Serve(p, got.of(string(rune('a'+i)))))
	}
	seen := map[string]int{}
	for range sockets {
		b := got.next(t)
		seen[b.name] += b.n
	}
	require.Len(t, seen, sockets)
}

// The number of a closed descriptor goes to another socket: what arrives goes to the new one.
func TestDescriptorsAreReused(t *testing.T) {
	p, got := openPoller(t), make(batches, 100)
	for range 50 {
		s := openSocket(t)
		require.NoError(t, s.Serve(p, got.of("first")))
		fd := s.fd
		s.Close()
		again := openSocket(t)
		require.Equal(t, fd, again.fd, "the system assigns the lowest free number")
		require.NoError(t, again.Serve(p, got.of("second")))
		sendTo(t, again, 1)
		require.Equal(t, batchOf{"second", 1}, got.next(t))
		again.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(t, p.served)
}

func TestServeRefuses(t *testing.T) {
	p, got := openPoller(t), make(batches, 1)
	closed := openSocket(t)
	closed.Close()
	require.ErrorIs(t, closed.Serve(p, got.of("closed")), net.ErrClosed)
	twice := openSocket(t)
	require.NoError(t, twice.Serve(p, got.of("twice")))
	require.PanicsWithValue(t, "netio: a socket has one poller", func() { twice.Serve(p, got.of("twice")) })
	ended, err := NewPoller()
	require.NoError(t, err)
	ended.Close()
	require.Error(t, openSocket(t).Serve(ended, got.of("late")))
}

func TestWithoutDescriptors(t *testing.T) {
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	none := unix.Rlimit{Cur: 0, Max: limit.Max}
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &none))
	_, pollerErr := NewPoller()
	_, socketErr := ListenUDP(UDPConfig{Address: loopback4})
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	require.ErrorIs(t, pollerErr, unix.EMFILE)
	var bindErr *BindError
	require.ErrorAs(t, socketErr, &bindErr)
	require.Equal(t, BindTooManyOpenFiles, bindErr.Reason)
}

// Without a size from the application, buffers are larger than the system's default; a given size is used.
func TestBufferSizes(t *testing.T) {
	sizes := func(fd int) (send, receive int) {
		send, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
		require.NoError(t, err)
		receive, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		require.NoError(t, err)
		return send, receive
	}
	plain, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(plain)
	defaultSend, defaultReceive := sizes(plain)
	send, receive := sizes(openSocket(t).fd)
	require.Greater(t, send, defaultSend)
	require.Greater(t, receive, defaultReceive)

	s, err := ListenUDP(UDPConfig{Address: loopback4, SendBufferSize: 50_000, RecvBufferSize: 60_000})
	require.NoError(t, err)
	defer s.Close()
	send, receive = sizes(s.fd)
	require.Equal(t, []int{100_000, 120_000}, []int{send, receive}, "the kernel doubles the value for its own overhead, socket(7)")
}
