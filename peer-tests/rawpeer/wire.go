package rawpeer

import (
	"net"
	"os"
	"sync"
	"time"
)

// wire is DTLS's packet connection: it writes to the peer's path and reads the DTLS packets that the peer passes to it.
type wire struct {
	peer  *Peer
	in    chan []byte
	ended chan struct{}
	once  sync.Once

	mu       sync.Mutex
	deadline time.Time
	changed  chan struct{} // closed when the deadline changes
}

// waiting is how many packets are queued for DTLS before further ones are dropped.
const waiting = 64

func newWire(p *Peer) *wire {
	return &wire{peer: p, in: make(chan []byte, waiting), ended: make(chan struct{}), changed: make(chan struct{})}
}

func (w *wire) deliver(b []byte) {
	select {
	case w.in <- b:
	default:
	}
}

func (w *wire) close() { w.once.Do(func() { close(w.ended) }) }

// ReadFrom implements net.PacketConn.
func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		w.mu.Lock()
		deadline, changed := w.deadline, w.changed
		w.mu.Unlock()
		var expired <-chan time.Time
		if !deadline.IsZero() {
			timer := time.NewTimer(time.Until(deadline))
			defer timer.Stop()
			expired = timer.C
		}
		select {
		case packet := <-w.in:
			return copy(b, packet), w.RemoteAddr(), nil
		case <-expired:
			return 0, nil, os.ErrDeadlineExceeded
		case <-w.ended:
			return 0, nil, net.ErrClosed
		case <-changed:
		}
	}
}

// WriteTo implements net.PacketConn.
func (w *wire) WriteTo(b []byte, _ net.Addr) (int, error) {
	w.peer.Path().Send(b)
	return len(b), nil
}

// SetReadDeadline implements net.PacketConn.
func (w *wire) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	close(w.changed)
	w.changed = make(chan struct{})
	return nil
}

// SetDeadline implements net.PacketConn.
func (w *wire) SetDeadline(t time.Time) error { return w.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn; writing does not wait.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Close implements net.PacketConn.
func (w *wire) Close() error { w.close(); return nil }

// LocalAddr implements net.PacketConn.
func (w *wire) LocalAddr() net.Addr { return &net.UDPAddr{} }

// RemoteAddr returns a placeholder; DTLS does not need the worker's address.
func (w *wire) RemoteAddr() net.Addr { return &net.UDPAddr{} }
