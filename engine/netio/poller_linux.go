package netio

import (
	"net"
	"sync"

	"gazpacho/internal/epoll"
)

// maxReady is how many sockets one system call tells of, ours; the others' turn comes with the next call.
const maxReady = 64

// Poller reads UDP sockets, any number of them, on one goroutine. In Go's own poller they would wake a thread for each
// datagram sent (see internal/epoll), and a goroutine for each socket would cost each idle transport a stack.
type Poller struct {
	epoll *epoll.Instance
	done  chan struct{}

	mu     sync.Mutex
	served map[int32]served // by descriptor

	reader reader // the goroutine's own
}

type served struct {
	socket  *UDPSocket
	handler Handler
}

// NewPoller starts a poller. The error says that the process has no descriptor left.
func NewPoller() (*Poller, error) {
	e, err := epoll.New()
	if err != nil {
		return nil, err
	}
	p := &Poller{epoll: e, done: make(chan struct{}), served: make(map[int32]served)}
	p.reader.batch = make([]Datagram, 0, recvBatch)
	go p.run()
	return p, nil
}

// Close ends the goroutine and waits for it; handlers must not call it. Sockets that are served stay open and unread.
func (p *Poller) Close() {
	p.epoll.Close()
	<-p.done
}

func (p *Poller) run() {
	defer close(p.done)
	var ready [maxReady]epoll.Event
	receive := p.reader.receive
	for {
		n, err := p.epoll.Wait(ready[:])
		if err != nil {
			return
		}
		for i := range ready[:n] {
			p.serve(ready[i].Fd, receive)
		}
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
	if err := p.epoll.Add(s.fd); err != nil {
		p.forget(s.fd)
		return err
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
