package netio

import (
	"net"
	"sync"

	"gazpacho/internal/epoll"
)

// maxReady is the most sockets that one epoll_wait reports, chosen here; the others come with the next call.
const maxReady = 64

// Poller reads any number of UDP sockets on one goroutine. In Go's own poller each datagram sent would wake a thread (see
// internal/epoll), and a goroutine per socket would cost each idle transport a stack.
type Poller struct {
	epoll *epoll.Instance
	done  chan struct{}

	mu     sync.Mutex
	served map[int32]served // by descriptor

	reader reader // used by the poller's goroutine only
}

type served struct {
	socket  *UDPSocket
	handler Handler
}

// NewPoller starts a poller. It fails if the process has no descriptor left.
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

// Close ends the goroutine and waits for it; handlers must not call it. The sockets stay open, but are no longer read.
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

// serve reads one batch. What is left keeps the socket ready (epoll is level-triggered here), so the other ready sockets
// come first.
func (p *Poller) serve(fd int32, receive func(int)) {
	p.mu.Lock()
	s, ok := p.served[fd]
	p.mu.Unlock()
	if !ok { // closed meanwhile
		return
	}
	r := &p.reader
	r.socket = s.socket
	s.socket.use(receive) // reads nothing when the socket is closed
	// The handler runs outside use: it may close the socket, which waits for use to return.
	if len(r.batch) > 0 {
		s.socket.stats.received.Add(uint64(len(r.batch)))
		s.handler.HandleDatagrams(r.batch)
		clear(r.batch)
		r.batch = r.batch[:0]
	}
	r.socket = nil
}

// Serve makes p read the socket until it is closed, and pass what arrives to h. It fails if the socket is closed, or if
// the kernel has no memory for another one.
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

// forget removes a socket that is about to be closed. Closing it removes it from the epoll instance.
func (p *Poller) forget(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.served, int32(fd))
}
