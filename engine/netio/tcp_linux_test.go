package netio

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// connEvents reports which connections brought frames and which ended.
type connEvents struct{ frames, closed chan *TCPConn }

func newConnEvents() connEvents {
	return connEvents{make(chan *TCPConn, 1000), make(chan *TCPConn, 1000)}
}

func (h connEvents) HandleFrames(c *TCPConn, batch []Datagram) {
	for _, d := range batch {
		d.Buffer.Release()
	}
	c.Admit()
	h.frames <- c
}

func (h connEvents) HandleClosed(c *TCPConn) { h.closed <- c }

// startTCP returns a server and a function that waits until it has ended.
func startTCP(t testing.TB, cfg TCPConfig, h TCPHandler) (s *TCPServer, stop func()) {
	t.Helper()
	cfg.Address = loopback4
	s, err := ListenTCP(cfg)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() { s.Serve(h); close(done) }()
	stop = func() { s.Close(); <-done }
	t.Cleanup(stop)
	return s, stop
}

func connect(t testing.TB, s *TCPServer) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(s.LocalAddr()))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// accepted returns both ends of a connection.
func accepted(t testing.TB, s *TCPServer, h connEvents) (*net.TCPConn, *TCPConn) {
	t.Helper()
	conn := connect(t, s)
	_, err := conn.Write([]byte{0, 1, 'x'})
	require.NoError(t, err)
	return conn, <-h.frames
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

// When Serve has returned, the server and its connections hold no descriptor: idle ones, one within a frame, some with a
// full queue, one that the peer closed.
func TestTCPLeavesNoDescriptors(t *testing.T) {
	h := newConnEvents()
	_, stop := startTCP(t, TCPConfig{}, h) // starts Go's poller, which keeps its descriptors
	stop()
	before := descriptors(t)
	s, stop := startTCP(t, TCPConfig{MaxConnections: 10, SendBufferSize: 32 << 10}, h)
	var clients []*net.TCPConn
	for range 10 {
		client, c := accepted(t, s, h)
		clients = append(clients, client)
		if c.ID()%2 == 0 {
			b := NewBatch()
			for b.Space(1000) != nil {
				b.Commit(1000)
			}
			for dropped := 0; dropped == 0; _, dropped = c.Send(b) {
			}
		}
	}
	clients[0].Write([]byte{0, 9, 1})
	clients[1].Close()
	<-h.closed
	stop()
	for _, client := range clients {
		client.Close()
	}
	require.Equal(t, before, descriptors(t))
}

// When accepting fails, the server pauses and tries again.
func TestTCPAcceptErrors(t *testing.T) {
	h := newConnEvents()
	s, err := ListenTCP(TCPConfig{Address: loopback4})
	require.NoError(t, err)
	require.NoError(t, s.listener.SetDeadline(time.Unix(1, 0))) // Accept fails, as it does when descriptors run out
	done := make(chan struct{})
	go func() { s.Serve(h); close(done) }()
	for s.Stats().AcceptErrors < 2 {
		runtime.Gosched()
	}
	require.NoError(t, s.listener.SetDeadline(time.Time{}))
	accepted(t, s, h)

	require.NoError(t, s.listener.SetDeadline(time.Unix(1, 0)))
	s.Close()
	<-done
}

// A failed write ends the connection, as a failed read does.
func TestTCPWriteError(t *testing.T) {
	h := newConnEvents()
	s, _ := startTCP(t, TCPConfig{}, h)
	_, c := accepted(t, s, h)
	require.NoError(t, c.conn.CloseWrite()) // from now on the kernel answers EPIPE
	b := NewBatch()
	b.Commit(100)
	sent, dropped := c.Send(b)
	require.Equal(t, [2]int{0, 1}, [2]int{sent, dropped})
	require.Same(t, c, <-h.closed)
	require.Equal(t, uint64(1), s.Stats().SendErrors)
}

// The deadline may pass while Admit lifts it.
func TestTCPAdmittedAtTheDeadline(t *testing.T) {
	c := &TCPConn{server: new(TCPServer)}
	require.False(t, c.ends(nil))
	require.True(t, c.ends(io.EOF))
	require.Zero(t, c.server.Stats().Expired)
	require.True(t, c.ends(os.ErrDeadlineExceeded))
	require.Equal(t, uint64(1), c.server.Stats().Expired)
	c.admitted.Store(true)
	require.False(t, c.ends(os.ErrDeadlineExceeded))
	require.Equal(t, uint64(1), c.server.Stats().Expired)
}

func TestTCPBufferSizes(t *testing.T) {
	h := newConnEvents()
	s, _ := startTCP(t, TCPConfig{SendBufferSize: 40000, RecvBufferSize: 50000}, h)
	_, c := accepted(t, s, h)
	for option, size := range map[int]int{unix.SO_SNDBUF: 40000, unix.SO_RCVBUF: 50000} {
		var got int
		var err error
		require.NoError(t, c.raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, option) }))
		require.NoError(t, err)
		require.Equal(t, 2*size, got, "the kernel doubles it, socket(7)")
	}
}

func TestTCPBufferSizeRefused(t *testing.T) {
	pipe, other, err := os.Pipe()
	require.NoError(t, err)
	defer pipe.Close()
	defer other.Close() // otherwise the garbage collector closes it while another test counts descriptors
	raw, err := pipe.SyscallConn()
	require.NoError(t, err)
	require.ErrorIs(t, setBufferSizes(raw, 1, 0), unix.ENOTSOCK)
	require.ErrorIs(t, setBufferSizes(raw, 1, 1), unix.ENOTSOCK)
	require.NoError(t, setBufferSizes(raw, 0, 0))
	pipe.Close()
	require.Error(t, setBufferSizes(raw, 1, 1))
}

// drain reads and discards.
func drain(conn *net.TCPConn) {
	b := make([]byte, 1<<20)
	for {
		if _, err := conn.Read(b); err != nil {
			return
		}
	}
}

func TestTCPSendAllocatesNothing(t *testing.T) {
	h := newConnEvents()
	s, _ := startTCP(t, TCPConfig{SendBufferSize: 1 << 20}, h)
	client, c := accepted(t, s, h)
	b := NewBatch()
	b.Commit(100)
	b.Commit(100)
	b.frames(maxWriteQueue) // allocates the memory for frames
	require.Zero(t, testing.AllocsPerRun(100, func() { c.Send(b) }), "20 kB, which fit the kernel's buffer")
	require.Equal(t, uint64(202), s.Stats().Sent)
	client.Close()
}

// BenchmarkTCPSend measures the time to send 10 packets of 1200 bytes to a peer that reads as fast as it can.
func BenchmarkTCPSend(b *testing.B) {
	h := newConnEvents()
	s, _ := startTCP(b, TCPConfig{}, h)
	client, c := accepted(b, s, h)
	go drain(client)
	batch := NewBatch()
	for batch.Len() < 10 {
		batch.Commit(1200)
	}
	b.ReportAllocs()
	for b.Loop() {
		for sent := 0; sent < batch.Len(); {
			n, dropped := c.Send(batch)
			if sent += n; dropped > 0 {
				runtime.Gosched()
			}
		}
	}
}

// BenchmarkTCPReceive measures the time per 32 KB in frames of various lengths. Those shorter than any protocol's cost less than
// others, though there are more of them.
func BenchmarkTCPReceive(b *testing.B) {
	for _, size := range []int{1, 11, 12, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) { benchmarkTCPReceive(b, size) })
	}
}

func benchmarkTCPReceive(b *testing.B, size int) {
	const block = 32 << 10
	frames := bytes.Repeat(append([]byte{byte(size >> 8), byte(size)}, make([]byte, size)...), block/(size+2))
	last := append([]byte{0, 15}, "the end of all."...)
	done := make(chan int, 1)
	s, _ := startTCP(b, TCPConfig{MinFrame: 12}, &endHandler{last: last[2:], done: done})
	client := connect(b, s)
	b.SetBytes(int64(len(frames)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := client.Write(frames); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := client.Write(last); err != nil {
		b.Fatal(err)
	}
	<-done
}

// endHandler waits for a frame.
type endHandler struct {
	last []byte
	done chan int
}

func (h *endHandler) HandleFrames(c *TCPConn, batch []Datagram) {
	c.Admit()
	for _, d := range batch {
		if bytes.Equal(d.Buffer.Bytes(), h.last) {
			h.done <- 1
		}
		d.Buffer.Release()
	}
}

func (h *endHandler) HandleClosed(*TCPConn) {}

// BenchmarkTCPIdle measures the memory of a connection that has brought one frame and is idle.
func BenchmarkTCPIdle(b *testing.B) {
	const count = 400
	h := newConnEvents()
	s, _ := startTCP(b, TCPConfig{}, h)
	var first float64 // later rounds reuse the stacks of the first
	for b.Loop() {
		before := memory()
		var fds []int
		for range count {
			fds = append(fds, rawConnect(b, s))
			<-h.frames
		}
		if first == 0 {
			first = float64(memory()-before) / count
		}
		for _, fd := range fds {
			unix.Close(fd)
			<-h.closed
		}
	}
	b.ReportMetric(first, "B/conn")
}

// memory returns the size of heap and stacks after garbage collection.
func memory() int64 {
	for range 4 { // stacks shrink by half each time
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// rawConnect connects and sends a frame, without the memory that a net.Conn takes.
func rawConnect(b *testing.B, s *TCPServer) int {
	b.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(b, err)
	at := s.LocalAddr()
	require.NoError(b, unix.Connect(fd, &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}))
	_, err = unix.Write(fd, []byte{0, 1, 'x'})
	require.NoError(b, err)
	return fd
}
