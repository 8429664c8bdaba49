package reach

import (
	"crypto/hmac"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

// Chosen here.
const (
	// Interval is the time between two datagrams to a node: a thousand nodes cost each 200 packets a second.
	Interval = 5 * time.Second
	// UnheardAfter is the time after which a live node counts as unheard: three datagrams are lost then.
	UnheardAfter = 16 * time.Second
	// pauseAfter is the time between two calls after which this process has been stopped, and could hear nobody.
	pauseAfter = 2 * Interval
)

// Probe is a datagram to be sent.
type Probe struct {
	To   netip.AddrPort
	Data []byte
}

// Unheard is a live node of which no datagram arrives.
type Unheard struct {
	Node string     `json:"node"`
	From netip.Addr `json:"from"` // its address for media between nodes
	To   netip.Addr `json:"to"`   // this node's
}

// Machine is what one node knows of whom it hears.
type Machine struct {
	self  membership.Node
	peers map[string]*peer
	out   []Probe
	next  unit.Time
	last  unit.Time // when time passed
}

// peer is another node that is alive.
type peer struct {
	membership.Node
	at    netip.AddrPort
	heard unit.Time // or when it was met
}

// New returns the machine of a node, which tells others its address in Pipe and ProbePort.
func New(now unit.Time, self membership.Node) *Machine {
	return &Machine{self: self, peers: map[string]*peer{}, next: unit.Never, last: now}
}

// HandleNodes takes rows of the table of nodes that have changed.
func (m *Machine) HandleNodes(now unit.Time, rows []membership.Row) {
	m.pass(now)
	for i := range rows {
		m.handleNode(now, &rows[i])
	}
	if len(m.peers) == 0 {
		m.next = unit.Never
	} else if m.next == unit.Never {
		m.next = now.Add(Interval)
	}
}

func (m *Machine) handleNode(now unit.Time, r *membership.Row) {
	address, err := netip.ParseAddr(r.Pipe)
	if r.Name == m.self.Name || r.Condition != membership.Alive || err != nil || r.ProbePort == 0 {
		delete(m.peers, r.Name)
		return
	}
	p := m.peers[r.Name]
	if p == nil || p.Incarnation != r.Incarnation {
		p = &peer{heard: now}
		m.peers[r.Name] = p
	}
	p.Node, p.at = r.Node, netip.AddrPortFrom(address, r.ProbePort)
	m.probe(p)
}

// HandleDatagram takes what arrived at the socket.
func (m *Machine) HandleDatagram(now unit.Time, b []byte) {
	m.pass(now)
	name, sum, ok := parseProbe(b)
	if !ok {
		return
	}
	if p := m.peers[name]; p != nil && hmac.Equal(sum, digest(&p.Node, &m.self)) {
		p.heard = now
	}
}

// HandleTimeout sends what is due.
func (m *Machine) HandleTimeout(now unit.Time) {
	m.pass(now)
	if now < m.next {
		return
	}
	m.next = now.Add(Interval)
	for _, p := range m.peers {
		m.probe(p)
	}
}

// NextTimeout returns when HandleTimeout has something to do.
func (m *Machine) NextTimeout() unit.Time { return m.next }

// Output returns what is to be sent, and forgets it.
func (m *Machine) Output() (all []Probe) {
	all, m.out = m.out, nil
	return all
}

// Unheard returns the nodes that are alive and not heard, by name.
func (m *Machine) Unheard(now unit.Time) (all []Unheard) {
	m.pass(now)
	own, _ := netip.ParseAddr(m.self.Pipe)
	for name, p := range m.peers {
		if now.Sub(p.heard) >= UnheardAfter {
			all = append(all, Unheard{Node: name, From: p.at.Addr(), To: own})
		}
	}
	slices.SortFunc(all, func(a, b Unheard) int { return strings.Compare(a.Node, b.Node) })
	return all
}

func (m *Machine) probe(p *peer) {
	m.out = append(m.out, Probe{p.at, appendProbe(nil, &m.self, &p.Node)})
}

// pass lets time pass. Time in which this process was stopped does not count against others.
func (m *Machine) pass(now unit.Time) {
	if gap := now.Sub(m.last); gap > pauseAfter {
		for _, p := range m.peers {
			p.heard = p.heard.Add(gap)
		}
	}
	m.last = now
}
