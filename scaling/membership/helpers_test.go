package membership_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

const start = unit.Time(1e18)

// member is a machine with its time and all that it has put out.
type member struct {
	*membership.Member
	t          *testing.T
	now        unit.Time
	heartbeats []membership.Heartbeat
	changes    []membership.Row
	joined     bool
	namesakes  []membership.Node
}

func newMember(t *testing.T, name, incarnation string) *member {
	self := membership.Node{Name: name, Incarnation: incarnation, Addresses: []string{name + ":7000"}}
	return &member{Member: membership.New(start, self, membership.DefaultLimits), t: t, now: start}
}

// joined returns one that has joined.
func joinedMember(t *testing.T, name, incarnation string) *member {
	m := newMember(t, name, incarnation)
	m.connect()
	m.pass(membership.JoinTime)
	require.True(t, m.joined)
	m.heartbeats, m.changes = nil, nil
	return m
}

func (m *member) drain() {
	out := m.Output()
	if out.Heartbeat != nil {
		m.heartbeats = append(m.heartbeats, *out.Heartbeat)
	}
	m.changes = append(m.changes, out.Changes...)
	m.joined = m.joined || out.Joined
	if out.Namesake != nil {
		m.namesakes = append(m.namesakes, *out.Namesake)
	}
	*out = membership.Output{}
}

func (m *member) connect()    { m.HandleConnected(m.now); m.drain() }
func (m *member) disconnect() { m.HandleDisconnected(m.now); m.drain() }

// pass lets time pass, as an owner does who calls the machine when it wants to be called.
func (m *member) pass(d time.Duration) {
	for end := m.now.Add(d); m.now < end; m.drain() {
		m.now = min(max(m.NextTimeout(), m.now), end)
		m.HandleTimeout(m.now)
		if m.NextTimeout() <= m.now {
			m.drain()
			m.t.Fatal("the machine wants to be called again at once")
		}
	}
}

// hear hands a heartbeat over.
func (m *member) hear(name, incarnation string, number uint64, state membership.State) {
	m.hearNode(membership.Node{Name: name, Incarnation: incarnation, Addresses: []string{name + ":7000"}}, number, state)
}

func (m *member) hearNode(n membership.Node, number uint64, state membership.State) {
	m.HandleHeartbeat(m.now, membership.Heartbeat{Node: n, State: state, Number: number})
	m.drain()
}

// condition returns what the table says of a node, empty if it is not there.
func (m *member) condition(name string) membership.Condition {
	r, _ := m.row(name)
	return r.Condition
}

func (m *member) row(name string) (membership.Row, bool) {
	for _, r := range m.Rows() {
		if r.Name == name {
			return r, true
		}
	}
	return membership.Row{}, false
}

// told returns the changes since the last call, as "name condition".
func (m *member) told() (all []string) {
	for _, r := range m.changes {
		text := r.Name + " " + string(r.Condition)
		if r.Namesake {
			text += " namesake"
		}
		all = append(all, text)
	}
	m.changes = nil
	return all
}
