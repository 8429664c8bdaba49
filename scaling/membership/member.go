package membership

import (
	"slices"
	"strings"
	"time"

	"gazpacho/engine/unit"
)

// Chosen here.
const (
	// Interval is the time between two heartbeats of a node.
	Interval = time.Second
	// SuspectAfter is the silence after which a node is suspected: two heartbeats may be lost.
	SuspectAfter = 3 * time.Second
	// DeadAfter is the silence after which it is dead: a bus server that fails, and another one that is found, cost less.
	DeadAfter = 10 * time.Second
	// ForgetAfter is how long a dead node stays in the table, for whoever has to look for it.
	ForgetAfter = 10 * time.Minute
	// JoinTime is how long a node listens for another one of its name before it serves. A live one answers within a round trip.
	JoinTime = 1500 * time.Millisecond
	// JoinAnyway is how long it waits for the bus. Then it serves: that applications have nodes matters more.
	JoinAnyway = 10 * time.Second
	// pauseAfter is the time between two calls after which this process has been stopped: there is a call for each heartbeat.
	pauseAfter = 2 * time.Second
	// maxChanges is how many changes of a node are told within an Interval. Others take work for each, and tell their fronts.
	maxChanges = 4
	// leftTime is how long a node that has left is remembered, for heartbeats that come late.
	leftTime = time.Minute
)

// Limits bound a table.
type Limits struct {
	Bytes int // about what all rows take
}

// DefaultLimits are for some ten thousand nodes.
var DefaultLimits = Limits{Bytes: 8 << 20}

// Condition is what a table thinks of a node.
type Condition string

// Conditions.
const (
	Alive   Condition = "alive"
	Suspect Condition = "suspect"
	Dead    Condition = "dead"
	Gone    Condition = "gone" // in no table any more: in changes only
)

// Row is a node in a table.
type Row struct {
	Node
	Condition Condition `json:"condition"`
	// Namesake says that a second live node has its name.
	Namesake bool `json:"namesake,omitempty"`
}

// Output is what a Member has for its owner, who drains it after each call.
type Output struct {
	// Heartbeat is to be published; nil for none.
	Heartbeat *Heartbeat
	// Changes are rows as they are now, unless no more than load has changed.
	Changes []Row
	// Joined says that the node may serve from now on.
	Joined bool
	// Namesake is another live node of this one's name, which was heard just now. A node that has not joined must not start.
	Namesake *Node
}

// Member is the machine of a node.
type Member struct {
	self   Heartbeat
	limits Limits
	rows   map[string]*row
	left   map[string]departure
	size   int
	out    Output
	full   uint64

	last       unit.Time // when it was called
	next       unit.Time // of this node's heartbeats
	joinAt     unit.Time
	connected  bool
	namesake   string    // its incarnation, empty for none
	namesakeAt unit.Time // when it was heard
}

type row struct {
	Row
	number uint64
	heard  unit.Time
	// former is the incarnation before this one, which was replaced then.
	former     string
	replacedAt unit.Time
	namesakeAt unit.Time // when that was heard beside this one
	pace       pace
	untold     bool // it has changed, and the owner has not heard of it
}

// departure is a node that has said goodbye.
type departure struct {
	incarnation string
	at          unit.Time
	pace        pace
}

// pace bounds how often a node changes.
type pace struct {
	since unit.Time
	count int
}

// allows reports whether a change may be told now.
func (p *pace) allows(now unit.Time) bool {
	return p.count < maxChanges || now.Sub(p.since) >= Interval
}

// note counts one.
func (p *pace) note(now unit.Time) {
	if now.Sub(p.since) >= Interval {
		*p = pace{since: now}
	}
	p.count++
}

// New returns the machine of a node that joins.
func New(now unit.Time, self Node, limits Limits) *Member {
	return &Member{
		self: Heartbeat{Node: self, State: Joining}, limits: limits, rows: map[string]*row{}, left: map[string]departure{},
		last: now, next: now, joinAt: now.Add(JoinAnyway),
	}
}

// Output returns what there is for the owner.
func (m *Member) Output() *Output { return &m.out }

// Refused returns how many heartbeats there was no room for.
func (m *Member) Refused() uint64 { return m.full }

// HandleConnected says that heartbeats come and go from now on.
func (m *Member) HandleConnected(now unit.Time) {
	m.pass(now)
	m.connected = true
	if m.self.State == Joining {
		m.joinAt = min(m.joinAt, now.Add(JoinTime))
	}
	m.beat(now)
}

// HandleDisconnected says that none do. Nobody is judged until they do again.
func (m *Member) HandleDisconnected(now unit.Time) {
	m.pass(now)
	m.connected = false
}

// pass lets time pass. Time in which nobody could be heard does not count against the others.
func (m *Member) pass(now unit.Time) {
	gap := now.Sub(m.last)
	if m.connected && gap <= pauseAfter {
		m.last = now
		return
	}
	for _, r := range m.rows {
		r.heard = r.heard.Add(gap)
	}
	m.last = now
}

// SetSelf replaces what the node says of itself. Name and incarnation stay. What others should know is told at once, load with the next
// heartbeat.
func (m *Member) SetSelf(now unit.Time, self Node) {
	m.pass(now)
	self.Name, self.Incarnation = m.self.Name, m.self.Incarnation
	news := !self.alike(&m.self.Node)
	m.self.Node = self
	if m.self.State == Joining || m.self.State == Leaving {
		return
	}
	m.self.State = Serving
	if self.Draining {
		m.self.State = Draining
	}
	if news {
		m.changeSelf()
		m.beat(now)
	}
}

// Leave makes the last heartbeat.
func (m *Member) Leave(now unit.Time) {
	if m.self.State == Joining {
		m.self.State = Leaving
		return // no table has it
	}
	m.self.State = Leaving
	m.beat(now)
}

// beat makes a heartbeat.
func (m *Member) beat(now unit.Time) {
	m.self.Number++
	h := m.self
	m.out.Heartbeat = &h
	m.next = now.Add(Interval)
}

// HandleHeartbeat takes a heartbeat of the node of that name, which may be this one's.
func (m *Member) HandleHeartbeat(now unit.Time, h Heartbeat) {
	m.pass(now)
	switch {
	case h.Name == m.self.Name:
		m.handleNamesake(now, &h)
	case h.State == Joining || m.late(&h):
	case h.State == Leaving:
		m.handleLeaving(now, &h)
	default:
		m.handleNode(now, &h)
	}
}

// handleNamesake takes a heartbeat of this node's name.
func (m *Member) handleNamesake(now unit.Time, h *Heartbeat) {
	switch {
	case h.Incarnation == m.self.Incarnation || h.State == Leaving || m.self.State == Leaving:
		return
	case h.State == Joining && m.self.State != Joining:
		m.beat(now) // it is the other one that must not start
		return
	case h.State == Joining && m.self.Incarnation > h.Incarnation:
		return // two that start at once: one of them may
	}
	m.namesakeAt = now
	if m.namesake != h.Incarnation {
		m.namesake = h.Incarnation
		other := h.Node
		m.out.Namesake = &other
		m.changeSelf()
	}
}

// late reports whether a heartbeat comes behind the last one of its process.
func (m *Member) late(h *Heartbeat) bool {
	return m.left[h.Name].incarnation == h.Incarnation
}

func (m *Member) handleLeaving(now unit.Time, h *Heartbeat) {
	r := m.rows[h.Name]
	if r == nil || r.Incarnation != h.Incarnation {
		return
	}
	m.remove(r)
	m.left[h.Name] = departure{h.Incarnation, now, r.pace}
}

func (m *Member) handleNode(now unit.Time, h *Heartbeat) {
	r := m.rows[h.Name]
	fresh := Row{Node: h.Node, Condition: Alive}
	more := fresh.size()
	if r != nil {
		more -= r.Node.size()
	}
	switch {
	case r == nil:
		r = &row{pace: m.left[h.Name].pace}
		if !r.pace.allows(now) {
			return // it comes and goes
		}
	case r.Incarnation == h.Incarnation && h.Number <= r.number:
		return
	case r.Incarnation == h.Incarnation:
		fresh.Namesake = r.Namesake
	case r.former == h.Incarnation && now.Sub(r.heard) < SuspectAfter:
		// Of the process that was there before. If it is not merely late, both live.
		if now.Sub(r.replacedAt) > SuspectAfter {
			r.namesakeAt = now
			m.mark(r, true)
		}
		return
	default:
		r.former, r.replacedAt = r.Incarnation, now
	}
	if more > 0 && m.size+more > m.limits.Bytes {
		m.full++
		return
	}
	m.size += more
	news := r.Condition != Alive || !fresh.alike(&r.Node) || fresh.Namesake != r.Namesake
	r.Row, r.number, r.heard = fresh, h.Number, now
	m.rows[h.Name] = r
	delete(m.left, h.Name)
	if news || r.untold {
		m.changeRow(now, r)
	}
}

// changeRow tells the owner of a row that a heartbeat has changed, now or with the next judgement.
func (m *Member) changeRow(now unit.Time, r *row) {
	if r.untold = !r.pace.allows(now); !r.untold {
		r.pace.note(now)
		m.change(r.Row)
	}
}

// mark notes whether a second live node has a name.
func (m *Member) mark(r *row, namesake bool) {
	if r.Namesake != namesake {
		r.Namesake = namesake
		m.change(r.Row)
	}
}

// own is the node's own row.
func (m *Member) own() Row {
	return Row{Node: m.self.Node, Condition: Alive, Namesake: m.namesake != ""}
}

// changeSelf notes a change of the node's own row, if there is one.
func (m *Member) changeSelf() {
	if m.self.State == Serving || m.self.State == Draining {
		m.change(m.own())
	}
}

func (m *Member) change(r Row) { m.out.Changes = append(m.out.Changes, r) }

// remove takes a node out of the table.
func (m *Member) remove(r *row) {
	m.size -= r.Node.size()
	delete(m.rows, r.Name)
	r.Condition = Gone
	m.change(r.Row)
}

// HandleTimeout does what is due.
func (m *Member) HandleTimeout(now unit.Time) {
	m.pass(now)
	if m.self.State == Leaving {
		return
	}
	if m.self.State == Joining && now >= m.joinAt {
		m.self.State = Serving
		m.out.Joined = true
		m.changeSelf()
		m.beat(now)
	}
	if now >= m.next {
		m.beat(now)
	}
	if m.connected {
		m.judge(now)
	}
}

// judge looks who has not been heard.
func (m *Member) judge(now unit.Time) {
	for _, r := range m.rows {
		silence := now.Sub(r.heard)
		condition := Alive
		switch {
		case silence >= ForgetAfter:
			m.remove(r)
			continue
		case silence >= DeadAfter:
			condition = Dead
		case silence >= SuspectAfter:
			condition = Suspect
		}
		if condition != r.Condition {
			r.Condition = condition
			m.change(r.Row)
		}
		if r.untold {
			m.changeRow(now, r)
		}
		if now.Sub(r.namesakeAt) >= DeadAfter {
			m.mark(r, false)
		}
	}
	if m.namesake != "" && now.Sub(m.namesakeAt) >= DeadAfter {
		m.namesake = ""
		m.changeSelf()
	}
	for name, d := range m.left {
		if now.Sub(d.at) >= leftTime {
			delete(m.left, name)
		}
	}
}

// NextTimeout returns when HandleTimeout has something to do. That is at least once an [Interval], until the node has left.
func (m *Member) NextTimeout() unit.Time {
	switch m.self.State {
	case Leaving:
		return unit.Never
	case Joining:
		return min(m.next, m.joinAt)
	}
	return m.next
}

// Rows returns the table, by name. The own node is in it once it has joined.
func (m *Member) Rows() []Row {
	rows := make([]Row, 0, len(m.rows)+1)
	if m.self.State == Serving || m.self.State == Draining {
		rows = append(rows, m.own())
	}
	for _, r := range m.rows {
		rows = append(rows, r.Row)
	}
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	return rows
}
