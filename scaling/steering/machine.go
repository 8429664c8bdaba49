package steering

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

// Options say how a node takes part.
type Options struct {
	Name string
	// Steers says that the node has a webhook.
	Steers bool
	// IdleAfter is for how long a node has to have no transport to count as idle; 0 means DefaultIdleAfter.
	IdleAfter time.Duration
	// NewID draws the id of a signal.
	NewID func() string
}

// Chosen here.
const (
	DefaultIdleAfter = 5 * time.Minute
	// takeOver is for how long a node waits for another one that tells before it does itself.
	takeOver = 3 * time.Second
	// pauseAfter is the time between two looks after which this process has been stopped, and saw nothing.
	pauseAfter = 5 * time.Second
)

// Machine is what one node knows of the signals.
type Machine struct {
	options    Options
	conditions conditions
	regions    []*Region
	ending     map[string]string    // the region of each node that was draining or without transports when it was seen last
	gone       map[string]unit.Time // when one of these left, with a goodbye

	last    unit.Time // when it looked
	tells   bool
	waits   unit.Time // until when it waits for another one that tells
	signals []*signal
}

// New returns the machine of a node.
func New(now unit.Time, o Options) *Machine {
	o.IdleAfter = cmp.Or(o.IdleAfter, DefaultIdleAfter)
	return &Machine{options: o, conditions: conditions{}, ending: map[string]string{}, gone: map[string]unit.Time{}, last: now, waits: now.Add(takeOver)}
}

// Update takes the present table of nodes, this one included, and the wall clock's time in Unix seconds, which signals show. It is to be
// called once a second.
func (m *Machine) Update(now unit.Time, wall int64, rows []membership.Row) {
	m.pass(now)
	m.judgeRegions(now, rows)
	m.judgeNodes(now, rows)
	m.judgeDrained(now, rows)
	if m.elect(now, rows); m.tells {
		m.compare(now, wall)
	}
}

// pass lets time pass. That in which this process was stopped counts for nothing.
func (m *Machine) pass(now unit.Time) {
	if gap := now.Sub(m.last); gap > pauseAfter {
		m.waits = m.waits.Add(gap)
		for _, c := range m.conditions {
			c.since = c.since.Add(gap)
		}
	}
	m.last = now
}

func (m *Machine) judgeRegions(now unit.Time, rows []membership.Row) {
	m.regions = regionsOf(rows)
	names := map[string]bool{}
	for _, r := range m.regions {
		names[r.Name] = true
		k, limit := key{membership.CapacityShort, r.Name}, 1.0
		if m.conditions.count(k) {
			limit -= ebb
		}
		m.conditions.judge(now, k, r.Name, shortOf(rows, r.Name, limit), shortBegins, shortEnds)
		r.Short = m.conditions.count(k)
	}
	m.forget(membership.CapacityShort, names)
}

// judgeNodes looks which nodes are idle. Of those without transports, no more are so than the region can do without: those that were before,
// then those with the highest names.
func (m *Machine) judgeNodes(now unit.Time, rows []membership.Row) {
	spare := map[string]int{}
	for _, r := range m.regions {
		spare[r.Name] = r.spare()
	}
	var empty []*membership.Row
	names := map[string]bool{}
	for i := range rows {
		if r := &rows[i]; isServing(r) && r.Load.Transports == 0 {
			empty = append(empty, r)
			names[r.Name] = true
		}
	}
	counts := func(r *membership.Row) bool { return m.conditions.count(key{membership.NodeIdle, r.Name}) }
	slices.SortFunc(empty, func(a, b *membership.Row) int {
		return cmp.Or(-compareBool(counts(a), counts(b)), -cmp.Compare(a.Name, b.Name))
	})
	for _, r := range empty {
		region := r.Labels["region"]
		spare[region]--
		m.conditions.judge(now, key{membership.NodeIdle, r.Name}, region, spare[region] >= 0, m.options.IdleAfter, spareEnds)
	}
	m.forget(membership.NodeIdle, names)
}

// judgeDrained looks which nodes have nothing left to wait for: those that drain and are empty, and for a while those that have gone with
// a goodbye and were empty or draining. One that dies stays in the table for longer than that.
func (m *Machine) judgeDrained(now unit.Time, rows []membership.Row) {
	drained := map[string]bool{}
	present := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		present[r.Name] = true
		delete(m.gone, r.Name)
		delete(m.ending, r.Name)
		if empty := r.Load.Transports == 0; r.Condition == membership.Alive && (empty || r.Draining) {
			m.ending[r.Name] = r.Labels["region"]
			drained[r.Name] = empty && r.Draining
		}
	}
	for name := range m.ending {
		if present[name] {
			continue
		}
		if m.gone[name] == 0 {
			m.gone[name] = now
		}
		drained[name] = now.Sub(m.gone[name]) < drainedEnds
	}
	for name, yes := range drained {
		m.conditions.judge(now, key{membership.NodeDrained, name}, m.ending[name], yes, 0, 0)
	}
	m.forget(membership.NodeDrained, drained)
	maps.DeleteFunc(m.gone, func(name string, _ unit.Time) bool {
		if !drained[name] {
			delete(m.ending, name)
		}
		return !drained[name]
	})
}

// forget ends the conditions of a kind about what is not there any more.
func (m *Machine) forget(kind membership.SignalKind, present map[string]bool) {
	for k := range m.conditions {
		if k.kind == kind && !present[k.of] {
			delete(m.conditions, k)
		}
	}
}

// elect finds out who tells, and takes over what others have told.
func (m *Machine) elect(now unit.Time, rows []membership.Row) {
	own := rank{m.options.Steers, m.options.Name}
	best := own
	var teller *membership.Row
	for i := range rows {
		r := &rows[i]
		if r.Name == own.name || r.Condition != membership.Alive {
			continue
		}
		other := rank{r.Steers, r.Name}
		if other.before(best) {
			best = other
		}
		if r.Tells && (teller == nil || other.before(rank{teller.Steers, teller.Name})) {
			teller = r
		}
	}
	switch {
	case m.tells && (best.steers && !own.steers || teller != nil && rank{teller.Steers, teller.Name}.before(own)):
		m.tells = false
		m.waits = now.Add(takeOver)
	case m.tells:
		return
	case teller == nil && best != own:
		m.waits = now.Add(takeOver)
	case teller == nil && now >= m.waits:
		m.tells = true
		return
	}
	if teller != nil {
		m.waits = now.Add(takeOver)
		m.adopt(now, teller.Signals)
	}
}

// rank is by what it is decided who tells.
type rank struct {
	steers bool
	name   string
}

func (r rank) before(o rank) bool {
	return cmp.Or(-compareBool(r.steers, o.steers), cmp.Compare(r.name, o.name)) < 0
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Regions returns what regions have and need.
func (m *Machine) Regions() (all []Region) {
	for _, r := range m.regions {
		all = append(all, *r)
	}
	return all
}

// Tells reports whether the node is the one that tells.
func (m *Machine) Tells() bool { return m.tells }
