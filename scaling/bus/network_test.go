package bus_test

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

func increment(port string) string {
	n, _ := strconv.Atoi(port)
	return strconv.Itoa(n + 1)
}

// proxy is a way to a server, which can stop letting anything through.
type proxy struct {
	address string
	mu      sync.Mutex
	stalled bool
	conns   []net.Conn
}

func openProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{address: l.Addr().String()}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			p.accept(from, to)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.conns {
			c.Close()
		}
	})
	return p
}

func (p *proxy) accept(from net.Conn, to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, from)
	if p.stalled {
		return
	}
	next, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	p.conns = append(p.conns, next)
	go p.pass(from, next)
	go p.pass(next, from)
}

func (p *proxy) pass(from, to net.Conn) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		stalled := p.stalled
		p.mu.Unlock()
		if stalled {
			continue
		}
		if _, writeErr := to.Write(b[:n]); err != nil || writeErr != nil {
			to.Close()
			return
		}
	}
}

func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = true
}

// dns is a name server that has one answer for every name.
type dns struct {
	mu  sync.Mutex
	ips []netip.Addr
}

// openDNS starts one that this process uses until the test ends.
func openDNS(t *testing.T) *dns {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &dns{}
	go d.serve(c)
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		c.Close()
	})
	return d
}

// answer sets the answer.
func (d *dns) answer(ips ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ips = nil
	for _, ip := range ips {
		d.ips = append(d.ips, netip.MustParseAddr(ip))
	}
}

func (d *dns) serve(c net.PacketConn) {
	b := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		d.mu.Lock()
		for _, ip := range d.ips {
			if m.Questions[0].Type == dnsmessage.TypeA {
				m.Answers = append(m.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
					Body:   &dnsmessage.AResource{A: ip.As4()},
				})
			}
		}
		if len(d.ips) == 0 || strings.HasPrefix(m.Questions[0].Name.String(), "missing.") {
			m.Answers = nil
			m.RCode = dnsmessage.RCodeNameError
		}
		d.mu.Unlock()
		if answer, err := m.Pack(); err == nil {
			c.WriteTo(answer, from)
		}
	}
}
