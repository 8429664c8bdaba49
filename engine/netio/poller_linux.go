package netio

import (
	"cmp"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxReady is how many sockets one system call tells of, ours; the others' turn comes with the next call.
const maxReady = 64

// Poller reads UDP sockets, any number of them, on one goroutine. It is an epoll instance that only asks for input, and
// itself waits in Go's poller.
//
// Sockets in Go's poller would be woken for room to send as well (EPOLLOUT, edge-triggered), which the kernel signals
// whenever a datagram has left: one wake-up for every datagram sent. And a goroutine for each socket would cost each idle
// transport a stack.
type Poller struct {
	file *os.File // the epoll instance
	raw  syscall.RawConn
	done chan struct{}

	mu     sync.Mutex
	served map[int32]served // by descriptor

	// The goroutine's own.
	ready  [maxReady]unix.EpollEvent
	n      int // of them that count
	reader reader
}

type served struct {
	socket  *UDPSocket
	handler Handler
}

// NewPoller starts a poller. The error says that the process has no descriptor left.
func NewPoller() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that Go's poller takes it
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &Poller{file: os.NewFile(uintptr(fd), "epoll"), done: make(chan struct{}), served: make(map[int32]served)}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, err
	}
	p.reader.batch = make([]Datagram, 0, recvBatch)
	go p.run()
	return p, nil
}

// Close ends the goroutine and waits for it; handlers must not call it. Sockets that are served stay open and unread.
func (p *Poller) Close() {
	p.file.Close()
	<-p.done
}

func (p *Poller) run() {
	defer close(p.done)
	wait, receive := p.wait, p.reader.receive
	for p.raw.Read(wait) == nil {
		for i := range p.ready[:p.n] {
			p.serve(p.ready[i].Fd, receive)
		}
	}
}

// wait finds out which sockets have input; false means none, and that Go's poller should wait.
func (p *Poller) wait(epoll uintptr) bool {
	for {
		// Raw, because it never blocks: see the comment at kernel.
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, epoll, uintptr(unsafe.Pointer(&p.ready[0])), maxReady, 0, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		p.n = 0
		if errno == 0 {
			p.n = int(n)
		}
		return p.n > 0
	}
}

// serve reads one batch. What is left makes the socket ready again (epoll is level-triggered here), after the others.
func (p *Poller) serve(fd int32, receive func(int)) {
	p.mu.Lock()
	s, ok := p.served[fd]
	p.mu.Unlock()
	if !ok { // closed since
		return
	}
	r := &p.reader
	r.socket = s.socket
	s.socket.use(receive) // nothing is read when the socket is closed
	// The handler may close the socket, which waits for the end of use.
	if len(r.batch) > 0 {
		s.socket.stats.received.Add(uint64(len(r.batch)))
		s.handler.HandleDatagrams(r.batch)
		clear(r.batch)
		r.batch = r.batch[:0]
	}
	r.socket = nil
}

// Serve has p read the socket until it is closed, and hand what arrives to h. The error says that the socket is closed, or
// that the kernel has no memory for one more.
func (s *UDPSocket) Serve(p *Poller, h Handler) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return net.ErrClosed
	}
	if s.poller != nil {
		panic("netio: a socket has one poller")
	}
	p.mu.Lock()
	p.served[int32(s.fd)] = served{s, h}
	p.mu.Unlock()
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.fd)}
	var err error
	controlErr := p.raw.Control(func(epoll uintptr) {
		err = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, s.fd, &event)
	})
	if err = cmp.Or(controlErr, err); err != nil {
		p.forget(s.fd)
		return os.NewSyscallError("epoll_ctl", err)
	}
	s.poller = p
	return nil
}

// forget is for a socket that is about to be closed, which takes it out of the epoll instance as well.
func (p *Poller) forget(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.served, int32(fd))
}
