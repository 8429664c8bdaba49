package reach

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

// Conn is what a prober needs of a socket, as net.UDPConn has it.
type Conn interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (n int, err error)
	Close() error
}

// Listen opens the socket on the address for media between nodes. It takes the highest free port of a range, which is that of media, since
// applications that choose ports themselves begin at the lowest.
func Listen(address netip.Addr, minPort, maxPort uint16) (*net.UDPConn, error) {
	for port := int(maxPort); port >= int(minPort); port-- {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, uint16(port))))
		if err == nil {
			return conn, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no port of %d to %d is free on %s", minPort, maxPort, address)
}

// Prober is a node's machine on its socket. nil is one of a node that cannot find out: it hears all.
type Prober struct {
	conn  Conn
	log   *slog.Logger
	begun time.Time      // times are counted from it: steps of the clock are not seen
	ended sync.WaitGroup // the goroutine

	mu      sync.Mutex
	machine *Machine
	timer   *time.Timer
	closed  bool
	told    map[string]bool // of whom the log says that they are not heard
}

// NewProber begins to find out who is heard. It closes the socket when it is closed.
func NewProber(conn Conn, self membership.Node, log *slog.Logger) *Prober {
	p := &Prober{conn: conn, log: log, begun: time.Now(), told: map[string]bool{}}
	p.machine = New(p.now(), self)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(Interval, func() { p.turn(p.handleTimeout) })
	p.ended.Go(p.read)
	return p
}

func (p *Prober) now() unit.Time { return unit.Time(time.Since(p.begun)) }

// read takes datagrams until the socket is closed.
func (p *Prober) read() {
	b := make([]byte, maxProbe+1)
	for {
		n, _, err := p.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		p.turn(func(now unit.Time) { p.machine.HandleDatagram(now, b[:n]) })
	}
}

// HandleNodes takes rows of the table of nodes that have changed.
func (p *Prober) HandleNodes(rows []membership.Row) {
	if p == nil {
		return
	}
	p.turn(func(now unit.Time) { p.machine.HandleNodes(now, rows) })
}

// Unheard returns the nodes that are alive and not heard.
func (p *Prober) Unheard() []Unheard {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.machine.Unheard(p.now())
}

// turn runs f, sends what is to be sent, and sets the timer.
func (p *Prober) turn(f func(now unit.Time)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	now := p.now()
	f(now)
	for _, out := range p.machine.Output() {
		if _, err := p.conn.WriteToUDPAddrPort(out.Data, out.To); err != nil {
			p.log.Debug("a datagram to another node cannot be sent", "to", out.To, "error", err)
		}
	}
	p.timer.Reset(min(max(p.machine.NextTimeout().Sub(now), 0), Interval))
}

// handleTimeout lets the machine do what is due, and logs who is heard no more, and who again.
func (p *Prober) handleTimeout(now unit.Time) {
	p.machine.HandleTimeout(now)
	unheard := map[string]bool{}
	for _, u := range p.machine.Unheard(now) {
		unheard[u.Node] = true
		if !p.told[u.Node] {
			p.log.Warn("UDP of another node does not arrive here: a firewall?", "node", u.Node, "from", u.From, "to", u.To)
		}
	}
	for name := range p.told {
		if !unheard[name] {
			p.log.Info("UDP of another node arrives here again, or it has gone", "node", name)
		}
	}
	p.told = unheard
}

// Close ends it.
func (p *Prober) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	p.timer.Stop()
	p.mu.Unlock()
	p.conn.Close()
	p.ended.Wait()
}
